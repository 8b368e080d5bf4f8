"""The dead-man's switch: an alert that always fires, so that its silence says that alerting itself is broken."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsconsole.alerts.model import AlertState, RuleState, Survey
from opsconsole.core.state import State

NAMES = ("Watchdog", "DeadMansSwitch", "DeadManSwitch", "DeadMansSnitch")
"""What the usual collections of rules call it; Watchdog is the name in kube-prometheus."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether the way from the rules to every Alertmanager works."""

    state: State
    name: str
    """Of the alert; empty where there is none."""
    why: str


def watch(survey: Survey, names: Iterable[str] = NAMES) -> Watch:
    """What the switch says: OK where it fires and every Alertmanager has it; UNKNOWN where there is none, or where
    that cannot be seen; CRIT where it is silent."""
    wanted = set(names)
    found = [one for one in survey.alerts if one.name in wanted and one.state is not AlertState.PENDING]
    if found:
        return _heard(survey, found[0].name)
    if survey.rules is None:
        return Watch(State.UNKNOWN, "", "Prometheus does not say whether there is one")
    ruled = sorted(wanted & survey.rules.names)
    if ruled:
        return Watch(State.CRIT, ruled[0], "it always fires, and does not: rules are not evaluated")
    return Watch(State.UNKNOWN, "", f"no rule is called {' or '.join(names)}")


def _heard(survey: Survey, name: str) -> Watch:
    of_name = [one for one in survey.alerts if one.name == name]
    deliveries = [given for one in of_name for given in one.deliveries]
    silent = [one.name for one in survey.sides if one.error]
    missing = [
        side.name
        for side in survey.sides
        if not side.error and all(one.state == "absent" for one in deliveries if one.alertmanager == side.name)
    ]
    if missing and all(one.state is AlertState.SENDING for one in of_name):
        return Watch(State.UNKNOWN, name, f"it began to fire; {', '.join(missing)} may have it within two minutes")
    if missing:
        return Watch(State.CRIT, name, f"it fires, and {', '.join(missing)} does not have it")
    if not any(one.rule is RuleState.FIRING for one in of_name) and survey.rules is not None:
        if name in survey.rules.names:
            return Watch(State.CRIT, name, "Alertmanager still has it, and its rule does not fire any more")
        return Watch(State.UNKNOWN, name, "Alertmanager has one that this Prometheus has no rule for")
    if silent or not survey.sides:
        return Watch(State.UNKNOWN, name, f"it fires; {', '.join(silent) or 'no Alertmanager is configured, so it'} "
                     "cannot be asked")  # fmt: skip
    if survey.rules is None:
        return Watch(State.UNKNOWN, name, "every Alertmanager has it; Prometheus does not answer")
    return Watch(State.OK, name, "it fires, and every Alertmanager has it")
