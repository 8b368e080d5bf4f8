"""A view of pages: tabs above, the rows of one page, what could not be seen below.

Nothing waits for a reading: keys act on the last one, which stays, greyed and with its age, while the source does not
answer.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.core.reading import SourceError
from opsconsole.runbooks.repair import Repair, runbook_for, runbook_for_all, values_of, values_of_all
from opsconsole.ui import working
from opsconsole.ui.commands import ranking
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.lines import Line, Lines, Span, fit_line, line, width_of
from opsconsole.ui.pages.offers import Offer, offers
from opsconsole.ui.pages.page import Order, PageSpec
from opsconsole.ui.pages.reading import PageReading
from opsconsole.ui.pages.rereading import Rereading
from opsconsole.ui.screens.marking import MarkingList
from opsconsole.ui.screens.view import View
from opsconsole.ui.table_layout import Row
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.widgets.live_table import LiveTable

_LONG = 3.0
"""Seconds after which it is said how long a first reading is waited for."""
_MOST_NOTES = 2


class PagesView(MarkingList):
    """Pages of one source. `tab` goes from page to page."""

    DEFAULT_CSS = """
    PagesView { padding: 0 1; }
    PagesView #pages { height: 1; }
    PagesView #summary { height: 1; }
    PagesView LiveTable { width: 100%; height: 1fr; }
    PagesView #seen { height: auto; display: none; }
    """

    def __init__(self, title: str, specs: Sequence[PageSpec], page: str = "") -> None:
        """`page` is the id of the page to begin with; the first where there is none of that id."""
        super().__init__()
        self.title = title
        self.specs = tuple(specs)
        self._spec = next((one for one in self.specs if one.id == page), self.specs[0])
        self._pages: dict[str, PageReading] = {}
        self._paused = False
        self._begun = False
        """Whether the cursor was put on the row that the page begins with."""
        self._rereading = Rereading(
            self._asked,
            clock=lambda: self.console.session.clock(),
            report=lambda error: self.console.console_app.report(error),
            changed_at=lambda: self.console.changed_at,
            paused=lambda: self._paused,
            asking=lambda _: self._summary.repaint(),
            answered=self._show_if_looked_at,
        )
        self._bar = Canvas(self._paint_bar, id="pages")
        self._summary = Canvas(self._paint_summary, id="summary")
        self.table = LiveTable()
        self._seen = Canvas(self._paint_notes, id="seen")

    @abstractmethod
    async def _asked(self) -> Any:
        """What the pages take their readings of."""

    def _placed(self, repair: Repair) -> Repair:
        """The repair with what the view knows of where it is to be done."""
        return repair

    async def _completed(self, repairs: Sequence[Repair]) -> tuple[Sequence[Repair], str] | None:
        """The repairs with what has to be known before they are shown, and which are left out and why; None where
        that is still being asked.

        Raises:
            ValueError: why they cannot be carried out.
            SourceError: it cannot be found out.
        """
        return repairs, ""

    def compose(self) -> ComposeResult:
        yield self._bar
        yield self._summary
        yield self.table
        yield self._seen

    # Life

    def entered(self) -> None:
        """Read, from now on, what is looked at."""
        self.console.set_focus(self.table)
        self._show()
        self._read_on()

    def left(self) -> None:
        """Ask nothing while nobody looks."""
        self.workers.cancel_group(self, "page")

    def tick(self, now: float) -> None:
        """Ages grow."""
        shown = self._now
        if shown.sheet is None or shown.trouble(now) is not None or shown.age(now) is not None or self._paused:
            self._summary.repaint()

    def subtitle(self) -> str:
        """Whether reading is paused."""
        return "paused" if self._paused else ""

    def hints(self) -> list[tuple[str, str]]:
        """What the page can do."""
        page = self._now.page
        forms = page.groupings or page.asks_form
        idle = {name for name, some in (("sort", len(page.sorts) > 1), ("group", forms)) if not some}
        return [(action, word) for action, word in super().hints() if action not in idle]

    @property
    def _now(self) -> PageReading:
        """The page that is looked at."""
        shown = self._pages.get(self._spec.id)
        if shown is None:
            page = self._spec.make()
            shown = self._pages[self._spec.id] = PageReading(page, Order(page.sorts[0]))
        return shown

    # Reading

    def _read_on(self) -> None:
        self._rereading.wake.clear()  # it was meant for the page that was looked at before
        working.go_on(self, partial(self._rereading.go_on, self._now), "page")

    # Showing

    def _show_if_looked_at(self, shown: PageReading) -> None:
        if shown is self._now:
            self._show()

    def _show(self) -> None:
        """Paint what the page that is looked at has."""
        shown = self._now
        sheet = shown.sheet
        if sheet is not None:
            self.table.show_rows(
                sheet.columns, sheet.rows, sort=sheet.sort, descending=sheet.descending, old=bool(shown.failed)
            )
            if sheet.begin and not self._begun:
                self.table.begin_at(sheet.begin)
            self._begun = True
        else:
            self.table.show_rows((), ())
        notes = len(sheet.notes) if sheet is not None else 0
        self._seen.display = bool(notes)
        self._seen.styles.height = min(notes, _MOST_NOTES)
        for canvas in (self._bar, self._summary, self._seen):
            canvas.repaint()

    def _paint_bar(self, width: int, _height: int) -> Lines:
        return (fit_line(page_bar(self.specs, self.specs.index(self._spec), width), width),)

    def _paint_summary(self, width: int, _height: int) -> Lines:
        shown = self._now
        spans: list[Span] = []
        trouble = shown.trouble(self.console.session.clock())
        if trouble is not None:
            spans.append(trouble)
        elif shown.sheet is None:
            spans.append(Span(self._asking(shown), "dim"))
        else:
            if shown.order.filter:  # first of all: a filter that one does not see hides what one looks for
                spans.append(Span(f"filter {clean_line(shown.order.filter, limit=200)}   ", "accent"))
            old = self._old(shown)
            if old is not None:  # before anything that a narrow terminal cuts
                spans.append(old)
            spans.append(Span(shown.sheet.summary))
            if shown.order.grouping:
                spans.append(Span(f"   {clean_line(shown.order.grouping, limit=60)}", "accent"))
            if old is None and shown.pause >= 1.0:  # what is read piece by piece has no rhythm
                spans.append(Span(f"   every {duration_text(shown.pause)}", "dim"))
        return (fit_line(line(*spans), width),)

    def _asking(self, shown: PageReading) -> str:
        """That the first reading is on its way, and since when, where that is long."""
        waited = 0.0 if shown.asked_at is None else self.console.session.clock() - shown.asked_at
        return "asking…" if waited < _LONG else f"asking… {duration_text(round(waited))}"

    def _old(self, shown: PageReading) -> Span | None:
        """How old it is, where that is more than it should be; None where it is not."""
        now = self.console.session.clock()
        if self._paused and shown.taken_at is not None:
            return Span(f"{age_text(max(0.0, now - shown.taken_at))} old, paused   ", "stale")
        return shown.age(now)

    def _paint_notes(self, width: int, height: int) -> Lines:
        notes = self._now.sheet.notes if self._now.sheet is not None else ()
        more = len(notes) - _MOST_NOTES
        lines: list[Line] = []
        for place, note in enumerate(notes[:_MOST_NOTES]):
            rest = f"   and {more} more: enter" if more > 0 and place == _MOST_NOTES - 1 else ""
            lines.append(fit_line(line(Span(f"note: {clean_line(note)}{rest}", "warn")), width))
        return tuple(lines)

    @property
    def filter_text(self) -> str:
        """Each page has its own."""
        return self._now.filter

    @filter_text.setter
    def filter_text(self, text: str) -> None:
        self._now.filter = text

    # From page to page

    def open_page(self, page: str) -> None:
        """Look at the page of that id."""
        self._turn_to(next(one for one in self.specs if one.id == page))

    def do_next_page(self) -> None:
        self._turn_by(1)

    def do_previous_page(self) -> None:
        self._turn_by(-1)

    def _turn_by(self, pages: int) -> None:
        self._turn_to(self.specs[(self.specs.index(self._spec) + pages) % len(self.specs)])

    def _turn_to(self, spec: PageSpec) -> None:
        if spec is self._spec:
            return
        self._spec, self._begun = spec, False
        self.table.unmark()
        self.table.release()
        self.table.action_top()
        self.table.release()
        self.table.set_filter("" if self._now.order.filter else self._now.filter)
        self._show()
        self.console.refresh_frame()
        self._read_on()

    # What the keys do

    def do_refresh(self) -> None:
        """Ask again now."""
        self._now.failures = 0
        self._rereading.ask_again()

    def do_pause(self) -> None:
        """Stop asking, or go on."""
        self._paused = not self._paused
        self.console.refresh_frame()
        self.console.tell("paused; p goes on" if self._paused else "reading again")
        self._rereading.wake.set()

    def do_sort(self) -> None:
        """By the next of the page's orders."""
        self._reorder(lambda shown: replace(shown.order, sort=_after(shown.order.sort, shown.page.sorts)))
        self.console.tell(f"sorted by {self._now.order.sort}")

    def do_group(self) -> None:
        """By the next of the page's groupings, and back to none."""
        if self._now.page.asks_form:
            self._ask_form()
            return
        groupings = ("", *self._now.page.groupings)
        if len(groupings) == 1:
            self.console.tell("this page has no other form")
            return
        self._reorder(lambda shown: replace(shown.order, grouping=_after(shown.order.grouping, groupings)))
        self.console.tell(self._now.order.grouping or "one by one")

    def _ask_form(self) -> None:
        shown = self._now
        page, plain = shown.page, "as it is"
        offered = dict(page.forms(shown.reading)) if shown.reading is not None else {}

        def choices(text: str) -> list[Choice]:
            listed = [*([(plain, "")] if shown.order.grouping else []), *offered.items()]
            return [Choice(name, offered.get(name, "")) for name in ranking(text, listed)]

        def accept(text: str) -> str | None:
            form = "" if text == plain else text.strip()
            try:
                if form:
                    page.check_form(form)
            except ValueError as error:
                return str(error)
            self._reorder(lambda now: replace(now.order, grouping=form))
            return None

        self.console.ask(Ask(page.asks_form, accept, choices, picks=bool(offered)))

    def apply_filter(self, text: str) -> None:
        """In the page's own language, or what the rows say.

        Raises:
            ValueError: it is no filter; the one before stays.
        """
        own = self._now.page.speaks(text)
        self.table.set_filter("" if own else text)
        self.filter_text = text
        wanted = text if own else ""
        if wanted != self._now.order.filter:
            self._reorder(lambda shown: replace(shown.order, filter=wanted))

    def _reorder(self, changed: Callable[[PageReading], Order]) -> None:
        shown = self._now
        shown.order = changed(shown)
        self.table.release()
        if shown.reading is not None:
            # At once, from what is known; what needs another question is answered by the next reading.
            shown.sheet = shown.page.sheet(shown.reading, shown.order)
            self._show()
        self._rereading.wake.set()

    def do_open(self) -> None:
        """Where the row leads: to all there is to say about it."""
        self.show_detail()

    def show_detail(self) -> None:
        """All there is to say about the row under the cursor."""
        from opsconsole.ui.screens.detail import DetailView, detail_page
        from opsconsole.ui.screens.text import TextView

        row, shown = self.table.selected_row, self._now
        detail = shown.page.detail(shown.reading, row.key) if row is not None and shown.reading is not None else None
        if row is None or detail is None:
            self.console.tell("there is no more to say about that")
            return
        notes = shown.sheet.notes if shown.sheet is not None else ()
        to_runbook = self.runbook_of(row)
        self.console.open_view(
            TextView(detail.title, detail_page(detail, notes))
            if to_runbook is None
            else DetailView(detail, notes, to_runbook)
        )

    def runbook_of(self, row: Row) -> Callable[[], None] | None:
        """What opens the runbook for a row; None: these pages know of none."""
        return None

    def on_live_table_selected(self, event: LiveTable.Selected) -> None:
        """A click on the row under the cursor."""
        event.stop()
        self.do_open()

    def do_fix(self) -> None:
        """Choose what is to be done about the row, or all that are marked; it then goes through a run."""
        shown, keys = self._now, self.chosen
        if shown.reading is None:
            self.console.tell("nothing is read yet")
            return
        found = offers(shown.page, shown.reading, keys)
        offered = {one.label: one for one in found}
        if not offered:
            self.console.tell("nothing that the console does would change that")
            return

        def choices(text: str) -> list[Choice]:
            return [Choice(name, offered[name].about) for name in ranking(text, [(one, "") for one in offered])]

        def accept(name: str) -> str | None:
            if name not in offered:
                return f"one of: {', '.join(offered)}"
            self.run_worker(self._fix(offered[name]), group="fix", exclusive=True, exit_on_error=False)
            return None

        label = "fix" if len(keys) == 1 else f"fix {len(keys)} rows"
        self.console.ask(Ask(label, accept, choices, picks=True, hint="enter shows it; nothing runs before you say so"))

    async def _fix(self, offer: Offer) -> None:
        await self._show_run(offer.title, self._completed(offer.repairs))

    async def _show_run(self, title: str, completed: Awaitable[tuple[Sequence[Repair], str] | None]) -> None:
        try:
            found = await completed
            if found is not None and self.console.view is self:  # otherwise something else is looked at by now
                repairs, left = found
                self._open_run(title, [self._placed(one) for one in repairs], left)
        except (SourceError, ValueError) as error:
            self.console.tell(clean_line(error), "error")
        except Exception as error:
            self.console.console_app.report(error)

    def _open_run(self, title: str, repairs: Sequence[Repair], left: str = "") -> None:
        """Show the run that the repairs are; marks go when it begins. `left` says what is not among them, and why.

        Raises:
            ValueError: why they cannot be one.
        """
        now = self.console.session.clock()
        if len(repairs) == 1:
            from opsconsole.ui.screens.runbook import RunbookView

            why = "; ".join(text for text in (repairs[0].why, left) if text)
            one = replace(repairs[0], why=why)
            self.console.open_view(RunbookView(runbook_for(one), values_of(one), {}, now, repair=one))
            return
        from opsconsole.ui.screens.several import SeveralView

        book = runbook_for_all(repairs, title)
        self.console.open_view(SeveralView(book, values_of_all(repairs), now, self.table.unmark, left))


class FamilyView(PagesView):
    """Pages of a family: all of them, or those of one of its things."""

    family: ClassVar[str]
    """Its name; see `ui.families`."""

    def __init__(self, title: str, specs: Sequence[PageSpec], page: str = "") -> None:
        super().__init__(title, specs, page)
        self._source: Any = None

    @classmethod
    def opened_at(cls, page: str) -> "FamilyView":
        """All pages of the family, with `page` in view; the first one where it is empty."""
        raise NotImplementedError

    @classmethod
    def behind(cls, page: str, key: str) -> View | None:
        """Where the row `key` of a pane that shows `page` leads; None: to the page in full."""
        del page, key
        return None

    async def _asked(self) -> Any:
        if self._source is None:
            self._source = await self.console.session.families[self.family]()
        return self._source

    def do_details(self) -> None:
        """All there is to say about the row."""
        self.show_detail()


def page_bar(specs: Sequence[PageSpec], present: int, width: int) -> Line:
    """The names of the pages; where they do not all fit, those around the present one."""
    gap = 3 if width >= 100 else 2
    first = 0
    while first < present and sum(width_of(spec.title) + gap for spec in specs[first : present + 1]) > width:
        first += 1
    spans: list[Span] = []
    for place, spec in enumerate(specs[first:], first):
        spans += [Span(spec.title, "title-focus" if place == present else "dim"), Span(" " * gap)]
    return line(*spans)


def _after(present: str, known: tuple[str, ...]) -> str:
    return known[(known.index(present) + 1) % len(known)]
