"""`opsconsole audit`: the journal as a table, as JSON, and whether it is whole."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsconsole.cli.audit import moment
from opsconsole.cli.main import main
from opsconsole.cli.wiring import UsageError
from opsconsole.core.exit_codes import Exit
from opsconsole.store import open_journal
from opsconsole.store.entry import Conclusion, Intent


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own, with three attempts; no configuration anywhere."""
    for name in ("PROMETHEUS_URL", "PGHOST", "PGSERVICE", "OPSCONSOLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    journal = open_journal()
    common = ("ops1", "production", "runbook.step", "Restart")
    journal.begin(Intent("a", 1_700_000_000.0, "alice", *common, "energy-service", "write", "restart energy", run="r1"))
    journal.conclude(Conclusion("a", 1_700_000_002.5, "ok", exit_code=0, duration=2.5))
    hostile = "echo \x1b]52;c;eA==\x07\nsecond line"
    journal.begin(Intent("b", 1_700_000_100.0, "bob", *common, "profile-service", "destructive", hostile))
    journal.conclude(Conclusion("b", 1_700_000_100.1, "declined", detail="not now"))
    journal.begin(
        Intent("c", 1_700_000_200.0, "bob", "ops2", "staging", "postgres.terminate", "t", "4711", "write", "x")
    )
    journal.close()
    return tmp_path / "state"


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert main(["audit", "list", "--format", "json", *arguments]) == Exit.DONE
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_the_fields_that_programs_rely_on(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = listed(capsys)
    fields = "at actor host environment action target risk command outcome duration run incident"
    assert {name: first[name] for name in fields.split()} == {
        "at": "2023-11-14T22:13:20.000Z",
        "actor": "alice",
        "host": "ops1",
        "environment": "production",
        "action": "runbook.step",
        "target": "energy-service",
        "risk": "write",
        "command": "restart energy",
        "outcome": "ok",
        "duration": 2.5,
        "run": "r1",
        "incident": None,
    }
    assert (second["outcome"], second["detail"]) == ("declined", "not now")
    assert (third["outcome"], third["duration"]) == ("unknown", None)


@pytest.mark.parametrize(
    ("arguments", "attempts"),
    [
        (["--actor", "bob"], "bc"),
        (["--action", "postgres.*"], "c"),
        (["--target", "*-service"], "ab"),
        (["--outcome", "unknown"], "c"),
        (["--run", "r1"], "a"),
        (["--env", "staging"], "c"),
        (["--limit", "1"], "c"),
        (["--limit", "0"], "abc"),
        (["--since", "2023-11-14T22:15:00Z"], "bc"),
        (["--until", "2023-11-14T23:15:00+01:00"], "a"),
        (["--since", "1h"], ""),
        (["--actor", "bob", "--outcome", "declined"], "b"),
    ],
)
def test_what_is_asked_for(capsys: pytest.CaptureFixture[str], arguments: list[str], attempts: str) -> None:
    assert [entry["attempt"] for entry in listed(capsys, *arguments)] == list(attempts)


def test_the_table_is_one_line_each_and_inert(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "list"]) == Exit.DONE
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.startswith("AT (UTC)")
    assert len(lines) == 3
    assert "\x1b" not in "".join(lines)
    assert "declined" in lines[1]


@pytest.mark.parametrize(
    "nonsense", [["--since", "yesterday"], ["--limit", "-1"], ["--outcome", "good"], ["--format", "xml"]]
)
def test_what_cannot_be_meant_is_refused(capsys: pytest.CaptureFixture[str], nonsense: list[str]) -> None:
    try:
        code = main(["audit", "list", *nonsense])
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == Exit.USAGE
    assert capsys.readouterr().out == ""


def test_times() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert moment("2h", now) == now.timestamp() - 7200
    assert moment("2026-11-21", now) == now.timestamp() - 12 * 3600
    with pytest.raises(UsageError, match="24h"):
        moment("1x", now)


def test_a_whole_journal_is_said_to_be_with_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--format", "json"]) == Exit.DONE
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == []
    assert document["records"] == 5
    assert len(document["head"]) == 64
    assert main(["audit", "verify"]) == Exit.DONE
    assert document["head"] in capsys.readouterr().out


def test_a_changed_journal_is_told_with_the_record(capsys: pytest.CaptureFixture[str], state: Path) -> None:
    with sqlite3.connect(state / "journal.sqlite") as connection:
        connection.execute("drop trigger record_is_never_updated")
        connection.execute("update record set body = replace(body, 'alice', 'mallory') where seq = 1")
    connection.close()
    assert main(["audit", "verify", "--format", "json"]) == Exit.FAILED
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["code"], problem["line"]) == ("edited", 1)
    assert main(["audit", "verify"]) == Exit.FAILED
    assert "journal.sqlite:1:0: error: record 1 is not what was written" in capsys.readouterr().out


def test_a_broken_configuration_does_not_hide_the_journal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("version: [")
    assert main(["audit", "list", "--format", "json", "--config", str(tmp_path / "broken.yaml")]) == Exit.DONE
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 3
    assert "broken.yaml:2:1: error" in captured.err


def test_a_journal_that_cannot_be_read_is_a_failure(capsys: pytest.CaptureFixture[str], state: Path) -> None:
    for suffix in ("-wal", "-shm"):
        (state / f"journal.sqlite{suffix}").unlink(missing_ok=True)
    (state / "journal.sqlite").write_bytes(b"nonsense" * 1000)
    assert main(["audit", "list"]) == Exit.FAILED
    assert "is not a journal" in capsys.readouterr().err
    assert main(["audit", "verify"]) == Exit.FAILED


def test_before_the_first_record(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "fresh"))
    assert listed(capsys) == []
    assert main(["audit", "verify"]) == Exit.DONE
