"""Whether the parts of Airflow live, as states."""

from collections.abc import Iterable

from opsconsole.core.state import State, worst
from opsconsole.pipelines.model import Component

_NEEDED = frozenset({"scheduler", "metadatabase", "api"})
"""Without these nothing runs. A triggerer or DAG processor of its own is not everywhere."""


def component_state(component: Component) -> tuple[State, str]:
    """(state, why). What says nothing is unknown, unless nothing runs without it; what cannot be seen is so always."""
    if not component.seen:
        return State.UNKNOWN, component.detail
    if component.alive:
        return State.OK, ""
    why = component.detail
    if component.alive is None:
        needed = component.name in _NEEDED
        return (State.CRIT if needed else State.UNKNOWN), why or "there is none, or it never gave a sign of life"
    return State.CRIT, why or "no sign of life within the time that Airflow allows it"


def vitality(components: Iterable[Component]) -> State:
    """The worst; parts that say nothing, and need not be there, do not count."""
    states = [state for state, _ in map(component_state, components) if state is not State.UNKNOWN]
    return worst(states)
