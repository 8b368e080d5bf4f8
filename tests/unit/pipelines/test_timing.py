"""Where the time of a run went."""

from opsconsole.pipelines.model import RunDetail, Task
from opsconsole.pipelines.timing import critical_path, longest_path, retried, slowest, timing
from tests.unit.pipelines.made import at, run, task

DIAMOND = {"begin": ("left", "right"), "left": ("end",), "right": ("end",), "end": ()}
TASKS = (
    task("begin", 0, 10, queued_at=at(-2.0)),
    task("left", 10, 20),
    task("right", 15, 60, queued_at=at(10.0)),
    task("end", 60, 70),
)


def test_the_critical_path_goes_through_whoever_ended_last() -> None:
    found = timing(RunDetail(run(took=80.0), TASKS, DIAMOND), at(500.0))
    assert found.critical_path == (("begin", -1), ("right", -1), ("end", -1))
    assert [bar.task.task_id for bar in found.bars if bar.critical] == ["begin", "right", "end"]
    assert (found.wall_seconds, found.critical_seconds, found.waiting_seconds) == (80.0, 65.0, 7.0)
    assert (found.running_seconds, found.idle_seconds) == (75.0, 10.0)
    assert found.parallelism == 75.0 / 80.0
    assert found.efficiency == 65.0 / 80.0


def test_of_a_mapped_task_the_instance_that_ended_last_is_on_the_path() -> None:
    mapped = tuple(task("map", 10, 20 + index, map_index=index) for index in range(3))
    tasks = (task("begin", 0, 10), *mapped, task("end", 30, 40))
    assert critical_path(tasks, {"begin": ("map",), "map": ("end",)}, at(0)) == (("begin", -1), ("map", 2), ("end", -1))
    assert longest_path(tasks, {"begin": ("map",), "map": ("end",)}, at(0)) == 10.0 + 12.0 + 10.0


def test_without_a_structure_there_is_no_path_and_all_else() -> None:
    found = timing(RunDetail(run(took=80.0), TASKS, {}), at(500.0))
    assert (found.critical_path, found.efficiency, found.running_seconds) == ((), None, 75.0)


def test_what_runs_reaches_to_now_and_what_has_not_begun_stands_last() -> None:
    tasks: tuple[Task, ...] = (task("end"), task("begin", 0, None))
    found = timing(RunDetail(run("running", took=None), tasks, DIAMOND), at(30.0))
    assert [(bar.task.task_id, bar.start, bar.end) for bar in found.bars] == [("begin", 0.0, 30.0), ("end", None, None)]
    assert (found.wall_seconds, found.critical_path) == (30.0, (("begin", -1),))


def test_a_run_in_which_nothing_ran_is_no_division_by_zero() -> None:
    queued = run("queued", took=None, started_at=None)
    found = timing(RunDetail(queued, (task("begin"),), DIAMOND), at(30.0))
    assert (found.wall_seconds, found.parallelism, found.efficiency) == (0.0, None, None)
    blocked = task("end", 5, 5, state="upstream_failed")
    assert timing(RunDetail(run("failed"), (blocked,), DIAMOND), at(30.0)).bars[0].start is None


def test_tasks_that_are_gone_from_the_dag_or_on_a_circle_do_no_harm() -> None:
    circle = {"a": ("b",), "b": ("a",)}
    assert critical_path((task("a", 0, 5), task("b", 5, 9)), circle, at(0)) == (("a", -1), ("b", -1))
    assert longest_path((task("a", 0, 5), task("z", 5, 9)), circle, at(0)) == 0.0


def test_the_slowest_and_the_retried_come_first() -> None:
    tasks = (*TASKS, task("flaky", 0, 1, try_number=3))
    assert [one.task_id for one in slowest(tasks, at(0), 2)] == ["right", "begin"]
    assert [(one.task_id, one.retries) for one in retried(tasks)] == [("flaky", 2)]
