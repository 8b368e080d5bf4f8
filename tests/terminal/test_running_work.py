"""The console goes while a step runs: the step is ended and recorded, and nothing is left that nobody knows of."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bench.terminal import Terminal, descendants
from opsconsole.runbooks.history import list_runs, read_journal
from tests.servers import PostgresServer, start_postgres
from tests.terminal.site import Site

GONE_WITHIN = 2.0
BOOK = """\
---
runbook: 1
id: slow
title: Slow work
---
```sh {"name":"quick","risk":"read","timeout":"20s"}
echo quick
```
```sh {"name":"slow","risk":"write","confirm":"none","timeout":"2m"}
%s
```
- [ ] Tell them
"""
WILLING = "echo $$ > pid; sleep 300 & sleep 300 & echo at $((40 + 2)); wait"
STUBBORN = "trap '' TERM HUP INT; echo $$ > pid; (trap '' TERM; sleep 300) & echo at $((40 + 2)); sleep 300; sleep 300"
SQL_BOOK = """\
---
runbook: 1
id: slow
title: Slow work
---
```sql {"name":"slow","risk":"read","timeout":"2m"}
select pg_sleep(300), 'the-slow-one'
```
"""


def site_with(folder: Path, book: str, **more: Any) -> Site:
    site = Site(folder, **more)
    site.screen("one", [{"id": "a", "title": "Alpha", "kind": "text", "text": "words"}])
    site.write("runbooks/slow.md", book)
    return site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Where a step runs; what is left of it after the test is ended."""
    made = site_with(tmp_path, BOOK % WILLING)
    yield made
    if (tmp_path / "runbooks" / "pid").exists():
        with suppress(ProcessLookupError):
            os.killpg(group_of(made), signal.SIGKILL)


def group_of(site: Site) -> int:
    return int((site.folder / "runbooks" / "pid").read_text())


def in_group(group: int) -> list[int]:
    found = []
    for pid in descendants(1):
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == group and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(pid)
    return found


def start_slow_step(terminal: Terminal) -> None:
    terminal.wait_for("Alpha")
    terminal.press(":rb slow", "enter")
    terminal.wait_for(r"1\.1  quick|1  quick|quick")
    terminal.press("enter")
    terminal.wait_for(r"OUTPUT of quick|quick\n")
    terminal.wait_for(r"^ .*slow +(WRITE|READ)|│ \S+  slow")
    terminal.press("enter")
    terminal.wait_for(r"^.*\bat 42$")


def leave(terminal: Terminal, how: signal.Signals | None) -> float:
    """Go, in the way named (None: the terminal is closed); seconds until the program was gone."""
    begin = time.monotonic()
    if how is None:
        terminal.hang_up()
    else:
        terminal.signal(how)
    code = terminal.wait_exit(GONE_WITHIN)
    assert code == 128 + (how or signal.SIGHUP)
    return time.monotonic() - begin


def told(site: Site) -> list[tuple[str, str]]:
    """(what was attempted, how it ended) in the journal, oldest first."""
    entries = sorted(site.ask("audit", "list"), key=lambda entry: entry["at"])
    return [(entry["target"].rpartition("/")[2], entry["outcome"]) for entry in entries if entry["run"]]


def events(site: Site) -> list[tuple[str, str, str]]:
    (run,) = list_runs(site.state / "runs")
    journal = read_journal(run.path)
    return [(str(one["ev"]), str(one.get("step", "")), str(one.get("state", ""))) for one in journal.records]


@pytest.mark.parametrize("script", [WILLING, STUBBORN], ids=["willing", "stubborn"])
@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM, None], ids=["hup", "term", "line"])
def test_the_step_is_ended_and_recorded(site: Site, how: signal.Signals | None, script: str) -> None:
    site.write("runbooks/slow.md", BOOK % script)
    with site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        assert len(in_group(group)) >= 2
        leave(terminal, how)
        assert in_group(group) == []
        if how is not None:
            assert terminal.modes_left_on() == []
    assert told(site) == [("quick", "ok"), ("slow", "cancelled")]
    assert events(site)[-3:] == [("intent", "slow", ""), ("result", "slow", "cancelled"), ("leave", "", "left")]
    (run,) = site.ask("runbook", "runs")
    assert (run["runbook"], run["state"]) == ("slow", "left")
    (output,) = (list_runs(site.state / "runs")[0].path / "steps").glob("*slow*.out")
    assert output.read_text() == "at 42\n"


def test_quitting_asks_first_and_then_does_the_same(site: Site) -> None:
    with site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        terminal.press("1")
        terminal.wait_for("Alpha")
        terminal.press("q")
        terminal.wait_for("is running. It is stopped and recorded as cancelled. Leave")
        terminal.press("n", "enter")
        terminal.wait_gone("recorded as cancelled")
        assert in_group(group)
        terminal.press("q")
        terminal.wait_for("recorded as cancelled")
        terminal.press("y", "enter")
        assert terminal.wait_exit(GONE_WITHIN) == 0
        assert in_group(group) == []
    assert told(site) == [("quick", "ok"), ("slow", "cancelled")]


def test_a_console_that_was_killed_leaves_an_unknown(site: Site) -> None:
    with site.console() as terminal:
        start_slow_step(terminal)
        terminal.signal(signal.SIGKILL)
        assert terminal.wait_exit(GONE_WITHIN) == 128 + signal.SIGKILL
    assert told(site) == [("quick", "ok"), ("slow", "unknown")]
    assert events(site)[-1] == ("intent", "slow", "")
    (run,) = site.ask("runbook", "runs")
    assert run["state"] == "unknown"
    # Nobody takes it for done, and nothing runs it again by itself.
    with site.console() as terminal:
        terminal.wait_for("Alpha")
        terminal.settle(0.5, 2.0)
    assert told(site) == [("quick", "ok"), ("slow", "unknown")]


def test_a_statement_is_called_off_on_the_server(tmp_path: Path) -> None:
    with start_postgres() as server:
        site = site_with(tmp_path, SQL_BOOK, databases={"app": server.dsn()})
        with site.console() as terminal:
            terminal.wait_for("Alpha")
            terminal.press(":rb slow", "enter")
            terminal.wait_for("pg_sleep")
            terminal.press("enter")
            wait_for_sessions(server, 1)
            leave(terminal, signal.SIGTERM)
        wait_for_sessions(server, 0)
        assert told(site) == [("slow", "cancelled")]


def wait_for_sessions(server: PostgresServer, count: int, timeout: float = 5.0) -> None:
    """Until so many sessions run the slow statement."""
    asked = (
        "select count(*) from pg_stat_activity where state = 'active'"
        " and query like '%the-slow-one%' and pid <> pg_backend_pid()"
    )
    end = time.monotonic() + timeout
    while (found := server.psql(asked)) != str(count):
        assert time.monotonic() < end, f"{found} sessions instead of {count}"
        time.sleep(0.05)
