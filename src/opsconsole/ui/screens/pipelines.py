"""Pipelines: the DAGs of an Airflow, the runs of one, the tasks of a run, the log of a try; each an `enter` further."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from opsconsole.core.clean import clean_line
from opsconsole.pipelines.model import Task
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.actions import Place
from opsconsole.ui.pipelines.pages import PAGES, pages_of_dag, pages_of_run
from opsconsole.ui.screens.pages_view import FamilyView
from opsconsole.ui.screens.view import View
from opsconsole.ui.table_layout import Row

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.ui.pipelines.typed_params import TypedParams


class AirflowView(FamilyView):
    """Pages of the environment's Airflow."""

    place: ClassVar[Place] = Place.PIPELINES
    family: ClassVar[str] = "pipelines"

    async def _completed(self, repairs: Sequence[Repair]) -> tuple[Sequence[Repair], str] | None:
        self.console.tell("asking Airflow what that would do…", "dim")
        if all(one.action == "airflow.trigger" for one in repairs):
            asked = await _typed_params((await self._asked()).airflow, repairs)
            if len(repairs) > 1 or any(asked.of.values()):
                self._ask_for(repairs, asked)
                return None
        return await self._looked_at(repairs, {})

    async def _looked_at(self, repairs: Sequence[Repair], left: Mapping[str, str]) -> tuple[Sequence[Repair], str]:
        """Those that would do what is meant, as Airflow's dry run says, and which are left out; some are already.

        Raises:
            ValueError: there is none that would.
        """
        from opsconsole.pipelines.foresight import foresee, sent_of

        found = await foresee((await self._asked()).airflow, repairs)
        out = [*left.items(), *((one.subject, one.wrong) for one in found if one.wrong)]
        sent = sent_of(found)
        self.console.tell("")
        named = "; ".join(f"{clean_line(subject, limit=60)}: {why}" for subject, why in out)
        return sent, f"left out {len(out)}: {named}" if out else ""

    def _ask_for(self, triggers: Sequence[Repair], asked: "TypedParams") -> None:
        """What the runs are to be given; the requests are shown when that is known."""
        from opsconsole.ui.screens.trigger_form import TriggerFormView

        console = self.console

        def go_on(confs: Mapping[str, str], left: Mapping[str, str]) -> None:
            console.close_view()
            given = [
                replace(one, arguments={**one.arguments, "conf": confs[one.arguments["dag"]]})
                for one in triggers
                if one.arguments["dag"] in confs
            ]
            title = triggers[0].title if len(triggers) == 1 else f"Trigger {len(given)} DAGs"
            looked = self._show_run(title, self._looked_at(given, left))
            self.run_worker(looked, group="fix", exclusive=True, exit_on_error=False)

        if console.view is self:
            console.open_view(TriggerFormView(asked, console.session.clock(), go_on))

    def do_runbook(self) -> None:
        """The runbook for a DAG that failed, filled in."""
        row = self.table.selected_row
        if row is None or "dag_id" not in row.labels:
            self.console.tell("select a DAG first; 9 lists all runbooks")
        else:
            self._open_runbook(row)

    def runbook_of(self, row: Row) -> Callable[[], None] | None:
        return partial(self._open_runbook, row) if "dag_id" in row.labels else None

    def _open_runbook(self, row: Row) -> None:
        from opsconsole.ui.pipelines.recovery import recovery_of

        recovery_of(self.console, row.labels)


class PipelinesView(AirflowView):
    """All DAGs, and what is around them."""

    def __init__(self, page: str = "") -> None:
        """`page` is the id of the page to begin with."""
        super().__init__("Pipelines", PAGES, page)

    @classmethod
    def opened_at(cls, page: str) -> "PipelinesView":
        """All pages of pipelines."""
        return cls(page)

    @classmethod
    def behind(cls, page: str, key: str) -> View | None:
        """A DAG leads to its runs."""
        return DagView(key) if page == "dags" else None

    def do_open(self) -> None:
        """From a DAG to its runs, from a cause to the log of the latest failure; else all there is to say."""
        from opsconsole.ui.pipelines.failed import FailedPage

        row, page = self.table.selected_row, self._now.page
        if row is None:
            return
        if isinstance(page, FailedPage) and self._now.reading is not None:
            cause = page.cause(self._now.reading, row.key)
            if cause is not None:
                open_log(self, cause.latest)
        elif page.id == "dags":
            self.console.open_view(DagView(row.key))
        elif page.id == "dependencies" and row.labels.get("dag_id"):
            self.console.open_view(DagView(row.labels["dag_id"]))
        else:
            self.show_detail()


class DagView(AirflowView):
    """One DAG."""

    def __init__(self, dag_id: str) -> None:
        super().__init__(f"DAG {clean_line(dag_id, limit=60)}", pages_of_dag(dag_id))
        self.dag_id = dag_id

    def do_open(self) -> None:
        """The tasks of the run; from a DAG beside it to that one's runs."""
        row, page = self.table.selected_row, self._now.page
        if row is None:
            return
        if page.id == "runs":
            self.console.open_view(DagRunView(self.dag_id, row.key))
        elif row.labels.get("dag_id", self.dag_id) != self.dag_id:
            self.console.open_view(DagView(row.labels["dag_id"]))
        else:
            self.show_detail()


class DagRunView(AirflowView):
    """One run of a DAG."""

    def __init__(self, dag_id: str, run_id: str) -> None:
        super().__init__(clean_line(run_id, limit=60), pages_of_run(dag_id, run_id))

    def do_open(self) -> None:
        """The log of the task's latest try."""
        from opsconsole.ui.pipelines.tasks import TasksPage

        row, page = self.table.selected_row, self._now.page
        if row is None or self._now.reading is None or not isinstance(page, TasksPage):
            return
        task = page.task(self._now.reading, row.key)
        if task is not None:
            open_log(self, task)


def open_log(view: AirflowView, task: Task) -> None:
    """The log of the task's latest try; where it was never tried, that."""
    from opsconsole.ui.screens.task_log import TaskLogView

    if task.try_number < 1:
        view.console.tell(f"{clean_line(task.title)} was not tried yet: it is {task.state or 'waiting'}")
    else:
        view.console.open_view(TaskLogView(task))


async def _typed_params(airflow: "Airflow", triggers: Sequence[Repair]) -> "TypedParams":
    """What can be asked for, of all that are triggered; whose parameters cannot be read is named.

    Raises:
        SourceError: they cannot be read of any.
    """
    from opsconsole.pipelines.asking import params_of_all
    from opsconsole.ui.pipelines.typed_params import TypedParams

    known, unread = await params_of_all(airflow, [one.arguments["dag"] for one in triggers])
    if not known:
        raise next(iter(unread.values()))
    return TypedParams(known, {dag: clean_line(error) for dag, error in unread.items()})
