"""Trends: what changes for good is found and said in numbers, what is noise is left alone."""

import random

import pytest

from opsconsole.pipelines.advice import Advice
from opsconsole.pipelines.model import DagHistory
from opsconsole.pipelines.trends import ENOUGH, Timed, dag_trends, find_drift, find_step, habits, percentile, trend
from tests.unit.pipelines.made import at, run, task

HOUR = 3600.0
NOW = at(200 * HOUR)


def timed(values: list[float], step: float = HOUR) -> list[Timed]:
    """One duration an hour, the last one an hour ago."""
    return [Timed(NOW - step * (len(values) - place), value) for place, value in enumerate(values)]


def noise(count: int, around: float, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [around * chance.uniform(0.9, 1.1) for _ in range(count)]


def test_a_step_is_found_where_it_is_and_said_with_its_numbers() -> None:
    values = timed([*noise(60, 10.0), *noise(40, 22.0, 2)], step=24 * HOUR)
    found = find_step(values)
    assert found is not None
    assert found.since_at == values[60].at
    assert (found.runs, round(found.before), round(found.after)) == (40, 10, 22)
    assert found.chance < 1e-6
    told = trend("load", values, NOW)
    assert told.slower
    assert told.words.startswith("slower since 2025-")
    assert "22 s at the median of 40, 9." in told.words or "22 s at the median of 40, 10 s before" in told.words
    faster = trend("load", timed([*noise(40, 22.0), *noise(60, 10.0)], step=24 * HOUR), NOW)
    assert (faster.slower, faster.words.partition(" ")[0]) == (False, "faster")


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_trend(seed: int) -> None:
    assert find_step(timed(noise(60, 30.0, seed))) is None
    assert find_drift(noise(60, 30.0, seed)) is None


def test_one_run_that_hung_moves_nothing() -> None:
    values = noise(60, 30.0)
    values[30] = 50_000.0
    assert find_step(timed(values)) is None
    told = trend("", timed(values, step=24 * HOUR), NOW)
    assert (told.words, told.slower) == ("as ever", False)


def test_a_drift_is_said_over_all_of_its_runs() -> None:
    values = [10.0 + 0.2 * place + wobble for place, wobble in enumerate(noise(60, 0.5))]
    slope = find_drift(values)
    assert slope is not None
    assert slope == pytest.approx(0.2, rel=0.1)
    assert find_drift([10.0 + 0.001 * place for place in range(60)]) is None  # sure, and a trifle
    assert find_drift([3.0] * 60) is None


def test_a_step_of_today_is_seen_before_any_test_could_be_sure_of_it() -> None:
    told = trend("load", timed([*noise(90, 10.0), 31.0, 30.0, 32.0], step=8 * HOUR), NOW)
    assert told.step is None
    assert told.slower
    assert told.words == "slower today: 31 s at the median, 10.0 s before (×3.1)"


def test_few_runs_say_that_they_are_few_and_enough_are_enough() -> None:
    assert trend("", [], NOW).words == "none has succeeded"
    assert trend("", timed([1.0] * (ENOUGH - 1)), NOW).words == f"{ENOUGH - 1} are too few to tell; {ENOUGH} would do"
    half = ENOUGH // 2
    assert find_step(timed([10.0] * half + [30.0] * half)) is not None


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([], 0.95) is None
    assert percentile([5.0], 0.95) == 5.0
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0


def test_what_costs_time_again_and_again_is_a_habit_and_once_is_none() -> None:
    wait = Advice("waiting", "the run", "waited 40 s", "more slots", 40.0)
    once = Advice("idle", "the run", "idle", "look", 500.0)
    (one,) = habits([[wait], [wait, once], [], []])
    assert (one.kind, one.runs, one.of, one.seconds) == ("waiting", 2, 4, 40.0)


def test_a_dag_is_taken_apart_by_task_and_of_a_mapped_one_the_longest_counts() -> None:
    runs, tasks = [], []
    for n in range(20):
        runs.append(run(start=n * HOUR, took=100.0))
        took = 20.0 if n < 10 else 60.0
        given = {"run_id": f"run-{n * HOUR:.0f}"}
        tasks += [task("load", n * HOUR, n * HOUR + took, **given), task("tiny", n * HOUR, n * HOUR + 1, **given)]
        tasks += [task("map", n * HOUR, n * HOUR + 5.0 * (i + 1), map_index=i, **given) for i in range(3)]
    runs.append(run("failed", start=30 * HOUR, took=9000.0))
    found = dag_trends(DagHistory(tuple(reversed(runs)), tuple(tasks), {"load": ("map",)}), NOW)
    assert (found.dag.count, found.dag.median) == (20, 100.0)  # what failed says nothing of how long it takes
    assert [one.name for one in found.tasks] == ["load", "map", "tiny"]  # what became slower, then by length
    assert found.tasks[1].median == 15.0
    assert [(one.kind, one.subject, one.runs) for one in found.habits] == [
        ("idle", "the run", 20), ("one-task", "load", 10),
    ]  # fmt: skip
    assert found.efficiency is not None
