"""The shipped screens on real servers: on the demo, on a bare Prometheus, and for a role that may see little."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from opsconsole.cli.wiring import open_sources
from opsconsole.config.loading import load_settings, settings_for
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import Environment, PostgresSettings, PrometheusSettings
from opsconsole.core.content import shipped_content
from opsconsole.core.reading import Answer, Query, Reading
from opsconsole.core.state import State
from opsconsole.core.values import Vector
from opsconsole.screens.definition import Screen
from opsconsole.screens.evaluation import PaneState, evaluate_pane
from opsconsole.screens.loading import load_screens
from opsconsole.screens.once import read_once
from opsconsole.screens.overview import Overview
from opsconsole.screens.queries import pane_queries
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import default_selections, options, options_query
from opsconsole.screens.watchlist import watchlist
from tests.platform import DemoPlatform
from tests.servers import PostgresServer, WebServer

SCREENS, _ = load_screens(shipped_content() / "screens")
OVERVIEW = next(screen for screen in SCREENS if screen.id == "overview")
QUIET = {"database-overview/blocked", "database-overview/waits"}
"""Panes that are empty while nobody waits for anybody."""


async def read_all(environment: Environment, queries: list[Query]) -> dict[Query, Reading]:
    sources = open_sources(environment)

    async def read(query: Query) -> Answer:
        return await sources.get(query.source).read(query)

    try:
        return await read_once(queries, read, timeout=40)
    finally:
        await sources.close()


def panes_of(environment: Environment, source: str = "") -> dict[str, PaneState]:
    """Every pane of every shipped screen, read once."""
    asked = {
        f"{screen.id}/{pane.id}": (pane, pane_queries(pane, default_selections(screen), TimeRange(screen.window)))
        for screen in SCREENS
        for pane in screen.panes
        if pane.targets and pane.source.startswith(source)
    }
    readings = asyncio.run(read_all(environment, [query for _, queries in asked.values() for query in queries]))
    return {
        name: evaluate_pane(pane, [readings[query] for query in queries], time.time())
        for name, (pane, queries) in asked.items()
    }


def overview_of(environment: Environment) -> Overview:
    watched = watchlist(SCREENS, areas_of=OVERVIEW)
    readings = asyncio.run(read_all(environment, list(watched.intervals)))

    def latest(query: Query) -> Reading:
        return readings[query]

    return watched.overview(watched.checks(latest, time.time()), latest, time.time())


def demo_environment(demo: DemoPlatform) -> Environment:
    return load_settings(Path(demo.config)).environment


def bare(**parts: object) -> Environment:
    return replace(settings_for().environment, **parts)  # type: ignore[arg-type]


def wait_for_samples(environment: Environment, text: str, count: int, seconds: float = 20.0) -> None:
    """Until a Prometheus that has just started has scraped."""
    query, limit = Query("prometheus", text), time.monotonic() + seconds
    while True:
        value = asyncio.run(read_all(environment, [query]))[query].value
        if isinstance(value, Vector) and len(value.samples) >= count:
            return
        assert time.monotonic() < limit, f"{text}: {value}"


def errors(panes: dict[str, PaneState]) -> dict[str, str]:
    return {name: state.error for name, state in panes.items() if state.error}


def test_every_pane_has_something_to_show_on_the_demo(demo: DemoPlatform) -> None:
    # A rate on a grid of fifteen seconds needs a little while after the start; this metric has no made-up past.
    demo.wait_for('rate(process_cpu_seconds_total{job="node"}[5m] offset 30s)', seconds=60)
    panes = panes_of(demo_environment(demo))
    assert errors(panes) == {}
    assert {name for name, state in panes.items() if state.empty} <= QUIET
    assert [name for name, state in panes.items() if state.truncated] == []
    assert {name: state.warnings for name, state in panes.items() if state.warnings} == {}


def test_every_area_of_the_overview_knows_now_the_last_hour_and_yesterday(demo: DemoPlatform) -> None:
    areas = {area.id: area for area in overview_of(demo_environment(demo)).areas}
    checked = {"services", "pipelines", "sla", "errors", "quality", "database", "resources"}
    assert set(areas) == {*checked, "alerts"}
    for area in areas.values():
        assert area.checks or area.id not in checked, area
        assert area.now_text, area
        assert area.day_ago_text, area
        assert len(area.trend) > 30, area
    assert areas["services"].now_text == f"{len(demo.query('up'))} of {len(demo.query('up'))} up"


@pytest.mark.parametrize("screen", [screen for screen in SCREENS if screen.variables], ids=lambda screen: screen.id)
def test_every_variable_has_options_on_the_demo(screen: Screen, demo: DemoPlatform) -> None:
    for variable in screen.variables:
        query = options_query(variable, default_selections(screen))
        assert query is not None
        readings = asyncio.run(read_all(demo_environment(demo), [query]))
        assert options(variable, readings[query].value)


def test_on_a_prometheus_that_knows_none_of_it_nothing_fails(prometheus: WebServer) -> None:
    environment = bare(prometheus=PrometheusSettings(prometheus.url))
    wait_for_samples(environment, "up", 2)
    panes = panes_of(environment, "prometheus")
    assert errors(panes) == {}
    found = overview_of(environment)
    # A Prometheus without rules has no alert that fires, and knows that.
    assert {check.area for check in found.checks if check.state is not State.ERROR} == {"services", "alerts"}
    assert [(row.state, row.subject) for row in found.attention if row.area] == [(State.CRIT, "dead 127.0.0.1:9")]


def test_a_role_without_any_privilege_sees_less_and_nothing_fails(postgres: PostgresServer) -> None:
    postgres.psql("drop role if exists nobody_special; create role nobody_special login")
    database = PostgresSettings("app", SecretRef.of(postgres.dsn(user="nobody_special")))
    panes = panes_of(bare(postgres=MappingProxyType({"app": database})), "postgres/")
    assert len(panes) >= 7
    assert errors(panes) == {}
    assert panes["database-overview/lock-wait"].state is State.OK
    assert {cell.legend for cell in panes["database-overview/sessions"].cells} >= {"active"}
