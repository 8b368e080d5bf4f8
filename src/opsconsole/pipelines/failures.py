"""Reading what failed over all DAGs, with the errors that the logs end with, as far as they are read."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.causes import Cause, ErrorFinder, TaskKey, by_cause, key_of
from opsconsole.pipelines.log_absence import AbsenceFinder
from opsconsole.pipelines.model import Task, Told, Way

_AT_ONCE = 3
"""Logs that are read at once: each takes a worker of the API server while it lasts."""
_LONG = 20.0
"""Seconds for one log; what it said until then is what is known."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What failed, by cause."""

    told: Told[tuple[Task, ...]]
    causes: tuple[Cause, ...]


async def read_failures(airflow: Airflow, since: float, *, logs: int) -> Failures:
    """What failed and ended after `since` (unix seconds); of the latest `logs` of them the logs are read.

    Raises:
        SourceError: Airflow does not answer. A log that cannot be had is only a cause less.
    """
    told = await airflow.failures(since)
    latest = sorted(told.value, key=lambda one: -(one.ended_at or 0.0))[:logs]
    if told.origin.way is Way.METADATA:
        note = "logs are to be had from the API only: causes are names of tasks"
        told = replace(told, origin=replace(told.origin, notes=(*told.origin.notes, note)))
        latest = []
    errors = await errors_of(airflow, latest)
    return Failures(told, tuple(by_cause(told.value, errors)))


async def errors_of(airflow: Airflow, tasks: Iterable[Task]) -> dict[TaskKey, str]:
    """The error that the log of each task's latest try ends with, where there is one."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def read(task: Task) -> tuple[TaskKey, str]:
        finder, absence = ErrorFinder(), AbsenceFinder()
        try:
            async with slots, asyncio.timeout(_LONG):
                async for line in airflow.log(task, max(1, task.try_number)):
                    finder.see(line)
                    absence.see(line)
        except (SourceError, TimeoutError):
            pass
        return key_of(task), "" if absence.absent else finder.error  # that there is no log is not why it failed

    found = await asyncio.gather(*map(read, tasks))
    return {key: error for key, error in found if error}
