"""What commands print."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsconsole.cli import output
from opsconsole.config.secrets import SecretRef
from opsconsole.core.secret import Secret
from opsconsole.core.state import State

Say = pytest.CaptureFixture[str]


def test_a_table_aligns_numbers_right_and_wide_text_by_cells(capsys: Say) -> None:
    output.print_table(("NAME", "COUNT", "NOTE"), [("データ", 5, None), ("a", 1200, "x\ny"), ("é", 0.25, True)])
    assert capsys.readouterr().out == (
        "NAME    COUNT  NOTE\n"
        "データ      5  -\n"
        "a        1200  x⏎y\n"
        "é        0.25  yes\n"
    )  # fmt: skip


def test_a_table_without_rows_is_its_header(capsys: Say) -> None:
    output.print_table(("A", "B"), [])
    assert capsys.readouterr().out == "A  B\n"


def test_a_table_is_cut_to_a_terminal_and_only_to_a_terminal(capsys: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("x" * 50,)]
    output.print_table(("A",), rows)
    assert capsys.readouterr().out.splitlines()[1] == "x" * 50
    monkeypatch.setattr(output, "_terminal_width", lambda: 20)
    output.print_table(("A",), rows)
    assert capsys.readouterr().out.splitlines()[1] == "x" * 19 + "…"


def test_one_long_name_ruins_no_line_of_a_terminal_and_is_whole_in_a_pipe(
    capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "evil_" + "x" * 200 + "_end"
    columns, rows = ("DAG", "STATE", "WHY"), [(long, "OK", None), ("load", "CRIT", "its last run failed an hour ago")]
    output.print_table(columns, rows, names=(0,))
    assert capsys.readouterr().out.splitlines()[1] == f"{long}  OK     -"
    monkeypatch.setattr(output, "_terminal_width", lambda: 60)
    output.print_table(columns, rows, names=(0,))
    assert capsys.readouterr().out.splitlines() == [
        "DAG                          STATE  WHY",
        "evil_xxxxxxxx…xxxxxxxxx_end  OK     -",
        "load                         CRIT   its last run failed an …",
    ]
    monkeypatch.setattr(output, "_terminal_width", lambda: 20)
    output.print_table(columns, rows, names=(0,))
    assert capsys.readouterr().out.splitlines()[2] == "load               …"


def test_a_narrow_terminal_does_without_what_is_spare_and_says_so(capsys: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    columns, rows = ("NAME", "TREND", "FIRST", "WHY"), [("load", "▁▂▃▄▅▆▇█" * 3, "30m", "its last run failed")]

    def printed(room: int) -> tuple[str, str]:
        monkeypatch.setattr(output, "_terminal_width", lambda: room)
        output.print_table(columns, rows, names=(0,), spare=(1, 2))
        said = capsys.readouterr()
        return said.out.splitlines()[1], said.err

    whole = f"load  {'▁▂▃▄▅▆▇█' * 3}  30m    its last run failed"
    assert printed(0) == (whole, "")
    assert printed(len(whole)) == (whole, "")
    assert printed(len(whole) - 1) == ("load  30m    its last run failed", "no room for: TREND\n")
    assert printed(28) == ("load  its last run failed", "no room for: TREND, FIRST\n")


def test_a_name_that_fits_is_left_alone_and_a_wide_one_is_cut_by_cells(
    capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_terminal_width", lambda: 50)
    output.print_table(("DAG", "N"), [("a" * 45, 1)], names=(0,))
    assert capsys.readouterr().out.splitlines()[1] == "a" * 45 + "  1"
    output.print_table(("DAG", "N"), [("データ" * 20, 1)], names=(0,))
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert "…" in line
    assert output.cell_width(line) <= 50
    assert line.endswith(" 1")


def test_no_text_reaches_the_terminal_as_an_escape(capsys: Say) -> None:
    hostile = "a\x1b[31m\x9b2J\u202eb\r"
    output.print_table((hostile,), [(hostile,)])
    output.print_text(hostile)
    output.narrate(hostile)
    output.print_json({hostile: hostile})
    said = capsys.readouterr()
    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(said.out + said.err)
    assert json.loads(said.out.partition("{")[1] + said.out.partition("{")[2]) == {hostile: hostile}


def test_secrets_are_masked_wherever_they_turn_up(capsys: Say) -> None:
    SecretRef.of("opensesame-1").resolve()
    output.print_table(("A",), [("x opensesame-1",)])
    output.narrate("opensesame-1")
    output.print_json({"a": "opensesame-1", "b": Secret("other")})
    said = capsys.readouterr()
    assert "opensesame" not in said.out + said.err
    assert '"b": "***"' in said.out


def test_json_knows_our_values(capsys: Say) -> None:
    value = {
        "state": State.CRIT, "at": datetime(2026, 11, 21, 14, 2, 11, tzinfo=UTC), "path": Path("/x"), "set": (1, 2.5),
        "nan": float("nan"), "inf": float("inf"), "none": None, "flag": True,
    }  # fmt: skip
    output.print_json(value)
    assert json.loads(capsys.readouterr().out) == {
        "state": "CRIT", "at": "2026-11-21T14:02:11.000Z", "path": "/x", "set": [1, 2.5],
        "nan": None, "inf": None, "none": None, "flag": True,
    }  # fmt: skip


def test_times_are_rfc_3339_in_utc() -> None:
    assert output.rfc3339(0.1204) == "1970-01-01T00:00:00.120Z"
    assert output.rfc3339(None) is None
