"""Lines of a log as Airflow sends them, and as they are read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.pipelines import log_wire, wire
from opsconsole.pipelines.causes import ErrorFinder


@given(st.text())
def test_no_line_of_a_log_is_so_odd_either(line: str) -> None:
    for read in (log_wire.structured_line, log_wire.plain_line):
        assert not any(ord(one) < 32 and one not in "\n\t" for one in read(line).text)


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
    lines = [log_wire.structured_line(one) for one in log_wire.unfolded(json.dumps({**told, "error_detail": detail}))]
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
    lines = [log_wire.structured_line(one) for one in log_wire.unfolded(line)]
    assert [one.text for one in lines] == ["rows:  rows=2", "1", "", "2"]
    assert {(one.level, one.at) for one in lines} == {("info", wire.moment("2026-11-29T11:20:57Z"))}


@pytest.mark.parametrize("whole", [True, False], ids=["json", "cut off"])
def test_of_a_line_of_any_length_all_can_be_read_and_searched(whole: bool) -> None:
    text = "a" * 30_000 + "MIDDLE" + "b" * 30_000 + "END"
    came = json.dumps({"event": text, "level": "info"})
    parts = [log_wire.structured_line(one).text for one in log_wire.unfolded(came if whole else came[:-5])]
    assert len(parts) == 4
    assert ("".join(parts) == text) is whole
    assert "aMIDDLEb" in "".join(parts)
    assert "".join(log_wire.plain_line(one).text for one in log_wire.pieces(text)) == text


@pytest.mark.parametrize(
    "line", ["", "plain", '{"event": "x"}', '["error_detail"]', '{"error_detail": [1], "event": 1}']
)
def test_a_line_without_an_exception_stays_as_it_came(line: str) -> None:
    assert log_wire.unfolded(line) == [line]


def test_what_a_line_says_beside_its_event_is_shown_and_where_it_comes_from_is_not() -> None:
    line = {"event": "Process exited", "exit_code": -9, "signal": None, "dag_id": "a", "logger": "task", "lineno": 3}
    assert log_wire.structured_line(json.dumps(line)).text == "Process exited  exit_code=-9"


def test_lines_of_version_1_have_their_time_and_level() -> None:
    line = log_wire.plain_line("[2026-11-29T11:20:57.031+0000] {task.py:12} ERROR - it failed")
    assert (line.text, line.level, line.at) == (
        "{task.py:12} ERROR - it failed", "error", wire.moment("2026-11-29T11:20:57.031Z"),
    )  # fmt: skip
