"""Would it have fired: an alerting rule over past values, step by step as Prometheus evaluates it.

Every series of the expression is an alert of its own, so each is worked out alone: pending from the first evaluation
at which it is there, firing once it was there for `for`, resolved at the first evaluation at which it is not, or
`keep_firing_for` after that (prometheus/rules/alerting.go, `AlertingRule.Eval`).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

_NO_LABELS: Mapping[str, str] = MappingProxyType({})
_BELOW = re.compile(r"<=?(?!=)")
_ABOVE = re.compile(r">=?|==|!=")
_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|\{[^{}]*\}")
METRIC = "__name__"


def _no_labels() -> Mapping[str, str]:
    return _NO_LABELS


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alerting rule."""

    name: str
    expr: str
    interval: float
    """Seconds between two evaluations."""
    hold: float = 0.0
    """`for`, seconds."""
    keep: float = 0.0
    """`keep_firing_for`, seconds."""
    labels: Mapping[str, str] = field(default_factory=_no_labels)
    group: str = ""
    file: str = ""
    line: int = 0

    @property
    def worst_is_low(self) -> bool:
        """Whether it fires for what is too small: then the least value is the worst."""
        bare = _STRINGS.sub("", self.expr)
        return bool(_BELOW.search(bare)) and not _ABOVE.search(bare)


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that one alert would have fired."""

    labels: Mapping[str, str]
    """As Alertmanager would have them, but for external ones."""
    pending_at: float
    """Unix seconds from which on the expression held."""
    started_at: float
    """From when on it fired."""
    ended_at: float | None
    """None: it fires at the end of what was looked at."""
    worst: float | None
    """The peak of its value while it held; the least, where the rule is about what is too small."""

    def seconds(self, until: float) -> float:
        """How long it fired, until `until` at most."""
        return max(0.0, min(until, math.inf if self.ended_at is None else self.ended_at) - self.started_at)


@dataclass(frozen=True, slots=True)
class Replay:
    """What one rule would have done."""

    rule: AlertRule
    start: float
    end: float
    episodes: tuple[Episode, ...] = ()
    """By their start."""
    nearly: int = 0
    """How often the expression held, but not for long enough."""
    longest_nearly: float = 0.0
    """Seconds of the longest of those."""
    error: str = ""
    """Why it could not be evaluated."""
    notes: tuple[str, ...] = ()

    @property
    def firing_seconds(self) -> float:
        """Time within which at least one alert fired."""
        total, reached = 0.0, self.start
        for one in self.episodes:
            end = self.end if one.ended_at is None else min(one.ended_at, self.end)
            total += max(0.0, end - max(one.started_at, reached))
            reached = max(reached, end)
        return total

    @property
    def firing_share(self) -> float:
        """That, of the whole time."""
        span = self.end - self.start
        return self.firing_seconds / span if span > 0 else 0.0


@dataclass(slots=True)
class _Running:
    """One alert that is pending or firing."""

    labels: Mapping[str, str]
    pending_at: float
    last_at: float
    worst: float | None
    fired_at: float | None = None


class Replayer:
    """Takes the values of one rule's expression, the oldest first, in as many parts as they come."""

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        self._running: dict[tuple[tuple[str, str], ...], _Running] = {}
        self._episodes: list[Episode] = []
        self._nearly = 0
        self._longest_nearly = 0.0

    def see(self, labels: Mapping[str, str], points: Iterable[tuple[float, float]]) -> None:
        """The evaluations at which a series was there: (unix seconds, value)."""
        told = {**{name: value for name, value in labels.items() if name != METRIC}, **self._labels(labels)}
        told["alertname"] = self._rule.name
        key = tuple(sorted(told.items()))
        for at, value in points:
            self._hold(key, told, at, value)

    def end(self, start: float, end: float, last: float) -> Replay:
        """What came of it, from `start` to `end`, of which `last` is the last evaluation (unix seconds)."""
        for key in list(self._running):
            self._let_go(key, last)
        for one in self._running.values():
            self._close(one, None)
        self._running = {}
        episodes = tuple(sorted(self._episodes, key=lambda one: (one.started_at, sorted(one.labels.items()))))
        return Replay(self._rule, start, end, episodes, self._nearly, self._longest_nearly)

    def _hold(self, key: tuple[tuple[str, str], ...], labels: Mapping[str, str], at: float, value: float) -> None:
        self._let_go(key, at - self._rule.interval)
        one = self._running.get(key)
        if one is None:
            one = self._running[key] = _Running(labels, at, at, None)
        one.last_at = at
        if not math.isnan(value):
            worse = min if self._rule.worst_is_low else max
            one.worst = value if one.worst is None else worse(one.worst, value)
        if one.fired_at is None and at - one.pending_at >= self._rule.hold:
            one.fired_at = at

    def _let_go(self, key: tuple[tuple[str, str], ...], evaluated: float) -> None:
        """It was not there at the evaluations after the last one, up to `evaluated`: it ends, unless it is kept."""
        one = self._running.get(key)
        if one is None:
            return
        absent = one.last_at + self._rule.interval
        if one.fired_at is not None:
            absent += math.ceil(self._rule.keep / self._rule.interval) * self._rule.interval
        # A tenth of an interval: times have fractions.
        if absent <= evaluated + 0.1 * self._rule.interval:
            self._close(one, absent)
            del self._running[key]

    def _close(self, one: _Running, ended_at: float | None) -> None:
        if one.fired_at is not None:
            self._episodes.append(Episode(one.labels, one.pending_at, one.fired_at, ended_at, one.worst))
        elif ended_at is not None:
            self._nearly += 1
            self._longest_nearly = max(self._longest_nearly, one.last_at - one.pending_at)

    def _labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The rule's own labels. Of templates only `{{ $labels.NAME }}` is worked out; others stay as they are."""
        return {name: _filled(value, labels) for name, value in self._rule.labels.items()}


_SLOT = re.compile(r"\{\{-?\s*\$labels\.([A-Za-z_]\w*)\s*-?\}\}")


def _filled(template: str, labels: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda slot: labels.get(slot[1], ""), template)


def by_labels(episodes: Sequence[Episode]) -> dict[tuple[tuple[str, str], ...], list[Episode]]:
    """The episodes of each alert."""
    found: dict[tuple[tuple[str, str], ...], list[Episode]] = {}
    for one in episodes:
        found.setdefault(tuple(sorted(one.labels.items())), []).append(one)
    return found
