"""Errors that counters tell, against what happened: two and a half days of a real Prometheus, made for it. Nothing is
compared with what Prometheus reckons."""

import asyncio
import math
import time
from collections.abc import Iterator

import pytest

from opsconsole.config.errors import HTTP_ERRORS, MetricErrors
from opsconsole.config.settings import PrometheusSettings
from opsconsole.core.reading import SourceError
from opsconsole.errors.metrics import MetricErrorsOf
from opsconsole.errors.model import DAY, Heard, Kind
from opsconsole.sources.prometheus import PrometheusSource
from tests.integration.sla.past import MINUTE, NAN, Shape, past_in_prometheus
from tests.servers import WebServer

HOUR = 3600.0
LENGTH = 2.5 * DAY
NOW = time.time() // 900 * 900
BURST, EVERY = 40.0, 23 * MINUTE


def ago(hours: float) -> float:
    """A moment of a shape."""
    return LENGTH - hours * HOUR


def slow_then_fast(at: float) -> float:
    """One every ten minutes until an hour ago, then ten a minute."""
    begun = ago(1)
    return min(at, begun) // (10 * MINUTE) + 10 * max(0.0, at - begun) // MINUTE


def bursts(at: float) -> float:
    """40 within half a minute, each 23 minutes: some of them lie across the edges of quarters of an hour."""
    passed = math.floor((at + 15) / EVERY)
    return BURST * max(0.0, passed - 1 + min(1.0, (at + 15 - passed * EVERY) / 30)) if passed >= 1 else 0.0


def reset(at: float) -> float:
    """The same, begun anew five hours ago."""
    return bursts(at) - (bursts(ago(5)) if at >= ago(5) else 0.0)


def since(begin: float, value: float, until: float = 0.0) -> Shape:
    """There from so many hours ago on, with one value."""
    return lambda at: value if ago(begin) <= at <= ago(until) else NAN


def away(begin: float, end: float, before: float, after: float) -> Shape:
    """Not there between so many hours ago."""
    return lambda at: before if at <= ago(begin) else after if at >= ago(end) else NAN


SHAPES: dict[str, Shape] = {
    "steady": slow_then_fast,
    "late": lambda at: max(0.0, at - ago(2)) // (2 * MINUTE),
    "bursts": bursts,
    "reset": reset,
    # The only error there ever was.
    "first": since(3, 1.0),
    # A target that was added with what it had counted before.
    "added": since(3, 500.0),
    # A target that was down, and counts on.
    "back": away(9.6, 9.0, 70.0, 70.0),
    # An exporter that was there, while its series were not: as that of a database that is down.
    "exported": away(9.0, 7.0, 120.0, 120.0),
    # Nothing was scraped for 40 minutes, while it counted.
    "unread": away(6.4, 5.7, 10.0, 43.0),
}
UP: dict[str, Shape] = {
    "added": since(3, 1.0),
    "back": lambda at: 0.0 if ago(9.6) < at < ago(9.0) else 1.0,
    "unread": away(6.4, 5.7, 1.0, 1.0),
}


@pytest.fixture(scope="module")
def prometheus() -> Iterator[WebServer]:
    series: dict[str, Shape] = {}
    for job, shape in SHAPES.items():
        status = "503" if job == "late" else "500"
        series[f'http_requests_total{{job="{job}",instance="a",status="{status}"}}'] = shape
    for job in SHAPES:
        series[f'up{{job="{job}",instance="a"}}'] = UP.get(job, lambda at: 1.0)
    with past_in_prometheus(series, NOW - LENGTH, LENGTH) as server:
        yield server


async def heard_of(server: WebServer, settings: MetricErrors = HTTP_ERRORS, *moments: float) -> Heard:
    """What is heard at the last of the moments, by one that heard at each."""
    source = PrometheusSource(PrometheusSettings(server.url))
    at = NOW
    listener = MetricErrorsOf(settings, source, DAY, clock=lambda: at)
    try:
        for at in moments:  # noqa: B007  the clock reads it
            await listener.hear()
        at = NOW
        return await listener.hear()
    finally:
        await source.close()


@pytest.fixture(scope="module")
def heard(prometheus: WebServer) -> Heard:
    return asyncio.run(heard_of(prometheus))


def kind_of(heard: Heard, job: str) -> Kind | None:
    return next((one for one in heard.kinds if one.service == job), None)


def counted(heard: Heard, job: str) -> int:
    kind = kind_of(heard, job)
    return kind.count if kind else 0


def happened(shape: Shape, begin: float, end: float = 0.0) -> float:
    return shape(ago(end)) - shape(ago(begin))


def test_metrics_are_counted_by_time_against_yesterday(heard: Heard) -> None:
    steady, late = kind_of(heard, "steady"), kind_of(heard, "late")
    assert steady is not None
    assert late is not None
    assert (steady.type, steady.message) == ("HTTP 500", "answered with status 500")
    assert steady.count == pytest.approx(happened(slow_then_fast, 24), abs=1)
    assert steady.before == pytest.approx(happened(slow_then_fast, 48, 24), abs=1)
    assert steady.trend[-1] == pytest.approx(600, abs=1)
    assert steady.rate == pytest.approx(10 / 60, rel=0.01)
    assert heard.covers_from_at is not None
    assert heard.covers_from_at <= NOW - 2 * DAY + 900
    assert (late.before, late.count) == (0, 60)
    assert late.first_at == pytest.approx(NOW - 7200, abs=1000)


@pytest.mark.parametrize("job", ["bursts", "reset"])
def test_what_lies_across_two_parts_is_in_one_of_them(heard: Heard, job: str) -> None:
    # `increase` loses one minute of fifteen, in bursts and else.
    lost = BURST if job == "reset" else 0  # what was counted between the last sample and the reset
    assert happened(bursts, 24) * 0.99 - lost <= counted(heard, job) <= happened(bursts, 24) * 1.01


@pytest.mark.parametrize(("job", "count"), [("first", 1), ("added", 0), ("back", 0), ("exported", 0), ("unread", 33)])
def test_the_first_occurrence_of_a_series_counts_and_what_is_only_read_anew_does_not(
    heard: Heard, job: str, count: int
) -> None:
    assert counted(heard, job) == count


async def test_one_that_goes_on_hears_what_one_hears_that_begins(prometheus: WebServer, heard: Heard) -> None:
    went_on = await heard_of(prometheus, HTTP_ERRORS, NOW - 5 * HOUR, NOW - 7 * MINUTE)
    assert sorted(went_on.kinds, key=lambda one: one.service) == sorted(heard.kinds, key=lambda one: one.service)


async def test_a_query_that_is_wrong_is_the_state_of_its_source(prometheus: WebServer) -> None:
    with pytest.raises(SourceError, match="parse error"):
        await heard_of(prometheus, MetricErrors("bad", "sum(increase(x[$step])"))
    assert (await heard_of(prometheus, MetricErrors("none", "increase(no_such_total[$step])"))).kinds == ()
