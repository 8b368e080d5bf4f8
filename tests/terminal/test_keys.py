"""Every key that the hint line and the help name does what it says, at both usual sizes; no single key destroys."""

import base64
import re
import string
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from bench.terminal import KEYS, Terminal
from opsconsole.ui.actions import EVERYWHERE, Place, Registry, key_text
from opsconsole.ui.theme import THEMES
from tests.faults import FaultServer, Request, success
from tests.terminal.site import Site
from tests.terminal.supervisors import ended_supervisors

ESC = "\x1b[27u"
"""Escape as terminals send it that know the keyboard protocol: never taken for the beginning of alt+key."""
SOON = 20.0
JOBS = [f"job{number}" for number in range(30)]
SIZES = [(80, 24), (120, 40)]

FIX = """\
---
runbook: 1
id: fix
title: Fix it
params: {NAME: {default: nobody, from_label: job}}
---
## Look
```sh {"name":"look","risk":"read","timeout":"20s"}
seq 1 200; echo "looking at $NAME"
```
## Change
```sh {"name":"change","risk":"write","timeout":"20s","undo":"restore"}
touch changed
```
```sh {"name":"restore","risk":"write","timeout":"20s"}
rm changed
```
- [ ] Tell them
- [ ] Tell the others
"""


def answer(request: Request) -> tuple[int, str, bytes]:
    """The same numbers at every moment: the number of each job, but to a filter by a variable."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    wanted = re.search(r'job=~"([^"]*)"', form.get("query", ""))
    known = [job for job in JOBS if wanted is None or re.fullmatch(wanted[1], job)]
    if "start" in form:
        start, end, step = (float(form[key]) for key in ("start", "end", "step"))
        points: list[Any] = [[start + turn * step, "1"] for turn in range(int((end - start) / step) + 1)]
        found: list[Any] = [{"metric": {"job": job}, "values": points} for job in known[:3]]
        return 200, "application/json", success({"resultType": "matrix", "result": found})
    now = time.time()
    found = [{"metric": {"job": job}, "value": [now, job.removeprefix("job")]} for job in known]
    return 200, "application/json", success({"resultType": "vector", "result": found})


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(answer=answer) as running:
        yield running


def keys_site(folder: Path, url: str, mode: str = "open") -> Site:
    site = Site(folder, url, mode=mode)
    pane = {"query": 'm{job=~"$job"}', "legend": "{{job}}", "thresholds": [{"above": 1000, "state": "CRIT"}]}
    alpha = {**pane, "id": "alpha", "title": "Alpha", "kind": "bars", "rows": 8, "runbook": "fix"}
    beta = {**pane, "id": "beta", "title": "Beta", "kind": "status", "rows": 8,
            "drill": {"screen": "other", "variables": {"job": "job"}}}  # fmt: skip
    gamma = {**pane, "id": "gamma", "title": "Gamma", "kind": "timeseries", "rows": 12}
    delta = {**pane, "id": "delta", "title": "Delta", "kind": "bars", "rows": 12}
    variables = {"job": {"title": "Job", "query": "label_values(m, job)", "multi": True, "default": "all"}}
    site.screen("main", [alpha, beta, gamma, delta], order=1, variables=variables, refresh="1m")
    site.screen("other", [{**beta, "id": "b2", "title": "Second"}], order=2, variables=variables, refresh="1m")
    site.write("runbooks/fix.md", FIX)
    return site


@dataclass
class Seat:
    """Somebody at the keyboard."""

    terminal: Terminal
    site: Site
    server: FaultServer

    def press(self, *keys: str) -> None:
        self.terminal.press(*(ESC if key == "escape" else KEYS.get(key, key) for key in keys))

    def sees(self, pattern: str) -> None:
        self.terminal.wait_for(pattern, SOON)

    def sees_no(self, pattern: str) -> None:
        self.terminal.wait_gone(pattern, SOON)

    def until(self, look: "Callable[[], object]", wanted: object) -> None:
        self.terminal.wait_until(lambda: look() == wanted, SOON, f"{wanted!r}, now {look()!r}")

    def focused(self) -> str:
        """The title that is underlined below the tabs: of the pane with the focus."""
        lines = range(3, self.terminal.lines)
        cells = [self.terminal.screen.buffer[y][x] for y in lines for x in range(self.terminal.columns)]
        return "".join(cell.data for cell in cells if cell.underscore).strip()

    def selected(self) -> str:
        """The first word of what the cursor is on."""
        for y in range(3, self.terminal.lines):
            row = self.terminal.screen.buffer[y]
            marked = "".join(row[x].data for x in range(self.terminal.columns) if row[x].bg == "2d4f73")
            if found := re.search(r"job\d+", marked):
                return found[0]
        return ""

    def hints(self) -> str:
        return self.terminal.text().rpartition("\n")[2]


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "x".join(map(str, size)))
def seat(
    request: pytest.FixtureRequest, server: FaultServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seat]:
    columns, lines = request.param
    site = keys_site(tmp_path_factory.mktemp("keys"), server.url)
    with ended_supervisors(site.state), site.console(columns=columns, lines=lines) as terminal:
        terminal.wait_for("Alpha +.*30(.|\n)*job29")
        yield Seat(terminal, site, server)


@pytest.fixture
def main(seat: Seat) -> Seat:
    """On the first screen, its first pane in focus, as it was opened."""
    seat.press("escape", "escape", "escape", "1")
    seat.sees("^ Job all")
    seat.terminal.wait_until(lambda: bool(seat.focused()), SOON, "a pane in focus")
    while (here := seat.focused()) != "Alpha":
        known = ("", here)
        seat.press("tab")
        seat.terminal.wait_until(lambda known=known: seat.focused() not in known, SOON, "the next pane in focus")  # type: ignore[misc]
    seat.press("escape")
    seat.until(seat.focused, "Alpha")
    return seat


# --- a screen ----------------------------------------------------------------------------------------------------


def opens(seat: Seat) -> None:
    seat.press("enter")
    seat.sees_no("Beta")
    seat.press("escape")
    seat.sees("Beta")
    seat.press("tab")
    seat.until(seat.focused, "Beta")
    seat.press("down", "down", "enter")
    seat.sees(r"1 Main › Other(.|\n)*^ Job job\d+")
    seat.press("escape")
    seat.sees("^ 1 Main +2 Other")


def runbook(seat: Seat) -> None:
    seat.press("down", "b")
    seat.sees(r"Fix it(.|\n)*NAME = job28")
    seat.press("escape")
    seat.sees("^ 1 Main +2 Other")


def zoom(seat: Seat) -> None:
    seat.press("z")
    seat.sees_no("Beta")
    seat.press("z")
    seat.sees("Alpha(.|\n)*Beta")


def time_range(seat: Seat) -> None:
    seat.press("t")
    seat.sees(r"^ +15m(.|\n)*^ +30d(.|\n)*now last 1h")
    seat.press("6h", "enter")
    seat.sees("last 6h$")
    seat.press("escape")
    seat.sees_no("last 6h$")


def filters(seat: Seat) -> None:
    seat.press("/job17")
    seat.sees(r"^ /job17(.|\n)*")
    seat.sees_no("job29")
    seat.press("enter")
    seat.sees("filter job17$")
    seat.press("escape")
    seat.sees("job29")


def last_error(seat: Seat) -> None:
    seat.press("e")
    seat.sees(r"› Error: Alpha(.|\n)*no error: the latest reading is good(.|\n)*asked of prometheus")
    seat.press("escape")
    seat.sees("^ 1 Main +2 Other")


def panes(seat: Seat) -> None:
    for title in ("Beta", "Gamma", "Delta", "Alpha"):
        seat.press("tab")
        seat.until(seat.focused, title)
    seat.press("shift+tab")
    seat.until(seat.focused, "Delta")
    seat.press("tab")
    seat.until(seat.focused, "Alpha")


def up_and_down(seat: Seat) -> None:
    seat.press("down", "down")
    seat.until(seat.selected, "job27")
    seat.press("up")
    seat.until(seat.selected, "job28")
    seat.press("k")
    seat.until(seat.selected, "job29")


def left_and_right(seat: Seat) -> None:
    for there, back in (("right", "left"), ("l", "h")):
        seat.press(there)
        seat.until(seat.focused, "Beta")
        seat.press(back)
        seat.until(seat.focused, "Alpha")
    seat.press("tab", "tab")
    seat.until(seat.focused, "Gamma")
    seat.press("left", "left")
    seat.sees(r"\d\d:\d\d:\d\d UTC +● ?job|\d\d:\d\d:\d\d UTC.*job0")
    seat.press("escape")


def pages(seat: Seat) -> None:
    seat.press("down", "pagedown")
    seat.until(lambda: seat.selected() not in ("", "job29", "job28"), True)
    first = seat.selected()
    seat.press("space")
    seat.until(lambda: seat.selected() not in ("", first), True)
    seat.press("pageup")
    seat.until(seat.selected, first)
    for end, top in (("end", "home"), ("G", "g")):
        seat.press(end)
        seat.until(seat.selected, "job0")
        seat.press(top)
        seat.until(seat.selected, "job29")


def through_time(seat: Seat) -> None:
    seat.press("[")
    seat.sees(r"\d\d:\d\d to (\d\d-\d\d )?\d\d:\d\d$")
    seat.press("]")
    seat.sees("last 1h$")
    for closer in "+=":
        seat.press(closer)
        seat.sees("last 30m$")
        seat.press("-")
        seat.sees("last 1h$")
    seat.press("escape")
    seat.sees_no("last 1h$")


def refresh(seat: Seat) -> None:
    asked = len(seat.server.requests)
    seat.press("r")
    seat.server.wait_for(lambda server: len(server.requests) > asked, SOON)


def pause(seat: Seat) -> None:
    seat.press("p")
    seat.sees("PAUSED")
    seat.press("p")
    seat.sees_no("PAUSED")


def variable(seat: Seat) -> None:
    seat.press("v")
    seat.sees(r"^ +all(.|\n)*^ +job1\b")
    seat.press("job12", "enter")
    seat.sees(r"^ Job job12")
    seat.sees_no("job29")
    seat.press("v", "all", "enter")
    seat.sees(r"^ Job all(.|\n)*job29")


def no_database(seat: Seat) -> None:
    seat.press("w")
    seat.sees("no database is configured in this environment")


def copy(seat: Seat) -> None:
    seat.press("y")
    seat.sees("characters sent to the terminal's clipboard")
    copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", seat.terminal.raw)
    assert b"Alpha" in base64.b64decode(copied[-1])


def no_run(seat: Seat) -> None:
    seat.press("0")
    seat.sees("no run is going on")


def note(seat: Seat) -> None:
    seat.press("n")
    seat.sees("^ note")
    seat.press("seen by the tests", "enter")
    seat.sees("^ noted")


def command(seat: Seat) -> None:
    seat.press(":")
    seat.sees(r"^ +screen +go to a screen(.|\n)*^ :")
    seat.press("scr")
    seat.sees(r"^ +screen ")
    seat.press("tab", " ot", "tab")
    seat.sees("^ :screen other")
    seat.press("enter")
    seat.sees("Second")
    seat.press(":theem x", "enter")
    seat.sees("no command or screen 'theem'.*theme")
    seat.press("escape", "1")
    seat.sees("Alpha")


def palette(seat: Seat) -> None:
    seat.press("ctrl+p")
    seat.sees("enter do it(.|\n)*^ do")
    seat.press("zoom")
    seat.sees("^ do +zoom")
    seat.press("enter")
    seat.sees_no("Beta")
    seat.press("z")
    seat.sees("Beta")


def help_page(seat: Seat) -> None:
    seat.press("?")
    seat.sees("› Keys: Main")
    seat.press("?")
    seat.sees("^ 1 Main +2 Other")


def back(seat: Seat) -> None:
    seat.press("z")
    seat.sees_no("Beta")
    seat.press("escape")
    seat.sees("Beta")


def screens(seat: Seat) -> None:
    for key, shown in (("2", "Second"), ("9", "RUNBOOKS"), ("1", "Alpha")):
        seat.press(key)
        seat.sees(shown)
    seat.press("7")
    seat.sees("there is no screen 7")


def themes(seat: Seat) -> None:
    for theme in (*THEMES, THEMES[0]):
        seat.press(f":theme {theme}", "enter")
        seat.sees(f"^ theme {theme}")
        seat.sees("Alpha(.|\n)*job29")
    seat.press("ctrl+p", "next-theme", "enter")
    seat.sees(f"theme {THEMES[1]}")
    seat.press(f":theme {THEMES[0]}", "enter")
    seat.sees(f"^ theme {THEMES[0]}")


PROOFS: dict[str, Callable[[Seat], None]] = {
    "open": opens, "runbook": runbook, "zoom": zoom, "time-range": time_range, "filter": filters,
    "last-error": last_error, "next-pane": panes, "previous-pane": panes, "up": up_and_down, "down": up_and_down,
    "left": left_and_right, "right": left_and_right, "page-up": pages, "page-down": pages, "page-on": pages,
    "top": pages, "bottom": pages,
    "earlier": through_time, "later": through_time, "closer": through_time, "wider": through_time,
    "refresh": refresh, "pause": pause, "variable": variable, "copy": copy, "workbench": no_database,
    "back-to-run": no_run, "note": note,
    "command": command, "palette": palette, "help": help_page, "back": back, "next-theme": themes,
    **{f"screen-{digit}": screens for digit in "123456789"},
}  # fmt: skip
"""Action -> what shows that its keys do what they say, beginning and ending on the first screen."""
ENDINGS = {"quit"}
"""Proved elsewhere: after these there is no console."""


@pytest.mark.parametrize("proof", dict.fromkeys(PROOFS.values()), ids=lambda proof: proof.__name__)
def test_a_key_does_what_it_says(main: Seat, proof: Callable[[Seat], None]) -> None:
    proof(main)
    assert not list(main.site.state.glob("logs/*"))


def test_every_key_that_the_help_names_has_been_tried(main: Seat) -> None:
    known = {action.id for action in Registry().at(Place.DASHBOARD)}
    assert known == {*PROOFS, *ENDINGS}
    main.press("?")
    main.sees("^ Look\n +enter(.|\n)*of \\d+ lines")
    pages = set(main.terminal.text().splitlines())
    last = int(re.findall(r"of (\d+) lines", main.terminal.text())[0])
    shown = 0
    while shown < last:
        shown = int(re.findall(r"\d+ to (\d+) of", main.terminal.text())[0])
        pages |= set(main.terminal.text().splitlines())
        main.press("pagedown")
        main.sees(rf" to (?!{shown} )\d+ of| to {last} of")
        main.terminal.settle(0.1, 0.5)
    main.press("escape")
    said = {match[1].strip(): match[2] for line in pages if (match := re.fullmatch(r" (\S.{15})(\S.*)", line))}
    for action in Registry().at(Place.DASHBOARD):
        keys = " ".join(map(key_text, action.keys))
        if keys and not action.id.startswith("screen-"):
            assert said.get(keys, "").startswith(action.title[: main.terminal.columns - 20]), action.id
    assert said["1–9"] == "Go to a screen"


def test_the_hint_line_names_the_help_and_keys_that_were_tried(main: Seat) -> None:
    keys = {key: action for action in Registry().at(Place.DASHBOARD) for key in map(key_text, action.keys)}
    main.sees(r"\? keys +sources 1 of 1$")
    shown = re.findall(r"(?:^| {2,})(\S+) (\S+)", main.hints().partition("sources")[0])
    assert len(shown) >= 4
    for key, word in shown:
        assert keys[key].hint == word
        assert keys[key].id in {*PROOFS, *ENDINGS}
    assert ("?", "keys") in shown


# --- a run -------------------------------------------------------------------------------------------------------


def test_the_keys_of_a_run(main: Seat) -> None:
    seat = main
    seat.press("b")
    seat.sees(r"NAME = job29(.|\n)*1\.1  look")
    seat.press("e")
    seat.sees("PARAMETERS")
    seat.press("x", "enter")
    seat.sees(r"NAME = job29x")
    seat.press("d")
    seat.sees("nothing was run")
    seat.press("enter")
    seat.sees(r"OUTPUT of look(.|\n)*looking at job29x")
    seat.press("up", "up")
    seat.sees("2 lines before the end")
    seat.press("down")
    seat.sees("1 lines before the end")
    seat.press("end")
    seat.press("enter")
    seat.sees(r"Run this step\?")
    seat.press("x")
    seat.sees("not confirmed; nothing was run")
    seat.press("z")
    seat.sees("^ attributes(.|\n)*undo +restore")
    seat.press("escape")
    seat.sees(r"2\.1  change")
    seat.press("s")
    seat.sees("skip, because")
    seat.press("no need", "enter")
    seat.sees(r"Tell them")
    seat.press("m")
    seat.sees(r"not applicable")
    seat.press("not done", "enter")
    seat.sees(r"Tell the others")
    seat.press("n")
    seat.sees("^ note")
    seat.press("written down", "enter")
    seat.sees("noted in the run's record")
    seat.press("j")
    seat.sees("go to step")
    seat.press("look", "enter")
    seat.sees(r"1\.1  look")
    seat.press("r")
    seat.sees(r"2\.4  Tell the others")
    seat.press("c")
    seat.sees("no step is running")
    seat.press("u")
    seat.sees("can be undone")
    seat.press("b")
    seat.sees("nothing that was done here has an undo")
    seat.press("v")
    seat.sees("nothing that was run here has a step that verifies it")
    seat.press("h")
    seat.sees("hand over, with word that")
    seat.press("the disk is slow", "enter")
    seat.sees(r"t takes the run over; handed over by \S+: the disk is slow")
    seat.press("t")
    seat.sees("nobody drives this run. Take it over")
    seat.press("y", "enter")
    seat.sees_no("takes the run over")
    seat.press("2")
    seat.sees("Second")
    seat.press("0")
    seat.sees("Fix it")
    seat.press("!")
    seat.sees("Abort this run?")
    seat.press("n", "enter")
    seat.sees_no("Abort this run?")
    seat.press("q")
    seat.sees("Second")
    [run] = seat.site.ask("runbook", "runs")
    assert (run["runbook"], run["state"]) == ("fix", "left")


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
        seat.sees(r"one is there(.|\n)*1 s|one is there|✔ 1\.1|1\.2  is one")
        seat.press("v")
        seat.sees(r"OUTPUT of is-one(.|\n)*one is there|one is there")
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


# --- no key destroys ---------------------------------------------------------------------------------------------

SINGLE = [*(set(string.printable) - set("\t\n\r\x0b\x0c ")), *KEYS.values(), *map(chr, range(1, 27)), "\x1b[3~",
          "\x1b[2~", *(f"\x1b[{number}~" for number in (11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24))]  # fmt: skip
SAFE_ENDS = {"q", "\x03"}


@pytest.mark.parametrize("where", ["1", "9", "?", "b"])
def test_no_single_key_destroys_anything(server: FaultServer, tmp_path: Path, where: str) -> None:
    site = keys_site(tmp_path, server.url, mode="guarded")
    book = FIX.replace('"name":"look","risk":"read"', '"name":"look","risk":"destructive","confirm":"type:NAME"')
    site.write("runbooks/fix.md", book.replace("seq 1 200;", "touch destroyed;"))
    with ended_supervisors(site.state), site.console(columns=100, lines=40) as terminal:
        terminal.wait_for("Alpha +.*30(.|\n)*job29")
        for key in SINGLE:
            if key in SAFE_ENDS or (key.isdigit() and where == "b"):
                continue
            # Each key meets the place as it was opened: what the one before it asked is left by escape.
            terminal.press(ESC, ESC, *(() if where == "b" and key != SINGLE[0] else ("1", where)), key)
            terminal.pump(0.02)
        terminal.press(ESC, ESC, ESC)
        terminal.settle(0.5, 5.0)
        terminal.press("?")
        terminal.wait_for("Keys|Fix it|Main", 5)
        assert terminal.exit_status is None
    assert not (tmp_path / "runbooks" / "destroyed").exists()
    assert not (tmp_path / "runbooks" / "changed").exists()
    assert not list(site.state.glob("logs/*")), [path.read_text() for path in site.state.glob("logs/*")]
    done = [entry for entry in site.ask("audit", "list") if entry["outcome"] == "ok" and entry["action"] != "note"]
    assert done == []


# --- sizes, colours, glyphs --------------------------------------------------------------------------------------


def test_a_terminal_of_any_size_is_painted_again(main: Seat) -> None:
    terminal = main.terminal
    home = (terminal.columns, terminal.lines)
    for columns, lines in ((200, 60), (80, 24), (40, 10), (20, 5), (7, 2), (40, 10), (80, 24), (200, 60), home):
        terminal.resize(columns, lines)
        if columns >= 40:
            terminal.wait_for(r"^ ?.*(TEST|open).*(\n.*){1,2}1 Main", SOON)
            terminal.wait_for(r"Alpha", SOON)
        else:
            terminal.settle(0.2, 1.0)
        if columns >= 80:
            terminal.wait_until(lambda: main.hints().strip().startswith("enter open"), SOON, "hints in the last line")
    main.press("?")
    main.sees("Keys: Main")
    main.press("escape")
    main.sees("job29")


def look(site: Site, **env: str) -> tuple[str, bytes]:
    """The text of a console that has painted and settled, and its bytes."""
    with ExitStack() as stack:
        terminal = stack.enter_context(site.console(columns=100, lines=30, **env))
        terminal.wait_for("Alpha +.*30(.|\n)*job29")
        terminal.press("tab")
        terminal.settle(0.3, 2.0)
        return terminal.text(), bytes(terminal.raw)


COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")


def test_without_colour_there_is_none(server: FaultServer, tmp_path: Path) -> None:
    text, raw = look(keys_site(tmp_path, server.url), NO_COLOR="1")
    assert "CRIT" in text or "OK" in text
    assert not COLOUR.search(raw)


def test_sixteen_colours_are_enough(server: FaultServer, tmp_path: Path) -> None:
    text, raw = look(keys_site(tmp_path, server.url), TERM="xterm", COLORTERM="")
    assert "● OK" in text
    assert not re.search(rb"\x1b\[[\d;]*[34]8;[25];", raw)
    assert COLOUR.search(raw)


def test_an_ascii_terminal_gets_ascii(server: FaultServer, tmp_path: Path) -> None:
    text, raw = look(keys_site(tmp_path, server.url), LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert "* OK" in text
    assert raw.isascii(), {byte for byte in raw if byte > 127}


@pytest.mark.parametrize("typed", [("\x1bq",), ("?", "\x1b" + "q"), (":", "\x1bq")])
def test_escape_and_a_letter_quickly_after_it_is_not_that_letter(main: Seat, typed: tuple[str, ...]) -> None:
    main.press(*typed)
    main.terminal.settle(0.3, 2.0)
    assert main.terminal.exit_status is None
    assert not main.hints().startswith("q")
    main.press("escape", "escape")
    main.sees("Alpha +.*30(.|\n)*job29")


def test_quitting(server: FaultServer, tmp_path: Path) -> None:
    site = keys_site(tmp_path, server.url)
    for key in ("q", "ctrl+c"):
        with site.console() as terminal:
            terminal.wait_for("job29")
            terminal.press(key)
            assert terminal.wait_exit(2.0) == 0
            assert terminal.modes_left_on() == []


def test_the_places_are_all_looked_at() -> None:
    here = {Place.DASHBOARD, Place.RUNBOOKS, Place.RUN, Place.HELP}
    # The workbench is looked at in test_workbench.py; the others in tests/screens: test_pipelines.py, test_slas.py, …
    families = {Place.PIPELINES, Place.LOG, Place.SLAS, Place.ERRORS, Place.ALERTS, Place.ALERT, Place.DETAIL}
    assert set(EVERYWHERE) == here | {Place.WORKBENCH} | families
