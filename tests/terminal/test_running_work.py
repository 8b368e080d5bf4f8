"""The console goes while a step runs: the step ends by itself, and the journal knows how; nothing is left unknown
that could be known, and nothing is claimed that is not."""

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
from tests.terminal.supervisors import ended_supervisors, supervisor_of, wait_until

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
WORK = "echo $$ > pid; sleep 300 & echo at $((40 + 2)); while test ! -e go; do sleep 0.05; done; kill $!"
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
    made = site_with(tmp_path, BOOK % WORK)
    with ended_supervisors(made.state):
        yield made


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


def finish(site: Site) -> None:
    """Let the step come to its end, and wait until that is recorded."""
    (site.folder / "runbooks" / "go").touch()
    wait_until(lambda: ("result", "slow", "ok") in events(site))


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM, None], ids=["hup", "term", "line"])
def test_the_console_is_gone_at_once_and_the_step_ends_and_is_recorded(site: Site, how: signal.Signals | None) -> None:
    with site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        leave(terminal, how)
        assert how is None or terminal.modes_left_on() == []
    assert in_group(group)
    (run,) = site.ask("runbook", "runs")
    assert (run["runbook"], run["state"], run["step"]) == ("slow", "running", "slow")
    finish(site)
    wait_until(lambda: not in_group(group))
    assert told(site) == [("quick", "ok"), ("slow", "ok")]
    (run,) = site.ask("runbook", "runs")
    assert run["state"] in ("waiting", "left")  # for its operator: the last step is a person's
    summary = list_runs(site.state / "runs")[0]
    assert read_journal(summary.path).problems == ()
    (output,) = (summary.path / "steps").glob("*slow*.out")
    assert output.read_text() == "at 42\n"


def test_a_console_that_was_killed_changes_nothing_for_the_step(site: Site) -> None:
    with site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        terminal.signal(signal.SIGKILL)
        assert terminal.wait_exit(GONE_WITHIN) == 128 + signal.SIGKILL
    assert in_group(group)
    finish(site)
    assert told(site) == [("quick", "ok"), ("slow", "ok")]


def test_where_everything_was_killed_the_end_is_unknown_and_stays_so(site: Site) -> None:
    with site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        carrier = supervisor_of(list_runs(site.state / "runs")[0].path)
        assert carrier is not None
        os.kill(carrier, signal.SIGSTOP)  # so that it cannot see the console go before it goes itself
        terminal.signal(signal.SIGKILL)
        os.kill(carrier, signal.SIGKILL)
        terminal.wait_exit(GONE_WITHIN)
    wait_until(lambda: not in_group(group))  # what nobody could record does not go on unseen
    assert told(site) == [("quick", "ok"), ("slow", "unknown")]
    assert events(site)[-1] == ("intent", "slow", "")
    wait_until(lambda: [run["state"] for run in site.ask("runbook", "runs")] == ["unknown"])
    # Nobody takes it for done, and nothing runs it again by itself.
    with site.console() as terminal:
        terminal.wait_for("Alpha")
        terminal.settle(0.5, 2.0)
    assert told(site) == [("quick", "ok"), ("slow", "unknown")]


def test_stopping_a_step_ends_all_of_it_and_is_recorded(site: Site) -> None:
    with site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        assert len(in_group(group)) >= 2
        terminal.press("c")
        terminal.wait_for("Stop the running step")
        terminal.press("y", "enter")
        terminal.wait_for("cancelled")
        wait_until(lambda: not in_group(group))
        assert told(site) == [("quick", "ok"), ("slow", "cancelled")]


def test_a_statement_is_called_off_on_the_server(tmp_path: Path) -> None:
    with start_postgres() as server:
        site = site_with(tmp_path, SQL_BOOK, databases={"app": server.dsn()})
        with ended_supervisors(site.state), site.console() as terminal:
            terminal.wait_for("Alpha")
            terminal.press(":rb slow", "enter")
            terminal.wait_for("pg_sleep")
            terminal.press("enter")
            wait_for_sessions(server, 1)
            terminal.press("c")
            terminal.wait_for("Stop the running step")
            terminal.press("y", "enter")
            terminal.wait_for("cancelled")
            wait_for_sessions(server, 0)
            assert told(site) == [("slow", "cancelled")]


def wait_for_sessions(server: PostgresServer, count: int, timeout: float = 30.0) -> None:
    """Until so many sessions run the slow statement."""
    asked = (
        "select count(*) from pg_stat_activity where state = 'active'"
        " and query like '%the-slow-one%' and pid <> pg_backend_pid()"
    )
    end = time.monotonic() + timeout
    while (found := server.psql(asked)) != str(count):
        assert time.monotonic() < end, f"{found} sessions instead of {count}"
        time.sleep(0.05)
