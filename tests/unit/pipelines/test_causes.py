"""The same error in fifty runs is one line."""

import pytest

from opsconsole.pipelines.causes import ErrorFinder, by_cause, key_of, normalized
from opsconsole.pipelines.model import LogLine
from tests.unit.pipelines.made import at, task


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("KeyError: 'meter_id'", "KeyError: 'meter_id'"),
        ("ConnectionError: 10.1.2.3:5432 refused", "ConnectionError: <n>:<n> refused"),
        ("ValueError: <Meter object at 0x7f00c0ffee>", "ValueError: <Meter object at <address>>"),
        ("E: run 6c2f1b1e-0f7a-4a0e-9b53-0d6f6f0b0c1d at 2026-11-29T11:20:32.1+00:00", "E: run <id> at <time>"),
        ("E: object 5f0c9a1b2c3d4e5f6a7b is gone", "E: object <id> is gone"),
        ("E: table readings2 lacks\n  a column", "E: table readings2 lacks a column"),
    ],
)
def test_what_differs_each_time_is_taken_out(error: str, cause: str) -> None:
    assert normalized(error) == cause


def test_failures_are_grouped_and_what_happened_last_comes_first() -> None:
    failed = [
        task("load", 0, minute * 60.0, state="failed", dag_id=f"dag-{minute % 2}", run_id=f"r{minute}")
        for minute in range(1, 6)
    ]
    errors = {key_of(one): f"TimeoutError: after {at} s" for at, one in enumerate(failed[:4])}
    known, unknown = sorted(by_cause(failed, errors), key=lambda one: -one.count)
    assert (known.cause, known.count) == ("TimeoutError: after <n> s", 4)
    assert (known.first_at, known.last_at, known.example) == (at(60.0), at(240.0), "TimeoutError: after 3 s")
    assert (known.dags, known.tasks, known.latest.run_id) == (("dag-0", "dag-1"), ("dag-0 load", "dag-1 load"), "r4")
    assert (unknown.cause, unknown.example) == ("no log was read: dag-1 load", "")
    assert by_cause(failed, errors)[0] is not known
    assert by_cause(failed, errors)[0].cause == unknown.cause


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["INFO - begin", "Traceback (most recent call last):", "KeyError: 'a'", "During handling", "x.y.MyError: b"],
         "x.y.MyError: b"),
        (["Task failed with exception\nConnectionError: refused"], "ConnectionError: refused"),
        (["Exception: plain"], "Exception: plain"),
        (["airflow.exceptions.AirflowSkipException"], "airflow.exceptions.AirflowSkipException"),
        (["all is well", "Errors: 0"], ""),
    ],
)  # fmt: skip
def test_the_last_error_that_a_log_names_counts(lines: list[str], error: str) -> None:
    finder = ErrorFinder()
    for line in lines:
        finder.see(LogLine(line))
    assert finder.error == error


def test_where_none_is_named_the_last_line_that_is_marked_as_one_counts() -> None:
    finder = ErrorFinder()
    for text, level in (("starting", "info"), ("bash: exit 3", "error"), ("done", "info")):
        finder.see(LogLine(text, level=level))
    assert finder.error == "bash: exit 3"
