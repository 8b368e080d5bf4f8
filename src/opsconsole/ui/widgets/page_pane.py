"""A page (of the workbench, of pipelines) as a pane of a screen: it reads by itself while it is in view."""

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.state import State
from opsconsole.screens.definition import Pane
from opsconsole.ui import working
from opsconsole.ui.glyphs import UNICODE, Glyphs
from opsconsole.ui.lines import Line, Lines, Span, clip_line, fit_line, in_role, line
from opsconsole.ui.pages.page import Order, PageSpec, Sheet
from opsconsole.ui.pages.reading import PageReading
from opsconsole.ui.pages.rereading import Rereading
from opsconsole.ui.panes.looking import Item, Looking, page_of
from opsconsole.ui.table_layout import Row, asked_widths, heading, lay_out, row_line
from opsconsole.ui.widgets.guarded_pane import broken
from opsconsole.ui.widgets.pane import PaneView


class PagePane(PaneView):
    """A pane with a view that is a page."""

    def __init__(
        self,
        pane: Pane,
        spec: PageSpec,
        source: Callable[[], Awaitable[Any]],
        *,
        report: Callable[[Exception], object],
        paused: Callable[[], bool] = lambda: False,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.time,
        changed_at: Callable[[], float] = lambda: -math.inf,
    ) -> None:
        """A pane that shows the page `spec`.

        Args:
            source: what the page takes its readings of; may raise SourceError.
            report: told of a fault of ours.
            paused: whether nothing is to be read.
            changed_at: Unix seconds of the last change that was made from here.
        """
        super().__init__(pane, glyphs=glyphs, clock=clock)
        made = spec.make()
        self._reading = PageReading(made, Order(made.sorts[0]), prepare=_items)
        self._rereading = Rereading(
            source,
            clock=clock,
            report=report,
            changed_at=changed_at,
            paused=paused,
            asking=lambda _: self.repaint(),
            answered=lambda _: self._show(),
            least=pane.refresh or 0.0,
        )
        self._read_now = False
        self._widths: tuple[int, ...] = ()

    @property
    def reading(self) -> PageReading:
        """What was read last."""
        return self._reading

    @property
    def watched(self) -> bool:
        """Whether it is in view, and reads."""
        return self._read_now

    # Reading

    def watch_page(self, visible: bool) -> None:
        """Read from now on, or no more."""
        if visible and not self._read_now:
            self._read_now = True
            working.go_on(self, partial(self._rereading.go_on, self._reading), "page")
        elif not visible and self._read_now:
            self._read_now = False
            self.workers.cancel_group(self, "page")

    def ask_again(self) -> None:
        """Read now."""
        self._rereading.ask_again()

    # Showing

    def _show(self) -> None:
        self._arrange()
        self.repaint()

    @property
    def selectable(self) -> bool:
        """Its rows have a cursor."""
        return True

    def find_items(self) -> Sequence[Item]:
        """The rows of the page."""
        return self._reading.prepared or ()

    def paint(self, width: int, height: int) -> Lines:
        """Title with the page's sums, the rows, and what could not be seen; or why it cannot be drawn."""
        try:
            return self._drawn(width, height)
        except Exception as error:
            return broken(self, error, width)[:height]

    def _drawn(self, width: int, height: int) -> Lines:
        if width <= 0 or height <= 0:
            return ()
        looking, sheet = self._looking(), self._reading.sheet
        trouble = self._reading.trouble(self._clock())
        head = fit_line(self._title(looking, trouble), width)
        if sheet is None:
            return (head, line(Span("asking…", "dim")))[:height] if trouble is None else (head,)
        notes = self._notes(width)[: max(0, height - 4)]
        items, room = looking.items or (), height - 2 - len(notes)
        _, page = page_of(items, looking.key, room)
        # Of the rows in view only, and never narrower than before: it costs what is seen of it, and stands still.
        self._widths = asked_widths(sheet.columns, map(_row, page), self._widths)
        layout = lay_out(sheet.columns, self._widths, width)
        lines: list[Line] = [head, heading(sheet.columns, layout, sheet.sort)]
        for item in page:
            shown = row_line(_row(item), layout, self._glyphs.ellipsis)
            if item.key == looking.key:
                shown = in_role(fit_line(shown, width), "cursor" if looking.focused else "selected")
            elif trouble is not None or item.gone:
                shown = in_role(shown, "dim")
            lines.append(shown)
        lines += [()] * (height - len(notes) - len(lines))
        return tuple(clip_line(one, width, self._glyphs.ellipsis) for one in (*lines[: height - len(notes)], *notes))

    def _title(self, looking: Looking, trouble: Span | None) -> Line:
        title = Span(self.pane.title or self.pane.id, "title-focus" if looking.focused else "title")
        sheet = self._reading.sheet
        said = trouble or (Span(sheet.summary, "dim") if sheet is not None else None)
        old = (self._reading.age(self._clock()) if trouble is None else None) or Span("")  # trouble says its own
        filtered = Span(f"  filter {looking.filter}", "dim") if looking.filter else Span("")
        return line(title, "  ", old, said, filtered) if said is not None else line(title, filtered)

    def _notes(self, width: int) -> list[Line]:
        notes = self._reading.sheet.notes if self._reading.sheet is not None else ()
        return [fit_line(line(Span(f"note: {clean_line(note)}", "warn")), width) for note in notes[:1]]


def _items(sheet: Sheet) -> tuple[Item, ...]:
    return tuple(Item(row.key, row.labels, State.OK, row.text, subject=row) for row in sheet.rows)


def _row(item: Item) -> Row:
    assert isinstance(item.subject, Row), "made by find_items"
    return item.subject
