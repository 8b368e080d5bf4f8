"""Tasks of Airflow that failed, by what their logs end with."""

import time
from collections.abc import Callable, Mapping

from opsconsole.errors.model import Heard, Occurrence
from opsconsole.errors.occurring import occurrence
from opsconsole.errors.tallying import Tallies, reach
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.causes import TaskKey, key_of
from opsconsole.pipelines.failures import errors_of
from opsconsole.pipelines.model import Task, Way

LOGS = 30
"""Logs that are read, of the latest failures; what they said is remembered."""
_REMEMBERED = 2000
_NO_LOG = "No logs found"
"""What Airflow says in place of a log that is gone."""


class AirflowErrors:
    """What failed in an Airflow."""

    source = "airflow"

    def __init__(self, airflow: Airflow, window: float, *, clock: Callable[[], float] = time.time) -> None:
        self._airflow = airflow
        self._window = window
        self._clock = clock
        self._errors: dict[tuple[TaskKey, int], str] = {}

    async def hear(self) -> Heard:
        """What failed until now.

        Raises:
            SourceError: Airflow does not answer.
        """
        now = self._clock()
        start = now - reach(self._window)
        told = await self._airflow.failures(start)
        notes = [f"airflow: {note}" for note in told.origin.notes]
        if told.origin.way is Way.METADATA:
            notes.append("airflow: logs are to be had from the API only: errors are names of tasks")
        else:
            await self._read_logs(told.value)
        tallies = Tallies(self.source, self._window)
        tallies.extend(_occurrence(task, self._error(task)) for task in told.value if task.ended_at is not None)
        covers = start
        if told.cut:
            covers = min((task.ended_at for task in told.value if task.ended_at is not None), default=now)
            notes.append("airflow: there were more failures; the latest are counted")
        return Heard(self.source, tallies.kinds(now, covers), covers, tuple(notes))

    async def close(self) -> None:
        """Whoever opened the sources closes them."""

    def _error(self, task: Task) -> str:
        return self._errors.get((key_of(task), task.try_number), "")

    async def _read_logs(self, failed: tuple[Task, ...]) -> None:
        """A try that is over says the same for ever, so its log is read once."""
        latest = sorted(failed, key=lambda one: -(one.ended_at or 0.0))[:LOGS]
        unread = [one for one in latest if (key_of(one), one.try_number) not in self._errors]
        found: Mapping[TaskKey, str] = await errors_of(self._airflow, unread)
        if len(self._errors) > _REMEMBERED:
            self._errors.clear()
        said = {key: error for key, error in found.items() if not error.startswith(_NO_LOG)}
        self._errors |= {(key_of(one), one.try_number): said.get(key_of(one), "") for one in unread}


def _occurrence(task: Task, error: str) -> Occurrence:
    labels = {
        "dag_id": task.dag_id, "run_id": task.run_id, "task_id": task.task_id, "map_index": str(task.map_index),
        "try": str(task.try_number),
    }  # fmt: skip
    return occurrence(
        task.ended_at or 0.0,
        task.dag_id,
        f"{task.task_id}: {error}" if error else f"{task.task_id} failed; its log was not read",
        where=f"{task.dag_id}  {task.run_id}  {task.title}, try {task.try_number}",
        labels=labels,
    )
