"""The lines around every screen keep what matters at every width."""

import pytest

from opsconsole.core.state import State
from opsconsole.ui.frame import Freshness, Identity, clock, count_line, freshness, header, hints, tabs
from opsconsole.ui.lines import Line, line_width

WHO = Identity("production", "red", "guarded", "alice", "bastion-1")
COUNTS = {State.CRIT: 2, State.WARN: 3, State.STALE: 1, State.OK: 46}
TITLES = [("1", "Overview"), ("2", "System health"), ("3", "Resources"), ("4", "Database"), ("9", "Runbooks")]


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def test_the_header_says_who_is_where_and_how_things_are() -> None:
    shown = text(header(WHO, COUNTS, 106))
    assert "opsconsole" in shown
    assert " PRODUCTION " in shown
    assert "guarded" in shown
    assert "alice @ bastion-1" in shown
    assert shown.rstrip().endswith("2 CRIT  3 WARN  1 STALE  46 OK")


@pytest.mark.parametrize("width", [60, 66, 80, 106, 186])
def test_environment_and_states_never_go(width: int) -> None:
    shown = header(WHO, COUNTS, width)
    assert line_width(shown) == width
    assert "PRODUCTION" in text(shown)
    assert "2 CRIT" in text(shown)


def test_the_environment_wears_its_banner() -> None:
    assert any(span.role == "banner-red" and "PRODUCTION" in span.text for span in header(WHO, COUNTS, 106))


def test_nothing_known_yet_is_not_zero() -> None:
    assert text(count_line({})) == "connecting…"
    assert text(count_line({State.OK: 0})) == "connecting…"


def test_the_worst_state_comes_first() -> None:
    assert text(count_line({State.OK: 1, State.ERROR: 2, State.CRIT: 1})) == "1 CRIT  2 ERROR  1 OK"


def test_the_clock_is_utc() -> None:
    assert text(clock(1795269731.9)) == " 14:02:11 UTC "


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_the_tab_in_use_is_the_last_to_be_shortened(width: int) -> None:
    shown = tabs(TITLES, "System health", (), width)
    assert line_width(shown) == width
    assert "System health" in text(shown) or width < 40
    assert any(span.role == "title-focus" for span in shown)


def test_hints_are_whole_or_not_there() -> None:
    keys = [("enter", "open"), ("b", "runbook"), ("/", "filter")]
    assert text(hints(keys, 80)).split("   ")[:3] == [" enter open", "b runbook", "/ filter"]
    assert text(hints(keys, 26)).strip() == "enter open   b runbook"
    assert text(hints([*keys, ("?", "keys")], 40, ("?", "keys"))).strip() == "enter open   b runbook   ? keys"
    assert text(hints([*keys, ("?", "keys")], 12, ("?", "keys"))).strip() == "? keys"


def test_freshness_names_the_sources_that_do_not_answer() -> None:
    shown = freshness(Freshness(6, 7, database_share=0.002, terminal_rate=1100), 52)
    assert text(shown).strip() == "sources 6 of 7   cost 0.2 % db  1.1 kB/s"
    assert [span.role for span in shown if "sources" in span.text] == ["warn"]
    assert line_width(shown) == 52


def test_a_pause_is_said_first_and_kept_longest() -> None:
    assert text(freshness(Freshness(7, 7, paused=True, terminal_rate=10), 12)).strip() == "PAUSED"
