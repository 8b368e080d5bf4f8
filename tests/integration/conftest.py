"""Real servers, started once per session when a test first asks for them."""

from collections.abc import Iterator

import pytest

from tests.servers import PostgresServer, WebServer, start_postgres, start_prometheus, start_victoria_metrics


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL with pg_stat_statements loaded but not created. Tests that stop or break it start their own."""
    with start_postgres(settings=["shared_preload_libraries=pg_stat_statements"]) as server:
        yield server


@pytest.fixture(scope="session")
def prometheus() -> Iterator[WebServer]:
    """A Prometheus that scrapes itself, and has a target that is down."""
    with start_prometheus() as server:
        yield server


@pytest.fixture(scope="session")
def victoria_metrics() -> Iterator[WebServer]:
    """A VictoriaMetrics, empty."""
    with start_victoria_metrics() as server:
        yield server
