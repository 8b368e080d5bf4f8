"""What a DAG's latest runs say about it: the strip of states, how often it succeeds, how long it usually takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.pipelines.model import Dag, Run, Survey

STRIP = 14
"""Runs that a strip shows."""
_SLOW = 2.0
"""Times its usual duration from which a run is slow,"""
_NOTICEABLE = 60.0
"""and seconds beyond it: twice two seconds is no news."""
_ENOUGH = 3
"""Ended runs from which there is a usual duration."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one DAG stands."""

    dag: Dag
    latest: Run | None
    """Its newest run, whatever its state."""
    strip: tuple[str, ...]
    """The states of its latest runs, the oldest first."""
    state: State
    reason: str
    """Why it has that state; empty where it is OK."""
    success_rate: float | None
    """Share of the ended runs that succeeded; None where none has ended."""
    usual_seconds: float | None
    """The median of its successful runs; None with fewer than three."""
    latest_seconds: float | None
    """Of its newest ended run."""
    pace: float | None
    """Times the usual that the run takes which is running, or else took that ended last; 1 is as usual."""
    running_for: float | None
    """Seconds for which its oldest running run has been running."""
    failing_since_at: float | None
    """When the first of an unbroken row of failed runs ended; None where the newest ended run did not fail."""


def standings(survey: Survey, now: float) -> list[Standing]:
    """How each DAG stands at `now`: what failed first; what is paused last, unless it failed; then by id."""
    found = [standing(dag, survey.runs.get(dag.dag_id, ()), now) for dag in survey.dags]

    def order(one: Standing) -> tuple[int, int, str]:
        trouble = one.state.severity >= State.WARN.severity
        return -one.state.severity if trouble or not one.dag.paused else 1, one.dag.paused, one.dag.dag_id

    return sorted(found, key=order)


def standing(dag: Dag, runs: Sequence[Run], now: float) -> Standing:
    """How `dag` stands at `now`, by its latest `runs`, the newest first."""
    latest = runs[0] if runs else None
    usual = usual_seconds(runs)
    running = [taken for run in runs if (taken := run.running_for(now)) is not None]
    ended = next((run for run in runs if run.ended), None)
    took = max(running) if running else (ended.seconds if ended else None)
    pace = took / usual if took is not None and usual else None
    state, reason = _judged(dag, runs, usual, max(running) if running else None)
    return Standing(
        dag=dag,
        latest=latest,
        strip=strip(runs),
        state=state,
        reason=reason,
        success_rate=success_rate(runs),
        usual_seconds=usual,
        latest_seconds=ended.seconds if ended else None,
        pace=pace,
        running_for=max(running) if running else None,
        failing_since_at=failing_since(runs),
    )


def strip(runs: Sequence[Run], length: int = STRIP) -> tuple[str, ...]:
    """The states of the latest `length` of `runs` (the newest first), the oldest first."""
    return tuple(run.state for run in reversed(runs[:length]))


def success_rate(runs: Iterable[Run]) -> float | None:
    """Share of the ended runs that succeeded."""
    ended = [run.state == "success" for run in runs if run.ended]
    return sum(ended) / len(ended) if ended else None


def usual_seconds(runs: Iterable[Run]) -> float | None:
    """The median duration of the successful runs; one that hung for a night does not move it."""
    taken = [took for run in runs if run.state == "success" and (took := run.seconds) is not None]
    return median(taken) if len(taken) >= _ENOUGH else None


def failing_since(runs: Sequence[Run]) -> float | None:
    """When the first of the unbroken row of failures ended with which `runs` (the newest first) begin."""
    since = None
    for run in (one for one in runs if one.ended):
        if run.state != "failed":
            break
        since = run.ended_at
    return since


def _judged(dag: Dag, runs: Sequence[Run], usual: float | None, running: float | None) -> tuple[State, str]:
    ended = [run for run in runs if run.ended]
    if ended and ended[0].state == "failed":
        row = next((at for at, run in enumerate(ended) if run.state != "failed"), len(ended))
        reason = "the last run failed" if row == 1 else f"the last {row} runs failed"
        return (State.WARN, f"{reason}, and it is paused") if dag.paused else (State.CRIT, reason)
    if dag.broken:
        return State.WARN, "its file cannot be imported: what runs is an earlier version"
    if running is not None and usual is not None and running > max(usual * _SLOW, usual + _NOTICEABLE):
        if usual < 1:  # a DAG of empty tasks: any factor of it says nothing, and 0 has none
            return State.WARN, f"has been running {duration_text(running)}, and usually takes {duration_text(usual)}"
        return State.WARN, f"has been running {running / usual:.1f} times as long as usual"
    if not runs:
        return State.UNKNOWN, "no run is known"
    return State.OK, ""
