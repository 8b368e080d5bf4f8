"""Readings of alerts, made by hand."""

from collections.abc import Mapping
from types import MappingProxyType

from opsconsole.alerts.fingerprints import fingerprint
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
    name: str = "prometheus",
    error: str = "",
    targets: tuple[str, ...] | None = None,
    dropped: frozenset[str] = frozenset(),
) -> RuleSide:
    """What a Prometheus says; sent again every 60 s."""
    known = frozenset([*names, *(one.labels["alertname"] for one in alerts)])
    return RuleSide(
        alerts, known, (), None if unknown_labels else external or {}, relabelled, 60.0, targets, dropped=dropped,
        name=name, error=error,
    )  # fmt: skip


def delivered(
    name: str = "Down", *, state: str = "active", silenced: tuple[str, ...] = (),
    also: Mapping[str, str] = MappingProxyType({}), **labels: str,
) -> Delivered:  # fmt: skip
    """One that Alertmanager has, with `labels` and those of `also`."""
    given = {"alertname": name, **labels, **also}
    return Delivered(given, {}, fingerprint(given), state, NOW - 500, NOW - 10, ("default",), silenced, (), (), "")


def side(*alerts: Delivered, name: str = "alertmanager", error: str = "", place: str = "") -> DeliverySide:
    """What one Alertmanager says."""
    return DeliverySide(name, alerts, error=error, place=place)


def silence(identity: str = "s1", comment: str = "") -> Silence:
    """An active one of ten minutes more."""
    return Silence(identity, parse_matchers('alertname="Down"'), NOW - 60, NOW + 600, "alice", comment, "active")
