"""How a DAG stands, by its metrics alone. Pure."""

from opsconsole.core.state import State
from opsconsole.pipelines.metrics import Measured

SOME = 0.5
"""Prometheus extrapolates: an increase of one may be told as 0.9, or as 1.1."""


def dag_state(one: Measured) -> tuple[State, str]:
    """(state, why) of a DAG by what happened within the last hour.

    Metrics count runs, and do not tell which of them was the last: where some failed and others did not, that is a
    warning, not a failure.
    """
    failed, succeeded, tasks = ((value or 0.0) >= SOME for value in (one.failed, one.succeeded, one.tasks_failed))
    if failed and not succeeded:
        return State.CRIT, "runs failed within 1h, and none is known to have succeeded"
    if failed:
        return State.WARN, "runs failed within 1h, others succeeded; which was last, metrics do not tell"
    if tasks:
        return State.WARN, "tasks failed within 1h" + ("; whether runs did is unknown" if one.failed is None else "")
    if succeeded:
        return State.OK, ""
    if one.failed is None and one.succeeded is None:
        return State.UNKNOWN, "whether runs failed, metrics do not tell"
    return State.UNKNOWN, "no run is known to have ended within 1h"
