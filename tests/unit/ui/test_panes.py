"""Every kind of pane, in every state, as text; and in no size and with no value does one fail."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from opsconsole.core.state import State
from opsconsole.core.values import Matrix, Sample, Series, Table, Value, Vector
from opsconsole.screens.definition import Kind
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.glyphs import ASCII, BLOCK, SETS, UNICODE, Glyphs
from opsconsole.ui.lines import Lines, text_of
from opsconsole.ui.panes.looking import AWAY, Looking, arranged, items_of
from opsconsole.ui.panes.registry import RENDERERS, renderer
from opsconsole.ui.theme import ROLES
from tests.examples import share
from tests.unit.ui.goldens import assert_golden
from tests.unit.ui.pane_states import (
    NOW,
    PANES,
    VALUES,
    broken,
    course,
    empty,
    error,
    live,
    of_value,
    stale,
    vector,
    waiting,
)

KINDS = tuple(PANES)
STATES: tuple[Callable[[Kind], PaneState], ...] = (live, stale, error, empty, waiting, broken)
HEIGHTS = {Kind.TIMESERIES: 12, Kind.HEATMAP: 8, Kind.STATUS: 6, Kind.TABLE: 6, Kind.BARS: 6}


def draw(
    state: PaneState, width: int, height: int, glyphs: Glyphs = UNICODE, now: float = NOW, looking: Looking = AWAY
) -> Lines:
    return renderer(state.pane.kind)(state, width, height, glyphs, now, looking)


def text(state: PaneState, width: int = 80, height: int = 6, looking: Looking = AWAY) -> str:
    return text_of(draw(state, width, height, looking=looking))


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=lambda glyphs: glyphs.name)
@pytest.mark.parametrize("width", [80, 120])
def test_each_kind_in_each_state(width: int, glyphs: Glyphs) -> None:
    sections = {
        f"{kind} {make.__name__}": text_of(draw(make(kind), width, HEIGHTS.get(kind, 5), glyphs))
        for kind in KINDS
        for make in STATES
    }
    assert_golden(f"panes-{width}-{glyphs.name}", sections)


def test_every_kind_has_a_renderer() -> None:
    assert set(RENDERERS) == set(Kind)


def test_ascii_glyphs_draw_nothing_but_ascii() -> None:
    for kind in KINDS:
        for make in STATES:
            drawn = text_of(draw(make(kind), 80, 10, ASCII))
            beyond = {character for character in drawn if ord(character) > 126}
            # Values come from core.units, which writes an en dash for "no value" and a sign for infinity.
            assert beyond <= {"–", "∞"}, (kind, make.__name__, beyond)


# --- what must be said -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Kind.TEXT])
def test_a_stale_pane_keeps_its_values_greyed_and_says_how_old_they_are_and_why(kind: Kind) -> None:
    drawn = draw(stale(kind), 90, 8)
    assert "◌ STALE  4m old" in text_of(drawn[:1])
    assert "connection refused" in text_of(drawn[-1:])
    assert "retrying in 10 s" in text_of(drawn[-1:])
    roles = {span.role for spans in drawn[1:-1] for span in spans}
    assert roles <= {"dim", "text"}
    assert text_of(draw(live(kind), 90, 8)[1:3]).strip()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Kind.TEXT])
def test_a_pane_that_never_worked_gives_the_reason_and_the_next_try(kind: Kind) -> None:
    drawn = text(error(kind), 60)
    assert "! ERROR" in drawn
    assert "connection refused at 127.0.0.1:9090" in drawn
    assert "failing for 40 s; retrying in 5 s" in drawn


def test_unknown_is_neither_ok_nor_zero() -> None:
    drawn = text(empty(Kind.STAT))
    assert "? UNKNOWN" in drawn
    assert "no data" in drawn
    assert "0" not in drawn


def test_a_broken_pane_says_what_and_where() -> None:
    drawn = text(broken(Kind.STAT))
    assert "unknown unit 'secs'; did you mean 's'?" in drawn
    assert "line 14" in drawn


def test_no_data_that_is_good_is_said_calmly() -> None:
    pane = replace(PANES[Kind.STATUS], no_data=State.OK)
    drawn = draw(of_value(pane, Vector(())), 60, 4)
    assert "OK" not in text_of(drawn[:1])
    assert "nothing" in text_of(drawn)


def test_the_worst_is_first_and_everything_is_counted() -> None:
    drawn = text(live(Kind.STATUS)).splitlines()
    assert drawn[0].endswith("4 of 5 OK")
    assert drawn[1].startswith("✗ CRIT energy-service app-2")


def test_a_judged_number_carries_a_symbol_besides_its_colour() -> None:
    assert "▲ 4m12s" in text(live(Kind.TABLE))
    assert "✗ /api/readings" in text(live(Kind.BARS))
    assert "✗ 93 %" in text(live(Kind.GAUGE))


def test_the_state_survives_in_the_narrowest_title() -> None:
    assert "✗ CRIT" in text_of(draw(live(Kind.STATUS), 20, 3)[:1])


def test_the_next_useful_step_stands_at_the_end_of_the_title() -> None:
    looking = Looking(runbook="Service restart")
    assert text(live(Kind.STATUS), 80, 4, looking).splitlines()[0].endswith("b Service restart")
    assert "Service restart" not in text(live(Kind.TIMESERIES), 80, 4, looking)


def test_nothing_in_a_value_is_interpreted() -> None:
    hostile = vector({"[red]x[/oops] \x1b]52;c;eA==\x07": 0.0})
    drawn = text(of_value(PANES[Kind.STATUS], hostile))
    assert "[red]x[/oops]" in drawn
    assert "\x1b" not in drawn


# --- charts ----------------------------------------------------------------------------------------------------


def test_a_chart_has_units_times_thresholds_and_a_legend() -> None:
    drawn = text(live(Kind.TIMESERIES), 80, 12)
    assert "400 ms ┤" in drawn
    assert "21:30" in drawn
    assert "╌╌╌" in drawn
    assert "energy-service 259 ms  max 460 ms" in drawn


def test_a_hole_in_a_series_is_a_hole_in_the_line() -> None:
    pane = PANES[Kind.TIMESERIES]
    whole = draw(of_value(pane, Matrix((course("a", 1, 1),))), 80, 8)
    holed = draw(of_value(pane, Matrix((course("a", 1, 1, hole=True),))), 80, 8)
    assert _drawn_cells(holed) < _drawn_cells(whole) - 10


def _drawn_cells(lines: Lines) -> int:
    return sum(0x2800 < ord(character) <= 0x28FF for character in text_of(lines))


def test_the_cursor_reads_out_the_values_of_its_moment() -> None:
    drawn = draw(live(Kind.TIMESERIES), 100, 10, looking=Looking(focused=True, at=NOW - 1800))
    assert "21:32:11 UTC" in text_of(drawn[-1:])
    assert "energy-service" in text_of(drawn[-1:])
    assert any(span.text == "│" and span.role == "accent" for spans in drawn for span in spans)


def test_a_chart_changes_little_from_one_refresh_to_the_next() -> None:
    """The axis moves by whole cells, so that between two steps nothing left of the newest column is written."""
    state = live(Kind.TIMESERIES)
    first = draw(state, 80, 12, now=NOW)
    later = draw(state, 80, 12, now=NOW + 5)
    assert first == later


# --- selection -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.BARS, Kind.TABLE, Kind.GAUGE, Kind.TIMELINE])
def test_the_selected_item_is_marked_as_a_whole(kind: Kind) -> None:
    state = live(kind)
    item = items_of(state)[1]
    drawn = draw(state, 80, 8, looking=Looking(focused=True, key=item.key))
    marked = [span.text for spans in drawn for span in spans if span.role == "cursor"]
    assert len(marked) == 1
    assert item.text.split()[0] in marked[0]


def test_items_keep_their_places_while_one_is_selected() -> None:
    standing = items_of(live(Kind.STATUS))
    changed = items_of(of_value(PANES[Kind.STATUS], vector({"keycloak auth-1": 0, "new": 1})))
    held = arranged(changed, standing, None, hold=True)
    assert [item.key.split("|")[0] for item in held][:2] == ["energy-service app-2", "energy-service app-1"]
    assert [item.gone for item in held] == [True, True, False, True, True, False]
    assert [item.key for item in arranged(changed, standing, None, hold=False)] == [item.key for item in changed]


def test_a_list_turns_whole_pages() -> None:
    state = of_value(PANES[Kind.BARS], vector({f"h{index:02}": 50 - index for index in range(20)}))
    keys = [item.key for item in items_of(state)]
    first = text_of(draw(state, 40, 6, looking=Looking(focused=True, key=keys[4]))[1:])
    second = text_of(draw(state, 40, 6, looking=Looking(focused=True, key=keys[5]))[1:])
    assert first.split()[:2] == ["✗", "h00"]
    assert second.split()[:2] == ["✗", "h05"]


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.BARS, Kind.TABLE])
def test_what_is_out_of_view_is_counted(kind: Kind) -> None:
    many = Table(("name", "seconds"), tuple((f"h{index:02}", 0.1) for index in range(40)))
    state = of_value(PANES[kind], many if kind is Kind.TABLE else vector({f"h{index:02}": 1 for index in range(40)}))
    key = items_of(state)[-1].key
    first = text(state, 50, 7).splitlines()[0]
    last = text(state, 50, 7, Looking(focused=True, key=key)).splitlines()[0]
    per_page = {Kind.STATUS: 6, Kind.BARS: 6, Kind.TABLE: 5}[kind]
    assert f"1–{per_page} of 40" in first
    assert "–40 of 40" in last
    assert " of 40" not in text(state, 50, 45).splitlines()[0].replace("40 of 40 OK", "")


def test_states_use_columns_before_they_hide() -> None:
    state = of_value(PANES[Kind.STATUS], vector({f"service-with-a-long-name-{index:02}": 1 for index in range(15)}))
    drawn = text(state, 60, 9)
    assert drawn.count("● OK") == 15
    assert len(drawn.splitlines()) == 9
    assert "of 15" not in drawn


def test_rows_that_look_alike_have_keys_of_their_own() -> None:
    state = of_value(PANES[Kind.TABLE], Table(("pid", "state"), ((1, "active"), (2, "active"), (3, "active"))))
    keys = [item.key for item in items_of(state)]
    assert len(set(keys)) == 3


# --- nothing crashes -------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1.0, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf]),
)
NAMES = st.text(alphabet="aé日🙂 \u0301\u200b%{}[]", max_size=12)
VECTORS = st.lists(st.tuples(NAMES, NUMBERS), max_size=8).map(
    lambda pairs: Vector(tuple(Sample({"job": name}, number, NOW) for name, number in pairs))
)
MATRICES = st.lists(st.tuples(NAMES, st.lists(NUMBERS, max_size=40)), max_size=5).map(
    lambda series: Matrix(
        tuple(
            Series(
                {"job": name, "le": name}, tuple((NOW - 3600 + 60 * place, one) for place, one in enumerate(numbers))
            )
            for name, numbers in series
        )
    )
)
TABLES = st.lists(st.tuples(NAMES, st.one_of(NUMBERS, NAMES, st.none(), st.booleans())), max_size=6).map(
    lambda rows: Table(("pid", "seconds"), tuple(rows))
)
SIZES = st.tuples(st.integers(0, 130), st.integers(0, 30))


@pytest.mark.parametrize("kind", KINDS)
@given(value=st.one_of(VECTORS, MATRICES, TABLES), size=SIZES, glyphs=st.sampled_from(list(SETS)), far=NUMBERS)
@settings(max_examples=share(0.5))
def test_no_size_and_no_value_breaks_a_pane(
    kind: Kind, value: Value, size: tuple[int, int], glyphs: str, far: float
) -> None:
    width, height = size
    state = of_value(PANES[kind], value)
    items = items_of(state)
    looking = Looking(focused=True, key=items[-1].key if items else None, at=NOW - 60)
    for seen in (AWAY, looking):
        drawn = draw(state, width, height, SETS[glyphs], NOW, seen)
        assert len(drawn) <= height
        for spans in drawn:
            assert sum(cell_len(span.text) for span in spans) <= width
            assert all("\n" not in span.text for span in spans)
            assert {span.role for span in spans} <= set(ROLES)
    if math.isfinite(far) and abs(far) < 1e12:
        draw(state, width, height, BLOCK, far)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", STATES)
def test_the_smallest_panes_hold(kind: Kind, make: Callable[[Kind], PaneState]) -> None:
    for width in (0, 1, 2, 5, 9, 14, 20, 24):
        for height in range(6):
            drawn = draw(make(kind), width, height)
            assert len(drawn) <= height
            assert all(sum(cell_len(span.text) for span in spans) <= width for spans in drawn)


def test_all_values_are_of_use() -> None:
    assert set(VALUES) == set(PANES)
