"""Why a run that was started has not begun: each cause by itself, and which of several is named."""

from typing import Any

import pytest

from opsconsole.pipelines.holding import Cause, Evidence, Hold, hold_of, scheduler_silence
from opsconsole.pipelines.model import Component, Pool, Run
from tests.unit.pipelines.made import at, dag, run, task

NOW = at(600.0)
ALIVE = Component("scheduler", True, NOW - 2)
SILENT = Component("scheduler", False, NOW - 240)
FULL = Pool("etl", slots=2, running=2, queued=0, deferred=0, scheduled=1)


def waiting(**given: Any) -> Run:
    return run(**{"state": "queued", "took": None, "started_at": None, "run_id": "manual__1", **given})


def held(of: Run, **given: Any) -> Hold:
    return hold_of(Evidence(of, NOW, **{"dag": dag(), "components": (ALIVE,), **given}))


def test_a_scheduler_that_is_silent_is_named_with_for_how_long_and_where_to_look() -> None:
    hold = held(waiting(), components=(SILENT,))
    assert hold.cause is Cause.SCHEDULER
    assert hold.said == (
        "the run manual__1 is queued; the scheduler has not been heard of for 4m; it starts when the scheduler is back"
    )
    assert "opsconsole pipeline health" in hold.look
    assert "service-restart-procedures" in hold.look
    assert hold.stuck


def test_of_a_run_that_goes_on_it_is_said_that_nothing_more_of_it_starts() -> None:
    hold = held(run("running", took=None), components=(SILENT,), tasks=(task("load", 1.0),))
    assert "is running; the scheduler has not been heard of for 4m; nothing more of it starts until then" in hold.said


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ((ALIVE,), ""),
        ((), ""),
        ((Component("scheduler", None, seen=False),), ""),
        ((Component("triggerer", False, NOW - 900),), ""),
        ((Component("scheduler", None),), "the scheduler has not been heard of"),
        ((Component("scheduler", False, NOW + 5),), "the scheduler has not been heard of for 0s"),
    ],
)
def test_only_a_scheduler_that_gives_no_sign_of_life_is_silent(components: tuple[Component, ...], said: str) -> None:
    assert scheduler_silence(components, NOW) == said


def test_a_paused_dag_holds_its_runs() -> None:
    hold = held(waiting(), dag=dag("a b", paused=True))
    assert (hold.cause, hold.stuck) == (Cause.PAUSED, True)
    assert hold.said == "the run manual__1 is queued; a b is paused; it starts when it is unpaused"
    assert hold.look == "opsconsole pipeline unpause 'a b'"


def test_as_many_runs_as_may_run_at_once_are_named() -> None:
    others = [run("running", took=None, run_id=f"r{n}") for n in range(5)]
    hold = held(waiting(), dag=dag(most_runs=5), others=others)
    assert (hold.cause, hold.stuck) == (Cause.RUNS, False)
    assert hold.said == (
        "the run manual__1 is queued; 5 of 5 that may run at once (max_active_runs) do: r0, r1, r2 and 2 more; "
        "it starts when one of them ends"
    )
    assert hold.look == "opsconsole pipeline runs load"


@pytest.mark.parametrize(
    ("of", "others", "most"),
    [
        (waiting(), [run("running", took=None)], 2),
        (waiting(), [run("queued", took=None), run()], 1),
        (waiting(), [run("running", took=None, kind="backfill")], 1),
        (waiting(kind="backfill"), [run("running", took=None)], 1),
        (waiting(), [run("running", took=None)], 0),
    ],
)
def test_fewer_runs_or_those_that_are_not_counted_hold_nothing(of: Run, others: list[Run], most: int) -> None:
    hold = held(of, dag=dag(most_runs=most), others=others)
    assert (hold.cause, hold.known) == (Cause.UNTOLD, False)
    assert hold.said == "the run manual__1 is queued, and Airflow does not tell what it waits for"


def test_a_full_pool_holds_the_tasks_that_want_it_unless_others_run() -> None:
    tasks = (task("fetch", 0.0, 5.0), task("load", state="scheduled", pool="etl"))
    hold = held(run("running", took=None), tasks=tasks, pools=(FULL,))
    assert hold.cause is Cause.POOL
    assert hold.said == "the run run-0 is running; load waits for a slot of pool etl, of which all 2 are taken"
    beside = (*tasks, task("other", 1.0))
    assert held(run("running", took=None), tasks=beside, pools=(FULL,)).cause is Cause.GOING_ON
    open_pool = Pool("etl", slots=3, running=2, queued=0, deferred=0)
    assert held(run("running", took=None), tasks=tasks, pools=(open_pool,)).cause is Cause.GOING_ON


def test_what_no_worker_takes_is_told_from_what_was_queued_just_now() -> None:
    tasks = [task(name, state="queued", queued_at=at(480.0)) for name in ("load", "check")]
    hold = held(run("running", took=None), tasks=tasks)
    assert hold.cause is Cause.WORKER
    assert hold.said.endswith("load, check wait in the executor's queue, for 2m: its workers are busy, or gone")
    fresh = [task("load", state="queued", queued_at=at(595.0))]
    assert held(run("running", took=None), tasks=fresh).cause is Cause.GOING_ON


def test_a_deferred_task_waits_for_a_triggerer() -> None:
    tasks = [task("sense", state="deferred")]
    dead = (ALIVE, Component("triggerer", False, NOW - 100))
    assert held(run("running", took=None), tasks=tasks, components=dead).cause is Cause.TRIGGERER
    assert held(run("running", took=None), tasks=tasks).cause is Cause.GOING_ON


def test_a_task_that_is_tried_again_later_holds_its_run() -> None:
    hold = held(run("running", took=None), tasks=[task("load", state="up_for_retry")])
    assert (hold.cause, hold.look) == (Cause.RETRY, "opsconsole pipeline log load load")


def test_a_run_that_runs_says_for_how_long_and_what() -> None:
    hold = held(run("running", took=None), tasks=[task("load", 1.0)])
    assert (hold.cause, hold.known) == (Cause.GOING_ON, False)
    assert str(hold) == "run-0 is running still, for 10m: load; see opsconsole pipeline tasks load"


def test_the_scheduler_comes_before_everything_else_and_nothing_from_outside_reaches_a_terminal() -> None:
    hold = held(
        waiting(run_id="a\x1b[2Jb"), dag=dag(paused=True, most_runs=1), components=(SILENT,),
        others=[run("running", took=None)],
    )  # fmt: skip
    assert hold.cause is Cause.SCHEDULER
    assert "\x1b" not in hold.said
