"""Whether DAGs keep what was promised: each run over, and successful, within its target from `run_after`.

Airflow 3 computes no SLA, and Airflow 2 only some; here it follows from the runs. `now` is by Airflow's
clock (`Told.now`), as all times of runs are: no skew between it and ours makes anything late.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from opsconsole.config.slas import Sla
from opsconsole.core.state import State
from opsconsole.pipelines.model import Dag, Run, Survey


class Verdict(StrEnum):
    """Of one run, or of one that should be there."""

    MET = "met"
    """Ended successfully in time."""
    RECOVERED = "recovered"
    """Failed, was cleared, and still ended successfully in time."""
    MISSED = "missed"
    """Ended successfully, but late."""
    FAILED = "failed"
    """Ended, and failed."""
    LATE = "late"
    """Goes on, and its target has passed."""
    RECOVERING = "recovering"
    """Failed, was cleared, and goes on; there is time left."""
    RUNNING = "running"
    """Goes on; there is time left."""
    NOT_STARTED = "not-started"
    """Due, and not there; or there, and still queued after its grace."""


_STATES = {
    Verdict.MET: State.OK,
    Verdict.RECOVERED: State.OK,
    Verdict.RUNNING: State.OK,
    Verdict.RECOVERING: State.WARN,
    Verdict.MISSED: State.WARN,
    Verdict.FAILED: State.CRIT,
    Verdict.LATE: State.CRIT,
    Verdict.NOT_STARTED: State.CRIT,
}
_KEPT = frozenset({Verdict.MET, Verdict.RECOVERED})
_BROKEN = frozenset({Verdict.MISSED, Verdict.FAILED, Verdict.LATE})
_UNPROMISED = frozenset({"backfill"})
"""Kinds of run that make up for the past: nobody waits for them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One run against its target."""

    run_id: str
    """Empty: it should be there and is not."""
    verdict: Verdict
    due_at: float | None
    """By when it has to be over; of one that is not there, when it was to begin."""
    seconds: float | None
    """From `run_after` to its end, or to now."""
    left_seconds: float | None
    """Until it is due; negative: since. Of what has ended: what was left."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One SLA and one DAG that it covers."""

    sla: Sla
    dag_id: str
    state: State
    verdict: Verdict | None
    """Of what counts now: the worst of what goes on or should, else the newest run; None where nothing is known."""
    judged: tuple[Judged, ...]
    """The newest first."""
    kept: int
    broken: int

    @property
    def compliance(self) -> float | None:
        """Share of what is decided that was kept."""
        decided = self.kept + self.broken
        return self.kept / decided if decided else None


def promises(slas: Iterable[Sla], survey: Survey, now: float) -> list[Promise]:
    """Every SLA with every DAG that it covers and that is not paused; what is broken first.

    The first SLA of the file that covers a DAG is the one that counts: the particular stands before the general.
    """
    listed = [one for one in slas if one.kind == "pipeline"]
    found = []
    for dag in survey.dags:
        sla = next((one for one in listed if one.covers(dag.dag_id)), None)
        if sla is not None and not dag.paused:
            found.append(promise(sla, dag, survey.runs.get(dag.dag_id, ()), now))
    return sorted(found, key=lambda one: (-one.state.severity, one.dag_id))


def promise(sla: Sla, dag: Dag, runs: Sequence[Run], now: float) -> Promise:
    """How `dag` keeps `sla`, by its latest `runs`, the newest first."""
    counted = [run for run in runs if run.kind not in _UNPROMISED]
    judged = [judge(sla, run, now) for run in counted]
    missing = _missing(sla, dag, counted, now)
    whole = (missing, *judged) if missing is not None else tuple(judged)
    going_on = [one for one in whole if one.verdict not in (*_KEPT, Verdict.MISSED, Verdict.FAILED)]
    newest = next((one for one in judged if one not in going_on), None)
    current = [*going_on, *([newest] if newest is not None else [])]
    worst = max(current, key=lambda one: _STATES[one.verdict].severity, default=None)
    return Promise(
        sla=sla,
        dag_id=dag.dag_id,
        state=State.UNKNOWN if worst is None else _STATES[worst.verdict],
        verdict=None if worst is None else worst.verdict,
        judged=whole,
        kept=sum(one.verdict in _KEPT for one in judged),
        broken=sum(one.verdict in _BROKEN for one in judged),
    )


def judge(sla: Sla, run: Run, now: float) -> Judged:
    """One run against its target."""
    after = run.run_after_at if run.run_after_at is not None else run.queued_at
    ended = run.ended_at if run.ended else None
    until = ended if ended is not None else now
    due = None if after is None else after + sla.target
    took = None if after is None else max(0.0, until - after)
    left = None if due is None else due - until
    return Judged(run.run_id, _verdict(sla, run, took, now), due, took, left)


def _verdict(sla: Sla, run: Run, took: float | None, now: float) -> Verdict:
    late = took is not None and took > sla.target
    if run.state == "failed":
        return Verdict.FAILED
    if run.state == "success":
        return Verdict.MISSED if late else Verdict.RECOVERED if run.cleared else Verdict.MET
    if late:
        return Verdict.LATE
    if run.cleared:
        return Verdict.RECOVERING
    if run.started_at is None and took is not None and took > sla.grace:
        return Verdict.NOT_STARTED
    return Verdict.RUNNING


def _missing(sla: Sla, dag: Dag, runs: Sequence[Run], now: float) -> Judged | None:
    """The scheduled run that was due longer ago than the grace, and is not there."""
    due = dag.next_run_at
    if due is None or dag.paused or now - due <= sla.grace:
        return None
    if any(run.run_after_at is not None and run.run_after_at >= due and run.kind == "scheduled" for run in runs):
        return None
    return Judged("", Verdict.NOT_STARTED, due, now - due, due - now)
