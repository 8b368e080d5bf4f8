"""What is counted from samples that lie 15 s to 9 min apart, against what happened: uneven traffic, bursts of errors
across the edges of hours, resets, a gap, no traffic. Nothing is compared with what Prometheus reckons."""

import asyncio
import math
import re
from collections.abc import Iterator

import pytest

from opsconsole.config.slas import Promql
from opsconsole.sla.asking import Slas
from opsconsole.sla.standing import Standing
from opsconsole.sources.registry import Sources
from tests.integration.sla.conftest import DAY, HOUR, NOW
from tests.integration.sla.past import NAN, Shape, past_in_prometheus
from tests.integration.sla.test_prometheus import _sla, environment
from tests.servers import WebServer

LENGTH = 7 * DAY + 4 * HOUR
START = NOW - LENGTH
SPACINGS = (15, 60, 270, 540)
BURST, EVERY = 40.0, 97 * 60.0
"""So many requests fail within half a minute, again and again: 97 minutes are no part of an hour."""
RESETS = (LENGTH - 100.3 * HOUR, LENGTH - 31.7 * HOUR)
GAP = (LENGTH - 62.4 * HOUR, LENGTH - 58.8 * HOUR)


def answered(at: float) -> float:
    """What was answered in the first `at` seconds: 600 an hour, and by day, which is half of the time, 6,000 more."""
    busy = sum(min(12 * HOUR, max(0.0, at - day * DAY)) for day in range(9))
    return at / 6 + busy / 0.6


def failures(at: float) -> float:
    """What failed: a burst each 97 minutes, and one across the edge of each sixth hour."""
    drifting, crossing = (BURST * _bursts(at, every) for every in (EVERY, 6 * HOUR))
    return drifting + crossing


def requests(at: float) -> float:
    """All of it."""
    return answered(at) + failures(at)


def _bursts(at: float, every: float) -> float:
    """How many there were; each is from 15 s before its moment to 15 s after it."""
    passed = math.floor((at + 15) / every)
    return max(0.0, passed - 1 + min(1.0, (at + 15 - passed * every) / 30)) if passed >= 1 else 0.0


def _counter(shape: Shape) -> Shape:
    """As a counter has it: begun anew at each reset, and not read in the gap."""

    def value(at: float) -> float:
        if GAP[0] < at <= GAP[1]:
            return NAN
        begun = max((one for one in RESETS if one <= at), default=0.0)
        return shape(at) - shape(begun)

    return value


def _spacing(series: str) -> float:
    found = re.search(r'every="(\d+)"', series)
    return float(found[1]) if found else 60.0


@pytest.fixture(scope="module")
def past() -> Iterator[WebServer]:
    series: dict[str, Shape] = {}
    for spacing in SPACINGS:
        series[f'asked_total{{every="{spacing}",code="200"}}'] = _counter(answered)
        series[f'asked_total{{every="{spacing}",code="500"}}'] = _counter(failures)
    series['asked_total{every="61",code="200"}'] = lambda at: 7.0
    with past_in_prometheus(series, START, LENGTH, _spacing) as server:
        yield server


@pytest.fixture(scope="module")
def standings(past: WebServer) -> dict[str, Standing]:
    def counted(spacing: int) -> Promql:
        of = f'asked_total{{every="{spacing}"'
        return Promql(bad=f'sum(increase({of},code="500"}}[$window]))', total=f"sum(increase({of}}}[$window]))")

    slas = [_sla(str(one), counted(one), objective=0.9) for one in (*SPACINGS, 61)]

    async def ask() -> dict[str, Standing]:
        sources = Sources(environment(past.url))
        try:
            survey = await Slas(environment(past.url), sources, slas, clock=lambda: NOW).survey()
        finally:
            await sources.close()
        return {one.sla.name: one for one in survey.standings}

    return asyncio.run(ask())


def happened(shape: Shape, seconds: float) -> float:
    """How much of it there was in the last `seconds`."""
    return shape(LENGTH) - shape(LENGTH - seconds)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_counts_of_a_week_are_what_happened_however_far_apart_the_samples_are(
    standings: dict[str, Standing], spacing: int
) -> None:
    found = standings[str(spacing)]
    total, bad = happened(requests, 7 * DAY), happened(failures, 7 * DAY)
    assert found.tally.total == pytest.approx(total, rel=0.01)
    assert found.tally.bad == pytest.approx(bad, rel=0.01)
    assert found.sli == pytest.approx(1 - bad / total, abs=0.01 * bad / total)
    # What was counted in the gap is known; which hour it was in is not: three are not covered.
    assert found.tally.coverage == pytest.approx(1 - 3 / 168, abs=0.007)
    assert (GAP[1] - GAP[0]) / HOUR == pytest.approx(3.6)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_so_are_those_of_the_last_hours_which_are_looked_at_by_five_minutes(
    standings: dict[str, Standing], spacing: int
) -> None:
    (sums,) = [sums for seconds, sums in standings[str(spacing)].windows if seconds == 6 * HOUR]
    # Up to the last sample, and as many seconds before: what was later is not known yet.
    late = LENGTH % spacing
    assert sums.total == pytest.approx(requests(LENGTH - late) - requests(LENGTH - 6 * HOUR - late), rel=0.01)
    assert sums.bad == pytest.approx(happened(failures, 6 * HOUR), rel=0.01)
    assert sums.coverage == 1.0


def test_no_traffic_is_counted_as_none(standings: dict[str, Standing]) -> None:
    found = standings["61"]
    assert (found.tally.total, found.sli, found.why) == (0.0, None, "nothing was counted")
    assert found.tally.coverage == 1.0
