"""A run outlives its terminal, its console and its connection; and what is not known of it is never guessed."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from bench.terminal import Terminal
from opsconsole.core.exit_codes import Exit
from opsconsole.runbooks.history import RunSummary, list_runs, read_journal
from tests.terminal.site import CONSOLE, Site
from tests.terminal.supervisors import ended_supervisors, supervisor_of, wait_until

BOOK = """\
---
runbook: 1
id: fix
title: Fix it
lock: "fix"
---
## Look
```sh {"name":"look","risk":"read","timeout":"20s"}
echo "looked" >> PLACE/done
```
## Repair
```sh {"name":"repair","risk":"write","confirm":"none","timeout":"1m","excludeFromRunAll":true}
echo repairing; echo $$ > PLACE/pid; sleep 600 & echo $! > PLACE/child
while test ! -e PLACE/go; do sleep 0.05; done
kill $(cat PLACE/child); echo "repaired" | tee -a PLACE/done
```
```sh {"name":"after","risk":"read","timeout":"20s"}
echo "after" >> PLACE/done
```
"""
PROMPT = r"! abort > *$"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.write("runbooks/fix.md", BOOK.replace("PLACE", str(tmp_path)))
    with ended_supervisors(made.state):
        yield made


def run_of(site: Site) -> RunSummary:
    (run,) = list_runs(site.state / "runs")
    return run


def events(site: Site) -> list[tuple[str, str, str]]:
    records = read_journal(run_of(site).path).records
    return [(str(one["ev"]), str(one.get("step", "")), str(one.get("state", ""))) for one in records]


def done(site: Site) -> list[str]:
    path = site.folder / "done"
    return path.read_text().split() if path.exists() else []


def is_there(site: Site, name: str) -> bool:
    """Whether the process whose number is in the file `name` lives."""
    try:
        state = Path(f"/proc/{(site.folder / name).read_text().strip()}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def into_the_repair(terminal: Terminal) -> None:
    """From the start of the guided run to the middle of its second step."""
    terminal.wait_for(PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"look ok in(.|\n)*" + PROMPT)
    terminal.press("enter")
    terminal.wait_for(r"^repairing$")


def hung_up(terminal: Terminal) -> None:
    terminal.hang_up()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL, None])
def test_the_step_ends_and_is_recorded_without_its_front_and_one_comes_back(
    site: Site, number: signal.Signals | None
) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        terminal.signal(number) if number else terminal.hang_up()
        terminal.wait_exit(5)
    assert is_there(site, "pid")
    assert run_of(site).state == "running"
    (site.folder / "go").touch()
    wait_until(lambda: ("result", "repair", "ok") in events(site))
    assert done(site) == ["looked", "repaired"]  # and the next one was not begun
    wait_until(lambda: run_of(site).driver == "")
    assert (run_of(site).state, run_of(site).live) == ("waiting", True)
    with site.console("runbook", "attach", columns=150) as terminal:
        terminal.wait_for(r"you drive")
        terminal.wait_for(r"== 2.2(.|\n)*" + PROMPT)
        terminal.press("enter")
        assert terminal.wait_exit() == 0
    assert done(site) == ["looked", "repaired", "after"]
    assert run_of(site).state == "ok"


def test_one_attaches_in_the_middle_of_a_step_and_sees_it_live(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        terminal.signal(signal.SIGKILL)
        terminal.wait_exit()
    wait_until(lambda: run_of(site).driver == "")
    with site.console("runbook", "attach", columns=150) as terminal:
        terminal.wait_for(r"2.1 .*is running")
        terminal.wait_for(r"^repairing$")
        (site.folder / "go").touch()
        terminal.wait_for(r"^repaired$(.|\n)*== 2.2(.|\n)*" + PROMPT)


def test_ctrl_c_leaves_a_run_that_one_attached_to_alone(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        with site.console("runbook", "attach", run_of(site).id[-6:], columns=150) as other:
            other.wait_for(r"drives, you watch")
            other.press("\x03")
            assert other.wait_exit() == 0
        assert is_there(site, "pid")
        (site.folder / "go").touch()
        terminal.wait_for(r"repair ok in")


def test_a_supervisor_that_is_killed_takes_its_step_along_and_nobody_claims_to_know(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        (script,) = (run_of(site).path / "work").glob("*/script")  # and nowhere else
        assert script.stat().st_mode & 0o777 == 0o600
        pid = supervisor_of(run_of(site).path)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert terminal.wait_exit() == Exit.UNKNOWN
        terminal.wait_for(r"opsconsole runbook resume") if terminal.fd >= 0 else None
    wait_until(lambda: not is_there(site, "pid") and not is_there(site, "child"))
    assert (run_of(site).state, run_of(site).step, run_of(site).live) == ("unknown", "repair", False)
    assert done(site) == ["looked"]
    (site.folder / "go").touch()
    with site.console("runbook", "resume", columns=150) as terminal:
        terminal.wait_for(r"run it again(.|\n)*" + PROMPT)  # it asks, and has not run what is done
        assert not script.exists()
        assert done(site) == ["looked"]
        terminal.press("r", "enter")
        terminal.wait_for(r"repair ok in(.|\n)*== 2.2(.|\n)*" + PROMPT)
        terminal.press("s not needed", "enter")
        assert terminal.wait_exit() == 0
    assert done(site) == ["looked", "repaired"]
    assert not read_journal(run_of(site).path).problems
    wait_until(lambda: not (run_of(site).path / "work").exists())


def test_what_is_unknown_can_be_marked_as_done(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        os.kill(supervisor_of(run_of(site).path) or 0, signal.SIGKILL)
        terminal.wait_exit()
    with site.console("runbook", "resume", columns=150) as terminal:
        terminal.wait_for(r"m it is done(.|\n)*" + PROMPT)
        terminal.press("m", "enter")
        terminal.wait_for(r"a note, or Enter: *$")
        terminal.press("looked at it", "enter")
        terminal.wait_for(r"== 2.2(.|\n)*" + PROMPT)
        terminal.press("enter")
        assert terminal.wait_exit() == 0
    assert done(site) == ["looked", "after"]


def test_a_supervisor_that_is_asked_to_end_ends_the_step_and_records_it(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        os.kill(supervisor_of(run_of(site).path) or 0, signal.SIGTERM)
        terminal.wait_exit(20)
    assert not is_there(site, "pid")
    assert not is_there(site, "child")
    assert [one for one in events(site) if one[0] in ("result", "leave")][-2:] == [
        ("result", "repair", "cancelled"),
        ("leave", "", "left"),
    ]


def test_without_an_operator_nothing_unknown_is_run_again(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        os.kill(supervisor_of(run_of(site).path) or 0, signal.SIGKILL)
        terminal.wait_exit()
    (site.folder / "go").touch()
    said = subprocess.run(
        [*CONSOLE, "runbook", "resume", "--auto", "--yes"],
        env={**os.environ, **site.environment}, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert said.returncode == Exit.UNKNOWN, said.stderr
    assert done(site) == ["looked"]
    assert run_of(site).state == "unknown"


def test_without_an_operator_it_goes_on_to_its_end_when_the_line_drops(site: Site) -> None:
    with site.console("runbook", "run", "fix", "--auto", "--yes", columns=150) as terminal:
        terminal.wait_for(r"^repairing$")
        terminal.hang_up()
        assert terminal.wait_exit() == 128 + signal.SIGHUP
    (site.folder / "go").touch()
    wait_until(lambda: run_of(site).over)
    assert done(site) == ["looked", "repaired", "after"]
    assert run_of(site).state == "ok"


def test_a_second_operator_watches_and_takes_over(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as first:
        into_the_repair(first)
        with site.console("runbook", "attach", columns=150) as second:
            second.wait_for(r"drives, you watch")
            second.wait_for(r"^repairing$")
            second.press("t", "enter")
            wait_until(lambda: "take-over" in [event for event, _, _ in events(site)])
            (site.folder / "go").touch()
            second.wait_for(r"== 2.2(.|\n)*" + PROMPT)
            first.wait_for(PROMPT)
            first.press("enter")
            first.wait_for(r"you are watching")
            assert done(site) == ["looked", "repaired"]
            second.press("enter")
            assert second.wait_exit() == 0
    assert done(site) == ["looked", "repaired", "after"]


def test_a_run_is_handed_over_with_a_word_and_paused_with_its_lock_kept(site: Site) -> None:
    (site.folder / "go").touch()
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        terminal.wait_for(PROMPT)
        terminal.press("h the disk is slow", "enter")
        terminal.wait_for(r"it goes on without this terminal; to come back: opsconsole runbook attach")
        assert terminal.wait_exit() == Exit.DECLINED
    assert (run_of(site).state, run_of(site).live, run_of(site).driver) == ("waiting", True, "")
    with site.console("runbook", "attach", columns=150) as terminal:
        terminal.wait_for(r"handed over by \S+: the disk is slow(.|\n)*" + PROMPT)
        terminal.press("p", "enter")
        assert terminal.wait_exit() == Exit.DECLINED
    with site.console("runbook", "run", "fix") as terminal:
        terminal.wait_for(r"fix is locked by")
        assert terminal.wait_exit() == Exit.LOCKED
    with site.console("runbook", "attach", columns=150) as terminal:
        terminal.wait_for(PROMPT)
        assert "handed over" not in terminal.text()
        terminal.press("! no more", "enter")
        assert terminal.wait_exit() == Exit.DECLINED
    recorded = [event for event, _, _ in events(site)]
    assert [one for one in recorded if one in ("hand-over", "pause", "end")] == ["hand-over", "pause", "end"]


def test_two_at_once_under_one_lock_key_exactly_one_runs(site: Site) -> None:
    racing = [
        subprocess.Popen(
            [*CONSOLE, "runbook", "run", "fix", "--auto", "--yes"],
            env={**os.environ, **site.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    wait_until(lambda: any(process.poll() is not None for process in racing), 30)
    (site.folder / "go").touch()
    said = [process.communicate(timeout=60)[1] for process in racing]
    codes = sorted(process.returncode for process in racing)
    assert codes == [Exit.DONE, Exit.LOCKED]
    assert re.search(r"fix is locked by actor \S+, run \S+, since", "".join(said))
    assert done(site) == ["looked", "repaired", "after"]


def test_a_lock_is_free_again_when_its_holder_was_killed(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        os.kill(supervisor_of(run_of(site).path) or 0, signal.SIGKILL)
        terminal.wait_exit()
    (site.folder / "go").touch()
    said = subprocess.run(
        [*CONSOLE, "runbook", "run", "fix", "--auto", "--yes"],
        env={**os.environ, **site.environment}, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr


def test_a_step_that_must_not_outlive_the_line_is_ended(site: Site) -> None:
    book = (site.folder / "runbooks" / "fix.md").read_text()
    site.write("runbooks/fix.md", book.replace('"name":"repair"', '"name":"repair","onHangup":"kill"'))
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        into_the_repair(terminal)
        terminal.hang_up()
        terminal.wait_exit()
    wait_until(lambda: ("result", "repair", "cancelled") in events(site), 15)
    assert not is_there(site, "pid")
    assert not is_there(site, "child")


def test_a_run_that_nobody_comes_back_to_is_left_and_can_be_resumed(site: Site) -> None:
    site.env["OPSCONSOLE_IDLE_LIMIT"] = "1s"
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        terminal.wait_for(PROMPT)
        terminal.hang_up()
        terminal.wait_exit()
    wait_until(lambda: run_of(site).state == "left")
    wait_until(lambda: supervisor_of(run_of(site).path) is None)
    with site.console("runbook", "resume", columns=150) as terminal:
        terminal.wait_for(r"== 1.1(.|\n)*" + PROMPT)


def test_a_run_goes_on_with_the_text_that_was_opened_or_not_at_all(site: Site) -> None:
    with site.console("runbook", "run", "fix", columns=150) as terminal:
        terminal.wait_for(PROMPT)
        terminal.press("q", "enter")
        assert terminal.wait_exit() == Exit.DECLINED
    kept = run_of(site).path / "runbook.md"
    kept.write_text(kept.read_text().replace("looked", "broke"))
    with site.console("runbook", "resume", columns=150) as terminal:
        assert terminal.wait_exit() == Exit.USAGE
        assert "is not what was opened" in terminal.text()
    assert done(site) == []


# --- the console ----------------------------------------------------------------------------------------------


def console_in_the_repair(site: Site) -> Terminal:
    terminal = site.console()
    terminal.wait_for("9 Runbooks")
    terminal.press("9")
    terminal.wait_for("Fix it")
    terminal.press("enter")
    terminal.wait_for(r"enter run")
    terminal.press("enter")
    wait_until(lambda: list_runs(site.state / "runs") != [] and ("result", "look", "ok") in events(site))
    terminal.settle()
    terminal.press("enter")
    terminal.wait_for(r"^.*repairing$")
    return terminal


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_the_console_dies_and_another_one_finds_the_run(site: Site, number: signal.Signals) -> None:
    site.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "prometheus", "query": "up"}])
    with console_in_the_repair(site) as terminal:
        terminal.signal(number)
        terminal.wait_exit(2.5)
    assert is_there(site, "pid")
    with site.console() as terminal:
        terminal.wait_for(r"run: Fix it, repair running", 15)  # the header says so, wherever one is
        terminal.press("9")
        terminal.wait_for(r"RUNNING +Fix it.* at repair")
        terminal.press("enter")
        terminal.wait_for(r"repairing")
        (site.folder / "go").touch()
        terminal.wait_for(r"repaired")
        terminal.wait_for(r"2\.2 ")
        terminal.settle()
        terminal.press("enter")
        wait_until(lambda: run_of(site).over)
    assert done(site) == ["looked", "repaired", "after"]


def test_two_consoles_one_drives_and_the_other_takes_over(site: Site) -> None:
    site.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "prometheus", "query": "up"}])
    with console_in_the_repair(site) as first, site.console() as second:
        second.wait_for("9 Runbooks")
        second.press("9")
        second.wait_for(r"RUNNING +Fix it")
        second.press("enter")
        second.wait_for(r"You watch; \S+ drives")
        second.press("t")
        second.wait_for("Take it over")
        second.press("y", "enter")
        first.wait_for(r"You watch; \S+ drives")
        (site.folder / "go").touch()
        second.wait_for(r"repaired")
        second.wait_for(r"2\.2 ")
        second.settle()
        second.press("enter")
        wait_until(lambda: run_of(site).over)
        first.wait_for("The run has ended")
    assert done(site) == ["looked", "repaired", "after"]


def test_the_console_says_when_the_supervisor_is_gone_and_takes_the_run_up_again(site: Site) -> None:
    site.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "prometheus", "query": "up"}])
    with console_in_the_repair(site) as terminal:
        os.kill(supervisor_of(run_of(site).path) or 0, signal.SIGKILL)
        terminal.wait_for("supervisor of this run is gone")
        (site.folder / "go").touch()
        terminal.press("enter")
        wait_until(lambda: "resume" in [event for event, _, _ in events(site)])
        terminal.wait_gone("supervisor of this run is gone")
        terminal.press("enter")
        terminal.wait_for("how this step ended is not known")
        assert done(site) == ["looked"]
        terminal.press("r")
        terminal.wait_for("repaired")


@pytest.mark.parametrize(
    "printing",
    [
        "head -c 100000000 /dev/zero | tr '\\0' x",
        "yes 'a line of output' | head -n 1000000",
        "head -c 50000000 /dev/urandom",
    ],
    ids=["one line of 100 MB", "a million lines", "binary"],
)
def test_a_flood_of_output_fills_no_memory_and_holds_up_no_key(site: Site, printing: str) -> None:
    head = '---\nrunbook: 1\nid: fix\ntitle: Fix it\n---\n```sh {"name":"flood","risk":"read","timeout":"60s"}\n'
    site.write("runbooks/fix.md", f"{head}{printing}\n```\n- [ ] look\n")
    with site.console() as terminal:
        terminal.wait_for("9 Runbooks")
        terminal.press("9")
        terminal.wait_for("Fix it")
        terminal.press("enter")
        terminal.wait_for("enter run")
        terminal.press("enter")
        terminal.wait_until(lambda: bool(list_runs(site.state / "runs")), 10, "a run began")
        latencies, most, supervisor = [], 0.0, None
        while not any(one[:2] == ("result", "flood") for one in events(site)):
            latencies.append(help_opened(terminal))
            supervisor = supervisor or (supervisor_of(run_of(site).path) if list_runs(site.state / "runs") else None)
            most = max([most, *(resident(pid) for pid in (terminal.pid, supervisor) if pid)])
        assert most < 150
        # Beside other tests everything is slower, without any flood, too, and any one key may be; not all of them.
        quiet = median([help_opened(terminal) for _ in range(9)])
        assert min(latencies, default=0.0) < max(0.1, 3 * quiet)
    (output,) = (run_of(site).path / "steps").iterdir()
    (result,) = [one for one in read_journal(run_of(site).path).records if one["ev"] == "result"]
    assert result["state"] == "ok"
    assert output.stat().st_size == result["bytes"] > 15_000_000


def help_opened(terminal: Terminal) -> float:
    """Seconds from the key to the help, which is closed again."""
    begin = time.monotonic()
    terminal.press("?")
    terminal.wait_for("Keys: Fix it")
    took = time.monotonic() - begin
    terminal.press("esc")
    terminal.wait_gone("Keys: Fix it")
    return took


def resident(pid: int) -> float:
    """MiB of memory; 0 where the process is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
