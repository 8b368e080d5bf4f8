"""Every key that the hint line and the help name does what it says, at both usual sizes."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsconsole.ui.actions import EVERYWHERE, Place, Registry, key_text
from opsconsole.ui.theme import THEMES
from tests.faults import FaultServer
from tests.terminal.seat import SOON, Seat, keys_site
from tests.terminal.supervisors import ended_supervisors

SIZES = [(80, 24), (120, 40)]


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


# --- sizes ------------------------------------------------------------------------------------------------------


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
