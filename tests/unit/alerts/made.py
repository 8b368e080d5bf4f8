"""Readings of alerts, made by hand."""

from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.model import Delivered, DeliverySide, RuleAlert, RuleSide, RuleState, Silence

NOW = 1_800_000_000.0


def rule_alert(
    name: str = "Down", *, state: RuleState = RuleState.FIRING, active: float = 600.0, hold: float = 0.0, **labels: str
) -> RuleAlert:
    """One that became active `active` seconds ago."""
    given = {"alertname": name, **labels}
    return RuleAlert(given, {}, state, NOW - active, 1.0, "up == 0", hold, 15.0, "group", "ok", "")


def rule_side(
    *alerts: RuleAlert,
    external: dict[str, str] | None = None,
    relabelled: bool = False,
    names: tuple[str, ...] = (),
    unknown_labels: bool = False,
) -> RuleSide:
    """What Prometheus says; sent again every 60 s."""
    known = frozenset([*names, *(one.labels["alertname"] for one in alerts)])
    return RuleSide(alerts, known, (), None if unknown_labels else external or {}, relabelled, 60.0)


def delivered(name: str = "Down", *, state: str = "active", silenced: tuple[str, ...] = (), **labels: str) -> Delivered:
    """One that Alertmanager has."""
    given = {"alertname": name, **labels}
    return Delivered(given, {}, "f" * 16, state, NOW - 500, NOW - 10, ("default",), silenced, (), (), "")


def side(*alerts: Delivered, name: str = "alertmanager", error: str = "") -> DeliverySide:
    """What one Alertmanager says."""
    return DeliverySide(name, alerts, error=error)


def silence(identity: str = "s1", comment: str = "") -> Silence:
    """An active one of ten minutes more."""
    return Silence(identity, parse_matchers('alertname="Down"'), NOW - 60, NOW + 600, "alice", comment, "active")
