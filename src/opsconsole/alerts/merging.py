"""One list of what Prometheus and every Alertmanager know.

They are joined by labels without the external ones, which Prometheus adds when it sends: an alert of a rule does not
have them, in Alertmanager it does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_

from opsconsole.alerts.fingerprints import fingerprint
from opsconsole.alerts.model import (
    Alert,
    AlertState,
    Delivered,
    Delivery,
    DeliverySide,
    RuleAlert,
    RuleSide,
    RuleState,
)
from opsconsole.alerts.routing import Notification, Route, Telling
from opsconsole.alerts.severity import rank

Key = frozenset[tuple[str, str]]
Routes = tuple[tuple[int, Route], ...]
"""(place of the Alertmanager, route)."""

_RANK = {
    AlertState.UNDELIVERED: 0, AlertState.ACTIVE: 1, AlertState.UNKNOWN: 2, AlertState.UNPROCESSED: 3,
    AlertState.SENDING: 4, AlertState.SUPPRESSED: 5, AlertState.PENDING: 6,
}  # fmt: skip


class Merger:
    """Joins the sides, again and again: of thousands of alerts only those that changed are made anew.

    Readers give the same objects for what did not change, so that comparing them is asking whether they are the same.
    """

    def __init__(self) -> None:
        self._keys: dict[int, tuple[RuleAlert | Delivered, Key]] = {}
        self._external: Mapping[str, str] = {}
        self._made: dict[Key, _Made] = {}
        self._telling: dict[str, Telling] = {}

    def merged(self, rules: RuleSide | None, sides: Sequence[DeliverySide], now: float) -> tuple[Alert, ...]:
        """Every alert once, what needs somebody first: undelivered, active, …; in each the most severe, then the
        newest. `rules` None: what Prometheus says is not known."""
        external = rules.external_labels if rules is not None and rules.external_labels else {}
        keyed = self._keyed(external)
        fired = {keyed(one): one for one in rules.alerts} if rules is not None else {}
        held = [{keyed(one): one for one in side.alerts} for side in sides]
        keys = dict.fromkeys([*fired, *(key for found in held for key in found)])
        around = _Around(rules, sides, external, [self._told(side) for side in sides], now)
        known, self._made = self._made, {}
        for key in keys:
            of = fired.get(key), tuple([found.get(key) for found in held])
            self._made[key] = _made(known.get(key), *of, around)
        return tuple([one.alert for one in sorted(self._made.values(), key=_place)])

    def _keyed(self, external: Mapping[str, str]) -> Callable[[RuleAlert | Delivered], Key]:
        if external != self._external:
            self._keys, self._made, self._external = {}, {}, external
        known, self._keys = self._keys, {}
        removed = frozenset(external.items())

        def keyed(one: RuleAlert | Delivered) -> Key:
            # By identity: the object is kept beside its key, so that no other one has its number.
            entry = known.get(id(one)) or (one, frozenset(one.labels.items()) - removed)
            self._keys[id(one)] = entry
            return entry[1]

        return keyed

    def _told(self, side: DeliverySide) -> Telling | None:
        if side.routing is None:
            return None
        known = self._telling.get(side.name)
        if known is None or known.routing is not side.routing:
            known = self._telling[side.name] = Telling(side.routing, side.name)
        return known


def merged(rules: RuleSide | None, sides: Sequence[DeliverySide], now: float) -> tuple[Alert, ...]:
    """As `Merger.merged`, once."""
    return Merger().merged(rules, sides, now)


def grace(rule: RuleAlert, rules: RuleSide) -> float:
    """Seconds after it began to fire in which an Alertmanager may still lack it: the first attempt can be lost before
    Prometheus has found its Alertmanagers, the next comes after the resend delay, with an evaluation."""
    return 2 * rules.resend + 2 * rule.interval


class _Around:
    """What is the same for all alerts of one moment."""

    def __init__(
        self,
        rules: RuleSide | None,
        sides: Sequence[DeliverySide],
        external: Mapping[str, str],
        telling: Sequence[Telling | None],
        now: float,
    ) -> None:
        self.rules, self.sides, self.external, self.now = rules, sides, external, now
        self.errors = tuple(bool(side.error) for side in sides)
        self.telling = telling
        self._told = [one.at(now) if one is not None else None for one in telling]

    def notifies(self, routes: Routes) -> tuple[Notification, ...]:
        """Who is told by these routes, now."""
        return tuple([told(route) for place, route in routes if (told := self._told[place]) is not None])


@dataclass(frozen=True, slots=True)
class _Made:
    """An alert, and all that it was made of."""

    rule: RuleAlert | None
    held: tuple[Delivered | None, ...]
    """Of each Alertmanager, in their order."""
    errors: tuple[bool, ...]
    """Which of them did not answer."""
    ruled: bool
    """Prometheus answers."""
    telling: tuple[Telling | None, ...]
    routes: Routes
    alert: Alert
    place: tuple[int, int, float, str, str]
    """What it is sorted by."""

    def still(self, rule: RuleAlert | None, held: tuple[Delivered | None, ...], around: _Around) -> bool:
        """Whether it is made of the same, its routes included."""
        return (
            self.rule is rule
            and self.errors == around.errors
            and self.ruled == (around.rules is not None)
            and all(map(is_, self.held, held))
            and all(map(is_, self.telling, around.telling))
        )


def _made(before: _Made | None, rule: RuleAlert | None, held: tuple[Delivered | None, ...], around: _Around) -> _Made:
    if before is not None and before.still(rule, held, around):
        deliveries, routes = before.alert.deliveries, before.routes
    else:
        before = None
        deliveries = tuple(_delivery(side, one) for side, one in zip(around.sides, held, strict=True))
        routes = _routes(rule, held, around)
    state = _state(rule, deliveries, around.rules, around.now)
    notifies = around.notifies(routes)
    if before is not None and before.alert.state is state and before.alert.notifies == notifies:
        return before
    alert = _alert(rule, held, around, state, deliveries, notifies)
    return _Made(
        rule, held, around.errors, around.rules is not None, tuple(around.telling), routes, alert, _order(alert)
    )


def _place(made: _Made) -> tuple[int, int, float, str, str]:
    return made.place


def _alert(
    rule: RuleAlert | None,
    held: tuple[Delivered | None, ...],
    around: _Around,
    state: AlertState,
    deliveries: tuple[Delivery, ...],
    notifies: tuple[Notification, ...],
) -> Alert:
    external = around.external
    one = next((given for given in held if given is not None), None)
    known = rule or one
    assert known is not None
    sent = one.labels if one else {**external, **known.labels}
    return Alert(
        name=known.labels.get("alertname", ""),
        severity=known.labels.get("severity", ""),
        state=state,
        rule=rule.state if rule else RuleState.UNKNOWN if around.rules is None else RuleState.NONE,
        labels={name: value for name, value in known.labels.items() if external.get(name) != value},
        sent_labels=sent,
        annotations=known.annotations,
        fingerprint=one.fingerprint if one else fingerprint(sent),
        started_at=rule.active_at if rule else one.started_at if one else None,
        value=rule.value if rule else None,
        expr=rule.expr if rule else "",
        deliveries=deliveries,
        notifies=notifies,
        generator=one.generator if one else "",
    )


def _delivery(side: DeliverySide, one: Delivered | None) -> Delivery:
    if one is None:
        return Delivery(side.name, "unknown" if side.error else "absent")
    return Delivery(
        side.name, one.state, one.updated_at, one.silenced_by, one.inhibited_by, one.muted_by, one.receivers
    )


def _state(rule: RuleAlert | None, deliveries: Iterable[Delivery], rules: RuleSide | None, now: float) -> AlertState:
    if rule is not None and rule.state is RuleState.PENDING:
        return AlertState.PENDING
    states = {one.state for one in deliveries}
    for state in (AlertState.ACTIVE, AlertState.UNPROCESSED, AlertState.SUPPRESSED):
        # One that keeps it back does not help where another one notifies, or where it cannot be asked.
        if state in states:
            return AlertState.UNKNOWN if state is AlertState.SUPPRESSED and "unknown" in states else state
    if rule is None or rules is None or rule.firing_at is None or "absent" not in states or "unknown" in states:
        return AlertState.UNKNOWN
    if now - rule.firing_at <= grace(rule, rules):
        return AlertState.SENDING
    return AlertState.UNKNOWN if rules.relabelled or rules.external_labels is None else AlertState.UNDELIVERED


def _routes(rule: RuleAlert | None, held: Sequence[Delivered | None], around: _Around) -> Routes:
    """By which routes, by the labels that each Alertmanager has; by those it will have where it lacks the alert."""
    known = rule or next(one for one in held if one is not None)
    found: list[tuple[int, Route]] = []
    for place, (telling, one) in enumerate(zip(around.telling, held, strict=True)):
        if telling is not None:
            labels = one.labels if one else {**around.external, **known.labels}
            found += [(place, route) for route in telling.routing.routes(labels)]
    return tuple(found)


def _order(alert: Alert) -> tuple[int, int, float, str, str]:
    return (_RANK[alert.state], rank(alert.severity), -(alert.started_at or 0.0), alert.name, alert.fingerprint)
