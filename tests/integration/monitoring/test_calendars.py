"""Calendars as PromQL, told by a real Prometheus against the calendar of the console: zones, clocks that change, weeks
across a year's end."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.monitoring.calendars import STEP, calendar_rules
from opsconsole.sla.periods import current, excluded
from tests.servers import WebServer, start_prometheus

HOUR, DAY = 3600.0, 86400.0
ZONE = "Europe/Amsterdam"
WEEKLY = Maintenance("weekly", days=(5, 6), at=2 * 3600, length=2 * HOUR, zone=ZONE)
LATE = Maintenance("late", days=(6,), at=23 * 3600 + 1800, length=HOUR, zone="America/New_York")
ONCE = Maintenance("once", begin=1_798_700_000.0, end=1_798_707_200.0)


@pytest.fixture(scope="module")
def prometheus() -> Iterator[WebServer]:
    with start_prometheus(config="global: {{scrape_interval: 1h}}") as started:
        yield started


def told(server: WebServer, expr: str, start: float, end: float, step: float) -> dict[float, float]:
    """Moment -> the class of the period, else the value."""
    form = urllib.parse.urlencode({"query": expr, "start": start, "end": end, "step": step})
    with urllib.request.urlopen(f"{server.url}/api/v1/query_range?{form}", timeout=10) as answer:
        found = json.load(answer)["data"]["result"]
    values = {at: float(series["metric"].get("number", value)) for series in found for at, value in series["values"]}
    return dict(sorted(values.items()))


def rule(sla: Sla, record: str) -> str:
    (found,) = (one.expr for one in calendar_rules([sla], "slo") if one.record == record)
    return found


@pytest.mark.parametrize("pause", [WEEKLY, LATE, ONCE], ids=lambda one: one.name)
@pytest.mark.parametrize("day", ["2026-03-27", "2026-10-23", "2026-12-30", "2030-03-08"])
def test_maintenance_is_active_when_it_is_until_no_sum_holds_any(
    prometheus: WebServer, pause: Maintenance, day: str
) -> None:
    sla = Sla("api", "availability", promql=Promql(value="up"), maintenance=(pause,))
    start = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    end = start + 3 * DAY
    moments = [start + number * 3 * STEP for number in range(int((end - start) / STEP / 3))]
    active = set(told(prometheus, rule(sla, "slo:maintenance:active"), start, moments[-1], 3 * STEP))
    spans = [(one.start, one.end) for one in excluded([pause], start - DAY, end)]
    expected = {at for at in moments if any(begin < at < until + STEP for begin, until in spans)}
    # At its first moment nothing of it is in the sum, so either is right.
    assert active - {begin for begin, _ in spans} == expected
    assert bool(expected) == any(until > start for _, until in spans)


@pytest.mark.parametrize("zone", ["UTC", ZONE, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("window", ["week", "month"])
def test_the_class_changes_with_the_period_and_does_not_come_back_within_it(
    prometheus: WebServer, window: str, zone: str
) -> None:
    sla = Sla("api", "availability", promql=Promql(value="up"), window=window, zone=zone)
    start = datetime(2026, 1, 20, tzinfo=UTC)
    end = datetime(2027, 3, 3, tzinfo=UTC)
    step = 11 * HOUR + STEP
    found = told(prometheus, rule(sla, f"slo:calendar:{window}"), start.timestamp(), end.timestamp(), step)
    titles: dict[float, str] = {at: current(window, zone, at - STEP / 2).title for at in found}
    assert len(found) > 800
    classes: dict[str, set[float]] = {}
    for at, number in found.items():
        classes.setdefault(titles[at], set()).add(number)
    assert all(len(one) == 1 for one in classes.values()), "one class a period"
    order = [next(iter(classes[title])) for title in dict.fromkeys(titles.values())]
    back = 1 if window == "week" else 2
    for number, one in enumerate(order):
        assert one not in order[max(0, number - back) : number]


def test_the_minute_at_which_a_year_ends_is_local(prometheus: WebServer) -> None:
    sla = Sla("api", "availability", promql=Promql(value="up"), window="month", zone=ZONE)
    midnight = datetime(2026, 12, 31, 23, tzinfo=UTC)
    found = told(
        prometheus, rule(sla, "slo:calendar:month"), midnight.timestamp(),
        (midnight + timedelta(minutes=5)).timestamp(), STEP,
    )  # fmt: skip
    assert list(found.values()) == [0.0, 1.0], "the sum that ends at midnight is of December, the next of January"
