"""The keys with which a run is verified, rolled back and paused."""

from pathlib import Path

from tests.faults import FaultServer
from tests.terminal.seat import Seat, keys_site
from tests.terminal.supervisors import ended_supervisors

CHANGES = """\
---
runbook: 1
id: fix
title: Fix it
lock: fix
---
```sh {"name":"one","risk":"write","timeout":"20s","undo":"un-one","verify":"is-one","excludeFromRunAll":"true"}
touch one
```
```sh {"name":"is-one","risk":"read","timeout":"20s"}
test -e one && echo "one is there"
```
```sh {"name":"un-one","risk":"write","timeout":"20s","excludeFromRunAll":"true"}
rm one
```
```sh {"name":"two","risk":"destructive","confirm":"type:two","timeout":"9s","undo":"un-two","excludeFromRunAll":true}
touch two; false
```
```sh {"name":"un-two","risk":"write","timeout":"20s","excludeFromRunAll":"true"}
rm two
```
"""


def test_verifying_rolling_back_and_pausing_a_run(server: FaultServer, tmp_path: Path) -> None:
    site = keys_site(tmp_path, server.url)
    site.write("runbooks/fix.md", CHANGES)
    with ended_supervisors(site.state), site.console(columns=100, lines=40) as terminal:
        seat = Seat(terminal, site, server)
        seat.sees("Alpha +.*30(.|\n)*job29")
        seat.press("9")
        seat.sees("Fix it")
        seat.press("enter")
        seat.sees("enter run")
        seat.press("enter")
        seat.sees(r"Run this step\?")
        seat.press("y")
        seat.sees(r"● 1\.1 one")
        seat.press("v")
        seat.sees(r"OUTPUT of is-one(.|\n)*^.*│ *one is there")
        seat.press("j")
        seat.sees("go to step")
        seat.press("two", "enter")
        seat.sees(r"touch two")
        seat.press("enter")
        seat.sees("Type +two")
        seat.press("two", "enter")
        seat.sees("exit code 1")
        seat.press("b")
        seat.sees("Roll back, the latest first: un two, un one")
        assert (tmp_path / "runbooks" / "two").exists()
        seat.press("y", "enter")
        seat.sees(r"rm two(.|\n)*Run this step\?")  # beside the exact command, each
        seat.press("y")
        seat.sees(r"rm one(.|\n)*Run this step\?")
        seat.press("x")
        seat.sees("the rollback stopped there")
        assert [(tmp_path / "runbooks" / name).exists() for name in ("one", "two")] == [True, False]
        seat.press("p")
        seat.sees("WAITING|waiting")
        [run] = site.ask("runbook", "runs")
        assert (run["state"], run["live"], run["driver"]) == ("waiting", True, "")
        seat.press("enter")
        seat.sees("Fix it   by|touch two")
