"""What Airflow does beside what it is asked for, when something is marked."""

import pytest

from opsconsole.pipelines.consequences import of_marking_a_run, of_marking_a_task
from tests.unit.pipelines.made import run, task

LINE = {"a": ("b",), "b": ("c", "d"), "c": (), "d": (), "x": ()}


def test_what_follows_a_marked_task_and_failed_runs_again() -> None:
    tasks = [
        task("a", 0, 1, state="failed"), task("b", state="upstream_failed"), task("c", 0, 1),
        task("d", state="upstream_failed", map_index=2), task("x", 0, 1, state="failed"),
    ]  # fmt: skip
    assert of_marking_a_task(tasks[0], tasks, LINE) == (
        "Airflow then clears what follows it and failed, to run again: b, d[2]"
    )
    assert of_marking_a_task(tasks[4], tasks, LINE) == ""
    assert of_marking_a_task(tasks[0], tasks, {"a": ("b",), "b": ("a",)}).endswith(": b")  # a circle ends, too


@pytest.mark.parametrize("state", ["success", "failed"])
def test_what_runs_in_a_marked_run_is_stopped_and_what_waits_skipped(state: str) -> None:
    tasks = [task("a", 0, 1), *(task(f"b{n}", 2) for n in range(8)), task("c"), task("d", state="queued")]
    assert of_marking_a_run(run("running", took=None), tasks, "failed", 3) == (
        "Airflow stops what runs: b0, b1, b2, b3, b4, b5 and 2 more and skips 2 that did not run yet"
    )
    assert of_marking_a_run(run("failed"), tasks, state, 3) == ""


def test_airflow_2_calls_every_task_of_a_marked_run_a_success() -> None:
    tasks = [task("a", 0, 1), task("b", 0, 1, state="failed")]
    assert of_marking_a_run(run("failed"), tasks, "success", 2).endswith("a success, these too: b")
    assert of_marking_a_run(run("failed"), tasks, "failed", 2) == ""
