"""Windows of the calendar, and maintenance in them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from opsconsole.config.slas import Maintenance
from opsconsole.sla.periods import before, current, excluded, merged, month_of, seconds_of, week_of

HOUR, DAY = 3600.0, 86400.0


def at(text: str, zone: str = "UTC") -> float:
    """Unix seconds of a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_a_rolling_window_ends_now_and_begins_with_a_whole_hour() -> None:
    period = current("7d", "UTC", at("2026-11-20T12:34:56"))
    assert (period.start, period.end) == (at("2026-11-13T12:00:00"), at("2026-11-20T12:34:56"))
    earlier = before(period, "UTC")
    assert (earlier.end, earlier.seconds) == (period.start, period.seconds)


@pytest.mark.parametrize(
    ("window", "zone", "start", "end", "title", "previous"),
    [
        ("week", "UTC", "2026-11-16", "2026-11-23", "2026-W47", "2026-W46"),
        ("month", "UTC", "2026-11-01", "2026-12-01", "2026-11", "2026-10"),
        ("month", "Europe/Amsterdam", "2026-11-01", "2026-12-01", "2026-11", "2026-10"),
    ],
)
def test_calendar_windows_are_those_of_their_zone(
    window: str, zone: str, start: str, end: str, title: str, previous: str
) -> None:
    period = current(window, zone, at("2026-11-20T12:00:00"))
    assert (period.start, period.end, period.title) == (at(start, zone), at(end, zone), title)
    assert (before(period, zone).title, before(period, zone).end) == (previous, period.start)


def test_the_week_in_which_clocks_go_back_has_an_hour_more() -> None:
    assert week_of("2026-W43", "Europe/Amsterdam").seconds == 7 * DAY + HOUR
    assert week_of("2026-W43", "UTC").seconds == 7 * DAY
    assert month_of("2026-02", "UTC").seconds == 28 * DAY


@pytest.mark.parametrize("text", ["2026-W54", "2026-46", "2026-W4", "", "2027-W53"])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="week"):
        week_of(text, "UTC")


@pytest.mark.parametrize("text", ["2026-13", "2026", "11-2026", "2026-W01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        month_of(text, "UTC")


def test_weekly_maintenance_keeps_its_local_time_over_the_change_of_clocks() -> None:
    weekly = Maintenance("weekly", days=(6,), at=7200, length=HOUR, zone="Europe/Amsterdam")
    found = excluded([weekly], at("2026-10-18T12:00:00"), at("2026-11-09T00:00:00"))
    assert [datetime.fromtimestamp(one.start, UTC).isoformat() for one in found] == [
        "2026-10-25T00:00:00+00:00",
        "2026-11-01T01:00:00+00:00",
        "2026-11-08T01:00:00+00:00",
    ]


def test_maintenance_is_cut_to_what_is_asked_and_overlaps_count_once() -> None:
    first, second = Maintenance("a", begin=0.0, end=100.0), Maintenance("b", begin=50.0, end=200.0)
    found = excluded([second, first, Maintenance("c", begin=500.0, end=600.0)], 20.0, 400.0)
    assert [(one.name, one.start, one.end) for one in found] == [("a", 20.0, 100.0), ("b", 50.0, 200.0)]
    assert merged(found) == [(20.0, 200.0)]
    assert seconds_of(merged(found), 90.0, 1000.0) == 110.0
