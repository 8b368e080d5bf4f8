"""SLAs read from a real Prometheus with a past that was made: uneven traffic, resets, gaps, maintenance, silence."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from opsconsole.config.settings import Environment, PrometheusSettings
from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.core.state import State
from opsconsole.sla.asking import Slas, Survey
from opsconsole.sla.expressions import counts_of
from opsconsole.sla.standing import Standing
from opsconsole.sources.prometheus import PrometheusSource
from opsconsole.sources.registry import Sources
from tests.integration.sla.conftest import DAY, HOUR, NOW, START
from tests.servers import WebServer

OUTAGE = Maintenance("disks", "bigger disks", NOW - 20.5 * HOUR, NOW - 19.5 * HOUR)


def _sla(name: str, promql: Promql, **given: Any) -> Sla:
    return Sla(**{"name": name, "kind": "availability", "objective": 0.99, "window": "7d", "promql": promql, **given})


def _counts(name: str) -> Promql:
    return Promql(bad=f'sum(increase({name}{{code="500"}}[$window]))', total=f"sum(increase({name}[$window]))")


SLAS = (
    _sla("requests", _counts("requests_total")),
    _sla("clean", _counts("clean_total")),
    _sla("quiet", _counts("quiet_total")),
    _sla("absent", _counts("nobody_total")),
    _sla("latency", Promql(histogram="latency"), kind="latency", target=0.5, objective=0.95),
    _sla("up", Promql(value="up_now")),
    _sla("up-but-for-maintenance", Promql(value="up_now"), maintenance=(OUTAGE,)),
    _sla("gone", Promql(value="gone")),
    _sla("wrong", Promql(value="up_now{")),
)


def environment(url: str) -> Environment:
    nowhere = Path("nowhere")
    prometheus = PrometheusSettings(url=url, timeout=10.0)
    return Environment(name="test", screens=nowhere, runbooks=nowhere, prometheus=prometheus)


def survey(url: str, cache: Path | None = None) -> tuple[Survey, list[tuple[float, float]]]:
    """Every SLA now, and the spans that questions were about, those about what there is not left out."""
    asked: list[tuple[float, float]] = []

    async def ask() -> Survey:
        sources = Sources(environment(url))
        source = sources.get("prometheus")
        assert isinstance(source, PrometheusSource)
        whole = source.range

        async def counted(text: str, *, start: float, end: float, step: float) -> Any:
            if "nobody" not in text:
                asked.append((start, end))
            return await whole(text, start=start, end=end, step=step)

        source.range = counted  # type: ignore[method-assign]
        try:
            return await Slas(environment(url), sources, SLAS, clock=lambda: NOW, cache=cache).survey()
        finally:
            await sources.close()

    return asyncio.run(ask()), asked


@pytest.fixture(scope="module")
def standings(promised: WebServer) -> dict[str, Standing]:
    return {one.sla.name: one for one in survey(promised.url)[0].standings}


def test_traffic_is_weighed_and_a_reset_counter_goes_on(standings: dict[str, Standing]) -> None:
    found = standings["requests"]
    # Seven days of 24 h: half at 10, half at 100 a minute, and 3,000 bad ones.
    assert found.tally.total == pytest.approx(7 * 1440 * 55 + 3000, rel=0.005)
    assert found.tally.bad == pytest.approx(3000, rel=0.02)
    assert found.sli == pytest.approx(1 - 3000 / (7 * 1440 * 55 + 3000), rel=1e-3)
    assert found.tally.coverage == 1.0
    (violation,) = found.violations
    assert violation.start == pytest.approx(NOW - 50 * HOUR, abs=300)
    assert violation.seconds == pytest.approx(HOUR, abs=600)
    assert violation.spent == pytest.approx(3000 / (0.01 * found.tally.total), rel=0.02)
    # Of three days, 3,000 of 237,600 + 3,000 at 1 %.
    assert found.burns[3].long == pytest.approx(3000 / 240_600 / 0.01, rel=0.02)


def test_errors_that_never_were_no_traffic_and_no_metric_are_three_things(standings: dict[str, Standing]) -> None:
    assert (standings["clean"].sli, standings["clean"].state, standings["clean"].budget_left) == (1.0, State.OK, 1.0)
    assert (standings["quiet"].state, standings["quiet"].why) == (State.UNKNOWN, "nothing was counted")
    assert (standings["absent"].state, standings["absent"].why) == (State.UNKNOWN, "no data")
    assert standings["wrong"].state is State.UNKNOWN
    assert "parse error" in standings["wrong"].error


def test_ten_per_cent_too_slow_spend_a_budget_of_five(standings: dict[str, Standing]) -> None:
    found = standings["latency"]
    assert found.sli == pytest.approx(0.9, abs=1e-3)
    assert found.budget_left == pytest.approx(-1.0, abs=0.02)
    assert (found.state, found.why) == (State.CRIT, "the budget is spent")
    assert found.burns[0].long == pytest.approx(2.0, abs=0.05)


def test_a_gap_is_unknown_and_an_outage_is_bad(standings: dict[str, Standing]) -> None:
    found = standings["up"]
    assert found.tally.coverage == pytest.approx(156 / 168, abs=0.002)
    assert found.tally.bad == pytest.approx(60, abs=1)
    (violation,) = found.violations
    assert violation.start == pytest.approx(NOW - 20.5 * HOUR, abs=300)
    assert violation.seconds == pytest.approx(HOUR, abs=300)


def test_maintenance_within_an_hour_is_left_out_to_the_minute(standings: dict[str, Standing]) -> None:
    found = standings["up-but-for-maintenance"]
    assert found.tally.bad <= 2
    assert found.tally.coverage == pytest.approx(155 / 167, abs=0.002)
    assert [(one.name, one.why, one.end - one.start) for one in found.excluded] == [("disks", "bigger disks", HOUR)]


def test_what_went_silent_is_unknown_now(standings: dict[str, Standing]) -> None:
    # Five minutes of looking back are known.
    assert (standings["gone"].state, standings["gone"].why[:13]) == (State.UNKNOWN, "no data for 1")
    assert standings["gone"].sli == 1.0


def test_the_generated_expression_says_the_same(promised: WebServer, standings: dict[str, Standing]) -> None:
    async def ratio(sla: Sla) -> float:
        source = PrometheusSource(PrometheusSettings(url=promised.url))
        counts = counts_of(sla)
        assert counts is not None
        answer = await source.instant(counts.error_ratio("7d"), at=NOW)
        await source.close()
        (sample,) = answer.value.samples  # type: ignore[union-attr]
        return float(sample.value)

    for name in ("requests", "latency", "up"):
        sli = standings[name].sli
        assert sli is not None
        assert asyncio.run(ratio(standings[name].sla)) == pytest.approx(1 - sli, rel=0.02)


def test_closed_days_are_not_asked_for_again(promised: WebServer, tmp_path: Path) -> None:
    first, asked = survey(promised.url, tmp_path)
    second, again = survey(promised.url, tmp_path)
    assert [(one.sla.name, one.sli, one.violations) for one in second.standings] == [
        (one.sla.name, one.sli, one.violations) for one in first.standings
    ]
    # Days in which something was, and that are over; where in them a question begins depends on the time of day.
    first_day, yesterday = -(-START // DAY) * DAY, (NOW - DAY) // DAY * DAY
    assert len([one for one in asked if one[0] < yesterday and one[1] > first_day]) > 10
    assert not [one for one in again if one[0] < yesterday and one[1] > first_day]
    (tmp_path / next(tmp_path.iterdir()).name).write_text("{")
    damaged, _ = survey(promised.url, tmp_path)
    assert [one.sli for one in damaged.standings] == [one.sli for one in first.standings]


def test_a_server_that_is_gone_makes_everything_unknown_and_nothing_kept() -> None:
    found, _ = survey("http://127.0.0.1:9")
    assert {one.state for one in found.standings} == {State.UNKNOWN}
    assert all("refused" in one.error and one.met is None for one in found.standings)
