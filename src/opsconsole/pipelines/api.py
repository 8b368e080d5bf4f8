"""Airflow by its API. What is alike in both versions is in `_Api`; each version says what it calls things."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping

from opsconsole.core.reading import SourceError
from opsconsole.pipelines import log_wire, wire
from opsconsole.pipelines.model import (
    Awaited,
    BrokenFile,
    Component,
    DagParam,
    Lineage,
    LogLine,
    Pool,
    Queued,
    Run,
    Structure,
    Survey,
    Task,
    Try,
)
from opsconsole.pipelines.rare import RareRuns
from opsconsole.pipelines.run_list import RunList
from opsconsole.pipelines.way import MOST_ASSETS, MOST_DAGS, MOST_RUNS, MOST_TASKS, MOST_WAITING, Asking
from opsconsole.sources.airflow.client import AirflowError, AirflowSource, Params, path

_ALL = "~"
"""Stands for every DAG, or every run."""
_SCHEDULE_HOLDS = 300.0
"""Seconds until it is asked again what starts a DAG."""


async def api_of(source: AirflowSource) -> Asking:
    """The way through `source`, by the version that it has.

    Raises:
        SourceError: it cannot be reached.
    """
    version = await source.version()
    return Api3(source) if version.major >= 3 else Api2(source)


class _Api(ABC):
    """What both versions have."""

    newest_first: str
    active_only: Params
    health_at: str
    logs_as: str
    """The media type in which a log comes line by line."""
    assets_are: str
    """What version 2 of Airflow calls datasets."""
    queued_at: str
    """The end of the path of updates that wait."""

    def __init__(self, source: AirflowSource) -> None:
        self.source = source
        self._rare = RareRuns(self._some_runs)
        self._started_by: dict[str, tuple[float, Awaited | None]] = {}
        self._orders_tasks = True

    async def _some_runs(self, dag_id: str, most: int) -> tuple[Run, ...]:
        return (await self._runs(dag_id, most))[0]

    async def version(self) -> str:
        return (await self.source.version()).text

    async def ahead(self) -> float:
        await self.source.version()
        return self.source.clock_ahead

    async def survey(self, per_dag: int) -> tuple[Survey, bool]:
        params = (*self.active_only, ("order_by", "dag_id"))
        page = await self.source.pages("/dags", "dags", wire.dag_of, params, most=MOST_DAGS, what="list DAGs")
        dags = tuple({one.dag_id: one for one in page.entries}.values())
        runs, cut = await self._runs(_ALL, MOST_RUNS)
        newest: dict[str, list[Run]] = {}
        for run in runs:
            mine = newest.setdefault(run.dag_id, [])
            if len(mine) < per_dag:
                mine.append(run)
        if not cut:
            return Survey(dags, {dag_id: RunList.of(mine) for dag_id, mine in newest.items()}), page.cut
        latest, unseen = await self._rare.completed(dags, newest, per_dag)
        return Survey(dags, latest, unseen), page.cut or bool(unseen)

    async def runs(self, dag_id: str, most: int) -> tuple[tuple[Run, ...], bool]:
        if dag_id == _ALL:  # no DAG is called so, and the runs of all would look like its own
            raise AirflowError(self.source.name, "bad-query", "404: there is no DAG ~", status=404)
        return await self._runs(dag_id, most)

    async def _runs(self, dag_id: str, most: int) -> tuple[tuple[Run, ...], bool]:
        page = await self.source.pages(
            path("dags", dag_id, "dagRuns"), "dag_runs", wire.run_of, (("order_by", self.newest_first),), most=most,
            what="list runs",
        )  # fmt: skip
        # While pages are read, new runs push old ones from one page to the next.
        found = {(one.dag_id, one.run_id): one for one in page.entries}
        return tuple(found.values()), page.cut

    async def run(self, dag_id: str, run_id: str) -> Run | None:
        try:
            return wire.run_of(await self.source.get(path("dags", dag_id, "dagRuns", run_id), what="see the run"))
        except AirflowError as error:
            if error.status != 404:
                raise
            if "/" in run_id:  # %2F in a path is a slash to Airflow's server, which then finds nothing there
                raise SourceError(
                    error.source, "unsupported", "the API cannot be asked about a run with a slash in its id",
                    hint="Airflow's command line can, and without url: so can its metadata database",
                ) from error  # fmt: skip
            return None

    async def tasks(self, dag_id: str, run_id: str) -> tuple[Task, ...]:
        page = await self.source.pages(
            path("dags", dag_id, "dagRuns", run_id, "taskInstances"), "task_instances", wire.task_of, most=MOST_TASKS,
            what="see the tasks of the run",
        )  # fmt: skip
        return tuple({one.key: one for one in page.entries}.values())

    async def dag_tasks(self, dag_id: str, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        after = (("start_date_gte", wire.rfc3339(since)),)
        return await self._latest_tasks(dag_id, after, "-start_date", most, "see the tasks of the DAG")

    async def failures(self, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        failed = (("state", "failed"), ("end_date_gte", wire.rfc3339(since)))
        return await self._latest_tasks(_ALL, failed, "-end_date", most, "see failed tasks")

    async def _latest_tasks(
        self, dag_id: str, params: Params, order: str, most: int, what: str
    ) -> tuple[tuple[Task, ...], bool]:
        """Task instances of all runs, the latest first: by Airflow's own order, what is cut off would be any."""
        where = path("dags", dag_id, "dagRuns", _ALL, "taskInstances")
        ordered = (*params, ("order_by", order)) if self._orders_tasks else params
        try:
            page = await self.source.pages(where, "task_instances", wire.task_of, ordered, most=most, what=what)
        except AirflowError as error:
            if error.status != 400 or not self._orders_tasks:
                raise
            self._orders_tasks = False  # Airflow 2 before 2.10 takes no order here
            return await self._latest_tasks(dag_id, params, order, most, what)
        # While pages are read, others fail, and push these from one page to the next.
        return tuple({(one.dag_id, one.run_id, one.key): one for one in page.entries}.values()), page.cut

    async def tries(self, task: Task) -> tuple[Try, ...]:
        mapped = [str(task.map_index)] if task.map_index >= 0 else []
        where = path("dags", task.dag_id, "dagRuns", task.run_id, "taskInstances", task.task_id, *mapped, "tries")
        try:
            answer = await self.source.get(where, what="see the tries")
        except AirflowError as error:
            if error.status != 404:
                raise
            return _latest_only(task)  # before 2.10
        entries = answer.get("task_instances", ()) if isinstance(answer, dict) else ()
        found = sorted((wire.try_of(one) for one in entries if isinstance(one, dict)), key=lambda one: one.number)
        return tuple(one for one in found if one.number > 0)

    async def structure(self, dag_id: str) -> Structure:
        answer = await self.source.get(path("dags", dag_id, "tasks"), what="see the tasks of the DAG")
        entries = answer.get("tasks", ()) if isinstance(answer, dict) else ()
        return wire.structure_of(tuple(one for one in entries if isinstance(one, dict)))

    async def params(self, dag_id: str) -> tuple[DagParam, ...]:
        return wire.params_of(await self.source.get(path("dags", dag_id, "details"), what="see the DAG's parameters"))

    async def lineage(self) -> tuple[Lineage, bool]:
        page = await self.source.pages(
            f"/{self.assets_are}", self.assets_are, wire.numbered_asset_of, most=MOST_ASSETS,
            what=f"see {self.assets_are}",
        )  # fmt: skip
        assets = tuple(one for _, one in page.entries if one.producers or one.consumers)
        uris = {number: one.uri for number, one in page.entries}
        consumers = sorted({dag for one in assets for dag in one.consumers})
        asked = consumers[:MOST_WAITING]
        found = await asyncio.gather(*(self._queued(dag, uris) for dag in asked))
        queued = tuple(one for mine in found for one in mine)
        awaited = dict(zip(asked, await asyncio.gather(*map(self._awaited, asked)), strict=True))
        told = {dag_id: one for dag_id, one in awaited.items() if one is not None}
        return Lineage(assets, queued, told), page.cut or len(consumers) > MOST_WAITING

    async def _awaited(self, dag_id: str) -> Awaited | None:
        """What starts a DAG. It changes with the DAG's file, so it is not asked for all the time."""
        known = self._started_by.get(dag_id)
        if known is None or time.monotonic() - known[0] > _SCHEDULE_HOLDS:
            try:
                answer = await self.source.get(path("dags", dag_id, "details"), what="see what starts the DAG")
            except AirflowError as error:
                if error.status not in (403, 404):  # it is gone, or others may see it
                    raise
                answer = {}
            known = self._started_by[dag_id] = time.monotonic(), wire.awaited_by(answer)
        return known[1]

    async def _queued(self, dag_id: str, uris: Mapping[int, str]) -> tuple[Queued, ...]:
        where = path("dags", dag_id, self.assets_are, self.queued_at)
        try:
            answer = await self.source.get(where, what="see which updates wait")
        except AirflowError as error:
            if error.status != 404:  # there are none, before 3.1
                raise
            return ()
        entries = answer.get("queued_events", ()) if isinstance(answer, dict) else ()
        return tuple(wire.queued_of(one, uris) for one in entries if isinstance(one, dict))

    async def pools(self) -> tuple[Pool, ...]:
        page = await self.source.pages("/pools", "pools", wire.pool_of, most=1000, what="see pools")
        return page.entries

    async def broken_files(self) -> tuple[BrokenFile, ...]:
        page = await self.source.pages(
            "/importErrors", "import_errors", wire.broken_file_of, most=1000, what="see import errors"
        )
        return page.entries

    async def health(self) -> tuple[Component, ...]:
        answer = await self.source.get(self.health_at, what="see its health")
        return (Component("api", True), *wire.components_of(answer))

    async def raw_log(self, task: Task, number: int) -> AsyncIterator[str]:
        where, params = self._log_at(task, number)
        async for line in self.source.lines(where, params, accept=self.logs_as, what="read the log"):
            for one in self._unfolded(line):
                yield one

    @abstractmethod
    def read_line(self, raw: str) -> LogLine: ...

    @abstractmethod
    def _unfolded(self, line: str) -> list[str]:
        """The lines for a reader that one of the answer stands for."""

    def _log_at(self, task: Task, number: int) -> tuple[str, Params]:
        where = path("dags", task.dag_id, "dagRuns", task.run_id, "taskInstances", task.task_id, "logs", str(number))
        return where, (("map_index", str(task.map_index)), ("full_content", "true"))


class Api3(_Api):
    """Version 2 of the API, of Airflow 3."""

    newest_first = "-run_after"
    active_only = (("exclude_stale", "true"),)
    health_at = "/monitor/health"
    logs_as = "application/x-ndjson"
    assets_are = "assets"
    queued_at = "queuedEvents"

    def read_line(self, raw: str) -> LogLine:
        return log_wire.structured_line(raw)

    def _unfolded(self, line: str) -> list[str]:
        return log_wire.unfolded(line)


class Api2(_Api):
    """Version 1 of the API, of Airflow 2."""

    newest_first = "-execution_date"
    active_only = (("only_active", "true"),)
    health_at = "/health"
    logs_as = "text/plain"
    assets_are = "datasets"
    queued_at = "queuedEvent"

    def read_line(self, raw: str) -> LogLine:
        return log_wire.plain_line(raw)

    def _unfolded(self, line: str) -> list[str]:
        return log_wire.pieces(line)


def _latest_only(task: Task) -> tuple[Try, ...]:
    """What the task instance itself knows of its tries: the latest."""
    if task.try_number < 1:
        return ()
    return (Try(task.try_number, task.state, task.queued_at, task.started_at, task.ended_at, task.hostname),)
