"""The PostgreSQL workbench: pages of one database, read while they are looked at, and what repairs what they show."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.actions import Place
from opsconsole.ui.screens.pages_view import PagesView
from opsconsole.ui.workbench.pages import PAGES

if TYPE_CHECKING:
    from opsconsole.database.explain import Explained
    from opsconsole.database.plan import Plan

_MOST_PLANS = 50
"""Plans that are kept to compare with: those of the statements that were explained last."""


class WorkbenchView(PagesView):
    """One database."""

    place: ClassVar[Place] = Place.WORKBENCH

    def __init__(self, source: str, page: str = "") -> None:
        """`source` is the database among the sources, `postgres/app`; `page` the id of the page to begin with."""
        super().__init__(f"Database {source.partition('/')[2]}", PAGES, page)
        self.source = source
        self._database: Database | None = None
        self._plans: dict[str, tuple[float, Plan]] = {}

    async def _asked(self) -> Database:
        if self._database is None:
            self._database = self.console.session.database(self.source)
        return self._database

    def _placed(self, repair: Repair) -> Repair:
        return replace(repair, arguments={**repair.arguments, "conn": self.source.partition("/")[2]})

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
            count = await keep_baseline(await self._asked(), name)
        except (SourceError, CaptureError, OSError) as error:
            self.console.tell(f"the baseline was not kept: {clean_line(error)}", "error")
            return
        self.console.tell(f"{count:,} statements kept as baseline {clean_line(name)}; v compares with it")
        self._rereading.wake.set()
