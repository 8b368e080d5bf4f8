"""Grafana's steps of colour as thresholds: what is red is critical, what is orange or yellow a warning."""

from collections.abc import Sequence
from typing import Any

from opsconsole.core.state import State
from opsconsole.monitoring.grafana.colours import state_of_colour
from opsconsole.monitoring.grafana.model import Field, Step

_PERCENTS = frozenset({"percent", "percentunit"})
_DEFAULT = (Step(None, "green"), Step(80.0, "red"))
"""What Grafana gives every new panel, whatever it shows."""
_MOST = 20


def thresholds_of(field: Field, unit: str) -> tuple[list[dict[str, Any]], str]:
    """(thresholds as a screen's file says them, what is lost)."""
    steps = field.steps
    if field.percentage:
        steps, lost = _absolute(field, unit)
        if lost:
            return [], lost
    elif _untouched(steps) and unit not in _PERCENTS:
        return [], ""
    return _bands(steps), ""


def _untouched(steps: Sequence[Step]) -> bool:
    """Whether nobody ever set them: green, and red from 80 on."""
    return tuple(Step(step.value or None, step.colour) for step in steps) == _DEFAULT


def _absolute(field: Field, unit: str) -> tuple[tuple[Step, ...], str]:
    """Steps in percent of the way from minimum to maximum, as values."""
    low = field.minimum if field.minimum is not None else 0.0
    full = {"percent": 100.0, "percentunit": 1.0}
    high = field.maximum if field.maximum is not None else full.get(unit)
    if _untouched(field.steps) and unit not in _PERCENTS:
        return (), ""
    if high is None:
        return (), "thresholds in percent of a maximum that it does not say"
    steps = (
        Step(None if step.value is None else _rounded(low + (high - low) * step.value / 100), step.colour)
        for step in field.steps
    )
    return tuple(steps), ""


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _bands(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """A threshold for each run of steps in one state that is not OK."""
    found: list[dict[str, Any]] = []
    states = [state_of_colour(step.colour) for step in steps]
    place = 0
    while place < len(steps):
        state, first = states[place], place
        while place < len(steps) and states[place] is state:
            place += 1
        if state is State.OK:
            continue
        start = steps[first].value
        end = steps[place].value if place < len(steps) else None
        # The lowest colour holds from the bottom, also where somebody wrote a number there.
        bounds = {"at_least": start if first else None, "below": end}
        known = {name: bound for name, bound in bounds.items() if bound is not None}
        if known:
            found.append({**known, "state": state.value})
    return found[:_MOST]
