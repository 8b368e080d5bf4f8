"""One list of what Prometheus and every Alertmanager know.

They are joined by labels without the external ones, which Prometheus adds when it sends: an alert of a rule does not
have them, in Alertmanager it does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

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
from opsconsole.alerts.routing import Notification

Key = frozenset[tuple[str, str]]
Telling = Callable[[Mapping[str, str]], tuple[Notification, ...]]

_RANK = {
    AlertState.UNDELIVERED: 0, AlertState.ACTIVE: 1, AlertState.UNKNOWN: 2, AlertState.UNPROCESSED: 3,
    AlertState.SENDING: 4, AlertState.SUPPRESSED: 5, AlertState.PENDING: 6,
}  # fmt: skip
_SEVERITIES = {"page": 0, "critical": 0, "error": 1, "high": 1, "warning": 2, "warn": 2, "info": 3, "none": 4}


def merged(rules: RuleSide | None, sides: Sequence[DeliverySide], now: float) -> tuple[Alert, ...]:
    """Every alert once, what needs somebody first: undelivered, active, …; in each the most severe, then the newest.

    `rules` None: what Prometheus says is not known.
    """
    external = rules.external_labels if rules is not None and rules.external_labels else {}
    fired = {_key(one.labels, external): one for one in rules.alerts} if rules is not None else {}
    held = {side.name: {_key(one.labels, external): one for one in side.alerts} for side in sides}
    keys = dict.fromkeys([*fired, *(key for found in held.values() for key in found)])
    telling = {side.name: side.routing.telling(now, side.name) for side in sides if side.routing is not None}
    found = [
        _alert(
            fired.get(key), {name: known.get(key) for name, known in held.items()}, rules, sides, external, telling, now
        )
        for key in keys
    ]
    return tuple(sorted(found, key=_order))


def grace(rule: RuleAlert, rules: RuleSide) -> float:
    """Seconds after it began to fire in which an Alertmanager may still lack it: the first attempt can be lost before
    Prometheus has found its Alertmanagers, the next comes after the resend delay, with an evaluation."""
    return 2 * rules.resend + 2 * rule.interval


def _alert(
    rule: RuleAlert | None,
    held: Mapping[str, Delivered | None],
    rules: RuleSide | None,
    sides: Sequence[DeliverySide],
    external: Mapping[str, str],
    telling: Mapping[str, Telling],
    now: float,
) -> Alert:
    one = next((given for given in held.values() if given is not None), None)
    known = rule or one
    assert known is not None
    sent = {**external, **known.labels}
    deliveries = tuple(_delivery(side, held[side.name]) for side in sides)
    ruled = rule.state if rule else RuleState.UNKNOWN if rules is None else RuleState.NONE
    return Alert(
        name=known.labels.get("alertname", ""),
        severity=known.labels.get("severity", ""),
        state=_state(rule, deliveries, rules, now),
        rule=ruled,
        labels={name: value for name, value in known.labels.items() if external.get(name) != value},
        annotations=known.annotations,
        fingerprint=one.fingerprint if one else fingerprint(sent),
        started_at=rule.active_at if rule else one.started_at if one else None,
        value=rule.value if rule else None,
        expr=rule.expr if rule else "",
        deliveries=deliveries,
        notifies=_notifies(telling, held, sent),
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


def _notifies(
    telling: Mapping[str, Telling], held: Mapping[str, Delivered | None], sent: Mapping[str, str]
) -> tuple[Notification, ...]:
    """Who is notified, by the labels that each Alertmanager has; by those it will have where it lacks the alert."""
    found: list[Notification] = []
    for name, told in telling.items():
        one = held[name]
        found += told(one.labels if one else sent)
    return tuple(found)


def _key(labels: Mapping[str, str], external: Mapping[str, str]) -> Key:
    return frozenset(labels.items()).difference(external.items())


def _order(alert: Alert) -> tuple[int, int, float, str, str]:
    severity = _SEVERITIES.get(alert.severity.lower(), 3)
    return (_RANK[alert.state], severity, -(alert.started_at or 0.0), alert.name, alert.fingerprint)
