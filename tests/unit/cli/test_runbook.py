"""`opsconsole runbook`: what it prints, its exit codes, and that a rehearsal leaves no trace."""

import json
import os
from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit
from opsconsole.runbooks.lock import RunLock
from opsconsole.runbooks.starting import Supervision
from tests.unit.cli.carried_here import CarriedHere

Say = pytest.CaptureFixture[str]

CONFIG = """\
version: 1
environments:
  test: {mode: MODE, screens: ., runbooks: ., env: {MARK: MARKER}}
"""
BOOK = """\
---
runbook: 1
id: fix
title: Fix it
owner: ops
alerts: [Broken]
review_by: 2099-01-31
lock: "fix:{NAME}"
params:
  NAME: {required: true, pattern: "[a-z][a-z-]*"}
---
## Look
```sh {"name":"look","risk":"read","timeout":"20s"}
echo "looking at $NAME" | tee -a "$MARK"
```
## Repair
```sh {"name":"repair","risk":"write","confirm":"type:NAME","timeout":"20s","verify":"look","excludeFromRunAll":"true"}
echo "repairing $NAME" >> "$MARK"
```
- [ ] Tell them
"""
READY = ("--auto", "--confirm", "repair=db", "--confirm", "tell-them=done")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with one runbook; the state folder does not exist yet."""
    for name in [name for name in os.environ if name.startswith(("PG", "PROMETHEUS", "OPSCONSOLE"))]:
        monkeypatch.delenv(name)
    config = CONFIG.replace("MARKER", str(tmp_path / "mark")).replace("MODE", "guarded")
    (tmp_path / "opsconsole.yaml").write_text(config)
    (tmp_path / "fix.md").write_text(BOOK)
    monkeypatch.setenv("OPSCONSOLE_CONFIG", str(tmp_path / "opsconsole.yaml"))
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def carried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are carried by this process."""
    monkeypatch.setattr(Supervision, "prepare", CarriedHere.prepare)


def marks(place: Path) -> list[str]:
    mark = place / "mark"
    return mark.read_text().splitlines() if mark.exists() else []


def test_list(place: Path, capsys: Say) -> None:
    assert main(["runbook", "list", "--format", "json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == [
        {
            "id": "fix",
            "title": "Fix it",
            "path": str(place / "fix.md"),
            "owner": "ops",
            "steps": 3,
            "executable": 2,
            "alerts": ["Broken"],
            "review_by": "2099-01-31",
        }
    ]
    assert main(["runbook", "list", "--alert", "Other", "--format", "json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == []


def test_check_says_where(place: Path, capsys: Say) -> None:
    (place / "bad.md").write_text('---\nrunbook: 1\nid: bad\n---\n```sh {"name":"x","risk":"read"}\ntrue\n```\n')
    assert main(["runbook", "check", "--format", "json"]) == Exit.USAGE
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == [str(place / "bad.md"), str(place / "fix.md")]
    (problem,) = [one for one in said["problems"] if one["severity"] == "error"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(place / "bad.md"), 5, 8)
    assert (problem["severity"], problem["code"]) == ("error", "no-timeout")
    assert main(["runbook", "check", "fix"]) == Exit.DONE
    assert main(["runbook", "check", str(place / "fix.md"), str(place / "gone.md")]) == Exit.USAGE


def test_show_and_print(place: Path, capsys: Say) -> None:
    assert main(["runbook", "show", "fix"]) == Exit.DONE
    assert "1.1 look: look  (shell, read, timeout 20s)" in capsys.readouterr().out
    assert main(["runbook", "show", str(place / "fix.md"), "--format", "json"]) == Exit.DONE
    assert [step["name"] for step in json.loads(capsys.readouterr().out)["steps"]] == ["look", "repair", "tell-them"]
    assert main(["runbook", "print", "fix", "--param", "NAME=db"]) == Exit.DONE
    assert f"export MARK={place}/mark\nexport NAME=db\necho " in capsys.readouterr().out


def test_an_unattended_run(place: Path, capsys: Say) -> None:
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *READY, "--format", "json"]) == Exit.DONE
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert said["state"] == "ok"
    assert [(step["name"], step["state"], step["exit_code"]) for step in said["steps"]] == [
        ("look", "ok", 0),
        ("repair", "ok", 0),
        ("tell-them", "done", None),
    ]
    assert said["steps"][0]["output_bytes"] == len("looking at db\n")
    assert "looking at db" in captured.err
    assert marks(place) == ["looking at db", "repairing db", "looking at db"]
    assert main(["runbook", "runs", "--format", "json"]) == Exit.DONE
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["runbook"], listed["state"]) == (said["run"], "fix", "ok")
    assert listed["params"] == {"NAME": "db"}
    assert set(listed) >= {"id", "runbook", "state", "step", "started_at", "ended_at", "actor", "host", "params"}


@pytest.mark.usefixtures("carried_here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--auto",),
        ("--auto", "--confirm", "repair=db"),
        ("--auto", "--confirm", "repair=da", "--confirm", "tell-them=done"),
        ("--auto", "--yes", "--confirm", "tell-them=done"),
        ("--auto", "--confirm", "nope=db"),
        ("--auto", "--confirm", "repair"),
        ("--auto", "--param", "NAME=x"),
        ("--auto", "--param", "OTHER=x"),
        (),
    ],
)
def test_what_would_have_to_ask_does_not_begin(place: Path, capsys: Say, arguments: tuple[str, ...]) -> None:
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *arguments]) == Exit.USAGE
    assert capsys.readouterr().err
    assert not marks(place)
    assert not (place / "state" / "runs").exists()


@pytest.mark.usefixtures("carried_here")
@pytest.mark.parametrize("value", [None, "", "DB", "db; rm -rf /", "--auto"])
def test_a_parameter_that_is_missing_or_wrong(place: Path, capsys: Say, value: str | None) -> None:
    given = [] if value is None else ["--param", f"NAME={value}"]
    assert main(["runbook", "run", "fix", *given, *READY]) == Exit.USAGE
    assert "NAME" in capsys.readouterr().err
    assert not marks(place)


@pytest.mark.parametrize("format_", ["table", "json"])
def test_a_dry_run_leaves_no_trace(place: Path, capsys: Say, format_: str) -> None:
    before = sorted(place.rglob("*"))
    config = (place / "opsconsole.yaml").read_text()
    touching = f'env: {{MARK: {{command: [touch, "{place}/touched"]}}}}'
    (place / "opsconsole.yaml").write_text(config.replace(f"env: {{MARK: {place}/mark}}", touching))
    assert main(["runbook", "run", "fix", "--param", "NAME=db", "--dry-run", "--format", format_]) == Exit.DONE
    said = capsys.readouterr().out
    assert 'echo \\"repairing $NAME\\"' in said or 'echo "repairing $NAME"' in said
    assert sorted(place.rglob("*")) == before
    if format_ == "json":
        document = json.loads(said)
        assert (document["run"], document["state"]) == (None, "dry-run")


@pytest.mark.usefixtures("carried_here")
def test_only_and_from(place: Path, capsys: Say) -> None:
    arguments = ["runbook", "run", "fix", "--param", "NAME=db", "--auto"]
    assert main([*arguments, "--only", "look"]) == Exit.DONE
    assert marks(place) == ["looking at db"]
    assert main([*arguments, "--from", "tell-them", "--confirm", "tell-them=n/a"]) == Exit.DONE
    assert marks(place) == ["looking at db"]


@pytest.mark.usefixtures("carried_here")
def test_a_step_that_fails(place: Path, capsys: Say) -> None:
    (place / "fix.md").write_text(BOOK.replace('echo "looking at', 'false; echo "'))
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *READY]) == Exit.FAILED
    assert not marks(place)


@pytest.mark.usefixtures("carried_here")
def test_a_step_that_times_out(place: Path, capsys: Say) -> None:
    (place / "fix.md").write_text(BOOK.replace('"timeout":"20s"', '"timeout":"200ms"').replace("echo", "sleep 9; echo"))
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *READY]) == Exit.TIMED_OUT


@pytest.mark.usefixtures("carried_here")
def test_what_the_guard_refuses(place: Path, capsys: Say) -> None:
    assert main(["runbook", "run", "fix", "--param", "NAME=db", "--read-only", *READY]) == Exit.GUARDED
    assert marks(place) == ["looking at db"]


@pytest.mark.usefixtures("carried_here")
def test_a_lock_held_by_somebody_else(place: Path, capsys: Say) -> None:
    (place / "state").mkdir(mode=0o700)
    held = RunLock.acquire("fix:db", {"actor": "bob", "run": "r1"}, root=place / "state" / "locks")
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *READY]) == Exit.LOCKED
    assert "fix:db is locked by actor bob, run r1" in capsys.readouterr().err
    held.release()
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *READY]) == Exit.DONE


@pytest.mark.usefixtures("carried_here")
def test_a_runbook_with_errors_does_not_begin(place: Path, capsys: Say) -> None:
    (place / "fix.md").write_text(BOOK.replace(',"timeout":"20s"', "", 1))
    assert main(["runbook", "run", "fix", "--param", "NAME=db", *READY]) == Exit.USAGE
    assert "fix.md:13:8: error: look: no timeout" in capsys.readouterr().err


def test_an_unknown_runbook_has_a_suggestion(place: Path, capsys: Say) -> None:
    assert main(["runbook", "show", "fixx"]) == Exit.USAGE
    assert "did you mean 'fix'" in capsys.readouterr().err
