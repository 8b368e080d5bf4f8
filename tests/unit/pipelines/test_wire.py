"""From the JSON of both versions of the API to one model, whatever is missing or of another type."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.pipelines import wire
from opsconsole.pipelines.causes import ErrorFinder
from opsconsole.pipelines.model import Component

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["dag_id", "dag_run_id", "task_id", "map_index", "state", "tags", "owners", "schedule_interval", "logical_date",
     "data_interval_end", "conf", "note", "try_number", "slots", "stack_trace", "downstream_task_ids", "start_date"]
)  # fmt: skip


@given(st.dictionaries(KEYS, JSON))
def test_no_answer_is_so_odd_that_it_ends_the_program(entry: dict[str, object]) -> None:
    for read in (wire.dag_of, wire.run_of, wire.task_of, wire.try_of, wire.pool_of, wire.broken_file_of):
        read(entry)
    wire.structure_of((entry,))
    wire.components_of(entry)


@given(st.text())
def test_no_line_of_a_log_is_so_odd_either(line: str) -> None:
    for read in (wire.structured_line, wire.plain_line):
        assert not any(ord(one) < 32 and one not in "\n\t" for one in read(line).text)


def test_version_1_has_its_run_after_at_the_end_of_the_data_interval() -> None:
    entry = {"dag_id": "a", "dag_run_id": "r", "execution_date": "2026-11-28T00:00:00+00:00", "state": "success"}
    assert wire.run_of(entry).run_after_at == wire.moment("2026-11-28T00:00:00Z")
    run = wire.run_of({**entry, "data_interval_end": "2026-11-29T00:00:00+00:00"})
    assert (run.run_after_at, run.logical_at) == (
        wire.moment("2026-11-29T00:00:00Z"), wire.moment("2026-11-28T00:00:00Z"),
    )  # fmt: skip


def test_a_null_logical_date_stays_unknown() -> None:
    run = wire.run_of({"dag_id": "a", "dag_run_id": "r", "logical_date": None, "run_after": "2026-11-29T00:00:00Z"})
    assert (run.logical_at, run.run_after_at) == (None, wire.moment("2026-11-29T00:00:00Z"))


def test_a_part_without_a_status_is_neither_alive_nor_dead() -> None:
    answer = {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": None}, "triggerer": {"status": None}}
    assert wire.components_of(answer) == (Component("scheduler", False), Component("triggerer", None))


def raised(kind: str, said: str, *frames: tuple[str, int, str]) -> dict[str, object]:
    """An exception as Airflow 3 keeps it."""
    places = [{"filename": file, "lineno": number, "name": name} for file, number, name in frames]
    return {"exc_type": kind, "exc_value": said, "frames": places}


def test_an_exception_comes_as_the_lines_of_its_traceback_what_was_raised_last_at_the_end() -> None:
    detail = [
        raised("LoadError", "no tariffs\x1b[2J", ("dags/load.py", 42, "fetch")),
        raised(
            "OSError", "[Errno 5] a\nb", ("/opt/python3.12/site-packages/io.py", 7, "read"), ("lib/raw.py", 8, "get")
        ),
    ]
    told = {"timestamp": "2026-11-29T11:20:57Z", "level": "error", "event": "Task failed with exception"}
    lines = [wire.structured_line(one) for one in wire.unfolded(json.dumps({**told, "error_detail": detail}))]
    assert [one.text for one in lines] == [
        "Task failed with exception",
        "Traceback (most recent call last):",
        '  File "…/site-packages/io.py", line 7, in read', '  File "lib/raw.py", line 8, in get',
        "OSError: [Errno 5] a", "b",
        "Traceback (most recent call last):", '  File "dags/load.py", line 42, in fetch', "LoadError: no tariffs␛[2J",
    ]  # fmt: skip
    assert {(one.level, one.at) for one in lines} == {("error", wire.moment("2026-11-29T11:20:57Z"))}
    finder = ErrorFinder()
    for one in lines:
        finder.see(one)
    assert finder.error == "LoadError: no tariffs␛[2J"


def test_a_text_of_several_lines_is_several_and_what_is_beside_it_stays_with_the_first() -> None:
    line = json.dumps({"level": "info", "event": "rows:\r\n1\n\n2\n", "rows": 2, "timestamp": "2026-11-29T11:20:57Z"})
    lines = [wire.structured_line(one) for one in wire.unfolded(line)]
    assert [one.text for one in lines] == ["rows:  rows=2", "1", "", "2"]
    assert {(one.level, one.at) for one in lines} == {("info", wire.moment("2026-11-29T11:20:57Z"))}


@pytest.mark.parametrize("whole", [True, False], ids=["json", "cut off"])
def test_of_a_line_of_any_length_all_can_be_read_and_searched(whole: bool) -> None:
    text = "a" * 30_000 + "MIDDLE" + "b" * 30_000 + "END"
    came = json.dumps({"event": text, "level": "info"})
    parts = [wire.structured_line(one).text for one in wire.unfolded(came if whole else came[:-5])]
    assert len(parts) == 4
    assert ("".join(parts) == text) is whole
    assert "aMIDDLEb" in "".join(parts)
    assert "".join(wire.plain_line(one).text for one in wire.pieces(text)) == text


@pytest.mark.parametrize(
    "line", ["", "plain", '{"event": "x"}', '["error_detail"]', '{"error_detail": [1], "event": 1}']
)
def test_a_line_without_an_exception_stays_as_it_came(line: str) -> None:
    assert wire.unfolded(line) == [line]


def test_what_a_line_says_beside_its_event_is_shown_and_where_it_comes_from_is_not() -> None:
    line = {"event": "Process exited", "exit_code": -9, "signal": None, "dag_id": "a", "logger": "task", "lineno": 3}
    assert wire.structured_line(json.dumps(line)).text == "Process exited  exit_code=-9"


def test_lines_of_version_1_have_their_time_and_level() -> None:
    line = wire.plain_line("[2026-11-29T11:20:57.031+0000] {task.py:12} ERROR - it failed")
    assert (line.text, line.level, line.at) == (
        "{task.py:12} ERROR - it failed", "error", wire.moment("2026-11-29T11:20:57.031Z"),
    )  # fmt: skip
