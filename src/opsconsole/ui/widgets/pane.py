"""One pane on a screen: paints its state, and keeps what the operator has selected in it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from textual import events
from textual.message import Message

from opsconsole.screens.definition import Kind, Pane
from opsconsole.screens.evaluation import PaneState, evaluate_pane
from opsconsole.ui.filtering import Matcher, matcher
from opsconsole.ui.glyphs import UNICODE, Glyphs
from opsconsole.ui.lines import Lines, text_of
from opsconsole.ui.panes import timeseries
from opsconsole.ui.panes.looking import Item, Looking, arranged, items_of
from opsconsole.ui.panes.registry import renderer
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.widgets.cursor import Cursor

SELECTABLE = frozenset({Kind.STATUS, Kind.TABLE, Kind.BARS, Kind.STAT, Kind.GAUGE, Kind.TIMELINE})
"""The kinds with a cursor that walks over items; `timeseries` has one that walks through time."""


class PaneView(Canvas, can_focus=True):
    """A pane.

    Keys are the application's: it calls `move`, `sideways`, `page`, `to_top`, `to_bottom`, `choose` and `release`. Each
    returns whether it meant anything here, so that a key can go on to the neighbour when it did not.
    """

    class Highlighted(Message):
        """The cursor has come to another item."""

        def __init__(self, view: "PaneView", labels: Mapping[str, str]) -> None:
            super().__init__()
            self.view = view
            self.labels = labels

        @property
        def control(self) -> "PaneView":
            """The pane it happened in."""
            return self.view

    class Selected(Highlighted):
        """An item was chosen, by `choose` or a second click."""

    def __init__(
        self,
        pane: Pane,
        *,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.time,
        runbook: str = "",
        id: str | None = None,  # noqa: A002 - the name Textual gives it
        classes: str | None = None,
    ) -> None:
        """`runbook` is the title of the runbook that the pane leads to, for its title line."""
        super().__init__(id=id, classes=classes)
        self.pane = pane
        self._glyphs = glyphs
        if glyphs.chart == "ascii":
            self.show_ascii_only()
        self._clock = clock
        self._runbook = runbook
        self._state = evaluate_pane(pane, [None] * len(pane.targets), clock())
        self._items: tuple[Item, ...] = ()
        self._cursor = Cursor()
        self._picked = False
        self._filter = ""
        self._matches: Matcher | None = None
        self._at: float | None = None
        self._window: float | None = None
        self._end: float | None = None

    # What the outside says and asks

    @property
    def state(self) -> PaneState:
        """What is shown."""
        return self._state

    def show_state(self, state: PaneState, *, window: float | None = None, end: float | None = None) -> int:
        """Show a new state.

        Args:
            window: seconds of history to draw; None: as the pane says.
            end: where the time range ends, in Unix seconds; None: now.

        Returns:
            How many lines have to be written to the terminal.
        """
        self._state, self._window, self._end = state, window, end
        if self.pane.kind is Kind.SECTION:
            self.show_folded(self.pane.folded)
        self._arrange()
        return self.repaint()

    def tick(self) -> int:
        """Time has passed: ages and countdowns may read differently. Costs nothing where they do not."""
        return self.repaint()

    def set_filter(self, text: str) -> None:
        """Show only the items that match (see `ui.filtering`); an empty text shows all.

        Raises:
            ValueError: an invalid regular expression; the filter stays as it was.
        """
        self._matches = matcher(text)
        self._filter = text.strip()
        self._arrange()
        self.repaint()

    @property
    def selected_item(self) -> Item | None:
        """The item under the cursor; without a cursor the worst one, for that is what the pane tells about."""
        if not self._items:
            return None
        if self._picked or self.has_focus:
            return self._items[min(self._cursor.index, len(self._items) - 1)]
        return max(self._items, key=lambda item: item.state.severity)

    @property
    def selected_labels(self) -> Mapping[str, str]:
        """The labels of the selected item; empty without one."""
        item = self.selected_item
        return item.labels if item is not None else {}

    @property
    def picked(self) -> bool:
        """Whether the operator has moved the cursor, so that items keep their places."""
        return self._picked

    def text(self) -> str:
        """What is to be seen, as plain text."""
        return text_of(self.lines)

    def show_folded(self, folded: bool) -> None:
        """Show whether what is below this heading is put away."""
        self.pane = replace(self.pane, folded=folded)
        self._state = replace(self._state, pane=replace(self._state.pane, folded=folded))
        self.repaint()

    # Moving

    @property
    def selectable(self) -> bool:
        """Whether the cursor walks over items here."""
        return self.pane.kind in SELECTABLE

    def move(self, items: int) -> bool:
        """Move the cursor by `items`; False at the end of the list or where there is none."""
        if not self.selectable or not self._items:
            return False
        return self._go(self._cursor.index + items)

    def page(self, pages: int) -> bool:
        """Move the cursor by whole pages."""
        return self.move(pages * max(1, self.size.height - 2))

    def to_top(self) -> bool:
        """To the first item."""
        return self.move(-len(self._items))

    def to_bottom(self) -> bool:
        """To the last item."""
        return self.move(len(self._items))

    def sideways(self, cells: int) -> bool:
        """Move a chart's cursor through time by `cells`; it appears at the newest values, and goes beyond them."""
        if self.pane.kind is not Kind.TIMESERIES or not self._state.cells:
            return False
        width, height = self.size
        axis = timeseries.axis_of(self._state, width, height, self._clock(), self._looking())
        if self._at is None:
            if cells > 0:
                return False
            column = axis.cells - 1
        else:
            column = axis.column(self._at) + cells
        self._at = None if column >= axis.cells else axis.moment(max(0, column))
        self.repaint()
        return True

    def choose(self) -> bool:
        """Choose the item under the cursor: posts `Selected`."""
        item = self.selected_item
        if item is None:
            return False
        self.post_message(self.Selected(self, item.labels))
        return True

    def release(self) -> bool:
        """Let go of selection and chart cursor; False where there was none."""
        held = self._picked or self._at is not None
        self._picked, self._at = False, None
        self._arrange()
        if held:
            self._cursor.move_to(0, [item.key for item in self._items])
        self.repaint()
        return held

    def _go(self, index: int) -> bool:
        self._picked = True
        moved = self._cursor.move_to(index, [item.key for item in self._items])
        self.repaint()
        if moved:
            self.post_message(self.Highlighted(self, self.selected_labels))
        return moved

    # Painting

    def paint(self, width: int, height: int) -> Lines:
        """The pane as it stands."""
        return renderer(self.pane.kind)(self._state, width, height, self._glyphs, self._clock(), self._looking())

    def _looking(self) -> Looking:
        focused = self.has_focus
        has_cursor = self.selectable and (focused or self._picked) and bool(self._items)
        return Looking(
            focused=focused,
            key=self._items[self._cursor.index].key if has_cursor else None,
            items=self._items,
            filter=self._filter,
            at=self._at,
            end=self._end,
            window=self._window,
            runbook=self._runbook,
        )

    def find_items(self) -> Sequence[Item]:
        """What can be selected, in the order to show when nothing is."""
        return items_of(self._state)

    def _arrange(self) -> None:
        standing: Sequence[Item] = self._items
        self._items = arranged(self.find_items(), standing, self._matches, hold=self._picked)
        keys = [item.key for item in self._items]
        if self._picked:
            self._cursor.settle(keys)
        else:
            # Nothing was selected: the cursor waits at the worst, which is first.
            self._cursor.move_to(0, keys)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show that this is where keys go, or let items move again."""
        super().watch_has_focus(has_focus)
        if not has_focus:
            self._picked = False
            self._arrange()
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """A click on the selected line chooses it; any other one only brings the focus, which Textual has done."""
        if (
            0 < event.y < len(self.lines)
            and any(span.role == "cursor" for span in self.lines[event.y])
            and self._picked
        ):
            event.stop()
            self.choose()
