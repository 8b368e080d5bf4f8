"""A table for rows that change while one looks at them: any number of rows, drawn on demand.

Nothing moves under the cursor. The cursor stays on its row when rows are sorted anew; from the first key press until
`release()` (or until the focus goes) rows keep their places, those that are gone stay dimmed, and new ones
come last.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from opsconsole.ui.filtering import Matcher, matcher
from opsconsole.ui.glyphs import UNICODE, Glyphs
from opsconsole.ui.lines import Line, Lines, Span, fit_line, in_role, spread
from opsconsole.ui.table_layout import Column, Layout, Row, asked_widths, heading, lay_out, row_line
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.widgets.cursor import Cursor, held_order, scrolled

_HEAD = 2
"""Lines above the rows: title with counts, and the column titles."""
_GUTTER = 2
"""Cells before each row while any is marked."""
_SAMPLE = 200
"""Rows that are looked at for the first column widths; later, only what is in view."""


class LiveTable(Canvas, can_focus=True):
    """A virtual table of keyed rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", id="table.up", show=False),
        Binding("down", "move(1)", "Down", id="table.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="table.page-up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="table.page-down", show=False),
        Binding("home", "top", "Top", id="table.top", show=False),
        Binding("end", "bottom", "Bottom", id="table.bottom", show=False),
        Binding("enter", "select", "Open", id="table.select", show=False),
    ]

    class Highlighted(Message):
        """The cursor has come to another row."""

        def __init__(self, table: "LiveTable", key: str, labels: Mapping[str, str]) -> None:
            super().__init__()
            self.table = table
            self.key = key
            self.labels = labels

        @property
        def control(self) -> "LiveTable":
            """The table it happened in."""
            return self.table

    class Selected(Highlighted):
        """A row was chosen, with `enter` or a second click."""

    def __init__(
        self,
        title: str = "",
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - the name Textual gives it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._title = title
        self._glyphs = glyphs
        if glyphs.chart == "ascii":
            self.show_ascii_only()
        self._columns: tuple[Column, ...] = ()
        self._arrived: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._keys: list[str] = []
        self._gone: frozenset[str] = frozenset()
        self._widths: tuple[int, ...] = ()
        self._layout = Layout(())
        self._laid_out_for = -1
        self._cursor = Cursor()
        self._top = 0
        self._picked = False
        self._marked: set[str] = set()
        self._mark_from: str | None = None
        self._sort = ""
        self._descending = True
        self._old = False
        self._filter = ""
        self._matches: Matcher | None = None

    # What the outside says and asks

    def show_rows(
        self,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        sort: str = "",
        descending: bool = True,
        old: bool = False,
    ) -> int:
        """Show `rows`, in the order given; `sort` names the column they are sorted by, for the header. `old`: they are
        what was known last, and grey.

        Keys must be unique. Costs what the rows in view cost, whatever the length of the list.

        Returns:
            How many lines have to be written to the terminal.
        """
        if tuple(columns) != self._columns:
            # Where only a title changed, as that of an axis does, the table stays as wide as it was.
            same = [one.id for one in columns] == [one.id for one in self._columns]
            self._columns = tuple(columns)
            self._widths = asked_widths(self._columns, rows[:_SAMPLE], self._widths if same else (), sort)
            self._laid_out_for = -1
        self._arrived = rows
        self._sort, self._descending, self._old = sort, descending, old
        self._arrange()
        return self.repaint()

    def set_filter(self, text: str) -> None:
        """Show only the rows that match (see `ui.filtering`); an empty text shows all.

        Raises:
            ValueError: an invalid regular expression; the filter stays as it was.
        """
        self._matches = matcher(text)
        self._filter = text.strip()
        self._top = 0
        self._arrange()
        self.repaint()

    def begin_at(self, key: str) -> None:
        """Put the cursor on the row with that key, unless the operator has chosen one; rows move as before."""
        if not self._picked and key in self._keys:
            self._cursor.move_to(self._keys.index(key), self._keys)
            self._top = scrolled(self._top, self._cursor.index, len(self._keys), self._room)
            self.repaint()

    def release(self) -> None:
        """Let go of the selection: rows take their new order again, and those that are gone leave."""
        self._picked = False
        self._arrange()
        self.repaint()

    @property
    def picked(self) -> bool:
        """Whether the operator has selected something, so that rows keep their places."""
        return self._picked

    @property
    def first_row(self) -> int:
        """The place in the list of the first row in view."""
        return self._top

    @property
    def selected_row(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor.index] if self._rows else None

    @property
    def selected_labels(self) -> Mapping[str, str]:
        """The labels of the row under the cursor; empty without one."""
        row = self.selected_row
        return row.labels if row is not None else {}

    # Marks

    @property
    def marked(self) -> tuple[str, ...]:
        """The keys of the rows that are marked and still there, in the list's order; a filter hides none of them."""
        return tuple(row.key for row in self._arrived if row.key in self._marked) if self._marked else ()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or no longer; then on to the next."""
        row = self.selected_row
        if row is None:
            return
        self._marked ^= {row.key}
        self._mark_from = row.key
        self.move_to(self._cursor.index + 1)
        self.repaint()

    def mark_range(self) -> bool:
        """Mark every row from the one that was marked last to that under the cursor; False where none was."""
        if self._mark_from not in self._keys:
            return False
        first, last = sorted((self._keys.index(self._mark_from), self._cursor.index))
        self._marked |= set(self._keys[first : last + 1]) - self._gone
        self._mark_from = self._keys[self._cursor.index]
        self.repaint()
        return True

    def mark_shown(self) -> None:
        """Mark every row that the filter shows; none of them, where all are marked."""
        shown = set(self._keys) - self._gone
        self._marked = self._marked - shown if shown <= self._marked else self._marked | shown
        self.repaint()

    def unmark(self) -> None:
        """Mark nothing."""
        self._marked.clear()
        self._mark_from = None
        self.repaint()

    # Order

    def _arrange(self) -> None:
        """The rows to show, from those that arrived: filtered, and in the order that the selection allows."""
        matches = self._matches
        rows = self._arrived if matches is None else [row for row in self._arrived if matches(row.text)]
        keys = [row.key for row in rows]
        self._gone = frozenset()
        if self._picked and keys != self._keys:
            rows, keys = self._hold(rows, keys)
        self._rows, self._keys = rows, keys
        self._cursor.settle(keys)
        self._top = scrolled(self._top, self._cursor.index if self._picked else self._top, len(keys), self._room)

    def _hold(self, rows: Sequence[Row], keys: list[str]) -> tuple[list[Row], list[str]]:
        fresh = {row.key: row for row in rows}
        last = {row.key: row for row in self._rows}
        order = held_order(self._keys, keys)
        self._gone = frozenset(order) - fresh.keys()
        return [fresh.get(key) or last[key] for key in order], list(order)

    # Painting

    @property
    def _room(self) -> int:
        """Rows that fit on screen."""
        return max(0, self.size.height - _HEAD)

    def paint(self, width: int, height: int) -> Lines:
        """The lines in view."""
        room = max(0, height - _HEAD)
        self._top = max(0, min(self._top, len(self._rows) - room))
        visible = self._rows[self._top : self._top + room]
        gutter = _GUTTER if self._marked else 0
        self._fit_columns(visible, width - gutter)
        body = tuple(self._row(row, self._top + place, width) for place, row in enumerate(visible))
        mark = self._glyphs.down if self._descending else self._glyphs.up
        head = heading(self._columns, self._layout, self._sort, mark)
        return (self._caption(room, width), (Span(" " * gutter), *head) if gutter else head, *body)[:height]

    def _fit_columns(self, visible: Sequence[Row], width: int) -> None:
        widths = asked_widths(self._columns, visible, self._widths, self._sort)
        if widths != self._widths or width != self._laid_out_for:
            self._widths, self._laid_out_for = widths, width
            self._layout = lay_out(self._columns, widths, width)

    def _row(self, row: Row, index: int, width: int) -> Line:
        shown = row_line(row, self._layout, self._glyphs.ellipsis)
        if self._old or row.key in self._gone:
            shown = in_role(shown, "dim")
        if self._marked:
            marked = row.key in self._marked
            shown = (Span(f"{self._glyphs.chosen} " if marked else " " * _GUTTER, "accent"), *shown)
        if index != self._cursor.index or not (self.has_focus or self._picked):
            return shown
        return in_role(fit_line(shown, width), "cursor" if self.has_focus else "selected")

    def _caption(self, room: int, width: int) -> Line:
        shown, total = len(self._rows) - len(self._gone), len(self._arrived)
        counts = f"{shown:,} of {total:,}" if self._matches is not None else f"{total:,}"
        if len(self._rows) > room:
            first = self._top + 1
            counts = f"{first:,}{self._glyphs.minus}{min(self._top + room, len(self._rows)):,} of {counts}"
        notes = [counts]
        if self._marked:
            notes.insert(0, f"{len(self.marked):,} marked")
        if self._filter:
            notes.append(f"filter {self._filter}")
        if self._sort:
            notes.append(f"sort {self._sort_title}")
        if self._picked:
            notes.append("order held")
        if self._layout.hidden:
            hidden = self._layout.hidden
            notes.append(f"{hidden} column{'s' if hidden != 1 else ''} hidden")
        left = (Span(self._title, "title"),) if self._title else ()
        return spread(left, (Span("   ".join(notes), "dim"),), width, self._glyphs.ellipsis)

    @property
    def _sort_title(self) -> str:
        return next((column.title.lower() for column in self._columns if column.id == self._sort), self._sort)

    # Moving

    def action_move(self, rows: int) -> None:
        """Move the cursor by `rows`."""
        self.move_to(self._cursor.index + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by `pages` of what is in view."""
        self.move_to(self._cursor.index + pages * max(1, self._room - 1))

    def action_top(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_bottom(self) -> None:
        """To the last row."""
        self.move_to(len(self._rows) - 1)

    def action_select(self) -> None:
        """Choose the row under the cursor."""
        row = self.selected_row
        if row is not None:
            self.post_message(self.Selected(self, row.key, row.labels))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row; rows keep their places from now on."""
        if not self._rows:
            return
        self._picked = True
        moved = self._cursor.move_to(index, self._keys)
        self._top = scrolled(self._top, self._cursor.index, len(self._rows), self._room)
        self.repaint()
        row = self.selected_row
        if moved and row is not None:
            self.post_message(self.Highlighted(self, row.key, row.labels))

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor, or let rows move again; the cursor stays on its row."""
        super().watch_has_focus(has_focus)
        if has_focus:
            self.repaint()
        else:
            self.release()

    def on_click(self, event: events.Click) -> None:
        """A click goes to a row, one on the row of the cursor chooses it."""
        index = self._top + event.y - _HEAD
        if event.y < _HEAD or index >= len(self._rows):
            return
        if index == self._cursor.index and self._picked:
            self.action_select()
        else:
            self.move_to(index)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down, without moving the cursor."""
        self._scroll_by(event, 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up, without moving the cursor."""
        self._scroll_by(event, -3)

    def _scroll_by(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        self._top = max(0, min(self._top + rows, len(self._rows) - self._room))
        self.repaint()
