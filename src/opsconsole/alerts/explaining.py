"""Why an alert fires: its expression taken apart, what each side of it says now, and how that went."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.alerts.episodes import History
from opsconsole.alerts.expression import Alternative, CannotSplit, Condition, split
from opsconsole.alerts.model import Alert
from opsconsole.alerts.recalling import Asked, Span, history_of
from opsconsole.core.reading import SourceError
from opsconsole.core.values import Matrix, Scalar, Value, Vector

Points = tuple[tuple[float, float], ...]

_MOST_VALUES = 5
"""Values of one side that are kept: of more, the alert's labels do not say which is meant."""
_PAST = 7 * 86400.0
_GRAPH = (3600.0, 86400.0)
"""Seconds that a graph shows at least and at most."""
_POINTS = 120


@dataclass(frozen=True, slots=True)
class Measured:
    """A condition, and what it says now."""

    condition: Condition
    values: tuple[tuple[Mapping[str, str], float], ...] = ()
    """(labels, value) of what is compared, as far as it belongs to the alert; the first few."""
    limit: float | None = None
    """What it is compared with now; None where that is not known."""
    more: int = 0
    """Values beyond those kept."""
    error: str = ""
    """Why it could not be asked."""

    @property
    def holds(self) -> bool | None:
        """Whether it is fulfilled now; None where that is not known."""
        if self.error:
            return None
        if self.condition.negated:
            return not self.values
        if not self.values:
            return False
        judged = [self.condition.holds(value, self.limit) for _, value in self.values]
        return True if True in judged else None if None in judged else False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one alert fires."""

    alternatives: tuple[tuple[Measured, ...], ...] = ()
    graph: Points = ()
    """What the first condition compares, from `graph_start` on."""
    graph_of: Measured | None = None
    graph_start: float = 0.0
    graph_end: float = 0.0
    history: History | None = None
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""
    asked: str = ""
    """The name of the Prometheus that says so."""


async def explain(prometheus: Asked | None, alert: Alert, now: float, *, interval: float = 60.0) -> Explanation:
    """Everything that Prometheus says of why `alert` fires. Never raises for a source: what failed is in the notes.

    Args:
        prometheus: None where there is none.
        interval: seconds between two evaluations of its rule.
    """
    if prometheus is None:
        return Explanation(notes=("no Prometheus is configured: its expression cannot be asked for",))
    (alternatives, noted), (past, missed) = await asyncio.gather(
        _alternatives(prometheus, alert), _past(prometheus, alert, now, interval)
    )
    chosen = next((one for one in alternatives if all(given.holds for given in one)), None)
    drawn = next(iter(chosen or (alternatives[0] if alternatives else ())), None)
    start = now - min(_GRAPH[1], max(_GRAPH[0], 2 * (now - (alert.started_at or now))))
    graph = await _graph(prometheus, alert, drawn.condition, start, now) if drawn is not None else ()
    return Explanation(alternatives, graph, drawn, start, now, past, (*noted, *missed))


def belongs(labels: Mapping[str, str], alert: Alert) -> bool:
    """Whether a series with `labels` is about the alert: they say the same where both have a label."""
    return all(alert.labels.get(name, value) == value for name, value in labels.items() if name != "__name__")


async def _alternatives(prometheus: Asked, alert: Alert) -> tuple[tuple[tuple[Measured, ...], ...], tuple[str, ...]]:
    if not alert.expr:
        return (), ("no rule of this Prometheus made it: there is no expression to look at",)
    try:
        found = await asyncio.to_thread(split, alert.expr)
    except CannotSplit as error:
        return (), (str(error),)
    measured = await asyncio.gather(*(_together(prometheus, alert, one) for one in found))
    errors = dict.fromkeys(one.error for given in measured for one in given if one.error)
    return tuple(measured), tuple(errors)


async def _together(prometheus: Asked, alert: Alert, conditions: Alternative) -> tuple[Measured, ...]:
    return tuple(await asyncio.gather(*(_measured(prometheus, alert, one) for one in conditions)))


async def _measured(prometheus: Asked, alert: Alert, condition: Condition) -> Measured:
    try:
        answer = await prometheus.instant(condition.asked)
        limit = condition.limit_value
        if condition.op and limit is None:
            against = _of_alert((await prometheus.instant(condition.limit)).value, alert)
            limit = against[0][1] if len(against) == 1 else None
    except SourceError as error:
        return Measured(condition, error=str(error))
    found = _of_alert(answer.value, alert)
    return Measured(condition, tuple(found[:_MOST_VALUES]), limit, max(0, len(found) - _MOST_VALUES))


def _of_alert(value: Value, alert: Alert) -> list[tuple[Mapping[str, str], float]]:
    match value:
        case Vector(samples):
            return [(one.labels, one.value) for one in samples if belongs(one.labels, alert)]
        case Scalar(number, _):
            return [({}, number)]
    return []


async def _graph(prometheus: Asked, alert: Alert, condition: Condition, start: float, now: float) -> Points:
    try:
        step = max(1.0, (now - start) / _POINTS)
        answer = await prometheus.range(condition.asked, start=start, end=now, step=step)
    except SourceError:
        return ()  # the same side was asked for its value: why it cannot is said there
    series = answer.value.series if isinstance(answer.value, Matrix) else ()
    return next((one.points for one in series if belongs(one.labels, alert)), ())


async def _past(prometheus: Asked, alert: Alert, now: float, interval: float) -> tuple[History | None, tuple[str, ...]]:
    try:
        return await history_of(prometheus, Span(now - _PAST, now), alert.labels, interval=interval), ()
    except SourceError as error:
        return None, (f"{error}: earlier episodes are not known",)
