"""Where the time of a run went: its bars on the axis of time, the path that decided when it ended, waiting for slots,
and what more slots could bring.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.pipelines.model import RunDetail, Structure, Task

Key = tuple[str, int]
"""Task id and map index."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One task instance on the axis of time; seconds since the run began."""

    task: Task
    queued: float | None
    """When it was queued."""
    start: float | None
    end: float | None
    """Of one that is running: now."""
    critical: bool
    """On the path that decided when the run ended."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The time of one run, taken apart. Sums are over task instances, and over their latest tries."""

    wall_seconds: float
    """From the beginning of the run to its end, or to now."""
    bars: tuple[Bar, ...]
    """By start; what has not begun last."""
    critical_path: tuple[Key, ...]
    """The first first; empty where it is not known which task follows which."""
    running_seconds: float
    """All running time together."""
    waiting_seconds: float
    """All time from queued to started together."""
    critical_seconds: float
    """Running time along the critical path."""
    idle_seconds: float
    """Time of the run in which no task was running."""
    parallelism: float | None
    """Tasks that ran at once, in the mean: running time by wall time."""
    efficiency: float | None
    """The shortest that this run could have taken with slots for everybody at once (running time along the longest
    path) by what it took: 1 is as fast as its tasks allow."""


def timing(detail: RunDetail, now: float) -> Timing:
    """`detail` taken apart, as of `now`."""
    tasks = detail.tasks
    starts = [one.started_at for one in tasks if one.started_at is not None]
    began = min([*starts, *([detail.run.started_at] if detail.run.started_at is not None else [])], default=None)
    ended = detail.run.ended_at if detail.run.ended else now
    wall = max(0.0, ended - began) if began is not None and ended is not None else 0.0
    path = critical_path(tasks, detail.structure, now)
    spans = {one.key: span for one in tasks if (span := _span(one, now)) is not None}
    running = sum(end - start for start, end in spans.values())
    ideal = longest_path(tasks, detail.structure, now)
    return Timing(
        wall_seconds=wall,
        bars=_bars(tasks, began, now, frozenset(path)),
        critical_path=path,
        running_seconds=running,
        waiting_seconds=sum(one.waited(now) or 0.0 for one in tasks),
        critical_seconds=sum(spans[key][1] - spans[key][0] for key in path if key in spans),
        idle_seconds=max(0.0, wall - _covered(spans.values())),
        parallelism=running / wall if wall else None,
        efficiency=min(1.0, ideal / wall) if wall and ideal is not None else None,
    )


def critical_path(tasks: Sequence[Task], structure: Structure, now: float) -> tuple[Key, ...]:
    """The task instances that decided when the run ended: from the one that ended last, back to whichever of those
    before it ended last, and so on. The first first; empty without a structure."""
    if not structure:
        return ()
    before = _before(structure)
    by_id = _by_id(one for one in tasks if _span(one, now) is not None)
    last = max((one for mine in by_id.values() for one in mine), key=lambda one: _ended(one, now), default=None)
    path: list[Key] = []
    while last is not None and last.key not in path:
        path.append(last.key)
        earlier = (one for name in before.get(last.task_id, ()) for one in by_id.get(name, ()))
        last = max(earlier, key=lambda one: _ended(one, now), default=None)
    return tuple(reversed(path))


def longest_path(tasks: Iterable[Task], structure: Structure, now: float) -> float | None:
    """Running seconds along the path with most of them; None without a structure. Of a mapped task the longest
    instance counts."""
    if not structure:
        return None
    weight = {name: max(_span_seconds(one, now) for one in mine) for name, mine in _by_id(tasks).items()}
    longest: dict[str, float] = {}
    for name in _in_order(structure):
        reached = longest.get(name, 0.0) + weight.get(name, 0.0)
        longest[name] = reached
        for follower in structure.get(name, ()):
            longest[follower] = max(longest.get(follower, 0.0), reached)
    return max(longest.values(), default=0.0)


def slowest(tasks: Iterable[Task], now: float, count: int = 10) -> list[Task]:
    """Those that ran longest, the longest first."""
    ran = [one for one in tasks if _span_seconds(one, now) > 0]
    return sorted(ran, key=lambda one: (-_span_seconds(one, now), one.key))[:count]


def retried(tasks: Iterable[Task]) -> list[Task]:
    """Those that were tried more than once, the most often tried first."""
    return sorted((one for one in tasks if one.retries), key=lambda one: (-one.retries, one.key))


def _bars(tasks: Iterable[Task], began: float | None, now: float, critical: frozenset[Key]) -> tuple[Bar, ...]:
    def since(moment: float | None) -> float | None:
        return None if moment is None or began is None else moment - began

    bars = []
    for one in tasks:
        span = _span(one, now)
        start, end = span if span is not None else (None, None)
        bars.append(Bar(one, since(one.queued_at), since(start), since(end), one.key in critical))
    return tuple(sorted(bars, key=lambda bar: (bar.start is None, bar.start or 0.0, bar.task.key)))


def _span(task: Task, now: float) -> tuple[float, float] | None:
    """(start, end) of its latest try; up to `now` while it runs; None where it never ran."""
    if task.started_at is None or task.state in ("upstream_failed", "removed"):
        return None
    end = task.ended_at if task.ended_at is not None and task.state != "running" else None
    if end is None:
        return (task.started_at, max(task.started_at, now)) if task.state in ("running", "deferred") else None
    return task.started_at, max(task.started_at, end)


def _span_seconds(task: Task, now: float) -> float:
    span = _span(task, now)
    return 0.0 if span is None else span[1] - span[0]


def _ended(task: Task, now: float) -> float:
    span = _span(task, now)
    return span[1] if span is not None else 0.0


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that at least one of `spans` covers."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _by_id(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    found: dict[str, list[Task]] = {}
    for one in tasks:
        found.setdefault(one.task_id, []).append(one)
    return found


def _before(structure: Structure) -> Mapping[str, tuple[str, ...]]:
    """Task id -> those that it follows."""
    found: dict[str, tuple[str, ...]] = {}
    for name, followers in structure.items():
        for follower in followers:
            found[follower] = (*found.get(follower, ()), name)
    return found


def _in_order(structure: Structure) -> list[str]:
    """Every task after those that it follows. What is on a circle, which no DAG has, is left out."""
    names = dict.fromkeys([*structure, *(one for followers in structure.values() for one in followers)])
    open_before = {name: len(set(_before(structure).get(name, ()))) for name in names}
    ready = [name for name, count in open_before.items() if count == 0]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        for follower in set(structure.get(name, ())):
            open_before[follower] -= 1
            if open_before[follower] == 0:
                ready.append(follower)
    return order
