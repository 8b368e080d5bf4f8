"""One list of what every Prometheus and every Alertmanager know; `joining` says which labels make two of them one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import is_
from typing import NamedTuple

from opsconsole.alerts.fingerprints import fingerprint
from opsconsole.alerts.joining import Joining, Key, joining_of
from opsconsole.alerts.model import (
    Alert,
    AlertState,
    Delivered,
    Delivery,
    DeliverySide,
    Labels,
    RuleAlert,
    RuleSide,
)
from opsconsole.alerts.reaching import Shape, shape_of
from opsconsole.alerts.routing import Notification, Route, Telling
from opsconsole.alerts.severity import rank
from opsconsole.alerts.states import TIMELESS, Fired, leading_of, state_of
from opsconsole.alerts.twins import together

Held = tuple[Delivered | None, ...]
"""Of each Alertmanager, in their order."""
Routes = tuple[tuple[int, Route], ...]
"""(place of the Alertmanager, route)."""
_Keys = dict[int, tuple[RuleAlert | Delivered, Key]]
"""By identity: the object is kept beside its key, so that no other one has its number."""
_Twins = dict[tuple[int, int], tuple[Delivered, Delivered, Delivered]]
"""By the identities of both: they, and what they are together."""

_RANK = {
    AlertState.UNDELIVERED: 0, AlertState.ACTIVE: 1, AlertState.UNKNOWN: 2, AlertState.UNPROCESSED: 3,
    AlertState.SENDING: 4, AlertState.SUPPRESSED: 5, AlertState.PENDING: 6,
}  # fmt: skip


class Merger:
    """Joins the sides, again and again: of thousands of alerts only those that changed are made anew.

    Readers give the same objects for what did not change, so that comparing them is asking whether they are the same.
    """

    def __init__(self) -> None:
        self._keys: _Keys = {}
        self._twins: _Twins = {}
        self._joining = Joining()
        self._shape: Shape | None = None
        self._made: dict[Key, _Made] = {}
        self._telling: dict[str, Telling] = {}

    def merged(self, rules: Sequence[RuleSide], sides: Sequence[DeliverySide], now: float) -> tuple[Alert, ...]:
        """Every alert once, what needs somebody first: undelivered, active, …; in each the most severe, then the
        newest. Of a Prometheus with an error only what it said earlier of its labels is used."""
        self._join(joining_of(rules))
        known_keys, self._keys = self._keys, {}
        fired = [self._fired(side, known_keys) for side in rules]
        twins, self._twins = self._twins, {}
        held = [self._held(side, known_keys, twins) for side in sides]
        keys: dict[Key, None] = {}
        for of_rules in fired:
            keys.update(dict.fromkeys(of_rules))
        for of_alertmanager in held:
            keys.update(dict.fromkeys(of_alertmanager))
        around = _Around(
            rules, sides, self._joining, self._shaped(rules, sides), tuple([self._told(one) for one in sides]), now
        )
        known, self._made = self._made, {}
        for key in keys:
            of = tuple([found.get(key) for found in fired]), tuple([found.get(key) for found in held])
            self._made[key] = _made(known.get(key), key, *of, around)
        return tuple([one.alert for one in sorted(self._made.values(), key=_place)])

    def _join(self, joining: Joining) -> None:
        if joining != self._joining:
            self._keys, self._made, self._joining = {}, {}, joining

    def _shaped(self, rules: Sequence[RuleSide], sides: Sequence[DeliverySide]) -> Shape:
        """The same object while nothing of it changed."""
        shape = shape_of(rules, sides, self._joining)
        if self._shape is None or self._shape != shape:
            self._shape = shape
        return self._shape

    def _fired(self, side: RuleSide, known: _Keys) -> dict[Key, RuleAlert]:
        of_rule = self._joining.of_rule
        keyed = self._keyed(known, lambda labels: of_rule(labels, side.name))
        return {keyed(one): one for one in side.alerts}

    def _held(self, side: DeliverySide, known: _Keys, twins: _Twins) -> dict[Key, Delivered]:
        keyed = self._keyed(known, self._joining.of_delivered)
        found: dict[Key, Delivered] = {}
        for one in side.alerts:
            key = keyed(one)
            other = found.setdefault(key, one)
            if other is not one:
                pair = id(other), id(one)
                both = self._twins[pair] = twins.get(pair) or (other, one, together(other, one))
                found[key] = both[2]
        return found

    def _keyed(self, known: _Keys, key_of: Callable[[Labels], Key]) -> Callable[[RuleAlert | Delivered], Key]:
        def keyed(one: RuleAlert | Delivered) -> Key:
            entry = known.get(id(one)) or (one, key_of(one.labels))
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


def merged(rules: Sequence[RuleSide], sides: Sequence[DeliverySide], now: float) -> tuple[Alert, ...]:
    """As `Merger.merged`, once."""
    return Merger().merged(rules, sides, now)


class _Around:
    """What is the same for all alerts of one moment."""

    def __init__(
        self,
        rules: Sequence[RuleSide],
        sides: Sequence[DeliverySide],
        joining: Joining,
        shape: Shape,
        telling: tuple[Telling | None, ...],
        now: float,
    ) -> None:
        self.rules, self.sides, self.joining, self.shape, self.now = rules, sides, joining, shape, now
        self.sent = [side.sent_labels for side in rules]
        self.telling = telling
        self._told = [one.at(now) if one is not None else None for one in telling]

    def notifies(self, routes: Routes) -> tuple[Notification, ...]:
        """Who is told by these routes, now."""
        return tuple([told(route) for place, route in routes if (told := self._told[place]) is not None])


class _Made(NamedTuple):
    """An alert, and all that it was made of."""

    fired: Fired
    held: Held
    shape: Shape
    telling: tuple[Telling | None, ...]
    routes: Routes
    alert: Alert
    place: tuple[int, int, float, str, str]
    """What it is sorted by."""

    def still(self, fired: Fired, held: Held, around: _Around) -> bool:
        """Whether it is made of the same, its routes included."""
        # Tuples of the same objects are equal without a look into these.
        return (
            self.shape is around.shape
            and self.fired == fired
            and self.held == held
            and all(map(is_, self.telling, around.telling))
        )


def _made(before: _Made | None, key: Key, fired: Fired, held: Held, around: _Around) -> _Made:
    if before is None or not before.still(fired, held, around):
        return _anew(key, fired, held, around)
    alert = before.alert
    state = alert.state if alert.state in TIMELESS else state_of(fired, alert.deliveries, around.rules, around.now)
    notifies = around.notifies(before.routes)
    if alert.state is state and alert.notifies == notifies:
        return before
    alert = replace(alert, state=state, notifies=notifies)
    return before._replace(alert=alert, place=_order(alert))


def _place(made: _Made) -> tuple[int, int, float, str, str]:
    return made.place


def _anew(key: Key, fired: Fired, held: Held, around: _Around) -> _Made:
    leading = leading_of(fired)
    rule = leading[0] if leading is not None else None
    one = next((given for given in held if given is not None), None)
    expected = around.shape.expected(key, fired)
    whole: Labels  # all its labels, as they are sent
    if leading is not None:
        whole = {**around.sent[leading[1]], **leading[0].labels}
    else:
        assert one is not None
        whole = one.labels
    deliveries, routes = _delivered(whole, expected, held, around)
    rulings = around.shape.rulings(whole.get("alertname", ""), fired, expected)
    state, notifies = state_of(fired, deliveries, around.rules, around.now), around.notifies(routes)
    sent = one.labels if one is not None else whole
    alert = Alert(
        name=whole.get("alertname", ""),
        severity=whole.get("severity", ""),
        state=state,
        rule=rule.state if rule else around.shape.ruled(rulings),
        labels={name: value for name, value in whole.items() if (name, value) in key},
        sent_labels=around.joining.lasting(sent),
        annotations=rule.annotations if rule else one.annotations if one else {},
        fingerprint=one.fingerprint if one else fingerprint(sent),
        started_at=rule.active_at if rule else one.started_at if one else None,
        value=rule.value if rule else None,
        expr=rule.expr if rule else "",
        deliveries=deliveries,
        notifies=notifies,
        generator=one.generator if one else "",
        rulings=rulings,
        replicas=one.replicas if one else (),
        key=_name(key),
    )
    return _Made(fired, held, around.shape, around.telling, routes, alert, _order(alert))


def _delivered(
    whole: Labels, expected: Sequence[int], held: Held, around: _Around
) -> tuple[tuple[Delivery, ...], Routes]:
    """How it stands with each Alertmanager, and by which routes it tells."""
    deliveries: list[Delivery] = []
    routes: list[tuple[int, Route]] = []
    for place, (side, telling, one) in enumerate(zip(around.sides, around.telling, held, strict=True)):
        sent = one is not None or around.shape.reaches(place, expected)
        deliveries.append(_delivery(side, one, sent))
        if telling is not None and sent:  # by the labels that it has, or will have where it lacks the alert
            routes += [(place, route) for route in telling.routing.routes(one.labels if one is not None else whole)]
    return tuple(deliveries), tuple(routes)


def _delivery(side: DeliverySide, one: Delivered | None, expected: bool) -> Delivery:
    if one is None:
        return Delivery(side.name, "elsewhere" if not expected else "unknown" if side.error else "absent")
    return Delivery(
        side.name, one.state, one.updated_at, one.silenced_by, one.inhibited_by, one.muted_by, one.receivers
    )


def _order(alert: Alert) -> tuple[int, int, float, str, str]:
    return (_RANK[alert.state], rank(alert.severity), -(alert.started_at or 0.0), alert.name, alert.key)


def _name(key: Key) -> str:
    # Cleaned texts hold no NUL.
    return "\0".join([text for pair in sorted(key) for text in pair])
