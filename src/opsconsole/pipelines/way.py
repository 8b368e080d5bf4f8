"""What every way to Airflow can be asked: the API of 3, that of 2, the metadata database. Named for what it does."""

from collections.abc import AsyncIterator
from typing import Protocol

from opsconsole.pipelines.model import (
    BrokenFile,
    Component,
    DagParam,
    Lineage,
    LogLine,
    Pool,
    Run,
    Structure,
    Survey,
    Task,
    Try,
)

MOST_DAGS = 20_000
MOST_RUNS = 2_000
"""Runs over all DAGs that the API is asked for, a hundred at a time."""
MOST_ASSETS = 2_000
MOST_WAITING = 50
"""DAGs that the API is asked about what they wait for: one request each."""
MOST_TASKS = 10_000
"""Task instances of one run."""


class Asking(Protocol):
    """One way. Every method raises SourceError; a bool beside a tuple says that there was more."""

    async def version(self) -> str: ...

    async def ahead(self) -> float:
        """Seconds by which its clock is ahead of ours; 0 where that cannot be told."""
        ...

    async def survey(self, per_dag: int) -> tuple[Survey, bool]:
        """All DAGs that are in a file, by id, and up to `per_dag` runs of each."""
        ...

    async def runs(self, dag_id: str, most: int) -> tuple[tuple[Run, ...], bool]:
        """The runs of a DAG, the newest first."""
        ...

    async def run(self, dag_id: str, run_id: str) -> Run | None:
        """One run; None where there is none."""
        ...

    async def tasks(self, dag_id: str, run_id: str) -> tuple[Task, ...]:
        """The task instances of a run."""
        ...

    async def dag_tasks(self, dag_id: str, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        """Task instances of one DAG that began after `since` (unix seconds), whatever their run."""
        ...

    async def failures(self, since: float, most: int) -> tuple[tuple[Task, ...], bool]:
        """Task instances of all DAGs that failed, and ended after `since` (unix seconds)."""
        ...

    async def tries(self, task: Task) -> tuple[Try, ...]:
        """The tries of a task instance, the first first."""
        ...

    async def structure(self, dag_id: str) -> Structure:
        """Which task follows which; empty where that cannot be seen."""
        ...

    async def params(self, dag_id: str) -> tuple[DagParam, ...]:
        """What a run of the DAG can be given, in the DAG's order; without those that cannot be seen."""
        ...

    async def lineage(self) -> tuple[Lineage, bool]:
        """The assets that DAGs update or wait for."""
        ...

    def raw_log(self, task: Task, number: int) -> AsyncIterator[str]:
        """The log of a try, line by line as it comes; `read_line` makes sense of one."""
        ...

    def read_line(self, raw: str) -> LogLine:
        """A line of a log; clean."""
        ...

    async def pools(self) -> tuple[Pool, ...]: ...

    async def broken_files(self) -> tuple[BrokenFile, ...]: ...

    async def health(self) -> tuple[Component, ...]: ...
