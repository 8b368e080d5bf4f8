"""Whose what was bad is, of a real Prometheus: values, errors, and good by another label than all."""

import asyncio
from pathlib import Path

import pytest

from opsconsole.config.settings import Environment, PrometheusSettings
from opsconsole.config.slas import Promql, Sla
from opsconsole.sla.asking import Slas
from opsconsole.sla.shares import subjects
from opsconsole.sla.standing import Standing
from opsconsole.sources.registry import Sources
from tests.integration.sla.conftest import NOW
from tests.servers import WebServer

GOOD = Promql(good='sum(increase(answers_total{status="200"}[$window]))', total="sum(increase(answers_total[$window]))")
BAD = Promql(bad='sum(increase(answers_total{status="500"}[$window]))', total=GOOD.total)
LOADS = Promql(value="load_ok")
SLAS = tuple(
    Sla(name, "availability", objective=0.9, window="7d", promql=promql)
    for name, promql in {"loads": LOADS, "good": GOOD, "bad": BAD, "whole": Promql(value="min(load_ok)")}.items()
)


@pytest.fixture(scope="module")
def apart(promised: WebServer) -> dict[str, Standing]:
    async def ask() -> dict[str, Standing]:
        nowhere = Path("nowhere")
        settings = PrometheusSettings(url=promised.url, timeout=10.0)
        environment = Environment(name="test", screens=nowhere, runbooks=nowhere, prometheus=settings)
        sources = Sources(environment)
        try:
            slas = Slas(environment, sources, SLAS, clock=lambda: NOW)
            return {one.sla.name: one for one in (await slas.apart(await slas.survey())).standings}
        finally:
            await sources.close()

    return asyncio.run(ask())


def test_minutes_of_tables_that_were_down(apart: dict[str, Standing]) -> None:
    found = apart["loads"]
    assert found.tally.bad == pytest.approx(240, abs=3)
    assert subjects(found.shares) == ["table=bills", "table=users"]
    assert [one.share for one in found.shares] == pytest.approx([0.75, 0.25], abs=0.01)
    assert sum(one.bad for one in found.shares) == pytest.approx(found.tally.bad)


@pytest.mark.parametrize("name", ["good", "bad"])
def test_errors_are_told_apart_by_route_however_they_are_counted(apart: dict[str, Standing], name: str) -> None:
    shares = apart[name].shares
    assert [one.of["route"] for one in shares] == ["/b", "/a"]
    assert [one.share for one in shares] == pytest.approx([0.75, 0.25], abs=0.001)


def test_what_is_counted_as_one_is_not_told_apart(apart: dict[str, Standing]) -> None:
    assert apart["whole"].tally.bad > 0
    assert apart["whole"].shares == ()
