"""The tasks of one run on the axis of time: where its time went, and which of them decided when it ended."""

from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.model import RunDetail, Task, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.pipelines.timing import Bar, Timing, timing
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Cell, Column, Row

_BEFORE = (
    Column("task", "TASK", widest=36, least=14),
    Column("state", "STATE", widest=16),
    Column("try", "TRY", align="right"),
    Column("waited", "WAITED", align="right", priority=3),
    Column("took", "TOOK", align="right"),
)
_AFTER = (
    Column("operator", "OPERATOR", widest=20, priority=4),
    Column("pool", "POOL", widest=16, priority=5),
    Column("host", "HOST", widest=20, priority=6),
    Column("rest", "", grows=True),
)
_WAITED = 30.0
"""Seconds of waiting for a slot that stand out."""


@dataclass(frozen=True, slots=True)
class TasksReading:
    """One run, taken apart."""

    told: Told[RunDetail | None]
    detail: RunDetail
    timing: Timing


class TasksPage(Page[Pipelines, TasksReading]):
    """One run."""

    id = "tasks"
    title = "Tasks"
    period = 2.0
    sorts = ("time", "slowest", "waited", "state")

    def __init__(self, dag_id: str, run_id: str) -> None:
        self.dag_id = dag_id
        self.run_id = run_id

    async def take(self, source: Pipelines, before: TasksReading | None, order: Order) -> TasksReading:
        told = await source.airflow.run(self.dag_id, self.run_id)
        if told.value is None:
            raise SourceError("airflow", "gone", f"{self.dag_id} has no run {self.run_id} any more")
        return TasksReading(told, told.value, timing(told.value, told.now))

    def sheet(self, reading: TasksReading, order: Order) -> Sheet:
        """One row a task instance."""
        now = reading.told.now
        bars = _sorted(reading.timing.bars, order.sort, now)
        rows = [_row(one, reading.timing.wall_seconds, now) for one in bars]
        shown = {"slowest": "took", "waited": "waited", "state": "state"}.get(order.sort, "")
        notes = marks.notes_of(reading.told)
        if not reading.detail.structure:
            notes = (*notes, "which task follows which is not known: no critical path")
        failed = next((one.task.title for one in bars if one.task.state == "failed"), "")
        return Sheet(_columns(reading.timing.wall_seconds), rows, _summary(reading), shown, notes=notes, begin=failed)

    def task(self, reading: TasksReading, key: str) -> Task | None:
        """The task instance of that row."""
        return next((one for one in reading.detail.tasks if one.title == key), None)

    def detail(self, reading: TasksReading, key: str) -> Detail | None:
        """Everything that is known of it; its log is a key away."""
        one = self.task(reading, key)
        if one is None:
            return None
        facts = (
            ("state", one.state or "none"),
            ("try", f"{one.try_number} of {one.max_tries + 1} at most"),
            ("operator", one.operator),
            ("pool", one.pool),
            ("queue", one.queue),
            ("host", one.hostname),
        )
        return Detail(f"Task {clean_line(key)}", tuple((name, clean_line(value)) for name, value in facts if value))

    def choices(self, reading: TasksReading, key: str) -> list[Choice]:
        """Run it again: with what could not run because of it, alone, or with what follows; call it what it is."""
        one = self.task(reading, key)
        if one is None:
            return []
        given = {"dag": self.dag_id, "run": self.run_id}
        name = f"{clean_line(key, limit=60)} of {clean_line(self.dag_id, limit=40)}"
        again = {**given, "tasks": key}
        only_failed = {**again, "only_failed": "yes", "downstream": "yes"}
        found = [
            Choice("clear failed", Repair("airflow.clear", only_failed, f"Run again, with what it held up: {name}")),
        ] if one.state == "failed" else []  # fmt: skip
        found += [
            Choice("clear", Repair("airflow.clear", again, f"Run again: {name}")),
            Choice(
                "clear downstream",
                Repair("airflow.clear", {**again, "downstream": "yes"}, f"Run again, with what follows: {name}"),
            ),
        ]
        for state in ("success", "skipped", "failed"):
            arguments = {**given, "task": key, "state": state}
            found.append(Choice(f"mark {state}", Repair("airflow.mark", arguments, f"Call it {state}: {name}")))
        return found


def _columns(wall: float) -> tuple[Column, ...]:
    """With an axis of time that says how long it is."""
    widest, *others = marks.AXES
    axis = Column("axis", marks.scale(wall, widest), width=widest, priority=1)
    narrow = (Column(f"axis-{one}", marks.scale(wall, one), width=one, stands_for="axis") for one in others)
    return (*_BEFORE, axis, *narrow, *_AFTER)


def _sorted(bars: tuple[Bar, ...], sort: str, now: float) -> list[Bar]:
    match sort:
        case "slowest":
            return sorted(bars, key=lambda one: -((one.end or 0.0) - (one.start or 0.0)))
        case "waited":
            return sorted(bars, key=lambda one: -(one.task.waited(now) or 0.0))
        case "state":
            return sorted(bars, key=lambda one: (one.task.state != "failed", one.task.state, one.task.key))
    return list(bars)


def _summary(reading: TasksReading) -> str:
    found, run = reading.timing, reading.detail.run
    at_once = f"   {found.parallelism:.1f} at once" if found.parallelism is not None else ""
    efficiency = f"   efficiency {found.efficiency:.0%}".replace("%", " %") if found.efficiency is not None else ""
    waited = f"   waited {duration_text(found.waiting_seconds)} in all"
    return f"{run.state}   {duration_text(found.wall_seconds)}{waited}{at_once}{efficiency}"


def _row(one: Bar, wall: float, now: float) -> Row:
    task, waited = one.task, one.task.waited(now)
    took = None if one.start is None or one.end is None else one.end - one.start
    return Row(
        task.title,
        (
            cells.words(f"{task.title} *" if one.critical else task.title, "strong" if one.critical else "text", 120),
            marks.run_state(task.state),
            Cell(str(task.try_number), "warn" if task.retries else "dim") if task.try_number else Cell(""),
            cells.lasting(waited, _WAITED),
            cells.lasting(took),
            *(marks.bar(one, wall, axis) for axis in marks.AXES),
            cells.words(task.operator, "dim", 63),
            cells.words(task.pool, "dim", 63),
            cells.words(task.hostname, "dim", 63),
            Cell(""),
        ),
        {"dag_id": task.dag_id, "dag": task.dag_id, "run_id": task.run_id, "task_id": task.task_id},
    )
