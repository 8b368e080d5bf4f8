"""What a DAG's latest runs say about it."""

from typing import Any

import pytest

from opsconsole.core.state import State
from opsconsole.pipelines.history import STRIP, standing, standings, strip, success_rate, usual_seconds
from opsconsole.pipelines.model import Run, Survey
from tests.unit.pipelines.made import at, dag, run

GOOD = [run(start=-3600.0 * hour) for hour in range(1, 6)]


def test_the_strip_has_the_newest_run_at_its_end_and_no_more_than_fit() -> None:
    assert strip([run("failed", 60), run("success", 0)]) == ("success", "failed")
    assert len(strip([run()] * (STRIP + 5))) == STRIP


def test_what_has_not_ended_counts_neither_as_success_nor_as_failure() -> None:
    assert success_rate([run("running", took=None), run("queued", took=None)]) is None
    assert success_rate([run("running", took=None), run("failed"), run(), run(), run()]) == 0.75


def test_one_night_that_hung_does_not_move_what_is_usual() -> None:
    assert usual_seconds([run(took=9000.0), *GOOD]) == 60.0
    assert usual_seconds(GOOD[:2]) is None
    assert usual_seconds([run("failed", took=1.0) for _ in range(9)]) is None


@pytest.mark.parametrize(
    ("runs", "given", "state", "reason"),
    [
        ([], {}, State.UNKNOWN, "no run is known"),
        (GOOD, {}, State.OK, ""),
        ([run("failed"), *GOOD], {}, State.CRIT, "the last run failed"),
        ([run("running", 60, None), run("failed"), *GOOD], {}, State.CRIT, "the last run failed"),
        ([run("failed"), run("failed"), *GOOD], {}, State.CRIT, "the last 2 runs failed"),
        ([run("failed")], {"paused": True}, State.WARN, "the last run failed, and it is paused"),
        (GOOD, {"broken": True}, State.WARN, "its file cannot be imported: what runs is an earlier version"),
        ([run("running", 0, None), *GOOD], {}, State.WARN, "has been running 10.0 times as long as usual"),
        ([run("running", 500, None), *GOOD], {}, State.OK, ""),
    ],
)
def test_how_it_stands(runs: list[Run], given: dict[str, Any], state: State, reason: str) -> None:
    found = standing(dag(**given), runs, at(600.0))
    assert (found.state, found.reason) == (state, reason)


def test_a_run_of_two_seconds_that_takes_five_is_no_news() -> None:
    short = [run(start=-60.0 * minute, took=2.0) for minute in range(1, 6)]
    found = standing(dag(), [run("running", 0, None), *short], at(5.0))
    assert (found.state, found.pace) == (State.OK, 2.5)


def test_a_run_that_takes_long_where_none_ever_took_any_time_is_seen() -> None:
    empty = [run(start=-60.0 * minute, took=0.0) for minute in range(1, 6)]
    found = standing(dag(), [run("running", 0, None), *empty], at(300.0))
    assert (found.state, found.pace) == (State.WARN, None)
    assert found.reason == "has been running 5m, and usually takes 0 ms"


def test_clocks_that_differ_make_nothing_negative() -> None:
    found = standing(dag(), [run("running", 30, None), *GOOD], at(0.0))
    assert (found.running_for, found.pace) == (0.0, 0.0)


def test_since_when_it_fails_is_the_end_of_the_first_of_the_row() -> None:
    found = standing(dag(), [run("running", 300, None), run("failed", 200), run("failed", 100), run()], at(400.0))
    assert found.failing_since_at == at(160.0)


def test_what_failed_comes_first_and_what_is_paused_last() -> None:
    dags = (dag("idle", paused=True), dag("good"), dag("bad"), dag("new"))
    runs = {"good": tuple(GOOD), "bad": (run("failed"),)}
    assert [one.dag.dag_id for one in standings(Survey(dags, runs), at(0.0))] == ["bad", "new", "good", "idle"]
