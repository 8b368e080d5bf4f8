"""How a DAG stands, and keeps what was promised of it, by its metrics alone. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsconsole.config.slas import Sla
from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.pipelines.metrics import Measured, Metrics
from opsconsole.pipelines.promises import Verdict

SOME = 0.5
"""Prometheus extrapolates: an increase of one may be told as 0.9, or as 1.1."""
_ANY = frozenset("*?[")
"""What makes the DAG of an SLA a pattern."""


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


def judged_dags(metrics: Metrics) -> list[tuple[Measured, State, str]]:
    """Each DAG of which metrics tell, with its state and why; what failed first."""
    return sorted(((one, *dag_state(one)) for one in metrics.dags), key=lambda one: (-one[1].severity, one[0].dag_id))


@dataclass(frozen=True, slots=True)
class MeasuredPromise:
    """One SLA and one DAG that it covers, by what happened within the last hour."""

    sla: Sla
    dag_id: str
    state: State
    verdict: Verdict | None
    """`failed` or `missed`; None: whether it is kept, metrics do not tell."""
    why: str
    seconds: float | None
    """How long a run took on average; None: not told."""


def measured_promises(slas: Iterable[Sla], metrics: Metrics) -> list[MeasuredPromise]:
    """Every SLA with every DAG of which metrics tell, and those that it names; what is broken first.

    That it is kept is never told: metrics do not say when a run could begin, nor which should be there. Which DAGs are
    paused they do not say, either.
    """
    listed = [one for one in slas if one.kind == "pipeline"]
    told = {one.dag_id: one for one in metrics.dags}
    named = {one.dag for one in listed if one.dag and not _ANY.intersection(one.dag)}
    found = []
    for dag_id in sorted(told.keys() | named):
        sla = next((one for one in listed if one.covers(dag_id)), None)
        if sla is not None:
            found.append(_promise(sla, dag_id, told.get(dag_id)))
    return sorted(found, key=lambda one: (-one.state.severity, one.dag_id))


def _promise(sla: Sla, dag_id: str, one: Measured | None) -> MeasuredPromise:
    state, why, verdict = State.UNKNOWN, "whether it is kept, metrics do not tell", None
    seconds = None if one is None else one.seconds
    if one is not None and dag_state(one)[0] is State.CRIT:
        (state, why), verdict = dag_state(one), Verdict.FAILED
    elif seconds is not None and seconds > sla.target:
        # Whatever it waited before comes on top of that.
        state, verdict = State.WARN, Verdict.MISSED
        why = f"runs took {duration_text(seconds)} on average, and it promises {duration_text(sla.target)}"
    return MeasuredPromise(sla, dag_id, state, verdict, why, seconds)
