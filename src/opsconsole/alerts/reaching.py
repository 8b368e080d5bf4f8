"""Which Prometheus could fire an alert, and which Alertmanagers they send it to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from opsconsole.alerts.joining import Joining, Key
from opsconsole.alerts.model import DeliverySide, RuleAlert, RuleSide, RuleState, Ruling

_STATES = {RuleState.FIRING: "firing", RuleState.PENDING: "pending"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides about every alert, beside itself. Places are those in the order of the environment."""

    names: tuple[str, ...]
    """Of every Prometheus."""
    silent: tuple[bool, ...]
    """Which of them do not answer."""
    rules: tuple[frozenset[str], ...]
    """The names of their rules."""
    added: tuple[Key | None, ...]
    """Labels that they add and others do not: those of a pair add the same. None: not known."""
    sends: tuple[tuple[bool, ...], ...]
    """Of each Prometheus, whether it may send to each Alertmanager."""
    deaf: tuple[bool, ...]
    """Which Alertmanagers do not answer."""

    def expected(self, key: Key, fired: Sequence[RuleAlert | None]) -> tuple[int, ...]:
        """The places of those that could fire the alert that is joined by `key`: those that add the same labels as
        one that does (`fired`), else whose labels it has; and those of which that is not known."""
        if len(self.names) < 2:
            return (0,) if self.names else ()
        doing = {self.added[place] for place, one in enumerate(fired) if one is not None}
        if not doing:
            fitting = [one for one in self.added if one is not None and one <= key]
            most = max(map(len, fitting), default=0)
            doing = {one for one in fitting if len(one) == most}
        return tuple(
            place
            for place, added in enumerate(self.added)
            if fired[place] is not None or (added in doing if added is not None else self.silent[place])
        )

    def rulings(self, name: str, fired: Sequence[RuleAlert | None], expected: Sequence[int]) -> tuple[Ruling, ...]:
        """How the alert of that name stands with those that could fire it."""
        return tuple([_ruling(self.names[place], self._ruled(name, fired[place], place)) for place in expected])

    def ruled(self, rulings: Sequence[Ruling]) -> RuleState:
        """The state of the rule of an alert that none fires."""
        unseen = not self.names or any(one.state == "unknown" for one in rulings)
        return RuleState.UNKNOWN if unseen else RuleState.NONE

    def reaches(self, place: int, expected: Sequence[int]) -> bool:
        """Whether the Alertmanager at `place` is sent what those at `expected` fire, as far as that can be seen."""
        return not expected or any(self.sends[one][place] for one in expected)

    def _ruled(self, name: str, fired: RuleAlert | None, place: int) -> str:
        if fired is not None:
            return _STATES.get(fired.state, "unknown")
        if self.silent[place]:
            return "unknown"
        return "quiet" if name in self.rules[place] else "no rule"


@lru_cache(maxsize=1000)
def _ruling(prometheus: str, state: str) -> Ruling:
    """The same few for thousands of alerts."""
    return Ruling(prometheus, state)


def shape_of(rules: Sequence[RuleSide], sides: Sequence[DeliverySide], joining: Joining) -> Shape:
    """That of these sides."""
    targets = [addresses(side) for side in rules]
    places = [side.place for side in sides]
    added = [joining.added.get(side.name) for side in rules]
    return Shape(
        names=tuple(side.name for side in rules),
        silent=tuple(bool(side.error) for side in rules),
        rules=tuple(side.names for side in rules),
        added=tuple(None if one is None else frozenset(one.items()) for one in added),
        sends=tuple(tuple(_sends(own, place, places, targets) for place in places) for own in targets),
        deaf=tuple(bool(side.error) for side in sides),
    )


def addresses(side: RuleSide) -> frozenset[str] | None:
    """`host:port` of each Alertmanager that it sends to; None: not known."""
    return None if side.targets is None else frozenset(urlsplit(one).netloc for one in side.targets)


def _sends(
    own: frozenset[str] | None, place: str, places: Sequence[str], targets: Sequence[frozenset[str] | None]
) -> bool:
    """False only where addresses can be compared: it sends to others that are known here, and another one to this."""
    if own is None or place in own or not own.intersection(places):
        return True
    return not any(place in other for other in targets if other is not None)
