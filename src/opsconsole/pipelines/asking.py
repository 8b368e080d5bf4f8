"""Asking Airflow, by whichever way answers: the API, and when that is down the metadata database.

What comes by the metadata database says so, and why. A refusal (401, 403) is not gone round: whoever may not see
something in Airflow does not get it from its tables.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.api import api_of
from opsconsole.pipelines.log_absence import NoLogError
from opsconsole.pipelines.log_folder import LARGE, LogFile, LogFolder
from opsconsole.pipelines.metadata import Metadata
from opsconsole.pipelines.model import (
    BrokenFile,
    Component,
    DagHistory,
    DagParam,
    Lineage,
    LogLine,
    Origin,
    Pool,
    Run,
    RunDetail,
    Survey,
    Task,
    Told,
    Try,
    Way,
)
from opsconsole.pipelines.way import Asking
from opsconsole.sources.airflow.client import AirflowError, AirflowSource

T = TypeVar("T")

DOWN = frozenset({"unreachable", "timeout", "overloaded", "garbage", "gone", "internal"})
"""Kinds of SourceError that say the API is not there, rather than that it said no."""
_REST = 15.0
"""Seconds for which an API that was down is not asked again while the metadata database answers."""
MOST_OF_DAG = 3_000
"""Task instances of one DAG's history: thirty requests of the API."""
_AT_ONCE = 5
"""DAGs whose parameters are asked for at once."""
PER_DAG = 14
"""Runs of each DAG that a survey has, unless it is asked for others: two weeks of a daily one."""


class Airflow:
    """One Airflow, read. At least one of the ways is given."""

    def __init__(
        self,
        api: AirflowSource | None,
        metadata: Metadata | None,
        logs: LogFolder | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = api
        self._metadata = metadata
        self._logs = logs
        self._clock = clock
        self._api: Asking | None = None
        self._major = 0
        """Of the Airflow that `_api` asks: it may be upgraded while somebody looks."""
        self._down: tuple[float, SourceError] | None = None

    @property
    def api(self) -> AirflowSource | None:
        """By what changes are made, and looked at before; None where there is only the metadata database."""
        return self._source

    async def survey(self, per_dag: int = PER_DAG) -> Told[Survey]:
        """Every DAG with its latest runs.

        Raises:
            SourceError: no way answers. So do all of these.
        """
        return await self._read(lambda way: way.survey(per_dag))

    async def runs(self, dag_id: str, most: int = 100) -> Told[tuple[Run, ...]]:
        """The runs of a DAG, the newest first."""
        return await self._read(lambda way: way.runs(dag_id, most))

    async def run(self, dag_id: str, run_id: str) -> Told[RunDetail | None]:
        """A run with its tasks; None where there is none of that id."""

        async def read(way: Asking) -> tuple[RunDetail | None, bool]:
            run = await way.run(dag_id, run_id)
            if run is None:
                return None, False
            tasks = await way.tasks(dag_id, run_id)
            return RunDetail(run, tasks, await structure_of(way, dag_id)), False

        return await self._read(read)

    async def history(self, dag_id: str, most: int) -> Told[DagHistory]:
        """The latest `most` runs of a DAG with their tasks; of many tasks those of the newest runs."""

        async def read(way: Asking) -> tuple[DagHistory, bool]:
            runs, _ = await way.runs(dag_id, most)
            begun = [one.started_at for one in runs if one.started_at is not None]
            tasks, cut = await way.dag_tasks(dag_id, min(begun), MOST_OF_DAG) if begun else ((), False)
            known = {one.run_id for one in runs}
            kept = tuple(one for one in tasks if one.run_id in known)
            return DagHistory(runs, kept, await structure_of(way, dag_id)), cut

        return await self._read(read)

    async def tries(self, task: Task) -> Told[tuple[Try, ...]]:
        """The tries of a task instance, the first first."""
        return await self._read(lambda way: _whole(way.tries(task)))

    async def failures(self, since: float, most: int = 1000) -> Told[tuple[Task, ...]]:
        """Task instances of all DAGs that failed and ended after `since` (unix seconds by our clock)."""

        async def read(way: Asking) -> tuple[tuple[Task, ...], bool]:
            return await way.failures(since + await way.ahead(), most)

        return await self._read(read)

    async def params(self, dag_id: str) -> Told[tuple[DagParam, ...]]:
        """What a run of the DAG can be given."""
        return await self._read(lambda way: _whole(way.params(dag_id)))

    async def lineage(self) -> Told[Lineage]:
        """The assets that tie DAGs, and which updates wait for others."""
        return await self._read(lambda way: way.lineage())

    async def pools(self) -> Told[tuple[Pool, ...]]:
        """Pools, and what takes their slots."""
        return await self._read(lambda way: _whole(way.pools()))

    async def broken_files(self) -> Told[tuple[BrokenFile, ...]]:
        """Files of DAGs that cannot be imported."""
        return await self._read(lambda way: _whole(way.broken_files()))

    async def health(self) -> Told[tuple[Component, ...]]:
        """The parts of Airflow; with an API that is down among them, where the database tells of the others."""
        told = await self._read(lambda way: _whole(way.health()), insist=True)
        if told.origin.way is Way.METADATA and self._down is not None:
            silent = Component("api", False, detail=self._down[1].message)
            return replace(told, value=(silent, *told.value))
        return told

    async def log(self, task: Task, number: int) -> AsyncIterator[LogLine]:
        """The log of a try, line by line; whatever its length, no more than a line is held.

        Raises:
            NoLogError: Airflow does not know of that try.
        """
        async for raw, parse in self.raw_log(task, number):
            yield parse(raw)

    async def raw_log(self, task: Task, number: int) -> AsyncIterator[tuple[str, Callable[[str], LogLine]]]:
        """The same unparsed, each line with what parses it: for whoever will look at few of half a million.

        A large one comes from the folder of logs, where that is there; so does any while the API is not.
        """
        file = await self._logs.find(task, number) if self._logs is not None else None
        begun = False
        try:
            way: Asking | LogFile = await self._of_logs() if file is None or self._asks_for(file) else file
            async for raw in way.raw_log(task, number):
                begun = True
                yield raw, way.read_line
        except SourceError as error:
            if isinstance(error, AirflowError) and error.status == 404:
                raise NoLogError(error.source, "gone", f"Airflow knows of no try {number} of it") from error
            if begun or file is None or error.kind not in DOWN:
                raise
            async for raw in file.raw_log(task, number):
                yield raw, file.read_line

    def _asks_for(self, file: LogFile) -> bool:
        """Whether Airflow is asked for a log that is to be had without it: of a small one it may have more."""
        return self._source is not None and file.size < LARGE

    async def _of_logs(self) -> Asking:
        if self._source is None:
            assert self._metadata is not None
            return self._metadata
        return await self._the_api(self._source)

    async def _read(self, read: Callable[[Asking], Awaitable[tuple[T, bool]]], *, insist: bool = False) -> Told[T]:
        """What `read` makes of the first way that answers. `insist`: ask the API even if it was down just now."""
        if self._source is None:
            return await self._by_metadata(read, ())
        if self._down is not None and not insist and self._clock() - self._down[0] < _REST and self._metadata:
            return await self._by_metadata(read, _why(self._down[1]))
        try:
            way = await self._the_api(self._source)
            value, cut = await read(way)
        except SourceError as error:
            if error.kind not in DOWN or self._metadata is None:
                raise
            self._down = (self._clock(), error)
            try:
                return await self._by_metadata(read, _why(error))
            except SourceError as other:
                raise SourceError(error.source, error.kind, f"{error.message}; and {other}", hint=error.hint) from other
        self._down = None
        return Told(value, self._clock(), Origin(Way.API, await way.version()), cut, await way.ahead())

    async def _the_api(self, source: AirflowSource) -> Asking:
        version = await source.version()
        if self._api is None or self._major != version.major:
            self._api, self._major = await api_of(source), version.major
        return self._api

    async def _by_metadata(
        self, read: Callable[[Asking], Awaitable[tuple[T, bool]]], notes: tuple[str, ...]
    ) -> Told[T]:
        assert self._metadata is not None
        value, cut = await read(self._metadata)
        origin = Origin(Way.METADATA, await self._metadata.version(), notes)
        return Told(value, self._clock(), origin, cut, await self._metadata.ahead())


async def params_of_all(
    airflow: Airflow, dags: Sequence[str]
) -> tuple[dict[str, Sequence[DagParam]], dict[str, SourceError]]:
    """(DAG id -> its parameters, DAG id -> why they cannot be read), some at a time."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def read(dag_id: str) -> Sequence[DagParam] | SourceError:
        async with slots:
            try:
                return (await airflow.params(dag_id)).value
            except SourceError as error:
                return error

    told = dict(zip(dags, await asyncio.gather(*map(read, dags)), strict=True))
    known = {dag: one for dag, one in told.items() if not isinstance(one, SourceError)}
    return known, {dag: one for dag, one in told.items() if isinstance(one, SourceError)}


async def structure_of(way: Asking, dag_id: str) -> dict[str, tuple[str, ...]]:
    """Without it there is no critical path, and everything else all the same: a DAG may be gone, its runs are not."""
    try:
        return dict(await way.structure(dag_id))
    except SourceError as error:
        if error.kind in DOWN:
            raise
        return {}


async def _whole(asked: Awaitable[T]) -> tuple[T, bool]:
    return await asked, False


def _why(error: SourceError) -> tuple[str, ...]:
    return (f"from the metadata database, for the API does not answer: {error.message}",)
