"""Work that is under way, and connections against their limits, on a real server."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import psycopg
import pytest

from opsconsole.core.exit_codes import Exit
from opsconsole.core.state import State
from opsconsole.database.connections import pool_advice, read_connections
from opsconsole.database.progress import Progress, Work, read_progress
from tests.integration.database.conftest import Connect
from tests.servers import PostgresServer, start_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with start_postgres(settings=["max_connections=20", "superuser_reserved_connections=3"]) as started:
        started.psql(
            "create table readings (id int, value text) with (autovacuum_enabled = off);"
            "insert into readings select i, repeat('x', 500) from generate_series(1, 20000) i;"
            "delete from readings where id % 2 = 0; create role bare login; create role few login connection limit 2"
        )
        yield started


@contextmanager
def under_way(server: PostgresServer, *statements: str) -> Iterator[int]:
    """A session in the last of `statements`, which is called off with the block; gives its pid."""
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as connection:
        for statement in statements[:-1]:
            connection.execute(statement.encode())

        def run() -> None:
            with suppress(psycopg.Error):
                connection.execute(statements[-1].encode())

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield connection.info.backend_pid
        finally:
            connection.cancel_safe()
            thread.join()


async def seen(connect: Connect, dsn: str, holds: Callable[[Work], bool], before: Progress | None = None) -> Progress:
    """The first reading in which some work is as wanted."""
    async with connect(dsn) as database, asyncio.timeout(20):
        while not any(map(holds, (found := await read_progress(database, before)).works)):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
        return found


async def test_a_vacuum_has_a_rate_and_an_end(server: PostgresServer, asked: Connect) -> None:
    slow = ("set vacuum_cost_delay = '20ms'", "set vacuum_cost_limit = 40", "vacuum readings")
    with under_way(server, *slow) as pid:
        first = await seen(asked, server.dsn(), lambda one: one.phase == "scanning heap" and one.done > 0)
        (work,) = first.works
        assert (work.kind, work.pid, work.relation, work.unit) == ("vacuum", pid, "readings", "blocks")
        assert (work.rate, work.left_seconds, work.automatic) == (None, None, False)
        then = await seen(asked, server.dsn(), lambda one: one.done > work.done, first)
    (later,) = then.works
    assert later.rate == pytest.approx((later.done - work.done) / (then.taken_at - first.taken_at))
    assert later.left_seconds == pytest.approx((later.total - later.done) / (later.rate or 1))
    assert 0 < (later.share or 0) < 1


async def test_an_index_build_that_waits_says_for_whom(server: PostgresServer, asked: Connect) -> None:
    with psycopg.connect(server.dsn()) as holder:
        holder.execute("update readings set value = '' where id = 1")
        with under_way(server, "create index concurrently held_up on readings (id)"):
            found = await seen(asked, server.dsn(), lambda one: one.phase.startswith("waiting for"))
            (work,) = found.works
            assert (work.kind, work.relation, work.index) == ("create index concurrently", "readings", "held_up")
            assert (work.unit, work.done, work.total) == ("sessions", 0, 1)
            assert work.detail == str(holder.info.backend_pid)
        holder.rollback()
    server.psql("drop index if exists held_up")


async def test_a_copy_counts_its_bytes(server: PostgresServer, asked: Connect) -> None:
    with (
        psycopg.connect(server.dsn()) as connection,
        connection.cursor() as cursor,
        cursor.copy("copy readings from stdin") as copy,
    ):
        copy.write(b"1\tone\n" * 20_000)
        found = await seen(asked, server.dsn(), lambda one: one.kind == "copy from" and one.done > 50_000)
        (work,) = found.works
        assert (work.unit, work.total, work.left_seconds) == ("bytes", 0, None)


async def test_who_may_see_little_is_told_so(server: PostgresServer, asked: Connect) -> None:
    async with asked(server.dsn(user="bare")) as database:
        found = await read_progress(database)
    assert found.coverage.notes == ('what other roles\' work is on is hidden: grant pg_monitor to "bare";',)


def test_the_command_lists_it(server: PostgresServer) -> None:
    argv = [sys.executable, "-m", "opsconsole.cli.main", "--postgres", server.dsn(), "db", "progress"]
    held = "create index concurrently held_up on readings (id)"
    with psycopg.connect(server.dsn()) as holder:
        holder.execute("update readings set value = '' where id = 1")
        with under_way(server, held) as pid:
            done = listed(argv, pid)
        holder.rollback()
    server.psql("drop index if exists held_up")
    assert [one["pid"] for one in done["works"]] == [pid]


def listed(argv: list[str], pid: int) -> dict[str, Any]:
    """What the command prints, once the work of `pid` is in it."""
    for _ in range(50):
        done = subprocess.run([*argv, "--format", "json"], capture_output=True, text=True, check=True, timeout=30)
        found: dict[str, Any] = json.loads(done.stdout)
        if found["works"]:
            return found
    raise AssertionError(f"{pid} was never listed")


async def test_connections_are_counted_against_what_may_be_used(server: PostgresServer, asked: Connect) -> None:
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(closing(psycopg.connect(server.dsn(user="few"))))
        async with asked(server.dsn()) as database:
            some = await read_connections(database)
        assert (some.limits.most, some.limits.reserved, some.limits.usable) == (20, 3, 17)
        assert some.limits.roles == {"few": 2}
        assert (some.used, some.state) == (3, State.OK)
        for _ in range(12):
            stack.enter_context(closing(psycopg.connect(server.dsn())))
        async with asked(server.dsn()) as database:
            many = await read_connections(database, some)
        assert (many.used, many.state) == (15, State.WARN)
        argv = [sys.executable, "-m", "opsconsole.cli.main", "--postgres", server.dsn(), "db", "connections"]
        done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == Exit.FAILED
        assert "few                 2      2" in done.stdout
        assert "of 17 connections" in done.stderr


async def test_the_peak_of_busy_sessions_is_kept_and_a_pool_is_at_least_that(
    server: PostgresServer, asked: Connect
) -> None:
    with ExitStack() as stack:
        for _ in range(7):
            stack.enter_context(under_way(server, "select pg_sleep(60)"))
        async with asked(server.dsn()) as database, asyncio.timeout(20):
            while (busy := await read_connections(database)).busy < 7:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.02)
    async with asked(server.dsn()) as database:
        later = await read_connections(database, busy)
    assert later.busy_peak == 7
    advice = pool_advice(later)
    assert advice.size >= 7
    assert "7 seen busy at once" in advice.arithmetic
