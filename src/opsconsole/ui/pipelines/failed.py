"""Failures: what failed over all DAGs within a day, by cause, what happened last first."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsconsole.core.clean import clean, clean_line
from opsconsole.pipelines.causes import Cause, TaskKey, by_cause, key_of
from opsconsole.pipelines.failures import errors_of
from opsconsole.pipelines.metrics import ByMetrics
from opsconsole.pipelines.model import Task, Told, Way
from opsconsole.pipelines.opening import Pipelines
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks, measured
from opsconsole.ui.table_layout import Column, Row

_COLUMNS = (
    Column("count", "TIMES", align="right"),
    Column("last", "LAST", align="right"),
    Column("first", "FIRST", align="right", priority=2),
    Column("dags", "DAGS", widest=36, priority=1),
    Column("tasks", "TASKS", widest=36, priority=3),
    Column("cause", "CAUSE", grows=True, least=30),
)
_WINDOWS = {"": 86_400.0, "last hour": 3600.0, "last 7 days": 7 * 86_400.0}
_SOON = 3.0
"""Seconds for which logs are waited for before what failed is shown."""
_LOGS = 30
"""Logs that are read, of the latest failures; what they said is remembered."""


@dataclass(frozen=True, slots=True)
class FailedReading:
    """What failed within the window, by cause."""

    told: Told[tuple[Task, ...]]
    causes: tuple[Cause, ...]
    notes: tuple[str, ...]


Reading = FailedReading | ByMetrics


class FailedPage(Page[Pipelines, Reading]):
    """The roll-up of errors."""

    id = "failures"
    title = "Failures"
    period = 15.0
    sorts = ("last", "count")
    groupings = ("last hour", "last 7 days")

    def __init__(self) -> None:
        self._errors: dict[tuple[TaskKey, int], str] = {}
        self._reading: asyncio.Task[None] | None = None
        """What reads logs; a long one takes Airflow minutes, and nobody has to wait for it to see what failed."""

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        told = await source.or_measured(source.airflow.failures(time.time() - _WINDOWS[order.grouping]))
        if isinstance(told, ByMetrics):
            return told
        notes = marks.notes_of(told, "there were more: the latest are shown")
        if told.origin.way is Way.METADATA:
            notes = (*notes, "logs are to be had from the API only: causes are names of tasks")
            return FailedReading(told, tuple(by_cause(told.value, {})), notes)
        if not await self._read_logs(source, told.value):
            notes = (*notes, "logs are still being read: some causes are names of tasks until then")
        return FailedReading(told, tuple(by_cause(told.value, self._known(told.value))), notes)

    async def _read_logs(self, source: Pipelines, failed: tuple[Task, ...]) -> bool:
        """Read the logs of the latest failures, or go on with it; whether all has been read by now. A try that is over
        says the same for ever, so its log is read once."""
        if self._reading is None or self._reading.done():
            latest = sorted(failed, key=lambda one: -(one.ended_at or 0.0))[:_LOGS]
            unread = [one for one in latest if (key_of(one), one.try_number) not in self._errors]
            self._reading = asyncio.create_task(self._remember(source, unread))
        done, _ = await asyncio.wait((self._reading,), timeout=_SOON)
        for one in done:
            one.result()
        return bool(done)

    async def _remember(self, source: Pipelines, unread: Sequence[Task]) -> None:
        found = await errors_of(source.airflow, unread)
        self._errors |= {(key_of(one), one.try_number): found.get(key_of(one), "") for one in unread}

    def _known(self, failed: tuple[Task, ...]) -> Mapping[TaskKey, str]:
        """The errors of those whose logs were read."""
        read = {key_of(one): self._errors.get((key_of(one), one.try_number), "") for one in failed}
        return {key: error for key, error in read.items() if error}

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a cause; by metrics, which tell none, one a DAG."""
        if isinstance(reading, ByMetrics):
            return measured.failures_sheet(reading)
        found = list(reading.causes)
        if order.sort == "count":
            found.sort(key=lambda one: -one.count)
        window = order.grouping or "last day"
        summary = (
            f"{len(reading.told.value):,} failed in the {window}, by {len(found)} cause{'' if len(found) == 1 else 's'}"
        )
        if not found:
            summary = f"nothing failed in the {window}"
        rows = [_row(one, reading.told.now) for one in found]
        return Sheet(_COLUMNS, rows, summary, order.sort, notes=reading.notes)

    def detail(self, reading: Reading, key: str) -> Detail | None:
        """The cause in full, and everything that failed by it."""
        one = self.cause(reading, key)
        if one is None:
            return None
        latest = one.latest
        facts = (
            ("times", str(one.count)),
            ("latest", f"{latest.dag_id}  {latest.run_id}  {latest.title}, try {latest.try_number}"),
            ("DAGs", ", ".join(one.dags)),
        )
        parts = (("error", clean(one.example or "no log was read")), ("tasks", clean("\n".join(one.tasks))))
        return Detail("Cause of failures", tuple((name, clean_line(value)) for name, value in facts), parts)

    def cause(self, reading: Reading, key: str) -> Cause | None:
        """The cause of that row; None where causes are not known."""
        if isinstance(reading, ByMetrics):
            return None
        return next((one for one in reading.causes if one.cause == key), None)

    def choices(self, reading: Reading, key: str) -> list[Choice]:
        """Run what failed in the latest run again."""
        one = self.cause(reading, key)
        if one is None:
            return []
        latest = one.latest
        arguments = {"dag": latest.dag_id, "run": latest.run_id}
        title = f"Retry what failed in {clean_line(latest.dag_id, limit=60)}"
        return [Choice("retry latest", Repair("airflow.retry", arguments, title, clean_line(one.cause, limit=300)))]


def _row(one: Cause, now: float) -> Row:
    return Row(
        one.cause,
        (
            cells.count(one.count, "crit" if one.count > 1 else "text"),
            cells.ago(one.last_at, now),
            cells.ago(one.first_at, now),
            cells.words(", ".join(one.dags), limit=100),
            cells.words(", ".join(sorted({task.split(" ", 1)[-1] for task in one.tasks})), "dim", 100),
            cells.words(one.example or one.cause),
        ),
        {"dag_id": one.latest.dag_id, "dag": one.latest.dag_id, "task_id": one.latest.task_id},
    )
