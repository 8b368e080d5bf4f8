"""`opsconsole runbook run` on a terminal: the keys, the confirmation, and what a signal or a lost line leaves."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.terminal import Terminal
from opsconsole.runbooks.history import list_runs, read_journal
from tests.terminal.supervisors import ended_supervisors, wait_until

BOOK = """\
---
runbook: 1
id: fix
title: Fix it
params:
  DB: {required: true, pattern: "[a-z-]+"}
---
## Look
Look before you leap.
```sh {"name":"look","risk":"read","timeout":"20s"}
printf 'looking \\033]52;c;aGk=\\007 at %s\\n' "$DB"
```
## Repair
```sh {"name":"repair","risk":"destructive","confirm":"type:DB","timeout":"1m","verify":"look","excludeFromRunAll":true}
echo $$ > pid; echo repairing; while test -e slow; do sleep 0.05; done
```
- [ ] Tell them
"""
PROMPT = r"! abort > *$"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "opsconsole.yaml").write_text("version: 1\nenvironments:\n  test: {screens: ., runbooks: .}\n")
    (tmp_path / "fix.md").write_text(BOOK)
    with ended_supervisors(tmp_path / "state"):
        yield tmp_path


@pytest.fixture
def terminal(place: Path) -> Iterator[Terminal]:
    argv = (sys.executable, "-m", "opsconsole.cli.main", "runbook", "run", "fix", "--param", "DB=db")
    env = {"OPSCONSOLE_CONFIG": str(place / "opsconsole.yaml"), "OPSCONSOLE_STATE": str(place / "state")}
    with Terminal(argv, env=env, columns=150, lines=60) as opened:
        yield opened


def events(place: Path) -> list[tuple[str, str, str]]:
    (run,) = list_runs(place / "state" / "runs")
    records = read_journal(run.path).records
    return [(str(one["ev"]), str(one.get("step", "")), str(one.get("state", ""))) for one in records]


def test_a_walk_with_every_key(place: Path, terminal: Terminal) -> None:
    terminal.wait_for(r"Look before you leap")
    terminal.wait_for(PROMPT)
    terminal.press("d", "enter")
    terminal.wait_for(r"export DB=db\n(.|\n)*export DB=db\n(.|\n)*" + PROMPT)
    terminal.press("n looks bad", "enter")
    terminal.wait_for(r"n looks bad\n(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"look ok in")
    terminal.wait_for(r"== 2.1 .*DESTRUCTIVE, verified by look")
    terminal.wait_for(PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"type db to run this step:$")
    terminal.press("dbx", "enter")
    terminal.wait_for(r"not run\n(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"not run\n(.|\n)*type db to run this step:$")
    terminal.press("db", "enter")
    terminal.wait_for(r"repair ok in")
    terminal.wait_for(r"\[Enter\] done")
    terminal.press("s", "enter")
    terminal.wait_for(r"why\?$")
    terminal.press("they know", "enter")
    assert terminal.wait_exit(10) == 0
    assert b"\x1b]52" not in terminal.raw  # what a step says is shown, not obeyed
    assert events(place) == [
        ("begin", "", ""),
        ("note", "", ""),
        ("intent", "look", ""),
        ("result", "look", "ok"),
        ("intent", "repair", ""),
        ("intent", "look", ""),
        ("result", "look", "ok"),
        ("result", "repair", "ok"),
        ("skip", "tell-them", "skipped"),
        ("end", "", "warn"),
    ]


@pytest.mark.parametrize(("answer", "state"), [("q", "left"), ("! enough", "aborted")])
def test_leaving_and_aborting(place: Path, terminal: Terminal, answer: str, state: str) -> None:
    terminal.wait_for(PROMPT)
    terminal.press(answer, "enter")
    assert terminal.wait_exit() == 3
    (run,) = list_runs(place / "state" / "runs")
    assert run.state == state


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (None, None)])
def test_a_signal_or_a_lost_line_leaves_the_step_alone_and_it_is_recorded(
    place: Path, terminal: Terminal, how: signal.Signals | None, code: int | None
) -> None:
    (place / "slow").touch()
    terminal.wait_for(PROMPT)
    terminal.press("s no need", "enter")
    terminal.wait_for(r"== 2.1(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"type db to run this step:$")
    terminal.press("db", "enter")
    terminal.wait_for(r"^repairing$")
    if how is None:
        terminal.hang_up()
    else:
        terminal.signal(how)
    assert terminal.wait_exit(15) == (code or 129)
    assert Path(f"/proc/{(place / 'pid').read_text().strip()}").exists()
    (place / "slow").unlink()
    wait_until(lambda: ("result", "repair", "ok") in events(place))
    # The next step is not begun: that is for an operator to say.
    assert {name for event, name, _ in events(place) if event == "intent"} == {"repair", "look"}
    (run,) = list_runs(place / "state" / "runs")
    assert (run.live, run.state, run.driver) == (True, "waiting", "")


def test_interrupting_a_step_comes_back_to_the_question(place: Path, terminal: Terminal) -> None:
    (place / "slow").touch()
    terminal.wait_for(PROMPT)
    terminal.press("s no need", "enter")
    terminal.wait_for(r"== 2.1(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"type db to run this step:$")
    terminal.press("db", "enter")
    terminal.wait_for(r"^repairing$")
    terminal.press("\x03")
    terminal.wait_for(r"repair cancelled(.|\n)*r retry(.|\n)*" + PROMPT, 15)
    (place / "slow").unlink()
    terminal.press("r", "enter")
    terminal.wait_for(r"type db to run this step:$")
    terminal.press("db", "enter")
    terminal.wait_for(r"repair ok in")
    terminal.wait_for(PROMPT)
    terminal.press("\x03")
    assert terminal.wait_exit() == 130
    assert json.loads((list_runs(place / "state" / "runs")[0].path / "run.json").read_text())["mode"] == "guided"
