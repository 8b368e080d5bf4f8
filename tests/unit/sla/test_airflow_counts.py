"""Runs of DAGs as counts: when each was decided, what is not known, and how little is asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from opsconsole.config.settings import Environment
from opsconsole.pipelines import opening
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.model import Origin, Run, Survey, Told, Way
from opsconsole.sla.airflow_counts import DagRuns, RunHistory, counted_of, covered
from opsconsole.sla.asking import Slas
from opsconsole.sla.periods import Period
from opsconsole.sla.standing import Counted, standing
from tests.unit.pipelines.made import MIDNIGHT, at, dag, run, sla

HOUR = 3600.0
ALL = float("-inf")


def test_runs_count_when_they_end_or_when_they_are_too_late() -> None:
    runs = (
        run("running", 10 * HOUR, None),  # late since 11 h
        run("running", 11.5 * HOUR, None),  # there is time left
        run("failed", 8 * HOUR, 600.0),
        run("success", 7 * HOUR, 2 * HOUR),  # too late, since 8 h
        run("success", 6 * HOUR, 600.0),
        run("success", 5 * HOUR, 600.0, kind="backfill"),  # nobody waits for it
    )
    now = at(12 * HOUR)
    found = counted_of(sla(HOUR, objective=0.9), [DagRuns("load", runs, ALL)], MIDNIGHT, now)
    events = [(one.start - MIDNIGHT, one.bad, one.total) for one in found.slices if one.total]
    assert events == [(6 * HOUR + 600, 0, 1), (8 * HOUR, 1, 1), (8 * HOUR + 600, 1, 1), (11 * HOUR, 1, 1)]
    assert found.pending == 1
    assert found.slices[0].start == MIDNIGHT
    assert found.slices[-1].end == now
    assert all(one.known == 1.0 for one in found.slices)
    period = Period(MIDNIGHT, now, "rolling", rolling=True)
    stood = standing(sla(HOUR, objective=0.9), found, period, now)
    assert (stood.tally.bad, stood.tally.total) == (3, 4)


def test_a_violation_lasts_from_the_first_bad_run_to_the_next_good_one_of_the_same_dag() -> None:
    mine = (run("success", 6 * HOUR, 600.0), run("failed", 5 * HOUR, 60.0), run("failed", 4 * HOUR, 60.0))
    other = (run("failed", 7 * HOUR, 60.0, dag_id="other"), run("success", 1 * HOUR, 60.0, dag_id="other"))
    found = counted_of(sla(HOUR), [DagRuns("load", mine, ALL), DagRuns("other", other, ALL)], MIDNIGHT, at(8 * HOUR))
    assert found.violations is not None
    assert [(one.subject, one.start - MIDNIGHT, one.seconds, one.bad) for one in found.violations] == [
        ("load", 4 * HOUR + 60, 2 * HOUR + 540, 2),
        ("other", 7 * HOUR + 60, None, 1),
    ]


def test_what_lies_before_the_oldest_known_run_is_unknown() -> None:
    runs = (run("success", 6 * HOUR, 600.0),)
    found = counted_of(
        sla(HOUR), [DagRuns("load", runs, at(6 * HOUR)), DagRuns("idle", (), ALL)], MIDNIGHT, at(12 * HOUR)
    )
    assert [one.known for one in found.slices if one.start < at(6 * HOUR)] == [0.5] * 6
    assert {one.known for one in found.slices if one.start >= at(6 * HOUR)} == {1.0}


def test_the_first_sla_that_covers_a_dag_counts_it_and_paused_ones_are_left_out() -> None:
    loads, rest = sla(name="loads", dag="load_*"), sla(name="rest")
    elsewhere = sla(name="elsewhere", dag="")
    dags = [dag("load_a"), dag("other"), dag("load_b", paused=True)]
    slas = [elsewhere, loads, rest]
    assert [one.dag_id for one in covered(slas, loads, dags)] == ["load_a"]
    assert [one.dag_id for one in covered(slas, rest, dags)] == ["other"]


class _Asked:
    """An Airflow that counts how often it is asked for the runs of a DAG."""

    def __init__(self, runs: tuple[Run, ...], *, cut: bool = False) -> None:
        self.runs_there, self.cut = runs, cut
        self.asked: list[tuple[str, int]] = []

    async def runs(self, dag_id: str, most: int) -> Any:
        self.asked.append((dag_id, most))
        return Told(self.runs_there[:most], at(0.0), Origin(Way.API, "3"), self.cut)


def told(runs: tuple[Run, ...], now: float) -> Told[Survey]:
    return Told(Survey((dag(),), {"load": runs}), now, Origin(Way.API, "3"))


async def test_runs_are_asked_for_once_and_carried_on_by_what_is_new() -> None:
    runs = tuple(run("success", hour * HOUR, 60.0) for hour in range(200, 0, -1))
    airflow, history = _Asked(runs), RunHistory()
    now = at(201 * HOUR)
    for latest in (runs[:14], (run("success", 201 * HOUR, 60.0), *runs[:13])):
        (found,), notes = await history.since(cast(Airflow, airflow), told(latest, now), [dag()], at(33 * HOUR))
        assert (found.runs[0], notes) == (latest[0], [])
    assert len(found.runs) == 201
    # By the hour for a week: 168, and a fifth more.
    assert airflow.asked == [("load", 222)]
    gap = tuple(run("success", hour * HOUR, 60.0) for hour in range(300, 286, -1))
    await history.since(cast(Airflow, airflow), told(gap, now), [dag()], at(33 * HOUR))
    assert len(airflow.asked) == 2


async def test_a_dag_whose_latest_runs_reach_far_enough_is_not_asked_about() -> None:
    runs = tuple(run("success", hour * HOUR, 60.0) for hour in (40, 20))
    airflow = _Asked(())
    found, notes = await RunHistory().since(cast(Airflow, airflow), told(runs, at(50 * HOUR)), [dag()], at(30 * HOUR))
    assert (found[0].runs, airflow.asked, notes) == (runs, [], [])


async def test_what_was_cut_short_is_said() -> None:
    runs = tuple(run("success", hour * HOUR, 60.0) for hour in range(200, 100, -1))
    airflow = _Asked(runs, cut=True)
    (found,), notes = await RunHistory().since(
        cast(Airflow, airflow), told(runs[:14], at(201 * HOUR)), [dag()], at(33 * HOUR)
    )
    assert found.since == at(101 * HOUR)
    assert notes == ["of 1 DAGs only the latest runs are known"]


@pytest.mark.parametrize("ahead", [1800.0, -1800.0])
def test_airflows_clock_decides_what_is_late_and_ours_when_that_was(ahead: float) -> None:
    told_at = ((10 * HOUR, None, "running"), (11.5 * HOUR, None, "running"), (11 * HOUR, 3000.0, "success"))
    promised = sla(HOUR, objective=0.9)

    def counted(off: float) -> Counted:
        runs = tuple(run(state, start + off, took) for start, took, state in told_at)
        return counted_of(promised, [DagRuns("load", runs, at(6 * HOUR + off))], MIDNIGHT, at(12 * HOUR), ahead=off)

    assert counted(ahead) == counted(0.0)
    assert sum(one.total for one in counted(ahead).slices) == 2


@pytest.mark.parametrize("ahead", [1800.0, -1800.0])
async def test_a_survey_counts_what_ended_just_now_by_airflows_clock(
    ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = tuple(run("success", 12 * HOUR - 3600.0 * ago - 70.0 + ahead, 60.0) for ago in range(3))

    class Skewed(_Asked):
        async def survey(self) -> Told[Survey]:
            return replace(told(latest, at(12 * HOUR)), ahead=ahead)

    monkeypatch.setattr(opening, "open_airflow", lambda environment, sources: Skewed(latest))
    environment = Environment("test", Path("screens"), Path("runbooks"))
    slas = Slas(environment, cast(Any, None), [sla(HOUR, window="7d")], clock=lambda: at(12 * HOUR))
    (stood,) = (await slas.survey()).standings
    assert stood.error == ""
    assert (stood.tally.bad, stood.tally.total) == (0, 3)
