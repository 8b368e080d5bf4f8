"""From panes and time ranges to queries."""

import pytest

from opsconsole.core.legend import legend_text, legends
from opsconsole.core.reading import Query
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.screens.definition import Kind, Pane, Screen, Target
from opsconsole.screens.interpolation import ALL
from opsconsole.screens.queries import nice_step, pane_queries, refresh_of, resolution
from opsconsole.screens.timerange import TimeRange, parse_range

HOUR = TimeRange(3600)
NOW = 1_800_000_000.0


def pane(kind: Kind = Kind.STAT, query: str = "up", **more: object) -> Pane:
    return Pane("p", "P", kind, targets=(Target(query),), **more)  # type: ignore[arg-type]


def test_a_number_is_asked_for_now_and_a_chart_over_the_range() -> None:
    assert pane_queries(pane(), {}, HOUR) == (Query("prometheus", "up"),)
    assert pane_queries(pane(Kind.TIMESERIES), {}, HOUR) == (Query("prometheus", "up", window=3600, step=15),)


def test_the_same_relative_range_gives_the_same_query_at_every_tick() -> None:
    assert pane_queries(pane(Kind.TIMESERIES), {}, TimeRange(3600)) == pane_queries(pane(Kind.TIMESERIES), {}, HOUR)


def test_a_pane_keeps_its_own_range_until_the_operator_chooses_one() -> None:
    own = pane(Kind.TIMESERIES, window=600.0)
    assert pane_queries(own, {}, HOUR)[0].window == 600
    assert pane_queries(own, {}, parse_range("6h", NOW))[0].window == 21600


def test_rate_windows_follow_the_step() -> None:
    chart = pane(Kind.TIMESERIES, "rate(x[$__rate_interval])")
    assert pane_queries(chart, {}, HOUR)[0].text == "rate(x[60s])"
    assert pane_queries(chart, {}, TimeRange(7 * 86400))[0].text == "rate(x[3615s])"
    assert pane_queries(pane(Kind.STAT, "rate(x[$__rate_interval])"), {}, HOUR)[0].text == "rate(x[60s])"


def test_sql_is_asked_for_the_present_with_variables_as_binds_only() -> None:
    sql = pane(Kind.TABLE, "select 1 where now() - :'__range'::interval < x and :'job' = 'all'", source="postgres/app")
    [query] = pane_queries(sql, {"job": ALL}, parse_range("6h", NOW))
    assert query.text == sql.targets[0].query
    assert (query.window, query.end) == (0, None)
    assert query.binds == (("__range", "21600 seconds"), ("job", "all"))


def test_a_broken_pane_asks_nothing() -> None:
    assert pane_queries(pane(broken="no such kind"), {}, HOUR) == ()


def test_an_unknown_variable_is_refused_and_not_sent() -> None:
    with pytest.raises(ValueError, match=r"\$nothing"):
        pane_queries(pane(query="$nothing"), {}, HOUR)


@pytest.mark.parametrize(
    ("window", "points", "step"), [(3600, 240, 15), (300, 240, 15), (86400, 240, 600), (2592000, 240, 10800)]
)
def test_steps_are_round_and_never_finer_than_the_data(window: float, points: int, step: float) -> None:
    assert nice_step(window, points) == step


def test_a_chart_is_not_asked_for_more_often_than_it_gets_points() -> None:
    screen = Screen("s", "S", (), refresh=5.0)
    assert refresh_of(pane(), screen, HOUR) == 5
    assert refresh_of(pane(Kind.TIMESERIES), screen, HOUR) == 15
    assert refresh_of(pane(Kind.TIMESERIES, thresholds=(Threshold(State.CRIT, above=1),)), screen, HOUR) == 5
    assert refresh_of(pane(refresh=30.0), screen, HOUR) == 30


def test_a_number_with_a_range_gets_a_sparkline_of_few_points() -> None:
    grain = resolution(pane(window=3600.0), HOUR)
    assert (grain.window, grain.step) == (3600, 60)


def test_time_ranges_zoom_pan_and_come_back() -> None:
    assert HOUR.zoomed(-1).window == 1800
    assert HOUR.zoomed(1).window == 10800
    earlier = HOUR.panned(-1, NOW)
    assert earlier.end == NOW - 1800
    assert earlier.panned(1, NOW).end is None
    assert earlier.panned(1, NOW + 600).end is None  # one has looked for ten minutes; it is still the way back to now
    assert TimeRange(400 * 86400).zoomed(1).window == 400 * 86400
    assert HOUR.text() == "last 1h"
    assert TimeRange(3600, NOW).text() == "2027-01-15 07:00 to 08:00"


@pytest.mark.parametrize("text", ["", "soon", "5", "14:00 to 13:00", "1s", "9999999d"])
def test_a_range_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|is not|between|before"):
        parse_range(text, NOW)


def test_legends_come_from_the_template_or_from_what_tells_series_apart() -> None:
    two = [{"__name__": "up", "job": "api", "instance": "a"}, {"__name__": "up", "job": "api", "instance": "b"}]
    assert legends("", two) == ("a", "b")
    assert legends("", two[:1]) == ("up",)
    assert legends("", []) == ()
    assert legends("{{job}} {{ instance }}", two) == ("api a", "api b")
    assert legend_text("{{job}} {{nothing}}", two[0]) == "api"
    assert legend_text("{{job}}", {"job": "a\x1b[31m\nb"}) == "a␛[31m b"
