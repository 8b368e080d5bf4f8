"""An error that nobody expected: a short message and a log, without values or secrets, and the terminal given back."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.terminal import Terminal
from tests.faults import FaultServer
from tests.terminal.hostile import assert_inert
from tests.terminal.site import Site
from tests.terminal.supervisors import ended_supervisors
from tests.terminal.test_running_work import BOOK, WORK, finish, group_of, in_group, start_slow_step, told

TOKEN = "tok-4f7a-known-to-the-console"
LOCAL = "hunter2-in-a-local-variable"
BREAKAGE = """\
import os
import opsconsole.ui.{module} as module

whole = module.{owner}.{method}

def {method}(self, *given, **more):
    password = {local!r}
    secrets = [password, os.environ["TOKEN"]]
    if os.path.exists({marker!r}):
        raise RuntimeError(f"broken\\x1b]0;pwned\\x07 with {word} of {{len(secrets)}} [red]")
    return whole(self, *given, **more)

module.{owner}.{method} = {method}
"""
SAID = re.compile(r"opsconsole has ended after an unexpected error: RuntimeError: broken.*of 2 \[red\]")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A console that knows a secret, and can be broken at any moment by `break_`."""
    with FaultServer() as server:
        made = Site(tmp_path, {"url": server.url, "bearer_token": {"env": "TOKEN"}}, env={"TOKEN": TOKEN})
        pane = {"id": "up", "title": "Alpha", "kind": "status", "query": "up", "legend": "{{job}}"}
        made.screen("one", [{**pane, "thresholds": [{"below": 1, "state": "CRIT"}]}])
        made.write("runbooks/slow.md", BOOK % WORK)
        yield made


def breakable(site: Site, module: str, owner: str, method: str, word: str = "{os.environ['TOKEN']}") -> None:
    """From the next start on `owner.method` raises as soon as there is a file `broken`. The message holds `word`:
    a secret that the console knows, once it has asked a source with it."""
    folder = site.folder / "breakage"
    folder.mkdir()
    marker = str(site.folder / "broken")
    text = BREAKAGE.format(module=module, owner=owner, method=method, local=LOCAL, marker=marker, word=word)
    (folder / "sitecustomize.py").write_text(text)
    before = os.environ.get("PYTHONPATH", "")
    site.env["PYTHONPATH"] = f"{folder}{os.pathsep}{before}" if before else str(folder)


def break_(site: Site) -> None:
    (site.folder / "broken").touch()


def log_of(site: Site) -> str:
    """The one log there is."""
    (log,) = (site.state / "logs").glob("crash-*.log")
    assert log.stat().st_mode & 0o077 == 0
    text = log.read_text()
    assert LOCAL not in text
    assert TOKEN not in text
    return text


def assert_decent_end(terminal: Terminal, site: Site, place: str) -> None:
    """A message and a log, neither of them with values; the terminal as it was."""
    assert terminal.wait_exit(5.0) == 1
    assert terminal.modes_left_on() == []
    after = bytes(terminal.raw).rpartition(b"\x1b[?1049l")[2]
    said = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", after.decode()).strip()
    lines = [line for line in re.sub(r"\s+", " ", said).split("The details are in ") if line]
    assert SAID.search(lines[0])
    assert str(site.state / "logs") in lines[1]
    assert len(said) < 500, said
    for written in (terminal.raw, terminal.text().encode()):
        assert LOCAL.encode() not in written
        assert TOKEN.encode() not in written
        assert b"Traceback" not in written
    assert_inert(terminal.raw)
    assert f"in {place}" in log_of(site)


@pytest.mark.parametrize(
    ("module", "owner", "method"),
    [
        ("console", "Console", "tick"),
        ("console", "Console", "on_key"),
        ("widgets.canvas", "Canvas", "render_line"),
        ("app", "OpsConsole", "_tick"),
    ],
)
def test_a_crash_says_little_and_gives_the_terminal_back(site: Site, module: str, owner: str, method: str) -> None:
    breakable(site, module, owner, method)
    with site.console() as terminal:
        terminal.wait_for("Alpha +1 OK")
        break_(site)
        terminal.press("?")
        assert_decent_end(terminal, site, method)


def test_a_crash_before_the_first_paint(site: Site) -> None:
    breakable(site, "console", "Console", "compose", word="nothing")
    break_(site)
    with site.console() as terminal:
        assert_decent_end(terminal, site, "compose")


def test_a_key_that_fails_takes_nothing_else_with_it(site: Site) -> None:
    breakable(site, "screens.dashboard", "DashboardView", "do_zoom")
    with site.console() as terminal:
        terminal.wait_for("Alpha +1 OK")
        break_(site)
        terminal.press("z")
        terminal.wait_for(r"failed unexpectedly, RuntimeError: broken")
        assert TOKEN not in terminal.text()
        terminal.press("?")
        terminal.wait_for("Keys: One")
        assert_inert(terminal.raw)
        assert "in do_zoom" in log_of(site)


def test_an_error_beside_everything_is_told_and_lived_with(site: Site) -> None:
    breakable(site, "feed", "ScreenFeed", "_changed")
    with site.console() as terminal:
        terminal.wait_for("Alpha +1 OK")
        break_(site)
        terminal.wait_for(r"failed unexpectedly, RuntimeError: broken", 10)
        terminal.press("?")
        terminal.wait_for("Keys: One")
        assert TOKEN.encode() not in terminal.raw
        assert_inert(terminal.raw)


def test_a_pane_that_cannot_be_drawn_is_an_error_pane(site: Site) -> None:
    breakable(site, "widgets.pane", "PaneView", "paint")
    with site.console() as terminal:
        terminal.wait_for("Alpha +1 OK")
        break_(site)
        terminal.wait_for(r"Alpha +! ERROR\n.*cannot be drawn: RuntimeError: broken", 15)
        assert_inert(terminal.raw)
        assert LOCAL not in terminal.text()
        (site.folder / "broken").unlink()
        terminal.wait_for("Alpha +1 OK", 15)


def test_a_crash_does_not_touch_the_step_that_runs(site: Site) -> None:
    breakable(site, "console", "Console", "tick")
    with ended_supervisors(site.state), site.console() as terminal:
        start_slow_step(terminal)
        group = group_of(site)
        break_(site)
        assert_decent_end(terminal, site, "tick")
        assert in_group(group)
        finish(site)
        assert told(site) == [("quick", "ok"), ("slow", "ok")]


def test_content_that_becomes_garbage_while_it_runs(site: Site) -> None:
    with site.console() as terminal:
        terminal.wait_for("Alpha +1 OK")
        (site.folder / "screens" / "one.yaml").write_bytes(b"\xff\x00\x1b]0;pwned\x07\x80: [")
        (site.folder / "runbooks" / "slow.md").write_bytes(b'---\n\xff\x00\x9b2J: [\n---\n```sh {"name":\n')
        (site.folder / "runbooks" / "folder.md").mkdir()
        (site.folder / "opsconsole.yaml").write_bytes(b"\x00")
        terminal.press("9")
        terminal.wait_for("RUNBOOKS")
        terminal.settle(0.3, 2.0)
        terminal.press(":rb slow", "enter")
        terminal.settle(0.3, 2.0)
        terminal.press("\x1b[27u", "\x1b[27u", "1")
        terminal.wait_for("Alpha +1 OK")
        assert_inert(terminal.raw)
        assert not list(site.state.glob("logs/*")), [path.read_text() for path in site.state.glob("logs/*")]
