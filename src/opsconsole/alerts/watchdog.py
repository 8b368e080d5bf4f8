"""The dead-man's switch: an alert that always fires, so that its silence says that alerting itself is broken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsconsole.alerts.model import Alert, AlertState, Delivery, DeliverySide, RuleSide, RuleState, Survey
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
    that cannot be seen; CRIT where it is silent. Of several Prometheus the worst that one says; one that has no switch
    is passed over where another has."""
    found = watch_each(survey, names)
    if len(found) == 1:
        return next(iter(found.values()))
    away = {side.name for side in survey.rules if side.error}
    counted = {name: one for name, one in found.items() if one.name or name in away} or found
    name, worst = max(counted.items(), key=lambda item: item[1].state.severity)
    return worst if worst.state is State.OK else Watch(worst.state, worst.name, f"{name}: {worst.why}")


def watch_each(survey: Survey, names: Iterable[str] = NAMES) -> dict[str, Watch]:
    """What the switch of each Prometheus says, by its name; one without a name where there is none."""
    wanted = tuple(names)
    return {side.name: _watch(survey, side, wanted) for side in survey.rules} or {"": _watch(survey, None, wanted)}


def _watch(survey: Survey, side: RuleSide | None, names: Sequence[str]) -> Watch:
    found = [
        one
        for one in survey.alerts
        if one.name in names
        and one.state is not AlertState.PENDING
        and one.seen
        and (side is None or side.name in {ruling.prometheus for ruling in one.rulings})
    ]
    if found and (side is None or not _silent_here(found, side)):
        return _heard(survey, side, [one for one in found if one.name == found[0].name])
    if side is None or side.error:
        return Watch(State.UNKNOWN, "", "Prometheus does not say whether there is one")
    ruled = sorted(side.names.intersection(names))
    if ruled:
        return Watch(State.CRIT, ruled[0], "it always fires, and does not: rules are not evaluated")
    return Watch(State.UNKNOWN, "", f"no rule is called {' or '.join(names)}")


def _silent_here(found: Sequence[Alert], side: RuleSide) -> bool:
    """Whether it fires, and only with the others that could fire it."""
    return any(one.fired_by for one in found) and not any(
        ruling.state in ("firing", "unknown")
        for one in found
        for ruling in one.rulings
        if ruling.prometheus == side.name
    )


def _heard(survey: Survey, rules: RuleSide | None, of_name: Sequence[Alert]) -> Watch:
    name = of_name[0].name
    deliveries = [given for one in of_name for given in one.deliveries]
    silent = [side.name for side in survey.sides if side.error and _expected(side, deliveries)]
    missing = [
        side.name
        for side in survey.sides
        if not side.error and all(one.state == "absent" for one in deliveries if one.alertmanager == side.name)
    ]
    if missing and all(one.state is AlertState.SENDING for one in of_name):
        return Watch(State.UNKNOWN, name, f"it began to fire; {', '.join(missing)} may have it within two minutes")
    if missing:
        return Watch(State.CRIT, name, f"it fires, and {', '.join(missing)} does not have it")
    if not any(one.rule is RuleState.FIRING for one in of_name) and rules is not None and not rules.error:
        if name in rules.names:
            return Watch(State.CRIT, name, "Alertmanager still has it, and its rule does not fire any more")
        return Watch(State.UNKNOWN, name, "Alertmanager has one that this Prometheus has no rule for")
    if silent or not survey.sides:
        return Watch(State.UNKNOWN, name, f"it fires; {', '.join(silent) or 'no Alertmanager is configured, so it'} "
                     "cannot be asked")  # fmt: skip
    if rules is None or rules.error:
        return Watch(State.UNKNOWN, name, "every Alertmanager has it; Prometheus does not answer")
    return Watch(State.OK, name, "it fires, and every Alertmanager has it")


def _expected(side: DeliverySide, deliveries: Iterable[Delivery]) -> bool:
    return any(one.alertmanager == side.name and one.state != "elsewhere" for one in deliveries)
