"""Choices, questions, rollback and approval in a guided run on a terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.terminal import Terminal
from opsconsole.runbooks.history import list_runs, read_journal
from tests.terminal.supervisors import ended_supervisors

WRITE = '"risk":"write","timeout":"9s","excludeFromRunAll":"true"'
BOOK = f"""\
---
runbook: 1
id: fix
---
```text {{"name":"way","kind":"choice","options":["retry","fail over"],"set":"WAY"}}
Which way?
```
```text {{"name":"sure"}}
Is the load balancer drained?
```
```sh {{"name":"one",{WRITE},"undo":"un-one"}}
echo "one by $WAY"
```
```sh {{"name":"un-one",{WRITE}}}
echo one is undone
```
```sh {{"name":"two",{WRITE},"confirm":"approve:1"}}
echo two
```
"""
PROMPT = r"! abort > *$"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "opsconsole.yaml").write_text("version: 1\nenvironments:\n  test: {screens: ., runbooks: .}\n")
    with ended_supervisors(tmp_path / "state"):
        yield tmp_path


@pytest.fixture
def terminal(place: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    (place / "fix.md").write_text(getattr(request, "param", BOOK))
    argv = (sys.executable, "-m", "opsconsole.cli.main", "runbook", "run", "fix")
    env = {"OPSCONSOLE_CONFIG": str(place / "opsconsole.yaml"), "OPSCONSOLE_STATE": str(place / "state")}
    with Terminal(argv, env=env, columns=150, lines=60) as opened:
        yield opened


def recorded(place: Path) -> list[tuple[str, str]]:
    (run,) = list_runs(place / "state" / "runs")
    return [(str(one["ev"]), str(one.get("step", ""))) for one in read_journal(run.path).records]


def test_a_choice_a_question_and_a_step_that_wants_approval(place: Path, terminal: Terminal) -> None:
    terminal.wait_for(r"Which way\?(.|\n)*1  retry\n *2  fail over(.|\n)*1 to 2(.|\n)*" + PROMPT)
    terminal.press("3", "enter")
    terminal.wait_for(r"a number from 1 to 2(.|\n)*" + PROMPT)
    terminal.press("2", "enter")
    terminal.wait_for(r"way done: fail over(.|\n)*load balancer drained(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"\[y/N\] *$")
    terminal.press("y", "enter")
    terminal.wait_for(r"sure ok(.|\n)*== (.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"\[y/N\] *$")
    terminal.press("y", "enter")
    terminal.wait_for(r"one by fail over(.|\n)*one ok(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"== 1.5 .*approval by 1 other(.|\n)*\[y/N\] *$")
    terminal.press("y", "enter")
    terminal.wait_for(r"somebody else runs: opsconsole runbook approve \S+ two(.|\n)*" + PROMPT)
    terminal.press("q", "enter")
    assert terminal.wait_exit(10) in (3, 5)
    assert ("approval-requested", "two") in recorded(place)
    assert ("intent", "two") not in recorded(place)


FAILING = BOOK.replace('"confirm":"approve:1"', '"confirm":"yes"').replace("\necho two", "\nfalse")


@pytest.mark.parametrize("terminal", [FAILING], indirect=True)
def test_after_a_failure_what_was_done_is_rolled_back(place: Path, terminal: Terminal) -> None:
    terminal.wait_for(PROMPT)
    terminal.press("retry", "enter")
    terminal.wait_for(r"load balancer drained(.|\n)*" + PROMPT)
    for name in ("sure", "one", "two"):
        terminal.press("enter")
        terminal.wait_for(r"\[y/N\] *$")
        terminal.press("y", "enter")
        terminal.wait_for(rf"-- {name} (ok|failed)(.|\n)*" + PROMPT)
    terminal.wait_for(r"b rolls back: un-one(.|\n)*b roll back(.|\n)*" + PROMPT)
    terminal.press("b", "enter")
    terminal.wait_for(r"undo, the latest first: un-one(.|\n)*\[y/N\] *$")
    terminal.press("y", "enter")
    terminal.wait_for(r"one is undone(.|\n)*un-one ok(.|\n)*rolled back(.|\n)*" + PROMPT)
    terminal.press("! enough", "enter")
    assert terminal.wait_exit(10) == 3
    assert recorded(place)[-4:] == [("rollback", ""), ("intent", "un-one"), ("result", "un-one"), ("end", "")]
