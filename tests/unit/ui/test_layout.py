"""Panes fill the grid, never overlap, and stay readable on narrow terminals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.screens.definition import Kind, Pane
from opsconsole.ui.layout import NARROWEST, Place, columns_for, place_panes


def pane(number: int, kind: Kind = Kind.STAT, span: int = 1, rows: int = 0) -> Pane:
    return Pane(id=f"p{number}", title=f"Pane {number}", kind=kind, span=span, rows=rows)


def test_four_columns_on_a_wide_terminal() -> None:
    places = place_panes([pane(number) for number in range(4)], 4, 120, 20)
    assert {place.y for place in places} == {0}
    assert [place.x for place in places] == sorted(place.x for place in places)
    assert places[-1].x + places[-1].width == 120


@pytest.mark.parametrize(("width", "columns"), [(200, 4), (120, 4), (80, 2), (40, 1)])
def test_fewer_columns_where_they_would_be_too_narrow(width: int, columns: int) -> None:
    assert columns_for(4, width) == columns


def test_a_span_is_kept_in_proportion() -> None:
    wide, narrow = pane(0, span=2), pane(1, span=2)
    first, second = place_panes([wide, narrow], 4, 80, 20)
    assert first.y == second.y == 0
    assert abs(first.width - second.width) <= 1


def test_charts_take_the_lines_that_are_left() -> None:
    stat, chart = place_panes([pane(0, span=4), pane(1, Kind.TIMESERIES, span=4)], 4, 120, 36)
    assert chart.y == stat.height + 1
    assert chart.y + chart.height == 36


def test_the_last_of_a_row_takes_the_rest() -> None:
    first, second, third = place_panes([pane(0), pane(1), pane(2, span=4)], 4, 120, 30)
    assert first.y == second.y
    assert second.x + second.width == 120
    assert third.y > second.y


panes = st.lists(
    st.builds(pane, st.integers(0, 9), st.sampled_from(list(Kind)), st.integers(1, 6), st.integers(0, 20)), max_size=12
)


@given(panes, st.integers(1, 6), st.integers(NARROWEST, 250), st.integers(5, 80))
def test_panes_never_overlap_and_stay_inside(panes: list[Pane], columns: int, width: int, height: int) -> None:
    places = place_panes(panes, columns, width, height)
    assert len(places) == len(panes)
    for place in places:
        assert place.x >= 0
        assert place.x + place.width <= width
        assert place.width > 0
        assert place.height > 0
    for at, one in enumerate(places):
        for other in places[at + 1 :]:
            assert _apart(one, other)


def _apart(one: Place, other: Place) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    below = one.y + one.height <= other.y or other.y + other.height <= one.y
    return beside or below


def test_a_heading_takes_one_line_of_the_whole_width() -> None:
    before, heading, after = place_panes([pane(0), pane(1, Kind.SECTION), pane(2)], 4, 120, 20)
    assert heading == Place(0, before.height + 1, 120, 1)
    assert after.y == heading.y + 2
