"""The PostgreSQL workbench: pages of one database, read as long as they are looked at, and what repairs what they show.

Nothing waits for a reading: keys act on the last one, which stays, greyed and with its age, while the database does not
answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database
from opsconsole.database.fixing import Repair, runbook_for, values_of
from opsconsole.ui.actions import Place
from opsconsole.ui.commands import ranking
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.lines import Line, Lines, Span, fit_line, line, width_of
from opsconsole.ui.screens.list_view import ListView
from opsconsole.ui.table_layout import Row
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.widgets.live_table import LiveTable
from opsconsole.ui.workbench.page import PAGES, Order, PageSpec
from opsconsole.ui.workbench.reading import PageReading

if TYPE_CHECKING:
    from opsconsole.database.explain import Explained
    from opsconsole.database.plan import Plan

_MOST_NOTES = 2
_MOST_PLANS = 50
"""Plans that are kept to compare with: those of the statements that were explained last."""


class WorkbenchView(ListView):
    """One database. `tab` goes from page to page."""

    place: ClassVar[Place] = Place.WORKBENCH

    DEFAULT_CSS = """
    WorkbenchView { padding: 0 1; }
    WorkbenchView #pages { height: 1; }
    WorkbenchView #summary { height: 1; }
    WorkbenchView LiveTable { width: 100%; height: 1fr; }
    WorkbenchView #seen { height: auto; display: none; }
    """

    def __init__(self, source: str, page: str = "") -> None:
        """`source` is the database among the sources, `postgres/app`; `page` the id of the page to begin with."""
        super().__init__()
        self.source = source
        self.title = f"Database {source.partition('/')[2]}"
        self._spec = next((one for one in PAGES if one.id == page), PAGES[0])
        self._pages: dict[str, PageReading] = {}
        self._database: Database | None = None
        self._plans: dict[str, tuple[float, Plan]] = {}
        self._wake = asyncio.Event()
        self._paused = False
        self._bar = Canvas(self._paint_bar, id="pages")
        self._summary = Canvas(self._paint_summary, id="summary")
        self.table = LiveTable()
        self._seen = Canvas(self._paint_notes, id="seen")

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
        self.workers.cancel_group(self, "workbench")

    def tick(self, now: float) -> None:
        """Ages grow."""
        if self._now.failed:
            self._summary.repaint()

    def subtitle(self) -> str:
        """Whether reading is paused."""
        return "paused" if self._paused else ""

    def hints(self) -> list[tuple[str, str]]:
        """What the page can do."""
        page = self._now.page
        idle = {name for name, some in (("sort", len(page.sorts) > 1), ("group", page.groupings)) if not some}
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
        self._wake.clear()
        self.run_worker(self._reading(self._now), group="workbench", exclusive=True, exit_on_error=False)

    async def _reading(self, shown: PageReading) -> None:
        """Read the page again and again; more seldom while that fails."""
        while True:
            if not self._paused or shown.sheet is None:
                await self._read(shown)
            try:
                async with asyncio.timeout(shown.pause):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _read(self, shown: PageReading) -> None:
        app = self.console.console_app
        if await shown.read(self._asked(), self.console.session.clock, app.report):
            self._wake.set()
        if shown is self._now:
            self._show()

    def _asked(self) -> Database:
        if self._database is None:
            session = self.console.session
            name = self.source.partition("/")[2]
            pooler = f"pgbouncer/{name}" if f"pgbouncer/{name}" in session.sources else ""
            self._database = Database(self.source, session.read, session.databases.get(name), pooler=pooler)
        return self._database

    # Showing

    def _show(self) -> None:
        """Paint what the page that is looked at has."""
        shown = self._now
        sheet = shown.sheet
        if sheet is not None:
            rows = [_greyed(row) for row in sheet.rows] if shown.failed else sheet.rows
            self.table.show_rows(sheet.columns, rows, sort=sheet.sort, descending=sheet.descending)
        else:
            self.table.show_rows((), ())
        notes = len(sheet.notes) if sheet is not None else 0
        self._seen.display = bool(notes)
        self._seen.styles.height = min(notes, _MOST_NOTES)
        for canvas in (self._bar, self._summary, self._seen):
            canvas.repaint()

    def _paint_bar(self, width: int, _height: int) -> Lines:
        return (fit_line(page_bar(PAGES.index(self._spec), width), width),)

    def _paint_summary(self, width: int, _height: int) -> Lines:
        shown = self._now
        spans: list[Span] = []
        trouble = shown.trouble(self.console.session.clock())
        if trouble is not None:
            spans.append(trouble)
        elif shown.sheet is None:
            spans.append(Span("asking…", "dim"))
        else:
            spans.append(Span(shown.sheet.summary))
            if shown.order.grouping:
                spans.append(Span(f"   {shown.order.grouping}", "accent"))
            spans.append(Span(f"   every {duration_text(shown.page.period)}", "dim"))
        return (fit_line(line(*spans), width),)

    def _paint_notes(self, width: int, height: int) -> Lines:
        notes = self._now.sheet.notes if self._now.sheet is not None else ()
        more = len(notes) - _MOST_NOTES
        lines: list[Line] = []
        for place, note in enumerate(notes[:_MOST_NOTES]):
            rest = f"   and {more} more: enter" if more > 0 and place == _MOST_NOTES - 1 else ""
            lines.append(fit_line(line(Span(f"not seen: {clean_line(note)}{rest}", "warn")), width))
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
        self._turn_to(next(one for one in PAGES if one.id == page))

    def do_next_page(self) -> None:
        self._turn_by(1)

    def do_previous_page(self) -> None:
        self._turn_by(-1)

    def _turn_by(self, pages: int) -> None:
        self._turn_to(PAGES[(PAGES.index(self._spec) + pages) % len(PAGES)])

    def _turn_to(self, spec: PageSpec) -> None:
        if spec is self._spec:
            return
        self._spec = spec
        self.table.release()
        self.table.action_top()
        self.table.release()
        self.table.set_filter(self._now.filter)
        self._show()
        self.console.refresh_frame()
        self._read_on()

    def do_next_database(self) -> None:
        """The same page of the environment's next database."""
        known = [f"postgres/{name}" for name in self.console.console_app.commander.databases()]
        if len(known) < 2 or self.source not in known:
            self.console.tell("there is no other database in this environment")
            return
        console, page = self.console, self._spec.id
        source = known[(known.index(self.source) + 1) % len(known)]
        console.close_view()
        console.open_view(WorkbenchView(source, page))

    # What the keys do

    def do_refresh(self) -> None:
        """Ask again now."""
        self._now.failures = 0
        self._wake.set()

    def do_pause(self) -> None:
        """Stop asking, or go on."""
        self._paused = not self._paused
        self.console.refresh_frame()
        self.console.tell("paused; p goes on" if self._paused else "reading again")
        self._wake.set()

    def do_sort(self) -> None:
        """By the next of the page's orders."""
        self._reorder(lambda shown: replace(shown.order, sort=_after(shown.order.sort, shown.page.sorts)))
        self.console.tell(f"sorted by {self._now.order.sort}")

    def do_group(self) -> None:
        """By the next of the page's groupings, and back to none."""
        groupings = ("", *self._now.page.groupings)
        if len(groupings) == 1:
            self.console.tell("this page has no other form")
            return
        self._reorder(lambda shown: replace(shown.order, grouping=_after(shown.order.grouping, groupings)))
        self.console.tell(self._now.order.grouping or "one by one")

    def _reorder(self, changed: Callable[[PageReading], Order]) -> None:
        shown = self._now
        shown.order = changed(shown)
        self.table.release()
        if shown.reading is not None:
            # At once, from what is known; what needs another question is answered by the next reading.
            shown.sheet = shown.page.sheet(shown.reading, shown.order)
            self._show()
        self._wake.set()

    def do_open(self) -> None:
        """All there is to say about the row."""
        from opsconsole.ui.screens.detail import detail_page
        from opsconsole.ui.screens.text import TextView

        row, shown = self.table.selected_row, self._now
        detail = shown.page.detail(shown.reading, row.key) if row is not None and shown.reading is not None else None
        if detail is None:
            self.console.tell("there is no more to say about that")
            return
        notes = shown.sheet.notes if shown.sheet is not None else ()
        self.console.open_view(TextView(detail.title, detail_page(detail, notes)))

    def do_explain(self) -> None:
        """The plan of the row's statement, which is not run."""
        row, shown = self.table.selected_row, self._now
        text = shown.page.statement(shown.reading, row.key) if row is not None and shown.reading is not None else ""
        if not text.strip():
            self.console.tell("there is no statement here to explain")
        elif self.console.session.explain is None:
            self.console.tell("statements cannot be explained here")
        else:
            self.console.tell("asking for the plan…", "dim")
            work = self._explained(self.console.session.explain(self.source, text), text)
            self.run_worker(work, group="explain", exclusive=True, exit_on_error=False)

    async def _explained(self, asked: "Awaitable[Explained]", text: str) -> None:
        from opsconsole.ui.screens.text import TextView
        from opsconsole.ui.workbench.plans import plan_detail

        try:
            found = await asked
        except (SourceError, ValueError) as error:
            self.console.tell(f"no plan: {clean_line(error)}", "warn")
            return
        now = self.console.session.clock()
        detail = plan_detail(found, text, self._plans.get(text), now)
        self._plans[text] = (now, found.plan)
        if len(self._plans) > _MOST_PLANS:
            self._plans.pop(next(iter(self._plans)))
        if self.console.view is self:  # otherwise something else is looked at by now
            from opsconsole.ui.screens.detail import detail_page

            self.console.open_view(TextView("Plan", detail_page(detail)))

    def keep_baseline(self, name: str) -> None:
        """Keep what the statements of this database cost until now, to compare with later."""
        self.run_worker(self._kept(name), group="baseline", exclusive=True, exit_on_error=False)

    async def _kept(self, name: str) -> None:
        from opsconsole.database.captures import CaptureError
        from opsconsole.ui.workbench.regressions import keep_baseline

        self.console.tell("reading every statement…", "dim")
        try:
            count = await keep_baseline(self._asked(), name)
        except (SourceError, CaptureError, OSError) as error:
            self.console.tell(f"the baseline was not kept: {clean_line(error)}", "error")
            return
        self.console.tell(f"{count:,} statements kept as baseline {clean_line(name)}; v compares with it")
        self._wake.set()

    def on_live_table_selected(self, event: LiveTable.Selected) -> None:
        """A click on the row under the cursor."""
        event.stop()
        self.do_open()

    def do_fix(self) -> None:
        """Choose what is to be done about the row; it then goes through a run, like every change."""
        row, shown = self.table.selected_row, self._now
        found = shown.page.choices(shown.reading, row.key) if row is not None and shown.reading is not None else []
        offered = {one.label: one.repair for one in found}
        if not offered:
            self.console.tell("nothing that the console does would change that")
            return

        def choices(text: str) -> list[Choice]:
            return [Choice(name, offered[name].title) for name in ranking(text, [(one, "") for one in offered])]

        def accept(name: str) -> str | None:
            if name not in offered:
                return f"one of: {', '.join(offered)}"
            self.console.call_next(self._repair, offered[name])
            return None

        self.console.ask(Ask("fix", accept, choices, picks=True, hint="enter shows it; nothing runs before you say so"))

    def _repair(self, repair: Repair) -> None:
        from opsconsole.ui.screens.runbook import RunbookView

        here = replace(repair, arguments={**repair.arguments, "conn": self.source.partition("/")[2]})
        try:
            book = runbook_for(here)
        except ValueError as error:
            self.console.tell(str(error), "error")
            return
        self.console.open_view(RunbookView(book, values_of(here), {}, self.console.session.clock()))


def page_bar(present: int, width: int) -> Line:
    """The names of the pages; where they do not all fit, those around the present one."""
    gap = 3 if width >= 100 else 2
    first = 0
    while first < present and sum(width_of(spec.title) + gap for spec in PAGES[first : present + 1]) > width:
        first += 1
    spans: list[Span] = []
    for place, spec in enumerate(PAGES[first:], first):
        spans += [Span(spec.title, "title-focus" if place == present else "dim"), Span(" " * gap)]
    return line(*spans)


def _after(present: str, known: tuple[str, ...]) -> str:
    return known[(known.index(present) + 1) % len(known)]


def _greyed(row: Row) -> Row:
    return replace(row, cells=tuple(cell._replace(role="dim") for cell in row.cells))
