"""How long a DAG and its tasks take, against their own past: in numbers, and in a sentence. Pure.

A step is found by Pettitt's test (A. N. Pettitt, "A non-parametric approach to the change-point problem", Applied
Statistics 28, 1979), a drift by the Theil-Sen slope. Both go by ranks or medians: one run that hung moves neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, exp
from statistics import median

from opsconsole.core.duration import duration_text
from opsconsole.pipelines.advice import Advice, advice
from opsconsole.pipelines.model import DagHistory, Pool, Run, RunDetail, Task
from opsconsole.pipelines.timing import timing

ENOUGH = 16
"""Durations from which a change is looked for: with fewer, Pettitt's test cannot be as sure as is asked here, however
large the step."""
_SIDE = 4
"""Durations that either side of a step has at least."""
_SURE = 0.01
"""The chance of a step as large without any cause, below which one is believed."""
_RATIO = 1.25
"""Times longer (or shorter) from which it is worth a sentence, and"""
_SECONDS = 1.0
"""seconds."""
_DAY = 86_400.0
_OFTEN = 0.3
"""Share of the runs in which something has to cost time to be a habit."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One duration."""

    at: float
    """When it began (unix seconds)."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """From when on it takes another time."""

    since_at: float
    before: float
    """The median before, in seconds,"""
    after: float
    """and since."""
    runs: int
    """How many since."""
    chance: float
    """Of such a step without any cause, by Pettitt's test."""

    @property
    def ratio(self) -> float:
        """Times as long as before."""
        return self.after / self.before if self.before > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Trend:
    """How long one thing takes: the DAG's runs, or a task's in them."""

    name: str
    """A task's id; empty: the DAG."""
    count: int
    median: float | None
    p95: float | None
    latest: float | None
    today: float | None
    """The median of those that began within the last 24 hours; None without any."""
    earlier: float | None
    """The median of those before,"""
    earlier_p95: float | None
    """and what 95 % of them did not exceed."""
    step: Step | None
    drift: float | None
    """Seconds that it grows (or shrinks) from one run to the next; None where that is no more than noise."""
    values: tuple[float, ...]
    """Every duration, the oldest first."""

    @property
    def slower(self) -> bool:
        """Whether it has become slower than it was, for good."""
        if self.slow_today:
            return True
        return self.step.ratio > 1 if self.step is not None else self.drift is not None and self.drift > 0

    @property
    def slow_today(self) -> bool:
        """Whether today is out of what it was before: a step that is too young for a test."""
        if self.today is None or self.earlier is None or self.earlier_p95 is None:
            return False
        return self.today > self.earlier_p95 and _matters(self.earlier, self.today) and self.today > self.earlier

    @property
    def words(self) -> str:
        """What there is to say, with its numbers."""
        if self.step is not None:
            one = self.step
            word = "slower" if one.ratio > 1 else "faster"
            since = datetime.fromtimestamp(one.since_at, UTC)
            return (
                f"{word} since {since:%Y-%m-%d %H:%M}: {duration_text(one.after)} at the median of {one.runs}, "
                f"{duration_text(one.before)} before (×{one.ratio:.1f})"
            )
        if self.slow_today and self.today is not None and self.earlier is not None:
            ratio = f" (×{self.today / self.earlier:.1f})" if self.earlier > 0 else ""
            before = duration_text(self.earlier)
            return f"slower today: {duration_text(self.today)} at the median, {before} before{ratio}"
        if self.drift is not None:
            whole = duration_text(abs(self.drift) * (self.count - 1))
            return f"{'grows' if self.drift > 0 else 'shrinks'} steadily: by {whole} over {self.count} runs"
        if self.count < ENOUGH:
            return f"{self.count} are too few to tell; {ENOUGH} would do" if self.count else "none has succeeded"
        return "as ever"


@dataclass(frozen=True, slots=True)
class Habit:
    """What costs time again and again."""

    kind: str
    """As `Advice.kind`."""
    subject: str
    runs: int
    """In how many of them,"""
    of: int
    seconds: float
    """what it costs at the median of those, at most,"""
    why: str
    """and in the latest of them."""
    advice: str


@dataclass(frozen=True, slots=True)
class DagTrends:
    """A DAG, its tasks, and what makes its runs long."""

    dag: Trend
    tasks: tuple[Trend, ...]
    """What became slower first, then the longest."""
    habits: tuple[Habit, ...]
    efficiency: float | None
    """The median of its runs'."""


def dag_trends(history: DagHistory, now: float, pools: Sequence[Pool] = ()) -> DagTrends:
    """What the latest runs of a DAG say of its durations."""
    good = [run for run in history.runs if run.state == "success" and run.started_at is not None]
    own = trend("", [Timed(run.started_at or 0.0, run.seconds) for run in good if run.seconds is not None], now)
    tasks = [trend(name, timed, now) for name, timed in _by_task(history.tasks).items()]
    tasks.sort(key=lambda one: (not one.slower, -(one.median or 0.0), one.name))
    details = _details(history, good)
    timed = [(detail, timing(detail, now)) for detail in details]
    efficiencies = [one.efficiency for _, one in timed if one.efficiency is not None]
    advised = [advice(detail, one, pools) for detail, one in timed]
    return DagTrends(own, tuple(tasks), tuple(habits(advised)), median(efficiencies) if efficiencies else None)


def trend(name: str, timed: Sequence[Timed], now: float) -> Trend:
    """What durations say, in whatever order they are given."""
    known = sorted(timed, key=lambda one: one.at)
    values = tuple(one.seconds for one in known)
    today = [one.seconds for one in known if now - one.at <= _DAY]
    earlier = [one.seconds for one in known if now - one.at > _DAY]
    step = find_step(known)
    return Trend(
        name=name,
        count=len(values),
        median=median(values) if values else None,
        p95=percentile(values, 0.95),
        latest=values[-1] if values else None,
        today=median(today) if today else None,
        earlier=median(earlier) if len(earlier) >= _SIDE else None,
        earlier_p95=percentile(earlier, 0.95),
        step=step,
        drift=None if step is not None else find_drift(values),
        values=values,
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def find_step(timed: Sequence[Timed]) -> Step | None:
    """Where durations, the oldest first, change for good; None where that is no more than chance or than a trifle."""
    count = len(timed)
    if count < ENOUGH:
        return None
    values = [one.seconds for one in timed]
    # U_t: how often a value up to t is smaller than one after it, less how often it is larger.
    best, place, u = 0, 0, 0
    for t, value in enumerate(values[:-1], 1):
        u += sum((other > value) - (other < value) for other in values)
        if _SIDE <= t <= count - _SIDE and abs(u) > abs(best):
            best, place = u, t
    chance = min(1.0, 2 * exp(-6 * best * best / (count**3 + count**2)))
    if chance >= _SURE:
        return None
    found = Step(timed[place].at, median(values[:place]), median(values[place:]), count - place, chance)
    return found if _matters(found.before, found.after) else None


def find_drift(values: Sequence[float]) -> float | None:
    """Seconds by which values change from one to the next; None where it is no more than chance or than a trifle."""
    count = len(values)
    if count < ENOUGH:
        return None
    pairs = [(values[j] - values[i], j - i) for i in range(count) for j in range(i + 1, count)]
    # Mann-Kendall: the sum of signs, which without a drift has this variance and is about normal.
    score = sum((rise > 0) - (rise < 0) for rise, _ in pairs)
    if abs(score) / (count * (count - 1) * (2 * count + 5) / 18) ** 0.5 < 2.58:  # 1 in 100, two-sided
        return None
    slope = median(rise / run for rise, run in pairs)
    middle = median(values)
    whole = slope * (count - 1)
    return slope if _matters(middle - whole / 2, middle + whole / 2) else None


def _matters(before: float, after: float) -> bool:
    short, long = sorted((max(before, 0.0), max(after, 0.0)))
    return long - short >= _SECONDS and long >= short * _RATIO


def habits(advised: Sequence[Sequence[Advice]]) -> list[Habit]:
    """What costs time in many runs (given the newest first), what costs most in all first."""
    found: dict[tuple[str, str], list[Advice]] = {}
    for run in advised:
        for one in run:
            found.setdefault((one.kind, one.subject), []).append(one)
    often = [
        Habit(kind, subject, len(all_), len(advised), median(one.seconds for one in all_), all_[0].why, all_[0].advice)
        for (kind, subject), all_ in found.items()
        if len(all_) >= max(2, _OFTEN * len(advised))
    ]
    return sorted(often, key=lambda one: (-one.seconds * one.runs, one.kind, one.subject))


def _by_task(tasks: Sequence[Task]) -> Mapping[str, list[Timed]]:
    """Task id -> how long it ran in each run; of a mapped one the longest of its instances, which holds the run up."""
    found: dict[tuple[str, str], Timed] = {}
    for one in tasks:
        if one.state != "success" or one.started_at is None or one.seconds is None:
            continue
        key, timed = (one.task_id, one.run_id), Timed(one.started_at, one.seconds)
        if key not in found or timed.seconds > found[key].seconds:
            found[key] = timed
    by_task: dict[str, list[Timed]] = {}
    for (task_id, _), timed in found.items():
        by_task.setdefault(task_id, []).append(timed)
    return by_task


def _details(history: DagHistory, runs: Sequence[Run]) -> list[RunDetail]:
    """The runs with their tasks; those of which none is known are left out."""
    by_run: dict[str, list[Task]] = {}
    for one in history.tasks:
        by_run.setdefault(one.run_id, []).append(one)
    return [RunDetail(run, tuple(by_run[run.run_id]), history.structure) for run in runs if run.run_id in by_run]
