"""What would make a run shorter."""

from opsconsole.pipelines.advice import Advice, advice
from opsconsole.pipelines.model import Pool, RunDetail, Task
from opsconsole.pipelines.timing import timing
from tests.unit.pipelines.made import at, run, task

CHAIN = {"first": ("second",), "second": ()}


def said(*tasks: Task, took: float, pools: tuple[Pool, ...] = ()) -> list[Advice]:
    detail = RunDetail(run(took=took), tasks, CHAIN)
    return advice(detail, timing(detail, at(took)), pools)


def test_a_run_that_is_as_fast_as_its_tasks_allow_gets_none() -> None:
    assert said(task("first", 0, 40), task("second", 40, 80), took=80.0) == []


def test_what_is_short_is_not_worth_a_word() -> None:
    assert said(task("first", 0, 2), task("second", 20, 21, queued_at=at(3.0)), took=21.0) == []


def test_waiting_on_the_critical_path_names_the_pool_that_is_full() -> None:
    tasks = (task("first", 0, 50), task("second", 110, 160, queued_at=at(50.0), pool="heavy"))
    (free,) = said(*tasks, took=160.0)
    assert (free.kind, free.subject, free.seconds) == ("waiting", "the run", 60.0)
    assert "waited 1m for a slot, second longest" in free.why
    (full,) = said(*tasks, took=160.0, pools=(Pool("heavy", 2, 2, 5, 0), Pool("other", 2, 2, 1, 0)))
    assert (full.kind, full.subject) == ("waiting", "pool heavy")


def test_one_task_that_is_most_of_the_run_should_be_divided() -> None:
    (found,) = said(task("first", 0, 10), task("second", 10, 100), took=100.0)
    assert (found.kind, found.subject, found.seconds) == ("one-task", "second", 90.0)
    assert "90 % of the run" in found.why
    (mapped,) = said(task("first", 0, 10), task("second", 10, 100, map_index=4), took=100.0)
    assert (mapped.subject, "map over more" in mapped.advice) == ("second[4]", True)


def test_time_in_which_nothing_runs_or_waits_is_the_schedulers() -> None:
    (found,) = said(task("first", 0, 40), task("second", 80, 120), took=120.0)
    assert (found.kind, found.seconds) == ("idle", 40.0)
    assert found.advice.startswith("look at the scheduler's load")


def test_who_cleared_a_run_hours_later_is_not_taken_for_the_scheduler() -> None:
    tasks = (task("first", 0, 40), task("second", 4000, 4040, try_number=2))
    idle, _ = said(*tasks, took=4040.0)
    assert idle.advice.startswith("unless somebody cleared it")  # which the API does not tell
    cleared = RunDetail(run(took=4040.0, cleared=1), tasks, CHAIN)
    assert [one.kind for one in advice(cleared, timing(cleared, at(4040.0)))] == ["retries"]


def test_what_succeeded_only_when_tried_again_is_named_last() -> None:
    found = said(task("first", 0, 10, try_number=3), task("second", 10, 100), took=100.0)
    assert [one.kind for one in found] == ["one-task", "retries"]
    assert found[1].why == "first succeeded in try 3"
