"""Sources die, hang and talk nonsense: the screen says so within two intervals, keeps what it knew, and comes back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.terminal import Terminal
from tests.faults import FaultServer
from tests.servers import PostgresServer, WebServer, start_postgres, start_prometheus
from tests.terminal.conftest import Open
from tests.terminal.database_line import DatabaseLine
from tests.terminal.pace import slowness
from tests.terminal.site import Site

INTERVAL = 2.0
SLACK = 0.7
"""Seconds for painting; times the slowness of the machine."""
STALE = r"◌ STALE +(<5|5|10)s old.*"
"""How a pane says it that keeps the last good value: its age, which grows while a slow machine finds out."""
KEY = 1.5
"""Seconds: less than the two after which a source is given up, so that a key that waited for one would be caught. Times
the slowness of the machine; what keys really take is measured in bench/."""
HALF = 60
"""Columns of one of the two panes."""

METRIC = {
    "id": "metric", "title": "Metric", "kind": "status", "query": "up", "legend": "{{job}}", "rows": 9,
    "thresholds": [{"below": 1, "state": "CRIT"}],
}  # fmt: skip
BASE = {
    "id": "base", "title": "Base", "kind": "stat", "source": "postgres/app", "query": "select 4711 as value",
    "unit": "none", "rows": 9,
}  # fmt: skip


@dataclass
class Watched:
    """A console on both sources, side by side."""

    terminal: Terminal
    slowness: float = 1.0
    """Of the machine, while the sources were well."""

    @property
    def two_intervals(self) -> float:
        """Seconds within which the screen has to say what is wrong."""
        return 2 * INTERVAL + SLACK * self.slowness

    @property
    def key(self) -> float:
        """Seconds within which it answers a key."""
        return KEY * self.slowness

    @property
    def metric(self) -> str:
        """The left pane."""
        return "\n".join(line[: HALF - 1].rstrip() for line in self.terminal.screen.display[3:15])

    @property
    def base(self) -> str:
        """The right pane."""
        return "\n".join(line[HALF:].rstrip() for line in self.terminal.screen.display[3:15])

    def wait_for(self, metric: str, base: str, timeout: float) -> float:
        """Until both panes match."""
        return self.terminal.wait_until(
            lambda: bool(re.search(metric, self.metric, re.S) and re.search(base, self.base, re.S)),
            timeout, f"left {metric!r}, right {base!r}",
        )  # fmt: skip

    def wait_live(self, timeout: float = 30.0) -> None:
        """Until both show fresh values."""
        self.wait_for(r"Metric +\d OK\n.*● OK", r"^ ?Base *\n.*4711", timeout)

    def well(self, timeout: float = 30.0) -> None:
        """Wait until both show fresh values, and take the pace."""
        self.wait_live(timeout)
        self.slowness = slowness(self.terminal)

    def keys_answer(self) -> None:
        """Help comes and goes, and waits for no source."""
        for key, shown in (("?", r"› Keys: Both"), ("esc", r"^ 1 Both  9 Runbooks")):
            self.terminal.press(key)
            assert self.terminal.wait_for(shown) < self.key, key


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with start_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def prometheus() -> Iterator[WebServer]:
    with start_prometheus() as server:
        yield server


def through(line: DatabaseLine, server: PostgresServer) -> str:
    """The server's DSN over the line; without TLS, of which the line knows nothing."""
    return server.dsn(sslmode="disable", gssencmode="disable").replace(f":{server.port}/", f":{line.port}/")


@dataclass(frozen=True)
class Failing:
    """A console on two sources that fail on demand."""

    watched: Watched
    metrics: FaultServer
    line: DatabaseLine

    def set(self, mode: str) -> None:
        self.metrics.mode, self.line.mode = mode, mode


@pytest.fixture(scope="module")
def seat(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    with FaultServer() as metrics, DatabaseLine(postgres.port) as line:
        dsn = through(line, postgres)
        site = Site(tmp_path_factory.mktemp("failing"), metrics.url, {"app": dsn})
        site.screen("both", [METRIC, BASE], refresh=f"{INTERVAL:g}s")
        with site.console(columns=2 * HALF) as terminal:
            yield Failing(Watched(terminal), metrics, line)


@pytest.fixture
def failing(seat: Failing) -> Iterator[Failing]:
    """Sources that can be made to fail; they work again afterwards, and what the test opened is closed."""
    yield seat
    seat.set("ok")
    seat.watched.terminal.press("esc")


@pytest.mark.parametrize(
    ("mode", "metric", "base"),
    [
        ("hang", "no answer within 2 s", "no answer within 2 s"),
        ("html", "answered HTML, not the Prometheus API", "something that is not PostgreSQL"),
        ("500", "answered HTTP 500", "the server is shutting down"),
        ("garbage", "answered something else", "something that is not PostgreSQL"),
        ("huge", "answer larger than 64 MiB", "something that is not PostgreSQL"),
        ("close", "connection closed", "connection closed"),
    ],
)
def test_it_says_what_is_wrong_keeps_the_value_and_recovers(
    failing: Failing, mode: str, metric: str, base: str
) -> None:
    watched = failing.watched
    watched.well()
    failing.set(mode)
    watched.wait_for(rf"{STALE}● OK a.*{metric}", rf"{STALE}4711.*{base}", watched.two_intervals)
    watched.keys_answer()
    watched.terminal.press("e")
    watched.terminal.wait_for(
        rf"STALE.*\n.*source +prometheus(.|\n)*last good value .* ago(.|\n)*{metric[:20]}", watched.key
    )
    watched.terminal.press("esc")
    failing.set("ok")
    watched.wait_live(watched.two_intervals)


def test_the_age_of_a_value_grows_and_its_source_is_counted_out(failing: Failing) -> None:
    watched = failing.watched
    watched.well()
    failing.metrics.mode = "500"
    watched.wait_for(r"◌ STALE  (5|10)s old.*answered HTTP 500", r"^ ?Base *\n.*4711", 12)
    watched.terminal.wait_for("sources 1 of 2", 2 * watched.slowness)
    failing.metrics.mode = "ok"
    watched.wait_live(watched.two_intervals)
    watched.terminal.wait_for("sources 2 of 2", 2 * watched.slowness)


def test_a_source_that_never_answered_is_an_error_until_it_does(postgres: PostgresServer, tmp_path: Path) -> None:
    with FaultServer("hang") as metrics, DatabaseLine(postgres.port, "hang") as line:
        dsn = through(line, postgres)
        site = Site(tmp_path, metrics.url, {"app": dsn})
        site.screen("both", [METRIC, BASE], refresh=f"{INTERVAL:g}s")
        with site.console(columns=2 * HALF) as terminal:
            watched = Watched(terminal)
            watched.wait_for("Metric", "Base", 10)
            watched.slowness = slowness(terminal)
            limit = watched.two_intervals
            watched.wait_for(r"! ERROR.*no answer within 2 s", r"! ERROR.*no answer within 2 s", limit)
            watched.keys_answer()
            metrics.mode = line.mode = "ok"
            watched.wait_live(limit)


@pytest.fixture(scope="module")
def real(
    postgres: PostgresServer, prometheus: WebServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    site = Site(tmp_path_factory.mktemp("real"), prometheus.url, {"app": postgres.dsn()})
    metric = {**METRIC, "query": 'up{job="prometheus"}'}
    site.screen("both", [metric, BASE], refresh=f"{INTERVAL:g}s")
    with site.console(columns=2 * HALF) as terminal:
        yield Watched(terminal)


def test_real_servers_that_are_stopped_in_their_tracks(
    real: Watched, postgres: PostgresServer, prometheus: WebServer
) -> None:
    real.well()
    postgres.program.freeze()
    prometheus.program.freeze()
    try:
        silent = "no answer within 2 s"
        real.wait_for(f"{STALE}● OK.*{silent}", f"{STALE}4711.*{silent}", real.two_intervals)
        real.keys_answer()
    finally:
        postgres.program.thaw()
        prometheus.program.thaw()
    real.wait_live(real.two_intervals)


def test_real_servers_that_are_killed_and_started_again(
    real: Watched, postgres: PostgresServer, prometheus: WebServer
) -> None:
    real.well()
    postgres.program.kill()
    prometheus.program.kill()
    refused = "(connection refused|closed)"
    real.wait_for(rf"◌ STALE .*● OK.*{refused}", rf"◌ STALE .*4711.*{refused}", real.two_intervals)
    real.keys_answer()
    postgres.program.start()
    prometheus.program.start()
    # The new Prometheus has to scrape first: no data is UNKNOWN until then, and not the old value.
    real.wait_live(real.two_intervals + 3)


def test_an_answer_of_a_hundred_megabytes_is_refused_and_costs_no_memory(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    postgres.psql("create table if not exists feed as select 'small'::text as word")
    site = Site(tmp_path, databases={"app": postgres.dsn()})
    table = {**BASE, "kind": "table", "query": "select word from feed"}
    site.screen("both", [table], refresh=f"{INTERVAL:g}s")
    with site.console() as terminal:
        terminal.wait_for("small")
        watched = Watched(terminal, slowness(terminal))
        before = terminal.usage().rss
        postgres.psql("update feed set word = repeat('x', 100 * 1024 * 1024)")
        terminal.wait_for(r"Base .*(STALE|ERROR|x{20})", watched.two_intervals + 4)
        terminal.press("?")
        assert terminal.wait_for("Keys: Both") < watched.key
        terminal.press("esc")
        postgres.psql("update feed set word = 'tiny'")
        terminal.wait_for("tiny", 2 * watched.two_intervals)
        assert terminal.usage().rss < before + 350


def test_the_shipped_overview_says_it_too(open_console: Open, prometheus: WebServer) -> None:
    """Its refresh is five seconds, as an operator has it."""
    terminal = open_console("--prometheus", prometheus.url)
    terminal.wait_for(r"Services +\d +. CRIT +\d of \d up")
    times = slowness(terminal)
    prometheus.program.freeze()
    try:
        terminal.wait_for(r"◌ STALE +prometheus +no answer within 5 s .* <?\d+s +e last error", 2 * 5 + SLACK * times)
        terminal.wait_for(r"Services +\d +◌ STALE .* old", times)
        terminal.wait_for("sources 0 of 1", 2 * times)
        terminal.press("?")
        assert terminal.wait_for("Keys: Overview") < KEY * times
        terminal.press("esc")
        terminal.wait_for("NEEDS ATTENTION", KEY * times)
        terminal.press("e")
        terminal.wait_for(r"what the source said\n.*(prometheus|alerts): no answer within", KEY * times)
        terminal.press("esc")
    finally:
        prometheus.program.thaw()
    terminal.wait_for(r"Services +\d +. CRIT +\d of \d up", 2 * 5 + SLACK * times)
