"""Counts from Airflow: runs of DAGs that kept their target, each at the moment at which that was decided.

Airflow's times are by its own clock, periods and slices by ours: what is due is judged by Airflow's now, and when it
was decided is told by our clock.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.config.slas import Sla
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.model import Dag, Run, Survey, Told
from opsconsole.pipelines.promises import Verdict, judge
from opsconsole.sla.burn import HOUR
from opsconsole.sla.reader import FINE, FINE_FOR
from opsconsole.sla.shares import Share, ranked
from opsconsole.sla.slices import Slice
from opsconsole.sla.standing import Counted
from opsconsole.sla.violations import Violation

MOST_RUNS = 1000
"""Runs of one DAG that are asked for."""
ASK_AGAIN = 1800.0
"""Seconds after which all runs are asked for again."""
MOST_DAGS = 40
"""DAGs whose runs are asked for one by one; of the others the survey has the latest."""
_AT_ONCE = 3
"""DAGs whose runs are asked for at a time."""
_GOOD = frozenset({Verdict.MET, Verdict.RECOVERED})
_BAD = frozenset({Verdict.MISSED, Verdict.FAILED, Verdict.LATE})
_FOR_NOBODY = "backfill"


@dataclass(frozen=True, slots=True)
class Decided:
    """A run of which it is known whether it kept its target."""

    at: float
    """Unix seconds by our clock: its end, or when it was due and not over."""
    dag_id: str
    good: bool


@dataclass(frozen=True, slots=True)
class DagRuns:
    """What is known of the runs of one DAG."""

    dag_id: str
    runs: tuple[Run, ...]
    since: float
    """From when on all of them are known; -inf: all there were."""


class RunHistory:
    """The runs of DAGs as far back as they were asked for; a survey, which has the latest, carries them on."""

    def __init__(self) -> None:
        self._known: dict[str, DagRuns] = {}
        self._asked_at: dict[str, float] = {}

    async def since(
        self, airflow: Airflow, told: Told[Survey], dags: Sequence[Dag], start: float
    ) -> tuple[list[DagRuns], list[str]]:
        """The runs of `dags` from `start` (by our clock) on, and what could not be seen.

        Raises:
            SourceError: Airflow does not answer.
        """
        start += told.ahead
        latest = {dag.dag_id: tuple(told.value.runs.get(dag.dag_id, ())) for dag in dags}
        found = {
            dag_id: known
            for dag_id, runs in latest.items()
            if (known := self._carried_on(dag_id, runs, start, told.taken_at)) is not None
        }
        wanted = [dag_id for dag_id in latest if dag_id not in found][:MOST_DAGS]
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(dag_id: str) -> DagRuns:
            async with slots:
                more = await airflow.runs(dag_id, _enough(latest[dag_id], told.now - start))
            self._asked_at[dag_id] = told.taken_at
            return DagRuns(dag_id, more.value, _oldest(more.value) if more.cut else float("-inf"))

        found |= {one.dag_id: one for one in await asyncio.gather(*map(ask, wanted))}
        # Of the rest the survey has the latest.
        found = {dag_id: found.get(dag_id) or DagRuns(dag_id, runs, _oldest(runs)) for dag_id, runs in latest.items()}
        self._known |= found
        short = sum(one.since > start for one in found.values())
        return list(found.values()), [f"of {short} DAGs only the latest runs are known"] if short else []

    def _carried_on(self, dag_id: str, latest: tuple[Run, ...], start: float, now: float) -> DagRuns | None:
        """What is known with the latest; None where it has to be asked for."""
        if not latest:
            return DagRuns(dag_id, (), float("-inf"))
        if _oldest(latest) < start:
            return DagRuns(dag_id, latest, _oldest(latest))
        known = self._known.get(dag_id)
        # What goes on for long, or is cleared later, is not among the latest: all is asked for again now and then.
        if known is None or known.since > start or now - self._asked_at.get(dag_id, 0.0) > ASK_AGAIN:
            return None
        ids = {run.run_id for run in latest}
        older = [run for run in known.runs if run.run_id not in ids]
        overlap = len(older) < len(known.runs)
        return DagRuns(dag_id, (*latest, *older), known.since) if overlap else None


def covered(slas: Sequence[Sla], sla: Sla, dags: Sequence[Dag]) -> list[Dag]:
    """The DAGs that `sla` is the first to cover, and that are not paused."""
    listed = [one for one in slas if one.dag]
    return [
        dag for dag in dags if not dag.paused and next((one for one in listed if one.covers(dag.dag_id)), None) is sla
    ]


def counted_of(
    sla: Sla, found: Sequence[DagRuns], start: float, now: float, since: float | None = None, *, ahead: float = 0.0
) -> Counted:
    """Runs as slices: by the hour, the last hours by five minutes; from `since` on (else `start`) whose were bad.

    All moments are by our clock, of which Airflow's is `ahead` seconds ahead.
    """
    decided: list[Decided] = []
    pending = 0
    for dag in found:
        for run in dag.runs:
            one = _decided(sla, run, now, ahead)
            pending += one is None and run.kind != _FOR_NOBODY and not run.ended
            if one is not None and start <= one.at <= now:
                decided.append(one)
    return Counted(
        tuple(_slices(decided, [dag.since - ahead for dag in found], start, now)),
        violations=_violations(decided, sla.budget * len(decided)),
        pending=pending,
        shares=_shares(decided, start if since is None else since),
    )


def _shares(decided: Sequence[Decided], since: float) -> tuple[Share, ...]:
    bad = Counter(one.dag_id for one in decided if not one.good and one.at >= since)
    return ranked(({"dag_id": dag_id}, count) for dag_id, count in bad.items())


def _decided(sla: Sla, run: Run, now: float, ahead: float) -> Decided | None:
    if run.kind == _FOR_NOBODY:
        return None
    judged = judge(sla, run, now + ahead)
    if judged.verdict in _GOOD and run.ended_at is not None:
        return Decided(run.ended_at - ahead, run.dag_id, True)
    if judged.verdict in _BAD:
        moments = [one for one in (run.ended_at if run.ended else None, judged.due_at) if one is not None]
        return Decided(min(moments) - ahead, run.dag_id, False) if moments else None
    return None


def _slices(decided: Sequence[Decided], since: Sequence[float], start: float, now: float) -> list[Slice]:
    """`since`: from when on all runs are known, of each DAG."""
    fine_from = max(start // HOUR * HOUR, now // HOUR * HOUR - FINE_FOR)
    sums: dict[float, list[float]] = {}
    for one in decided:
        step = FINE if one.at >= fine_from else HOUR
        cell = sums.setdefault(one.at // step * step, [0.0, 0.0])
        cell[0] += not one.good
        cell[1] += 1
    begins: list[tuple[float, float]] = []
    at = start // HOUR * HOUR
    while at < now:
        step = FINE if at >= fine_from else HOUR
        begins.append((at, min(at + step, now)))
        at += step
    nothing = [0.0, 0.0]
    return [Slice(at, end, sums.get(at, nothing)[0], sums.get(at, nothing)[1], _known(since, at)) for at, end in begins]


def _known(since: Sequence[float], at: float) -> float:
    return sum(one <= at for one in since) / len(since) if since else 0.0


def _violations(decided: Sequence[Decided], whole: float) -> tuple[Violation, ...]:
    """From a DAG's first run that was bad to its next one that was good."""
    by_dag: dict[str, list[Decided]] = {}
    for one in sorted(decided, key=lambda one: one.at):
        by_dag.setdefault(one.dag_id, []).append(one)
    found = []
    for dag_id, mine in by_dag.items():
        row: list[Decided] = []
        for one in mine:
            if not one.good:
                row.append(one)
            elif row:
                found.append(_violation(dag_id, row, one.at, whole))
                row = []
        if row:
            found.append(_violation(dag_id, row, None, whole))
    return tuple(sorted(found, key=lambda one: one.start))


def _violation(dag_id: str, row: Sequence[Decided], end: float | None, whole: float) -> Violation:
    return Violation(row[0].at, end, len(row), len(row), len(row) / whole if whole else 0.0, 1.0, dag_id)


def _oldest(runs: Sequence[Run]) -> float:
    """From when on the runs are known; inf: nothing is."""
    return min((after for run in runs if (after := _after(run)) is not None), default=float("inf"))


def _enough(latest: Sequence[Run], seconds: float) -> int:
    """How many runs to ask for, by how often the DAG ran lately."""
    span = (_after(latest[0]) or 0.0) - _oldest(latest)
    if len(latest) < 2 or span <= 0:
        return MOST_RUNS
    return min(MOST_RUNS, math.ceil(seconds / span * (len(latest) - 1) * 1.2) + 20)


def _after(run: Run) -> float | None:
    return run.run_after_at if run.run_after_at is not None else run.queued_at
