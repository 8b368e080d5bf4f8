"""Asking Prometheus for what happened before: episodes of all alerts, or of one; and which alerts flap."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from opsconsole.alerts.episodes import BEGINNINGS, FIRING, History, episodes
from opsconsole.alerts.matching import exactly
from opsconsole.core.reading import Answer
from opsconsole.core.values import Matrix, Series, Value, Vector

_MOST_POINTS = 400_000
"""Points of one answer: about 10 MB of JSON, a third of a second."""
_MOST_PER_SERIES = 10_000
"""Prometheus gives 11,000 at most."""
_FINEST = 15.0
"""Seconds: finer than rules are evaluated, as a rule."""


class Asked(Protocol):
    """What answers PromQL. Both raise SourceError."""

    async def instant(self, text: str, *, at: float | None = None) -> Answer: ...

    async def range(self, text: str, *, start: float, end: float, step: float) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Span:
    """What is looked at."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


async def history(prometheus: Asked, span: Span, *, interval: float, merge: float) -> History:
    """The episodes of all alerts within `span`.

    Args:
        interval: seconds between two evaluations of the rules, the longest there is.
        merge: as `episodes` has it.

    Raises:
        SourceError: it cannot be asked.
    """
    window = f"{round(span.seconds * 1000)}ms"
    counted = await prometheus.instant(f'count(last_over_time(ALERTS{{alertstate="firing"}}[{window}]))', at=span.end)
    return await _asked(prometheus, span, "", step_of(span.seconds, _number(counted.value), interval), merge)


async def history_of(prometheus: Asked, span: Span, labels: Mapping[str, str], *, interval: float) -> History:
    """The episodes of the alert with these labels (without external ones) within `span`.

    Raises:
        SourceError: it cannot be asked.
    """
    return await _asked(prometheus, span, matchers_of(labels), step_of(span.seconds, 1, interval), 0.0)


def matchers_of(labels: Mapping[str, str]) -> str:
    """`a="b",c="d"`, as a selector has it. A label whose name needs quotes is left out, for rather too much is found
    than nothing."""
    kept = sorted((name, value) for name, value in labels.items() if name.isidentifier() and name.isascii())
    return ",".join(str(exactly(name, value)) for name, value in kept)


def step_of(seconds: float, series: float, interval: float) -> float:
    """Seconds between two points, so that the answer stays small and no evaluation lies between two looks."""
    points = min(_MOST_PER_SERIES, max(50.0, _MOST_POINTS / max(1.0, series)))
    step = max(_FINEST, interval, seconds / points)
    return float(-(-step // 5) * 5)


async def _asked(prometheus: Asked, span: Span, selector: str, step: float, merge: float) -> History:
    start, end = span.start - span.start % step, span.end - span.end % step
    wide = round(step * 1000)
    given = f",{selector}" if selector else ""
    firing = await prometheus.range(FIRING % (given, wide), start=start, end=end, step=step)
    begun = await prometheus.range(BEGINNINGS % (selector, wide), start=start, end=end, step=step)
    found = episodes(_series(firing.value), _series(begun.value), start=start, end=end, step=step, merge=merge)
    return History(start, end, step, found)


def _series(value: Value) -> Iterable[Series]:
    return value.series if isinstance(value, Matrix) else ()


def _number(value: Value) -> float:
    return value.samples[0].value if isinstance(value, Vector) and value.samples else 0.0
