"""The states a value, a check or a pane can be in, and their order."""

from collections.abc import Iterable
from enum import StrEnum


class State(StrEnum):
    """What is known of a thing. Unknown is not OK, and is not zero."""

    OK = "OK"
    WARN = "WARN"
    CRIT = "CRIT"
    STALE = "STALE"
    """There is a value, but it is older than it should be."""
    UNKNOWN = "UNKNOWN"
    """There is no value: never read, or the query answered nothing."""
    ERROR = "ERROR"
    """The source fails and there is no earlier value to show."""

    @property
    def severity(self) -> int:
        """Rank for sorting, worst highest: OK 0 … CRIT 5."""
        return _SEVERITY[self]


_SEVERITY = {
    State.OK: 0,
    State.UNKNOWN: 1,
    State.STALE: 2,
    State.WARN: 3,
    State.ERROR: 4,
    State.CRIT: 5,
}


def worst(states: Iterable[State]) -> State:
    """The most severe of `states`; UNKNOWN when there are none, for nothing known is not OK."""
    return max(states, key=lambda state: state.severity, default=State.UNKNOWN)
