"""Episodes: from when to when an alert fired, of the series `ALERTS` and `ALERTS_FOR_STATE` that Prometheus writes.

A point of either at `t` says: there was a sample within `(t - step, t]`. The value of `ALERTS_FOR_STATE` is the moment
at which the expression began to hold (unix seconds); it changes with each new beginning, also where both lie within one
step. So beginnings are exact, and ends are known to one step. An episode is
    a row of points with one beginning; where the beginning is not known, of points no further apart than two steps;
it is open where the row reaches the end of what was looked at.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.core.values import Series

Labels = Mapping[str, str]
Key = frozenset[tuple[str, str]]

FIRING = 'max_over_time(ALERTS{alertstate="firing"%s}[%dms])'
"""PromQL; further matchers and the step are filled in."""
BEGINNINGS = "max_over_time(ALERTS_FOR_STATE{%s}[%dms])"
_OWN = frozenset({"__name__", "alertstate"})


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that an alert fired. Times are unix seconds."""

    labels: Labels
    """Without `alertstate`; as the rule gives them."""
    active_at: float
    """When the expression began to hold."""
    fired_at: float
    """When it began to fire: later than that by what the rule waits (`for`)."""
    ended_at: float | None
    """When it ended, to one step; None: it fires still."""
    times: int = 1
    """How often it ended and began again within, so shortly that nobody was told of the end."""

    @property
    def name(self) -> str:
        """Of the alert."""
        return self.labels.get("alertname", "")

    def seconds(self, now: float) -> float:
        """How long it fired, until `now` where it does still."""
        return max(0.0, (now if self.ended_at is None else self.ended_at) - self.fired_at)


@dataclass(frozen=True, slots=True)
class History:
    """Episodes of a span of time."""

    start: float
    end: float
    step: float
    """Seconds: as exact as ends are."""
    episodes: tuple[Episode, ...]
    """The newest beginning first."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and why."""

    @property
    def closed(self) -> tuple[Episode, ...]:
        """Those that have ended."""
        return tuple(one for one in self.episodes if one.ended_at is not None)


def key_of(labels: Labels) -> Key:
    """What two series of one alert have in common."""
    return frozenset((name, value) for name, value in labels.items() if name not in _OWN)


def episodes(
    firing: Iterable[Series], beginnings: Iterable[Series], *, start: float, end: float, step: float, merge: float = 0.0
) -> tuple[Episode, ...]:
    """The episodes of all alerts, the newest beginning first.

    Args:
        firing: the answer to `FIRING` from `start` to `end`, a point each `step` seconds.
        beginnings: that to `BEGINNINGS`, on the same grid; may lack alerts.
        merge: seconds; an end after which it fires again within these is none. Alertmanager tells of an end only
            after `group_interval`.
    """
    begun = {key_of(one.labels): dict(one.points) for one in beginnings}
    found: list[Episode] = []
    for one in firing:
        labels = {name: value for name, value in one.labels.items() if name not in _OWN}
        rows = _rows(one.points, begun.get(key_of(labels), {}), step)
        # One that another one follows has ended, however shortly before the end of what is looked at.
        ends = [end if row is rows[-1] else math.inf for row in rows]
        found += _merged(
            [_episode(labels, row, start, until, step) for row, until in zip(rows, ends, strict=True)], merge
        )
    return newest_first(found)


def newest_first(found: Iterable[Episode]) -> tuple[Episode, ...]:
    """In the order of a history."""
    return tuple(sorted(found, key=lambda one: (-one.fired_at, one.name, sorted(one.labels.items()))))


def mean_time_to_repair(found: Iterable[Episode]) -> float | None:
    """Seconds that an episode lasted on average, of those that have ended; None where none has."""
    lasted = [one.seconds(0.0) for one in found if one.ended_at is not None]
    return sum(lasted) / len(lasted) if lasted else None


_Row = list[tuple[float, float | None]]
"""(moment, beginning or None where it is not known)."""


def _rows(points: Sequence[tuple[float, float]], begun: Mapping[float, float], step: float) -> list[_Row]:
    """Points that belong together."""
    rows: list[_Row] = []
    known: float | None = None
    for at, value in points:
        if value != value or value <= 0:
            continue
        beginning = begun.get(at)
        last = rows[-1][-1] if rows else None
        # Prometheus keeps whole seconds; one that was restored after a restart may differ by their rounding.
        both = (beginning, known) if beginning is not None and known is not None else None
        anew = both is not None and abs(both[0] - both[1]) > 1
        # The same beginning on both sides of a gap: what is missing are samples (Prometheus was down, or what is old is
        # kept more coarsely), for an alert that resolved begins anew.
        apart = at - last[0] > 2 * step + 1e-3 and both is None if last is not None else True
        if apart or anew:
            rows.append([])
            known = None
        known = beginning if beginning is not None else known
        rows[-1].append((at, beginning))
    return rows


def _episode(labels: Labels, row: _Row, start: float, end: float, step: float) -> Episode:
    first, last = row[0][0], row[-1][0]
    beginning = next((value for _, value in row if value is not None), None)
    earliest = first - step
    cut = first <= start + step / 2
    if beginning is None:
        active = fired = earliest
    elif cut:
        # It fired before all that was looked at: since when is not seen, only since when the expression held.
        active = fired = min(beginning, first)
    else:
        active, fired = min(beginning, first), max(min(beginning, first), earliest)
    is_open = last >= end - step - 1e-3
    return Episode(labels, active, fired, None if is_open else max(last, fired))


def _merged(found: list[Episode], merge: float) -> list[Episode]:
    kept: list[Episode] = []
    for one in found:
        before = kept[-1] if kept else None
        if before is not None and before.ended_at is not None and one.fired_at - before.ended_at < merge:
            kept[-1] = replace(before, ended_at=one.ended_at, times=before.times + one.times)
        else:
            kept.append(one)
    return kept
