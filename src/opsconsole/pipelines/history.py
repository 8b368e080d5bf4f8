"""What a DAG's latest runs say about it: the strip of states, how often it succeeds, how long it usually takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.pipelines.model import ENDED, Dag, Run, Survey
from opsconsole.pipelines.run_list import RunList

NO_DAG = "Airflow tells of no DAG: there is none, no file can be imported, or this user may see none"
"""Said of an empty list, which is no sign that all is well."""
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
    runs: RunList = field(repr=False)
    """The runs that say so, the newest first."""

    @property
    def latest(self) -> Run | None:
        """Its newest run, whatever its state."""
        return self.runs[0] if self.runs else None


def standings(survey: Survey, now: float, before: Iterable[Standing] = ()) -> list[Standing]:
    """How each DAG stands at `now`: what failed first; what is paused last, unless it failed; then by id.

    Those of `before` of which nothing runs, and which are of the same objects, are taken over.
    """
    known = {one.dag.dag_id: one for one in before}
    found = []
    for dag in survey.dags:
        runs, last = survey.runs.get(dag.dag_id, ()), known.get(dag.dag_id)
        same_runs = last is not None and (last.runs is runs or not (last.runs or runs))
        if last is not None and last.dag is dag and same_runs and last.running_for is None:
            found.append(last)
        else:
            found.append(standing(dag, runs, now))

    def order(one: Standing) -> tuple[int, int, str]:
        trouble = one.state.severity >= State.WARN.severity
        return -one.state.severity if trouble or not one.dag.paused else 1, one.dag.paused, one.dag.dag_id

    return sorted(found, key=order)


def standing(dag: Dag, runs: Sequence[Run], now: float) -> Standing:
    """How `dag` stands at `now`, by its latest `runs`, the newest first."""
    told = RunList.of(runs)
    ended = _ended(told)
    usual = _usual([took for state, took in ended if state == "success"])
    since = min(_running_since(told), default=None)
    running = None if since is None else max(0.0, now - since)
    took = running if running is not None else (ended[0][1] if ended else None)
    states = [state for state, _ in ended]
    state, reason = _judged(dag, states, usual, running, known=bool(told))
    return Standing(
        dag=dag,
        strip=told.state[STRIP - 1 :: -1],
        state=state,
        reason=reason,
        success_rate=states.count("success") / len(states) if states else None,
        usual_seconds=usual,
        latest_seconds=ended[0][1] if ended else None,
        pace=took / usual if took is not None and usual else None,
        running_for=running,
        failing_since_at=failing_since(told) if states and states[0] == "failed" else None,
        runs=told,
    )


def _ended(told: RunList) -> list[tuple[str, float | None]]:
    """(state, seconds) of those that are over."""
    return [
        (state, None if began is None or ended is None else ended - began if ended > began else 0.0)
        for state, began, ended in zip(told.state, told.started_at, told.ended_at, strict=True)
        if state in ENDED
    ]


def _running_since(told: RunList) -> list[float]:
    """When those began that are running."""
    if "running" not in told.state:
        return []
    at = zip(told.state, told.started_at, strict=True)
    return [began for state, began in at if state == "running" and began is not None]


def strip(runs: Sequence[Run], length: int = STRIP) -> tuple[str, ...]:
    """The states of the latest `length` of `runs` (the newest first), the oldest first."""
    return tuple(run.state for run in reversed(runs[:length]))


def success_rate(runs: Iterable[Run]) -> float | None:
    """Share of the ended runs that succeeded."""
    ended = [run.state == "success" for run in runs if run.ended]
    return sum(ended) / len(ended) if ended else None


def usual_seconds(runs: Iterable[Run]) -> float | None:
    """The median duration of the successful runs; one that hung for a night does not move it."""
    return _usual(run.seconds for run in runs if run.state == "success")


def _usual(seconds: Iterable[float | None]) -> float | None:
    taken = [took for took in seconds if took is not None]
    return median(taken) if len(taken) >= _ENOUGH else None


def failing_since(runs: Sequence[Run]) -> float | None:
    """When the first of the unbroken row of failures ended with which `runs` (the newest first) begin."""
    told, since = RunList.of(runs), None
    for state, ended in zip(told.state, told.ended_at, strict=True):
        if state == "success":
            break
        if state == "failed":
            since = ended
    return since


def _judged(
    dag: Dag, ended: Sequence[str], usual: float | None, running: float | None, *, known: bool
) -> tuple[State, str]:
    """(state, why), by the states of the runs that `ended`, the newest first; `known`: there are runs at all."""
    if ended and ended[0] == "failed":
        row = next((at for at, state in enumerate(ended) if state != "failed"), len(ended))
        reason = "the last run failed" if row == 1 else f"the last {row} runs failed"
        return (State.WARN, f"{reason}, and it is paused") if dag.paused else (State.CRIT, reason)
    if dag.broken:
        return State.WARN, "its file cannot be imported: what runs is an earlier version"
    if running is not None and usual is not None and running > max(usual * _SLOW, usual + _NOTICEABLE):
        if usual < 1:  # a DAG of empty tasks: any factor of it says nothing, and 0 has none
            return State.WARN, f"has been running {duration_text(running)}, and usually takes {duration_text(usual)}"
        return State.WARN, f"has been running {running / usual:.1f} times as long as usual"
    if not known:
        return State.UNKNOWN, "no run is known"
    return State.OK, ""
