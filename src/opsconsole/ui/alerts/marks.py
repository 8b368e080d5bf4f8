"""How states of alerts, severities and moments are drawn in a cell."""

from opsconsole.alerts.model import Alert, AlertState
from opsconsole.alerts.severity import NOBODYS, UNRANKED, rank
from opsconsole.core.duration import age_text
from opsconsole.core.state import State
from opsconsole.ui.lines import Role, state_role
from opsconsole.ui.table_layout import Cell

_QUIET = frozenset({AlertState.SUPPRESSED, AlertState.PENDING})
_SOON = 15 * 60.0
"""Seconds before its end from which a silence stands out."""


def alert_state(alert: Alert) -> Cell:
    """Where it is on its way."""
    return Cell(alert.state.value, state_role_of(alert))


def state_role_of(alert: Alert) -> Role:
    """As bad as it is: nobody being told is the worst; what is kept back is calm."""
    match alert.state:
        case AlertState.UNDELIVERED:
            return "crit"
        case AlertState.UNKNOWN:
            return "unknown"
        case state if state in _QUIET:
            return "dim"
    return severity_role(alert.severity)


def severity(alert: Alert) -> Cell:
    """What it says of itself."""
    quiet = alert.state in _QUIET
    return Cell(alert.severity, "dim" if quiet else severity_role(alert.severity))


def severity_role(text: str) -> Role:
    """Red for what wakes people, yellow for what can wait."""
    found = rank(text)
    return "crit" if found < 2 else "warn" if found < UNRANKED else "dim" if found == NOBODYS else "text"


def judged(state: State) -> Cell:
    """A state of ours."""
    return Cell(state.value, state_role(state))


def until(then: float | None, now: float, *, matters: bool = True) -> Cell:
    """In how long something ends; soon stands out where it `matters`."""
    if then is None:
        return Cell("")
    if then <= now:
        return Cell(f"{age_text(now - then)} ago", "dim")
    left = then - now
    return Cell(f"in {age_text(left)}", "warn" if matters and left <= _SOON else "text")
