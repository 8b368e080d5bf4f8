"""SLAs: objectives and violations; `enter` says everything, `b` leads to the runbook."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from opsconsole.ui.actions import Place
from opsconsole.ui.screens.pages_view import FamilyView
from opsconsole.ui.sla.pages import PAGES
from opsconsole.ui.table_layout import Row


class SlasView(FamilyView):
    """The pages of SLAs."""

    place: ClassVar[Place] = Place.SLAS
    family: ClassVar[str] = "sla"

    def __init__(self, page: str = "") -> None:
        """`page` is the id of the page to begin with."""
        super().__init__("SLA", PAGES, page)

    @classmethod
    def opened_at(cls, page: str) -> "SlasView":
        """All pages of SLAs."""
        return cls(page)

    def do_runbook(self) -> None:
        """The runbook of the SLA, filled in as far as the row knows."""
        row = self.table.selected_row
        if row is None:
            self.console.tell("select an SLA first; 9 lists all runbooks")
        else:
            self._open_runbook(row)

    def runbook_of(self, row: Row) -> Callable[[], None]:
        return partial(self._open_runbook, row)

    def _open_runbook(self, row: Row) -> None:
        from opsconsole.ui.runbook_choice import runbook_choice

        given = {"DAG_ID": row.labels["dag_id"]} if "*" not in row.labels.get("dag_id", "*") else {}
        runbook_choice(self.console, row.labels.get("runbook", ""), given, row.labels)
