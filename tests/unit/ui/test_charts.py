"""Scales are round and steady, sparklines and bars tell the truth at their ends."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.ui.charts.bar import bar
from opsconsole.ui.charts.raster import Raster
from opsconsole.ui.charts.scale import gap_after, step_for, time_axis, time_ticks, y_scale
from opsconsole.ui.charts.sparkline import resampled, shape_floor, sparkline
from opsconsole.ui.glyphs import ASCII, UNICODE

NOW = 1_795_298_531.0
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def test_ticks_are_round_numbers_and_the_scale_begins_at_zero() -> None:
    scale = y_scale([0.2, 0.46], 9)
    assert scale.low == 0.0
    assert scale.ticks == (0.0, 0.2, 0.4, 0.6)


def test_values_far_from_zero_are_zoomed_in() -> None:
    scale = y_scale([99.1, 99.9], 9)
    assert scale.low >= 99
    assert scale.high >= 99.9


def test_a_threshold_near_the_values_is_brought_into_view() -> None:
    assert y_scale([0.3], 9, bounds=[0.5]).inside(0.5)
    assert not y_scale([0.001], 9, bounds=[0.5]).inside(0.5)


def test_bytes_and_durations_have_steps_of_their_own() -> None:
    assert step_for(4 * 2**30, 4, "bytes") == 2**30
    assert step_for(7000, 4, "s") == 1800
    assert step_for(0.5, 4, "s") == 0.2


def test_given_ends_are_kept() -> None:
    scale = y_scale([3.0, 50.0], 9, minimum=0, maximum=100)
    assert (scale.low, scale.high) == (0, 100)


@given(st.lists(FLOATS, max_size=20), st.integers(1, 40), st.lists(FLOATS, max_size=3))
def test_any_values_give_a_usable_scale(values: list[float], rows: int, bounds: list[float]) -> None:
    scale = y_scale(values, rows, bounds=bounds)
    assert scale.low < scale.high
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)
    assert len(scale.ticks) <= 50
    for value in values:
        if math.isfinite(value):
            assert 0 <= scale.position(value, rows) < rows


def test_the_time_axis_stands_still_until_a_whole_cell_has_gone_by() -> None:
    axis = time_axis(NOW, 3600, 60)
    assert axis.per_cell == 60
    assert {time_axis(NOW + second, 3600, 60).start for second in range(28)} == {axis.start}
    assert time_axis(NOW + 60, 3600, 60).start == axis.start + 60


def test_times_on_the_axis_are_round() -> None:
    assert [text for _, text in time_ticks(time_axis(NOW, 3600, 70))] == ["21:15", "21:30", "21:45", "22:00"]
    assert [text for _, text in time_ticks(time_axis(NOW, 7 * 86400, 40))] == ["15 Nov", "18 Nov", "21 Nov"]


def test_a_usual_step_is_no_gap() -> None:
    points = [(place * 15.0, 1.0) for place in range(10)]
    assert gap_after(points) == 37.5
    assert gap_after(points[:1]) == math.inf


def test_sparklines_begin_at_zero_and_leave_holes() -> None:
    assert sparkline([0, 1, math.nan, 4, 8], UNICODE) == "▁▂ ▅█"
    assert sparkline([5, 5], UNICODE) == "██"
    assert sparkline([0, 0], UNICODE) == "▁▁"
    assert sparkline([0, 5], ASCII) == "_#"
    assert sparkline([math.inf, 1], UNICODE) == " █"


@given(st.lists(FLOATS, max_size=30))
def test_a_sparkline_is_as_long_as_its_values(values: list[float]) -> None:
    assert len(sparkline(values, UNICODE, low=shape_floor(values))) == len(values)


def test_a_peak_survives_being_drawn_small() -> None:
    points = [(NOW - 3600 + second, 100.0 if second == 1801 else 1.0) for second in range(0, 3600, 1)]
    assert max(resampled(points, NOW, 3600, 20)) == 100.0


def test_sparse_points_are_held_until_the_next_but_not_over_a_hole() -> None:
    points = [(NOW - 3600 + minute * 60, 1.0) for minute in range(60) if not 20 < minute < 40]
    values = resampled(points, NOW, 3600, 120)
    assert not math.isnan(values[2])
    assert sum(map(math.isnan, values)) in range(30, 42)


@pytest.mark.parametrize(
    ("value", "filled", "rest"),
    [
        (0.0, "", "────"),
        (1.0, "━━━━", ""),
        (0.999, "━━━╸", ""),
        (0.5, "━━", "──"),
        (1e-9, "╸", "───"),
        (math.nan, "", "────"),
    ],
)
def test_only_what_is_full_fills_the_bar_and_what_is_not_nothing_shows(value: float, filled: str, rest: str) -> None:
    assert bar(value, 0.0, 1.0, 4, UNICODE) == (filled, rest)


@given(FLOATS, FLOATS, FLOATS, st.integers(0, 60))
def test_a_bar_takes_exactly_its_width(value: float, low: float, high: float, width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        filled, rest = bar(value, low, high, width, glyphs)
        assert len(filled) + len(rest) == width


def test_lines_are_joined_dot_by_dot() -> None:
    raster = Raster(2, 1, "braille")
    raster.line((0, 3), (3, 0), 0)
    assert [raster.cell(column, 0)[0] for column in range(2)] == ["⡠", "⠊"]


@given(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
def test_lines_may_leave_the_surface(start: tuple[int, int], end: tuple[int, int]) -> None:
    raster = Raster(5, 3, "block")
    raster.line(start, end, 0)
    assert len(raster.row(0)) == 5
