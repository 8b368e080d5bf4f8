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
from tests.terminal.site import Site

INTERVAL = 2.0
SLACK = 0.7
"""Seconds for painting."""
KEY = 1.5
"""Seconds: less than the two after which a source is given up, so that a key that waited for one would be caught. What
keys really take is measured in bench/."""
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


@dataclass(frozen=True)
class Watched:
    """A console on both sources, side by side."""

    terminal: Terminal

    @property
    def metric(self) -> str:
        """The left pane."""
        return "\n".join(line[: HALF - 1].rstrip() for line in self.terminal.screen.display[3:15])

    @property
    def base(self) -> str:
        """The right pane."""
        return "\n".join(line[HALF:].rstrip() for line in self.terminal.screen.display[3:15])

    def wait_for(self, metric: str, base: str, timeout: float = 10.0) -> float:
        """Until both panes match; the seconds it took."""
        return self.terminal.wait_until(
            lambda: bool(re.search(metric, self.metric, re.S) and re.search(base, self.base, re.S)),
            timeout, f"left {metric!r}, right {base!r}",
        )  # fmt: skip

    def wait_live(self, timeout: float = 30.0) -> float:
        """Until both show fresh values; the seconds it took."""
        return self.wait_for(r"Metric +\d OK\n.*● OK", r"^ ?Base *\n.*4711", timeout)

    def two_intervals(self) -> float:
        """The seconds within which a change of a source has to be there, on a machine as busy as it is now."""
        return 2 * INTERVAL + SLACK + 5 * self._key()

    def keys_answer(self) -> None:
        """Help comes and goes, and waits for no source; one that does would take two seconds again and again."""
        assert min(self._key() for _ in range(3)) < KEY

    def _key(self) -> float:
        """Seconds that the slower of two keys takes."""
        taken = []
        for key, shown in (("?", r"› Keys: Both"), ("esc", r"^ 1 Both  9 Runbooks")):
            self.terminal.press(key)
            taken.append(self.terminal.wait_for(shown))
        return max(taken)


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
    watched.wait_live()
    limit = watched.two_intervals()
    failing.set(mode)
    assert watched.wait_for(rf"◌ STALE  .* old.*● OK a.*{metric}", rf"◌ STALE  .* old.*4711.*{base}") < limit
    watched.keys_answer()
    watched.terminal.press("e")
    watched.terminal.wait_for(rf"STALE.*\n.*source +prometheus(.|\n)*last good value .* ago(.|\n)*{metric[:20]}", KEY)
    watched.terminal.press("esc")
    failing.set("ok")
    assert watched.wait_live() < limit


def test_the_age_of_a_value_grows_and_its_source_is_counted_out(failing: Failing) -> None:
    failing.watched.wait_live()
    failing.metrics.mode = "500"
    failing.watched.wait_for(r"◌ STALE  (5|10)s old.*answered HTTP 500", r"^ ?Base *\n.*4711", 12)
    failing.watched.terminal.wait_for("sources 1 of 2", 2)
    failing.metrics.mode = "ok"
    failing.watched.wait_live()
    failing.watched.terminal.wait_for("sources 2 of 2", 2)


def test_a_source_that_never_answered_is_an_error_until_it_does(postgres: PostgresServer, tmp_path: Path) -> None:
    with FaultServer("hang") as metrics, DatabaseLine(postgres.port, "hang") as line:
        dsn = through(line, postgres)
        site = Site(tmp_path, metrics.url, {"app": dsn})
        site.screen("both", [METRIC, BASE], refresh=f"{INTERVAL:g}s")
        with site.console(columns=2 * HALF) as terminal:
            watched = Watched(terminal)
            watched.wait_for("Metric", "Base")
            watched.wait_for(r"! ERROR.*no answer within 2 s", r"! ERROR.*no answer within 2 s")
            watched.keys_answer()
            limit = watched.two_intervals()
            metrics.mode = line.mode = "ok"
            assert watched.wait_live() < limit


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
    real.wait_live()
    limit = real.two_intervals()
    postgres.program.freeze()
    prometheus.program.freeze()
    try:
        silent = "no answer within 2 s"
        assert real.wait_for(rf"◌ STALE  .* old.*● OK.*{silent}", rf"◌ STALE  .* old.*4711.*{silent}") < limit
        real.keys_answer()
    finally:
        postgres.program.thaw()
        prometheus.program.thaw()
    assert real.wait_live() < limit


def test_real_servers_that_are_killed_and_started_again(
    real: Watched, postgres: PostgresServer, prometheus: WebServer
) -> None:
    real.wait_live()
    limit = real.two_intervals()
    postgres.program.kill()
    prometheus.program.kill()
    refused = "(connection refused|closed)"
    assert real.wait_for(rf"◌ STALE .*● OK.*{refused}", rf"◌ STALE .*4711.*{refused}") < limit
    real.keys_answer()
    postgres.program.start()
    prometheus.program.start()
    # The new Prometheus has to scrape first: no data is UNKNOWN until then, and not the old value.
    real.wait_live()


def test_an_answer_of_a_hundred_megabytes_is_refused_and_costs_no_memory(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    postgres.psql("create table if not exists feed as select 'small'::text as word")
    site = Site(tmp_path, databases={"app": postgres.dsn()})
    table = {**BASE, "kind": "table", "query": "select word from feed"}
    site.screen("both", [table], refresh=f"{INTERVAL:g}s")
    with site.console() as terminal:
        terminal.wait_for("small")
        before = terminal.usage().rss
        postgres.psql("update feed set word = repeat('x', 100 * 1024 * 1024)")
        terminal.wait_for(r"Base .*(STALE|ERROR|x{20})")
        terminal.press("?")
        terminal.wait_for("Keys: Both")
        terminal.press("esc")
        postgres.psql("update feed set word = 'tiny'")
        terminal.wait_for("tiny")
        assert terminal.usage().rss < before + 350


def test_the_shipped_overview_says_it_too(open_console: Open, prometheus: WebServer) -> None:
    """Its refresh is five seconds, as an operator has it."""
    terminal = open_console("--prometheus", prometheus.url)
    terminal.wait_for(r"Services +\d +. CRIT +\d of \d up", 15)
    prometheus.program.freeze()
    try:
        terminal.wait_for(r"◌ STALE +prometheus +no answer within 5 s .* <?\d+s +e last error", 2 * 5 + SLACK)
        terminal.wait_for(r"Services +\d +◌ STALE .* old", 1)
        terminal.wait_for("sources 0 of 1", 2)
        terminal.press("?")
        terminal.wait_for("Keys: Overview")
        terminal.press("esc")
        terminal.wait_for("NEEDS ATTENTION", KEY)
        terminal.press("e")
        terminal.wait_for(r"what the source said\n.*(prometheus|alerts): no answer within", KEY)
        terminal.press("esc")
    finally:
        prometheus.program.thaw()
    terminal.wait_for(r"Services +\d +. CRIT +\d of \d up", 2 * 5 + SLACK)
