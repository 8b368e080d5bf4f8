"""Errors: what goes wrong everywhere, with its samples, the log it comes from and the runbook for it."""

import time
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.errors.asking import Errors
from opsconsole.errors.memory import MemoryLostError
from opsconsole.errors.model import Kind, Mute
from opsconsole.errors.report import muting_title
from opsconsole.pipelines.model import Task
from opsconsole.store.journal import JournalError
from opsconsole.ui.actions import Place
from opsconsole.ui.commands import CommandError
from opsconsole.ui.dialogs.prompt import Ask
from opsconsole.ui.errors.pages import PAGES
from opsconsole.ui.errors.reading import ErrorsReading
from opsconsole.ui.screens.pages_view import FamilyView
from opsconsole.ui.table_layout import Row

_HEALTH = "system-health"
"""The screen whose panes show what metrics count."""
_ALWAYS = "always"


class ErrorsView(FamilyView):
    """All pages of errors."""

    place: ClassVar[Place] = Place.ERRORS
    family: ClassVar[str] = "errors"

    def __init__(self, page: str = "") -> None:
        """`page` is the id of the page to begin with."""
        super().__init__("Errors", PAGES, page)

    @classmethod
    def opened_at(cls, page: str) -> "ErrorsView":
        """All pages of errors."""
        return cls(page)

    def do_runbook(self) -> None:
        """The runbook for errors of that source, filled in from the latest one."""
        row = self.table.selected_row
        if row is None:
            self.console.tell("select an error first; 9 lists all runbooks")
        else:
            self._open_runbook(row)

    def runbook_of(self, row: Row) -> Callable[[], None]:
        return partial(self._open_runbook, row)

    def _open_runbook(self, row: Row) -> None:
        from opsconsole.ui.runbook_choice import runbook_choice

        labels = {name: value for name, value in row.labels.items() if name != "runbook"}
        given = {param: labels[name] for param, name in (("DAG_ID", "dag_id"), ("RUN_ID", "run_id")) if name in labels}
        runbook_choice(self.console, row.labels.get("runbook", ""), given, labels)

    def do_origin(self) -> None:
        """Where the error comes from: the task's log, the database, the screen with the metrics."""
        row = self.table.selected_row
        kind, _, name = (row.labels.get("source", "") if row is not None else "").partition("/")
        if row is None or not kind:
            self.console.tell("select an error first")
        elif kind == "airflow":
            self._open_log(row)
        elif kind == "postgres":
            try:
                self.console.console_app.commander.open_workbench(name, "sessions")
            except CommandError as error:
                self.console.tell(str(error), "warn")
        elif kind == "metrics":
            self._open_screen()
        else:
            self.show_detail()

    def do_mute(self) -> None:
        """Say that the error is known, for some time; of one that is muted, take that back."""
        row, reading = self.table.selected_row, self._now.reading
        fingerprint = row.labels.get("fingerprint", "") if row is not None else ""
        kind = reading.kind(fingerprint) if isinstance(reading, ErrorsReading) and fingerprint else None
        if kind is None:
            self.console.tell("select an error first")
        elif kind.mute is not None:
            self.run_worker(self._unmute(kind), group="mute", exit_on_error=False)
        else:
            hint = "how long, such as 8h or 3d, or always; then a note"
            self.console.ask(Ask("mute", lambda text: self._accept_mute(kind, text), initial="1d ", hint=hint))

    def _accept_mute(self, kind: Kind, text: str) -> str | None:
        lasting, _, note = text.strip().partition(" ")
        now = time.time()
        try:
            until = None if lasting == _ALWAYS else now + parse_duration(lasting)
        except ValueError as error:
            return f"{error}; or write {_ALWAYS}"
        mute = Mute(self.console.session.context.actor, now, until, clean_line(note.strip(), limit=300))
        self.run_worker(self._mute(kind, mute), group="mute", exit_on_error=False)
        return None

    async def _mute(self, kind: Kind, mute: Mute) -> None:
        await self._remember(kind, mute, "muted; v shows what is muted, m takes it back")

    async def _unmute(self, kind: Kind) -> None:
        await self._remember(kind, None, "not muted any more")

    async def _remember(self, kind: Kind, mute: Mute | None, done: str) -> None:
        source: Errors = await self._asked()
        action = "errors.unmute" if mute is None else "errors.mute"
        try:
            with self.console.session.remembering(action, muting_title(kind, mute), kind.fingerprint):
                if mute is not None:
                    await source.mute(kind.fingerprint, mute)
                else:
                    await source.unmute(kind.fingerprint)
        except (MemoryLostError, JournalError) as error:
            self.console.tell(f"not remembered: {clean_line(error)}", "error")
            return
        self.console.tell(done)
        self.do_refresh()

    def _open_log(self, row: Row) -> None:
        from opsconsole.ui.screens.task_log import TaskLogView

        said = row.labels
        if "pipelines" not in self.console.session.families or "run_id" not in said:
            self.console.tell("no log is known of that")
            return
        number = int(said.get("try", "1"))
        task = Task(said["dag_id"], said["run_id"], said["task_id"], int(said["map_index"]), "failed", number, number)
        self.console.open_view(TaskLogView(task))

    def _open_screen(self) -> None:
        screens = dict(self.console.console_app.commander.screens())
        if _HEALTH in screens:
            self.console.console_app.open_root(screens[_HEALTH])
        else:
            self.console.tell(f"there is no screen {_HEALTH} to show it on")
