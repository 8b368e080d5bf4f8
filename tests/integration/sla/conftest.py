"""A Prometheus with a past that was made: uneven traffic, resets, gaps, outages, silence. One for the session."""

import time
from collections.abc import Iterator

import pytest

from tests.integration.sla.past import NAN, past_in_prometheus
from tests.servers import WebServer

HOUR, DAY = 3600.0, 86400.0
LENGTH = 8 * DAY
NOW = time.time() // HOUR * HOUR
START = NOW - LENGTH


def hours_ago(at: float) -> float:
    """How many hours before now a moment of a shape is."""
    return (LENGTH - at) / HOUR


def _since(at: float, hours: float) -> float:
    """Minutes that the hours from `hours` before now on have lasted, at most 60."""
    return min(60.0, max(0.0, (hours - hours_ago(at)) * 60))


def requests(at: float) -> float:
    """10 a minute; by day, which is half of the time, 100; begun anew 30 hours ago."""
    minutes = at / 60
    busy = sum(min(720.0, max(0.0, minutes - 1440 * day)) for day in range(8))
    total = 10 * minutes + 90 * busy
    return total if hours_ago(at) > 30 else total - requests(LENGTH - 30.02 * HOUR)


def failures(at: float) -> float:
    """50 a minute for an hour, from 50 hours ago on; begun anew as the requests."""
    return 50 * _since(at, 50) if hours_ago(at) > 30 else 0.0


def up(at: float) -> float:
    """Down from 20.5 to 19.5 hours ago; not known from 60 to 48 hours ago."""
    return NAN if 48 < hours_ago(at) <= 60 else 0.0 if 19.5 < hours_ago(at) <= 20.5 else 1.0


SERIES = {
    'requests_total{code="200"}': requests,
    'requests_total{code="500"}': failures,
    'clean_total{code="200"}': lambda at: at / 6,
    "quiet_total": lambda at: 5.0,
    'latency_bucket{le="0.50"}': lambda at: 9 * at / 60,
    'latency_bucket{le="+Inf"}': lambda at: 10 * at / 60,
    "latency_count": lambda at: 10 * at / 60,
    "up_now": up,
    # Three tables, of which one was down for 3 of the last hours, and one for 1.
    'load_ok{table="bills",job="etl"}': lambda at: 0.0 if 7 < hours_ago(at) <= 10 else 1.0,
    'load_ok{table="users",job="etl"}': lambda at: 0.0 if 4 < hours_ago(at) <= 5 else 1.0,
    'load_ok{table="rates",job="etl"}': lambda at: 1.0,
    # Good and total differ by a label that says nothing of whose they are.
    'answers_total{route="/a",status="200"}': lambda at: 9 * at / 60,
    'answers_total{route="/a",status="500"}': lambda at: 1 * at / 60,
    'answers_total{route="/b",status="200"}': lambda at: 7 * at / 60,
    'answers_total{route="/b",status="500"}': lambda at: 3 * at / 60,
    # Silent for the last two hours.
    "gone": lambda at: 1.0 if hours_ago(at) > 2 else NAN,
}


@pytest.fixture(scope="session")
def promised() -> Iterator[WebServer]:
    """The server; all of its series end at `NOW`."""
    with past_in_prometheus(SERIES, START, LENGTH) as started:
        yield started
