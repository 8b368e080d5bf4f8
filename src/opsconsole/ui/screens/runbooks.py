"""The list of runbooks: what there is, for which alerts, how much of it runs, and whether it is overdue for review.

Above them the runs that are not over: at which step, and whose they are.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.problem import ContentError
from opsconsole.ui.actions import Place
from opsconsole.ui.commands import CommandError
from opsconsole.ui.screens.list_view import ListView
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.widgets.live_table import LiveTable

if TYPE_CHECKING:
    from opsconsole.runbooks.history import RunSummary
    from opsconsole.runbooks.model import Runbook

_COLUMNS = (
    Column("title", "RUNBOOK", widest=48),
    Column("steps", "STEPS", align="right", priority=2),
    Column("runs", "RUN", align="right", priority=3),
    Column("risk", "RISK", priority=1),
    Column("params", "PARAMETERS", priority=5, widest=30),
    Column("alerts", "FOR ALERTS", priority=4, widest=36),
    Column("owner", "OWNER", priority=6, widest=18),
    Column("review", "REVIEW BY", priority=3),
    Column("id", "ID", priority=7, grows=True),
)
_MOST_RUNS = 20
"""Runs that are shown; the latest ones. `opsconsole runbook runs` has all."""
_RUNS_PERIOD = 2
"""Seconds between two looks at what runs there are."""
_RISK_ROLES = {Risk.READ: "dim", Risk.WRITE: "warn", Risk.DESTRUCTIVE: "crit"}


class RunbooksView(ListView):
    """All runbooks of the environment."""

    place: ClassVar[Place] = Place.RUNBOOKS

    DEFAULT_CSS = "RunbooksView { padding: 0 1; } RunbooksView LiveTable { width: 100%; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        from opsconsole.ui.app import RUNBOOKS_TITLE

        self.title = RUNBOOKS_TITLE
        self.table = LiveTable("RUNBOOKS")
        self._runs: dict[str, RunSummary] | None = None
        self._rows: list[Row] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def entered(self) -> None:
        """Read the files as they are now, after the empty list is on screen."""
        self.console.set_focus(self.table)
        self.call_after_refresh(self.reload)
        self._look()

    def tick(self, now: float) -> None:
        """Runs come, go and move on, here and elsewhere."""
        if int(now) % _RUNS_PERIOD == 0:
            self._look()

    def _look(self) -> None:
        self.run_worker(self._look_for_runs(), group="runs", exclusive=True, exit_on_error=False)

    async def _look_for_runs(self) -> None:
        runs = await asyncio.to_thread(self.console.session.unfinished_runs)
        self._runs = {f"run {one.id}": one for one in runs[:_MOST_RUNS]}
        self._show()

    def _show(self) -> None:
        if self._runs is None:
            return  # in a moment; what came later would slip above the cursor
        now = self.console.session.clock()
        rows = [run_row(key, one, now) for key, one in self._runs.items()]
        self.table.show_rows(_COLUMNS, [*rows, *self._rows])

    def reload(self) -> None:
        """Show what is in the folder."""
        try:
            books = self.console.console_app.library.all()
        except (ContentError, OSError) as error:
            self.console.tell(f"runbooks: {error}", "error")
            return
        today = datetime.fromtimestamp(self.console.session.clock(), UTC).date().isoformat()
        self._rows = [runbook_row(book, today) for book in books]
        self._show()
        if not books:
            self.console.tell(
                "there are no runbooks in this environment's folder; opsconsole check says where it looked"
            )

    def do_open(self) -> None:
        """The runbook under the cursor."""
        self._open()

    def on_live_table_selected(self, event: LiveTable.Selected) -> None:
        """A click on the row under the cursor."""
        event.stop()
        self._open()

    def _open(self) -> None:
        row = self.table.selected_row
        if row is None:
            return
        if self._runs and row.key in self._runs:
            self.run_worker(self._go_to(self._runs[row.key]), group="attach", exclusive=True, exit_on_error=True)
            return
        try:
            self.console.console_app.commander.open_runbook(row.key, {})
        except CommandError as error:
            self.console.tell(str(error), "error")

    async def _go_to(self, run: "RunSummary") -> None:
        """To a run that is going on or was left: our own view of it, else the run itself."""
        from opsconsole.ui.screens.runbook import RunbookView

        console = self.console
        view = next((one for one in console.console_app.kept_runs if one.shows_run(run.id)), None)
        if view is None:
            console.tell("going there…", "dim")
            try:
                client = await console.session.attach_run(run.path)
            except Exception as error:
                console.tell(f"{run.id}: {error}", "warn")
                return
            view = RunbookView(client.runbook, client.params, {}, console.session.clock(), client)
        console.open_view(view)


def run_row(key: str, run: "RunSummary", now: float) -> Row:
    """One run as a row: what it does, how it stands, where it is, and since when."""
    since = run.step_started_at or run.started_at
    try:
        elapsed = duration_text(max(0.0, round(now - datetime.fromisoformat(since).timestamp())))
    except ValueError:
        elapsed = ""
    role = {"running": "accent", "unknown": "unknown"}.get(run.state, "warn")
    whose = run.driver if run.live else run.actor
    return Row(
        key,
        (
            Cell(f"{run.state.upper()}  {clean_line(run.title)}", role),
            Cell(""),
            Cell(""),
            Cell(elapsed, "dim"),
            Cell(clean_line(" ".join(f"{name}={value}" for name, value in run.params.items() if value)), "dim"),
            Cell(f"at {clean_line(run.step)}" if run.step else "not begun", "dim"),
            Cell(clean_line(whose) or "nobody", "dim"),
            Cell("", "dim"),
            Cell(f"run {clean_line(run.id)}", "dim"),
        ),
    )


def runbook_row(book: "Runbook", today: str) -> Row:
    """One runbook as a row; a review date that has passed stands out."""
    risks = {step.risk for step in book.steps if step.executable}
    risk = next((one for one in (Risk.DESTRUCTIVE, Risk.WRITE, Risk.READ) if one in risks), None)
    overdue = bool(book.review_by) and book.review_by < today
    broken = any(problem.severity == "error" for problem in book.problems)
    return Row(
        book.id,
        (
            Cell(clean_line(book.title), "crit" if broken else "text"),
            Cell(str(len(book.steps))),
            Cell(str(book.executable_steps), "dim"),
            Cell(risk.value.upper() if risk else "manual", _RISK_ROLES[risk] if risk else "dim"),
            Cell(clean_line(" ".join(param.name for param in book.params)), "dim"),
            Cell(clean_line(" ".join(book.alerts)), "dim"),
            Cell(clean_line(book.owner), "dim"),
            Cell(f"{book.review_by} overdue" if overdue else book.review_by, "warn" if overdue else "dim"),
            Cell(clean_line(book.id), "dim"),
        ),
    )
