"""A real PgBouncer before a real server: clients that wait, pools at their limit, a pause, a death."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import Environment, PoolerSettings, PostgresSettings
from opsconsole.core.state import State
from opsconsole.database.asking import Database
from opsconsole.database.connections import Connections, read_connections
from opsconsole.database.examining import examine
from opsconsole.database.findings import findings
from opsconsole.database.pooler import Pool
from opsconsole.database.pooler_findings import pooler_findings, reach
from opsconsole.database.report import Report, markdown
from opsconsole.sources.registry import Sources
from opsconsole.ui.pages.page import Order
from opsconsole.ui.workbench.connections import ConnectionsPage
from tests.servers import PgBouncer, PostgresServer, start_pgbouncer

ENTRIES = ["app = dbname=postgres pool_size=2", "spare = dbname=postgres pool_size=30"]
SETTINGS = ["max_client_conn = 50", "reserve_pool_size = 0", "server_login_retry = 1"]
PATIENCE = 20.0


@pytest.fixture
def pooler(postgres: PostgresServer) -> Iterator[PgBouncer]:
    for role in ("api", "etl"):
        postgres.psql(
            f"do $$ begin create role {role} login; exception when duplicate_object then null; end $$;"
            f"alter role {role} connection limit -1"
        )
    with start_pgbouncer(postgres, ENTRIES, *SETTINGS) as running:
        yield running


@asynccontextmanager
async def looking(server: PostgresServer, console: str) -> AsyncIterator[Database]:
    """The database with the pooler whose console is at `console`, as the configuration would have it."""
    given = PostgresSettings(
        "app", SecretRef.of(server.dsn()), pooler=PoolerSettings(SecretRef.of(console), timeout=1.0)
    )
    sources = Sources(Environment("test", Path(), Path(), postgres={"app": given}))
    try:
        yield Database("postgres/app", lambda query: sources.get(query.source).read(query), pooler="pgbouncer/app")
    finally:
        await sources.close()


@asynccontextmanager
async def clients(pooler: PgBouncer, count: int, name: str = "app", user: str = "api") -> AsyncIterator[None]:
    """Clients that each want a transaction and keep it; cancelled at the end, their connections closed."""

    async def hold() -> None:
        connection = await psycopg.AsyncConnection.connect(pooler.dsn(name, user, user), prepare_threshold=None)
        try:
            await connection.execute("select 1")
            await asyncio.Event().wait()
        finally:
            connection.pgconn.finish()

    tasks = [asyncio.create_task(hold()) for _ in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until(
    database: Database, holds: Callable[[Connections], bool], before: Connections | None = None
) -> Connections:
    """The first reading for which `holds`; PgBouncer tells nobody that something has changed."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = await read_connections(database, before)
        if holds(found):
            return found
        assert time.monotonic() < deadline, found.pooler
        await asyncio.sleep(0.05)


def of(found: Connections, name: str) -> Pool | None:
    assert found.pooler is not None
    return next((one for one in found.pooler.pools if one.name == name), None)


def waiting(found: Connections, name: str = "app / api") -> int:
    pool = of(found, name)
    return pool.waiting if pool is not None else 0


def kinds(found: Connections) -> dict[str, State]:
    return {one.id: one.state for one in pooler_findings(found)}


async def test_who_waits_for_a_full_pool_is_seen_and_what_helps(postgres: PostgresServer, pooler: PgBouncer) -> None:
    async with looking(postgres, pooler.dsn()) as database, clients(pooler, 5):
        found = await until(database, lambda found: waiting(found) == 3 and "pool-full" in kinds(found))
        pool = of(found, "app / api")
        assert pool is not None
        assert (pool.clients_active, pool.clients_waiting, pool.servers_active, pool.size) == (2, 3, 2, 2)
        assert (pool.full, pool.state, pool.mode) == (True, State.WARN, "transaction")
        assert pool.longest_wait is not None
        assert pool.longest_wait >= 1.0
        (finding,) = [one for one in pooler_findings(found) if one.id == "pool-full"]
        assert finding.why.startswith("3 clients wait, the first for ")
        assert finding.why.endswith("2 of 2 servers are busy")
        assert f"{found.limits.usable} usable - {found.used} used" in finding.advice
        assert found.pooler is not None
        assert reach(found.pooler, "postgres").most == 2 + 30
        sheet = ConnectionsPage().sheet(found, Order("connections"))
        texts = {row.cells[0].text.strip(): [cell.text for cell in row.cells] for row in sheet.rows}
        assert texts["app / api"][1:5] == ["2", "2", "2", "3"]
        detail = ConnectionsPage().detail(found, "pool app\napi")
        assert detail is not None
        assert ("clients active, waiting", "2, 3") in detail.facts
        assert any("the pool is at its limit" in heading for heading, _ in detail.parts)


async def test_the_report_has_the_pool_that_is_the_bottleneck(postgres: PostgresServer, pooler: PgBouncer) -> None:
    async with looking(postgres, pooler.dsn()) as database, clients(pooler, 3):
        await until(database, lambda found: "pool-full" in kinds(found))
        readings = await examine(database)
        report = Report(readings, findings(readings))
        assert "pool-full" in {one.id for one in report.findings}
        text = markdown(report)
        assert "the pool is at its limit" in text
        assert "## Pools of PgBouncer 1." in text


async def test_idle_servers_of_another_pool_are_named(postgres: PostgresServer, pooler: PgBouncer) -> None:
    async with looking(postgres, pooler.dsn()) as database:
        async with clients(pooler, 4, "spare", "etl"):
            await until(database, lambda found: (pool := of(found, "spare / etl")) is not None and pool.servers == 4)
        # A client that hangs up in the middle of a transaction takes its server with it; these end theirs.
        for _ in range(2):
            with psycopg.connect(pooler.dsn("spare", "etl", "etl"), autocommit=True, prepare_threshold=None) as one:
                one.execute("select 1")
        async with clients(pooler, 3):
            found = await until(database, lambda found: "pool-full" in kinds(found))
        (finding,) = [one for one in pooler_findings(found) if one.id == "pool-full"]
        assert "of spare / etl" in finding.advice
        assert "stand idle before the same server" in finding.advice


async def test_more_than_the_server_has(postgres: PostgresServer) -> None:
    with start_pgbouncer(postgres, ["app = dbname=postgres pool_size=500"]) as pooler:
        async with looking(postgres, pooler.dsn()) as database:
            found = await read_connections(database)
            assert kinds(found) == {"pool-sum": State.WARN}
            (finding,) = pooler_findings(found)
            assert finding.why.startswith(f"app: 500; together 500 > {found.limits.usable} usable")


async def test_a_pause_is_a_state_and_who_waits_for_its_end_is_counted(
    postgres: PostgresServer, pooler: PgBouncer
) -> None:
    async with looking(postgres, pooler.dsn()) as database:
        pooler.order("PAUSE app")
        async with clients(pooler, 2):
            found = await until(database, lambda found: waiting(found) == 2)
            pool = of(found, "app / api")
            assert pool is not None
            assert (pool.paused, pool.state) == (True, State.WARN)
            (finding,) = pooler_findings(found)
            assert (finding.id, finding.why.partition(";")[0]) == ("pool-paused", "2 clients wait")
            pooler.order("RESUME app")
            again = await until(database, lambda found: waiting(found) == 0)
            resumed = of(again, "app / api")
            assert resumed is not None
            assert (resumed.paused, resumed.servers_active, "pool-paused" in kinds(again)) == (False, 2, False)


async def test_a_wrong_password_is_a_reason_and_the_rest_is_there(postgres: PostgresServer, pooler: PgBouncer) -> None:
    async with looking(postgres, pooler.dsn(password="wrong")) as database:
        found = await read_connections(database)
        assert found.pooler is not None
        assert (found.pooler.state, found.pooler.pools) == (State.UNKNOWN, ())
        assert found.pooler.failed == "password authentication failed (check the password, or .pgpass)"
        assert found.used >= 1
        assert kinds(found) == {}
        sheet = ConnectionsPage().sheet(found, Order("connections"))
        assert sheet.rows[-1].cells[-1].text.startswith("UNKNOWN: password authentication failed")
        readings = await examine(database)
        assert any(note.startswith("the pooler does not answer: password") for note in readings.coverage.notes)


async def test_one_that_dies_keeps_what_it_said_and_comes_back(postgres: PostgresServer, pooler: PgBouncer) -> None:
    async with looking(postgres, pooler.dsn()) as database:
        async with clients(pooler, 1):
            first = await until(database, lambda found: of(found, "app / api") is not None)
        pooler.program.kill()
        second = await read_connections(database, first)
        assert second.pooler is not None
        assert (second.pooler.state, "connection" in second.pooler.failed) == (State.STALE, True)
        assert of(second, "app / api") == of(first, "app / api")
        assert second.used >= 1
        rows = {row.key: row for row in ConnectionsPage().sheet(second, Order("connections")).rows}
        assert re.match(r"STALE \d+s: ", rows["pooler"].cells[-1].text)
        assert {cell.role for cell in rows["pool app\napi"].cells} == {"dim"}
        pooler.program.start()
        third = await until(database, lambda found: found.pooler is not None and not found.pooler.failed, second)
        assert third.pooler is not None
        assert third.pooler.state is State.OK


async def test_one_that_hangs_holds_nothing_up_for_long(postgres: PostgresServer, pooler: PgBouncer) -> None:
    async with looking(postgres, pooler.dsn()) as database:
        first = await read_connections(database)
        pooler.program.freeze()
        began = time.monotonic()
        second = await read_connections(database, first)
        assert time.monotonic() - began < 1.0 + 1.0, "its own time-out, and what the server takes"
        assert second.pooler is not None
        assert second.pooler.failed == "no answer within 1 s"
        pooler.program.thaw()


@pytest.fixture
def configured(tmp_path: Path, postgres: PostgresServer, pooler: PgBouncer) -> Path:
    """A configuration with the pooler, its password in a file."""
    (tmp_path / "password").write_text("look\n")
    (tmp_path / "c.yaml").write_text(
        f"version: 1\nenvironments:\n  a:\n    postgres:\n      app:\n        dsn: '{postgres.dsn()}'\n"
        f"        pooler: {{dsn: 'postgresql://stats@127.0.0.1:{pooler.port}', password: {{file: password}}}}\n"
    )
    return tmp_path / "c.yaml"


async def command(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "opsconsole.cli.main", "--config", str(config), *arguments]
    run: Awaitable[subprocess.CompletedProcess[str]] = asyncio.to_thread(
        subprocess.run, argv, capture_output=True, text=True, check=False, timeout=60
    )
    return await run


async def test_the_command_prints_the_pools_and_check_probes_them(
    configured: Path, postgres: PostgresServer, pooler: PgBouncer
) -> None:
    async with looking(postgres, pooler.dsn()) as database, clients(pooler, 3):
        await until(database, lambda found: "pool-full" in kinds(found))
        told = await command(configured, "db", "connections", "--format", "json")
        table = await command(configured, "db", "connections")
    document = json.loads(told.stdout)["connections"]["pooler"]
    assert told.returncode == 1, "somebody waits"
    (pool,) = [one for one in document["pools"] if one["database"] == "app"]
    assert (pool["user"], pool["clients_waiting"], pool["size"], pool["full"]) == ("api", 1, 2, True)
    assert pool["state"] in ("WARN", "CRIT"), "from 10 s of waiting on it is CRIT"
    assert document["reach"]["most"] == 32
    assert [one["id"] for one in document["findings"]] == ["pool-full"]
    (line,) = [line for line in table.stdout.splitlines() if line.startswith("app ")]
    name, user, state, mode = line.split()[:4]
    assert (name, user, mode) == ("app", "api", "transaction")
    assert state in ("WARN", "CRIT")
    assert re.search(r"^(WARN|CRIT) app / api: the pool is at its limit", table.stderr, re.M)
    checked = json.loads((await command(configured, "check", "--format", "json")).stdout)
    (source,) = [one for one in checked["sources"] if one["source"] == "pgbouncer/app"]
    assert (source["ok"], source["product"]) == (True, "PgBouncer")
    pooler.program.kill()
    gone = await command(configured, "db", "connections")
    assert (gone.returncode, "note: the pooler does not answer: connection refused" in gone.stderr) == (1, True)
    assert gone.stdout.startswith("NAME")
