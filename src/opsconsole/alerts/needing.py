"""Which alerts still need somebody. That an alert fires is one thing; that nobody has taken it is what is counted."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from opsconsole.alerts.matching import all_hold
from opsconsole.alerts.model import Alert, AlertState, Silence, Survey
from opsconsole.alerts.severity import NOBODYS, rank
from opsconsole.alerts.watchdog import NAMES


class Need(StrEnum):
    """Whose an alert is."""

    OPEN = "open"
    """It fires, and nobody has taken it."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody is on it."""
    SILENCED = "silenced"
    """Somebody wants to hear nothing of it for a while."""
    INHIBITED = "inhibited"
    """It follows from another one that fires, or its time is one at which nobody is told."""
    PENDING = "pending"
    """It does not fire yet."""
    NOBODYS = "nobody's"
    """It is meant to fire: a dead-man's switch, or what says `severity: none`."""


def need(alert: Alert, survey: Survey) -> Need:
    """Whose `alert` is. One that is lost on its way needs somebody, a dead-man's switch included."""
    if alert.state is AlertState.UNDELIVERED:
        return Need.OPEN
    if alert.name in NAMES or rank(alert.severity) == NOBODYS:
        return Need.NOBODYS
    if alert.state is AlertState.PENDING:
        return Need.PENDING
    if alert.state is AlertState.SUPPRESSED:
        return _taken([survey.silences.get(one) for one in alert.silenced_by], Need.INHIBITED)
    # Alertmanager forgets what a Prometheus that is away fired; that somebody took it, it still knows.
    return Need.OPEN if alert.seen else _taken(_fitting(alert, survey), Need.OPEN)


def _taken(silences: Sequence[Silence | None], otherwise: Need) -> Need:
    if any(one is not None and one.acknowledges for one in silences):
        return Need.ACKNOWLEDGED
    return Need.SILENCED if silences else otherwise


def _fitting(alert: Alert, survey: Survey) -> list[Silence | None]:
    active = (one for one in survey.silences.values() if one.state == "active")
    return [one for one in active if all_hold(one.matchers, alert.sent_labels)]


def needs(survey: Survey) -> dict[Need, int]:
    """How many alerts there are of each; all of them are named."""
    found = Counter(need(one, survey) for one in survey.alerts)
    return {one: found[one] for one in Need}
