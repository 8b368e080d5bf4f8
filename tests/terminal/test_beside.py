"""Steps that are handed the terminal, on the command line and in the console; and steps that go on beside the walk."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.core.exit_codes import Exit
from opsconsole.runbooks.history import list_runs, read_journal
from tests.terminal.site import Site
from tests.terminal.supervisors import ended_supervisors, supervisor_of, wait_until

BOOK = """\
---
runbook: 1
id: fix
title: Fix it
---
```sh {"name":"talk","risk":"read","timeout":"1m","interactive":"true"}
printf '\\033[?1049h\\033[31mname? '; stty size; read -r name
printf '\\033[?1049l'; echo "hello $name"
```
```sh {"name":"stay","risk":"read","timeout":"1m","interactive":"true"}
trap '' INT TSTP; echo $$ > PLACE/pid; echo "stay""ing"; while :; do read -r x || true; done
```
"""
SERVING = """\
---
runbook: 1
id: fix
title: Fix it
---
```sh {"name":"serve","risk":"read","timeout":"20s","background":"true","lock":"serving"}
echo $$ > PLACE/pid; echo serving; exec sleep 600
```
```sh {"name":"after","risk":"read","timeout":"20s"}
echo after
```
- [ ] Look
"""
PROMPT = r"! abort > *$"


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(tmp_path)
    made.write("runbooks/fix.md", getattr(request, "param", BOOK).replace("PLACE", str(tmp_path)))
    with ended_supervisors(made.state):
        yield made


def result_of(site: Site, step: str) -> dict[str, object]:
    (run,) = list_runs(site.state / "runs")
    return next(
        (dict(one) for one in read_journal(run.path).records if one["ev"] == "result" and one["step"] == step), {}
    )


def is_there(site: Site) -> bool:
    """Whether the process whose number is in the file `pid` lives."""
    try:
        status = Path(f"/proc/{(site.folder / 'pid').read_text().strip()}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def test_the_command_line_hands_its_terminal_over_and_has_it_back(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=100, lines=30) as terminal:
        terminal.wait_for(r"INTERACTIVE(.|\n)*" + PROMPT)
        terminal.press("enter")
        terminal.wait_for(r"name\? 30 100")
        terminal.press("ada", "enter")
        terminal.wait_for(r"hello ada(.|\n)*-- talk ok in(.|\n)*== 1.2(.|\n)*" + PROMPT)
        output = next((list_runs(site.state / "runs")[0].path / "steps").glob("*talk.out")).read_bytes()
        assert re.search(rb"\x1b\[31mname\? 30 100\r\nada\r\n\x1b\[\?1049lhello ada\r\n", output)
        terminal.press("enter")
        terminal.wait_for("staying")
        terminal.press("\x03", "\x1a")  # both are for the program, which does not care
        terminal.press("\x1d")
        terminal.wait_for(r"stay cancelled(.|\n)*" + PROMPT)
        assert result_of(site, "stay")["state"] == "cancelled"
        terminal.press("q", "enter")  # typed as a line, and echoed: the terminal is as it was
        assert terminal.wait_exit() == Exit.DECLINED


def test_a_line_that_drops_ends_what_talked_to_it(site: Site) -> None:
    with site.console("runbook", "run", "fix", "--only", "stay") as terminal:
        terminal.wait_for(PROMPT)
        terminal.press("enter")
        terminal.wait_for("staying")
        terminal.hang_up()
        terminal.wait_exit(5)
    wait_until(lambda: result_of(site, "stay").get("state") == "cancelled", 15)
    assert not is_there(site)


def test_the_console_steps_aside_and_paints_itself_again(site: Site) -> None:
    site.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "prometheus", "query": "up"}])
    with site.console(columns=100, lines=30) as terminal:
        terminal.wait_for("9 Runbooks")
        terminal.press("9")
        terminal.wait_for("Fix it")
        terminal.press("enter")
        terminal.wait_for(r"enter run")
        terminal.settle()
        terminal.press("enter")
        terminal.wait_for(r"handed over(.|\n)*name\? 30 100|name\? 30 100")
        terminal.press("ada", "enter")
        terminal.wait_for(r"● 1\.1 talk(.|\n)*OUTPUT of talk(.|\n)*hello ada")  # what was typed before that is dropped
        assert result_of(site, "talk").get("rc") == 0
        terminal.press("?")  # keys work as before
        terminal.wait_for("Skip the step")


@pytest.mark.parametrize("site", [SERVING], indirect=True)
def test_what_is_in_the_background_ends_with_the_run(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        for step in ("serve", "after"):
            terminal.wait_for(PROMPT)
            terminal.press("enter")
            terminal.wait_for(f"{step} ok in")
        assert is_there(site)
        terminal.wait_for(r"\[Enter\] done(.|\n)*" + PROMPT)
        terminal.press("q", "enter")
        assert terminal.wait_exit() == Exit.DECLINED
        terminal.wait_for("-- serve, in the background, ended")
    assert not is_there(site)


@pytest.mark.parametrize("site", [SERVING], indirect=True)
def test_what_is_in_the_background_does_not_outlive_a_killed_supervisor(site: Site) -> None:
    import os
    import signal

    with site.console("runbook", "run", "fix", columns=150) as terminal:
        terminal.wait_for(PROMPT)
        terminal.press("enter")
        terminal.wait_for("serve ok in")
        (run,) = list_runs(site.state / "runs")
        supervisor = supervisor_of(run.path)
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
        assert terminal.wait_exit(10) == Exit.UNKNOWN
    wait_until(lambda: not is_there(site))
    with site.console("runbook", "resume", columns=150) as terminal:
        terminal.wait_for(r"== 1.2(.|\n)*" + PROMPT)
        assert [one["detail"] for one in read_journal(run.path).records if one["ev"] == "background-ended"] == [
            "ended with the process that carried the run"
        ]
        terminal.press("j serve", "enter")
        terminal.wait_for(r"r retry(.|\n)*" + PROMPT)
        terminal.press("r", "enter")  # its lock is free again
        terminal.wait_for("serve ok in")


def test_without_an_operator_an_interactive_step_keeps_the_run_from_beginning(site: Site) -> None:
    with site.console("runbook", "run", "fix", "--auto") as terminal:
        assert terminal.wait_exit() == Exit.USAGE
        terminal.wait_for(r"talk: for a person at a terminal \(talk\)")
    assert not (site.state / "runs").exists() or not list_runs(site.state / "runs")
