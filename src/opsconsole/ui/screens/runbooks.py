"""The list of runbooks: what there is, for which alerts, how much of it runs, and whether it is overdue for review."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from opsconsole.actions.action import Risk
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError
from opsconsole.ui.actions import Place
from opsconsole.ui.commands import CommandError
from opsconsole.ui.dialogs.prompt import Ask
from opsconsole.ui.screens.view import View
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.widgets.live_table import LiveTable

if TYPE_CHECKING:
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
_RISK_ROLES = {Risk.READ: "dim", Risk.WRITE: "warn", Risk.DESTRUCTIVE: "crit"}


class RunbooksView(View):
    """All runbooks of the environment."""

    place: ClassVar[Place] = Place.RUNBOOKS

    DEFAULT_CSS = "RunbooksView { padding: 0 1; } RunbooksView LiveTable { width: 100%; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        from opsconsole.ui.app import RUNBOOKS_TITLE

        self.title = RUNBOOKS_TITLE
        self.table = LiveTable("RUNBOOKS")
        self._filter = ""

    def compose(self) -> ComposeResult:
        yield self.table

    def entered(self) -> None:
        """Read the files as they are now, after the empty list is on screen."""
        self.console.set_focus(self.table)
        self.call_after_refresh(self.reload)

    def reload(self) -> None:
        """Show what is in the folder."""
        try:
            books = self.console.console_app.library.all()
        except (ContentError, OSError) as error:
            self.console.tell(f"runbooks: {error}", "error")
            return
        today = datetime.fromtimestamp(self.console.session.clock(), UTC).date().isoformat()
        self.table.show_rows(_COLUMNS, [runbook_row(book, today) for book in books])
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
        try:
            self.console.console_app.commander.open_runbook(row.key, {})
        except CommandError as error:
            self.console.tell(str(error), "error")

    def do_filter(self) -> None:
        """Show only what matches, while it is typed."""
        before = self._filter

        def changed(text: str) -> None:
            self._filter = text
            try:
                self.table.set_filter(text)
            except ValueError as error:
                self.console.tell(str(error), "warn")

        def accept(text: str) -> str | None:
            try:
                self.table.set_filter(text)
            except ValueError as error:
                return str(error)
            return None

        console = self.console
        console.ask(
            Ask(
                "/",
                accept,
                initial=before,
                changed=changed,
                cancelled=lambda: changed(before),
                history=console.history("/"),
            )
        )

    def do_up(self) -> None:
        self.table.action_move(-1)

    def do_down(self) -> None:
        self.table.action_move(1)

    def do_page_up(self) -> None:
        self.table.action_page(-1)

    def do_page_down(self) -> None:
        self.table.action_page(1)

    def do_top(self) -> None:
        self.table.action_top()

    def do_bottom(self) -> None:
        self.table.action_bottom()

    def do_back(self) -> None:
        """Let go of the row, or of the filter, else the view before."""
        if self.table.picked:
            self.table.release()
        elif self._filter:
            self._filter = ""
            self.table.set_filter("")
        else:
            self.console.do_back()


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
