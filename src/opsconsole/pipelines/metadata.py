"""Airflow by its metadata database, of version 2 or 3: for when the API is down, and for large installations, where one
statement does what the API needs a hundred requests for.

Airflow calls the tables internal. What a statement needs is looked up in the catalog first, so a version that lacks a
column is read without it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import Answer, OnRows, Query, SourceError
from opsconsole.core.row import Row
from opsconsole.core.values import Table
from opsconsole.pipelines.awaiting import awaited_in
from opsconsole.pipelines.model import (
    Asset,
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
from opsconsole.pipelines.run_list import RunList
from opsconsole.pipelines.survey_rows import SurveyRows
from opsconsole.pipelines.way import MOST_ASSETS, MOST_DAGS, MOST_TASKS
from opsconsole.pipelines.wire import serialized_params
from opsconsole.sources import sql_choice

Ask = Callable[[Query], Awaitable[Answer]]
"""Asks a database once. Raises SourceError where that fails."""

_CLOCKS_HOLD = 60.0
"""Seconds until clocks are compared again."""
_NEWEST = 200_000
"""Runs of all DAGs that a survey looks through before it asks for those of a DAG by itself."""
_LEAST_SKEW = 0.5
"""Seconds of difference that nobody needs to know of."""
_JOBS = {"SchedulerJob": "scheduler", "DagProcessorJob": "dag-processor", "TriggererJob": "triggerer"}


class Metadata:
    """One metadata database. Reads only; implements `Asking`."""

    def __init__(self, source: str, ask: Ask) -> None:
        """`source` is as content names it: `postgres/airflow`."""
        self.source = source
        self._ask = ask
        self._columns: Mapping[str, frozenset[str]] | None = None
        self._ahead: tuple[float, float] | None = None
        self._surveyed = SurveyRows()

    async def version(self) -> str:
        """`3` or `2`; more the tables do not say in a way that can be relied on."""
        return "3" if "run_after" in (await self.columns())["dag_run"] else "2"

    async def ahead(self) -> float:
        """By the clock of the database's server, which is looked at once a minute."""
        if self._ahead is None or time.monotonic() - self._ahead[0] > _CLOCKS_HOLD:
            answer = await self._ask(Query(self.source, _text("clock")))
            (row,) = _rows_of(self._table_of(answer))
            difference = (row.number("now") or 0.0) - (answer.taken_at + answer.took / 2)
            self._ahead = time.monotonic(), difference if abs(difference) > _LEAST_SKEW + answer.took / 2 else 0.0
        return self._ahead[1]

    async def columns(self) -> Mapping[str, frozenset[str]]:
        """Table -> its columns; read once.

        Raises:
            SourceError: it cannot be asked, or is no database of an Airflow.
        """
        if self._columns is None:
            rows = _rows_of(await self._table(_text("columns"), {}, 100))
            found = {row.text("table"): frozenset(row.list("columns")) for row in rows}
            if not {"dag", "dag_run", "task_instance"} <= found.keys():
                raise SourceError(
                    self.source, "unsupported", "this is no metadata database of an Airflow: it has no table dag_run",
                    hint="metadata: has to name the right database; are its tables in the search_path?",
                )  # fmt: skip
            self._columns = found
        return self._columns

    async def survey(self, per_dag: int) -> tuple[Survey, bool]:
        binds = {"PER_DAG": str(per_dag), "NEWEST": str(_NEWEST)}
        table = await self._chosen("survey", binds, MOST_DAGS, self._surveyed.take)
        # Where the rows were not taken as they came, it is much to do: beside the event loop, which has keys to answer.
        dags, runs, unread = await asyncio.to_thread(self._surveyed.read, table)
        by_themselves = {dag_id: RunList.of((await self.runs(dag_id, per_dag))[0]) for dag_id in unread}
        return Survey(dags, {**runs, **by_themselves}), table.truncated

    async def runs(self, dag_id: str, most: int) -> tuple[tuple[Run, ...], bool]:
        rows, _ = await self._rows("runs", {"DAG_ID": dag_id, "RUN_ID": "", "MOST": str(most + 1)}, most + 1)
        return tuple(map(_run, rows[:most])), len(rows) > most

    async def run(self, dag_id: str, run_id: str) -> Run | None:
        rows, _ = await self._rows("runs", {"DAG_ID": dag_id, "RUN_ID": run_id, "MOST": "1"}, 1)
        return _run(rows[0]) if rows and run_id else None

    async def tasks(self, dag_id: str, run_id: str) -> tuple[Task, ...]:
        binds = {"DAG_ID": dag_id, "RUN_ID": run_id, "SINCE": "0", "MOST": str(MOST_TASKS)}
        rows, _ = await self._rows("tasks", binds, MOST_TASKS)
        return tuple(map(_task, rows))

    async def dag_tasks(self, dag_id: str, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        binds = {"DAG_ID": dag_id, "SINCE": repr(since), "MOST": str(most + 1)}
        rows, _ = await self._rows("task_durations", binds, most + 1)
        return tuple(map(_task, rows[:most])), len(rows) > most

    async def failures(self, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        binds = {"DAG_ID": "", "RUN_ID": "", "SINCE": repr(since), "MOST": str(most + 1)}
        rows, _ = await self._rows("tasks", binds, most + 1)
        return tuple(map(_task, rows[:most])), len(rows) > most

    async def tries(self, task: Task) -> tuple[Try, ...]:
        binds = {
            "DAG_ID": task.dag_id, "RUN_ID": task.run_id, "TASK_ID": task.task_id, "MAP_INDEX": str(task.map_index),
        }  # fmt: skip
        earlier: tuple[Try, ...] = ()
        if "task_instance_history" in await self.columns():
            rows, _ = await self._rows("tries", binds, 1000)
            earlier = tuple(map(_try, rows))
        if task.try_number < 1 or any(one.number == task.try_number for one in earlier):
            return earlier
        latest = Try(task.try_number, task.state, task.queued_at, task.started_at, task.ended_at, task.hostname)
        return (*(one for one in earlier if one.number != latest.number), latest)

    async def structure(self, dag_id: str) -> Structure:
        if "data" not in (await self.columns()).get("serialized_dag", ()):
            return {}
        rows, _ = await self._rows("structure", {"DAG_ID": dag_id}, MOST_TASKS)
        return {row.text("task_id"): tuple(map(clean_line, row.list("downstream"))) for row in rows}

    async def params(self, dag_id: str) -> tuple[DagParam, ...]:
        if "data" not in (await self.columns()).get("serialized_dag", ()):
            return ()
        rows, _ = await self._rows("params", {"DAG_ID": dag_id}, 1)
        return serialized_params(rows[0].text("params")) if rows else ()

    async def lineage(self) -> tuple[Lineage, bool]:
        if not {"asset", "dataset"} & (await self.columns()).keys():
            return Lineage(()), False
        rows, cut = await self._rows("assets", {}, MOST_ASSETS)
        queued, _ = await self._rows("queued_events", {}, MOST_ASSETS)
        assets = tuple(one for one in map(_asset, rows) if one.producers or one.consumers)
        waits = tuple(Queued(row.text("dag_id"), row.text("uri"), row.moment("since_at")) for row in queued)
        return Lineage(assets, waits, await self._awaited()), cut

    async def _awaited(self) -> dict[str, Awaited]:
        if not {"asset_expression", "dataset_expression"} & (await self.columns())["dag"]:
            return {}  # before 2.9
        rows, _ = await self._rows("asset_expressions", {}, MOST_DAGS)
        found = ((row.text("dag_id"), awaited_in(row.text("expression"))) for row in rows)
        return {dag_id: awaited for dag_id, awaited in found if awaited is not None}

    def read_line(self, raw: str) -> LogLine:
        """Never asked: there is nothing to read."""
        return LogLine(clean(raw, limit=20_000))

    def raw_log(self, task: Task, number: int) -> AsyncIterator[str]:
        """Logs are no part of the database.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.source, "unsupported", "logs are to be had from Airflow's API only, and it is not there")

    async def pools(self) -> tuple[Pool, ...]:
        rows, _ = await self._rows("pools", {}, 1000)
        return tuple(map(_pool, rows))

    async def broken_files(self) -> tuple[BrokenFile, ...]:
        rows, _ = await self._rows("broken_files", {}, 1000)
        return tuple(
            BrokenFile(row.text("file"), row.moment("seen_at"), clean(row.text("trace"), limit=20_000)) for row in rows
        )

    async def health(self) -> tuple[Component, ...]:
        rows, _ = await self._rows("health", {}, 100)
        told = {_JOBS[row.text("job_type")]: row for row in rows}
        return (Component("metadatabase", True), *(_component(name, told.get(name)) for name in _JOBS.values()))

    async def _rows(self, name: str, binds: Mapping[str, str], most: int) -> tuple[tuple[Row, ...], bool]:
        table = await self._chosen(name, binds, most)
        return _rows_of(table), table.truncated

    async def _chosen(self, name: str, binds: Mapping[str, str], most: int, on_rows: OnRows | None = None) -> Table:
        """The answer to a statement as this version needs it."""
        try:
            return await self._table(sql_choice.chosen(_text(name), await self.columns()), binds, most, on_rows)
        except SourceError:
            self._columns = None  # it may be another version when it comes back
            raise

    async def _table(self, text: str, binds: Mapping[str, str], most: int, on_rows: OnRows | None = None) -> Table:
        query = Query(self.source, text, binds=tuple(sorted(binds.items())), max_rows=most, on_rows=on_rows)
        return self._table_of(await self._ask(query))

    def _table_of(self, answer: Answer) -> Table:
        if not isinstance(answer.value, Table):
            raise SourceError(self.source, "garbage", "the answer is no table")
        return answer.value


def _rows_of(table: Table) -> tuple[Row, ...]:
    return tuple(Row(dict(zip(table.columns, cells, strict=True))) for cells in table.rows)


def _run(row: Row) -> Run:
    return Run(
        dag_id=row.text("dag_id"),
        run_id=row.text("run_id"),
        state=row.text("state"),
        kind=row.text("kind"),
        run_after_at=row.moment("run_after_at"),
        logical_at=row.moment("logical_at"),
        queued_at=row.moment("queued_at"),
        started_at=row.moment("started_at"),
        ended_at=row.moment("ended_at"),
        conf=row.text("conf"),
        cleared=row.count("cleared"),
    )


def _task(row: Row) -> Task:
    return Task(
        dag_id=row.text("dag_id"),
        run_id=row.text("run_id"),
        task_id=row.text("task_id"),
        map_index=row.count("map_index"),
        state=row.text("state"),
        try_number=row.count("try_number"),
        max_tries=row.count("max_tries"),
        operator=row.text("operator"),
        pool=row.text("pool"),
        queue=row.text("queue"),
        hostname=row.text("hostname"),
        scheduled_at=row.moment("scheduled_at"),
        queued_at=row.moment("queued_at"),
        started_at=row.moment("started_at"),
        ended_at=row.moment("ended_at"),
    )


def _try(row: Row) -> Try:
    return Try(
        number=row.count("try_number"),
        state=row.text("state"),
        queued_at=row.moment("queued_at"),
        started_at=row.moment("started_at"),
        ended_at=row.moment("ended_at"),
        hostname=row.text("hostname"),
    )


def _asset(row: Row) -> Asset:
    return Asset(
        name=row.text("name") or row.text("uri"),
        uri=row.text("uri"),
        producers=tuple((clean_line(dag), clean_line(task)) for dag, task in row.list("producers")),
        consumers=tuple(map(clean_line, row.list("consumers"))),
        updated_at=row.moment("updated_at"),
    )


def _pool(row: Row) -> Pool:
    return Pool(
        name=row.text("name"),
        slots=row.count("slots"),
        running=row.count("running"),
        queued=row.count("queued"),
        deferred=row.count("deferred"),
        description=row.text("description"),
        scheduled=row.count("scheduled"),
        counts_deferred=row.flag("counts_deferred"),
    )


def _component(name: str, row: Row | None) -> Component:
    if row is None:
        return Component(name, None)
    state = row.text("state")
    return Component(
        name, row.flag("alive"), row.moment("seen_at"), row.text("host"), "" if state == "running" else state
    )


@cache
def _text(name: str) -> str:
    return files("opsconsole.pipelines").joinpath("sql", f"{name}.sql").read_text("utf-8")
