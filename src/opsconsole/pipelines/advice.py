"""What would make a run shorter, with the numbers that speak for it. Only what is worth a person's time is said."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsconsole.core.duration import duration_text
from opsconsole.pipelines.model import Pool, RunDetail
from opsconsole.pipelines.timing import Bar, Timing, retried

_WORTH = 30.0
"""Seconds, and"""
_SHARE = 0.25
"""share of the run's time from which something is worth saying."""
_DOMINATES = 0.5
"""Share of the run's time from which one task is the run."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that costs a run time."""

    kind: str
    """`waiting`, `one-task`, `idle`, `retries`."""
    subject: str
    """A task, a pool, or the run."""
    why: str
    advice: str
    seconds: float
    """What it costs, at most."""


def advice(detail: RunDetail, timing: Timing, pools: Iterable[Pool] = ()) -> list[Advice]:
    """What made this run longer than it had to be, what costs most first."""
    critical = [bar for bar in timing.bars if bar.critical]
    of_path = [*_waiting(critical, timing, pools), *_one_task(critical, timing)]
    return sorted([*of_path, *_idle(detail, timing), *_retries(detail)], key=lambda one: -one.seconds)


def _worth(seconds: float, timing: Timing) -> bool:
    return seconds >= _WORTH and seconds >= _SHARE * timing.wall_seconds


def _waiting(critical: list[Bar], timing: Timing, pools: Iterable[Pool]) -> Iterable[Advice]:
    """Waiting for a slot on the path that decided when the run ended."""
    waits = {bar: max(0.0, bar.start - bar.queued) for bar in critical if bar.start and bar.queued is not None}
    total = sum(waits.values())
    if not _worth(total, timing):
        return
    worst = max(waits, key=lambda bar: waits[bar])
    full = {pool.name for pool in pools if pool.starving}
    why = f"the tasks on the critical path waited {duration_text(total)} for a slot, {worst.task.title} longest"
    if worst.task.pool in full:
        remedy = f"pool {worst.task.pool} is full: give it more slots, or move what is not urgent to another pool"
        yield Advice("waiting", f"pool {worst.task.pool}", why, remedy, total)
        return
    remedy = "more workers or parallelism, a higher max_active_tasks of the DAG, or priority_weight of its tasks"
    yield Advice("waiting", "the run", why, remedy, total)


def _one_task(critical: list[Bar], timing: Timing) -> Iterable[Advice]:
    """One task that is most of the run."""
    spans = {bar: bar.end - bar.start for bar in critical if bar.start is not None and bar.end is not None}
    if not spans:
        return
    worst = max(spans, key=lambda bar: spans[bar])
    took = spans[worst]
    if not _worth(took, timing) or took <= _DOMINATES * timing.wall_seconds:
        return
    share = f"{took / timing.wall_seconds:.0%}".replace("%", " %")
    why = f"{worst.task.title} takes {duration_text(took)}, {share} of the run; no slot can make that shorter"
    mapped = worst.task.map_index >= 0
    remedy = "smaller pieces: map over more of them" if mapped else "divide it, or map it over its input"
    yield Advice("one-task", worst.task.title, why, remedy, took)


def _idle(detail: RunDetail, timing: Timing) -> Iterable[Advice]:
    """Time in which nothing ran at all, and nothing was waiting for a slot either. One that was cleared waited for
    whoever cleared it; the API does not tell of that, but its tasks have had several tries."""
    if detail.run.cleared:
        return
    queued = sum(max(0.0, bar.start - bar.queued) for bar in timing.bars if bar.critical and bar.start and bar.queued)
    idle = timing.idle_seconds - queued
    if _worth(idle, timing):
        why = f"for {duration_text(idle)} of the run no task was running or queued"
        remedy = "look at the scheduler's load, at retry_delay, and at sensors that could be deferrable"
        if retried(detail.tasks):
            remedy = f"unless somebody cleared it after it had ended, {remedy}"
        yield Advice("idle", "the run", why, remedy, idle)


def _retries(detail: RunDetail) -> Iterable[Advice]:
    """What needed several tries and succeeded: it will fail altogether some day. One that was cleared had more."""
    for task in retried(detail.tasks)[:3]:
        if task.state == "success":
            why = f"{task.title} succeeded in try {task.try_number}"
            remedy = f"see what became of the others: opsconsole pipeline log {task.dag_id} '{task.title}' --try 1"
            yield Advice("retries", task.title, why, remedy, 0.0)
