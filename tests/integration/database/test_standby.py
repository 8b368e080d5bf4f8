"""A real standby: how far it is behind, what is refused there, and what the console says while it takes over."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType

import psycopg
import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Outcome
from opsconsole.config.loading import postgres_at, settings_for
from opsconsole.config.settings import Environment
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.database.instance import read_instance
from opsconsole.database.replication import Replication, read_replication
from opsconsole.database.sessions import read_sessions
from opsconsole.database.tables import read_tables
from tests.integration.database.conftest import Connect
from tests.servers import PostgresServer, start_postgres, start_standby


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresServer]:
    with start_postgres(settings=["wal_level=replica", "max_wal_senders=5", "hot_standby=on"]) as server:
        server.psql("create table readings as select generate_series(1, 1000) as id; create role bare login")
        yield server


@pytest.fixture(scope="module")
def standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    with start_standby(primary) as server:
        yield server


def environment(server: PostgresServer) -> Environment:
    database = postgres_at(server.dsn())
    return replace(settings_for().environment, postgres=MappingProxyType({database.name: database}))


async def until(connect: Connect, dsn: str, holds: Callable[[Replication], bool]) -> Replication:
    """The first reading that is as wanted."""
    async with connect(dsn) as database, asyncio.timeout(20):
        while not holds(found := await read_replication(database)):  # noqa: ASYNC110 - of a server no event tells
            await asyncio.sleep(0.05)
        return found


async def test_a_standby_that_has_replayed_everything_is_not_behind(
    primary: PostgresServer, standby: PostgresServer, asked: Connect
) -> None:
    here = await until(asked, primary.dsn(), lambda one: bool(one.standbys and one.standbys[0].behind_bytes == 0))
    (other,) = here.standbys
    assert (other.name, other.state, other.mode, other.health) == ("second", "streaming", "async", State.OK)
    # Nothing was written for a while: its last transaction grows old, and yet it lacks nothing.
    there = await until(asked, standby.dsn(), lambda one: one.log.unreplayed_bytes == 0)
    assert (there.log.standby, there.log.receiver, there.log.replay_lag_seconds) == (True, "streaming", 0.0)


async def test_a_paused_replay_shows_in_bytes_on_both_sides(
    primary: PostgresServer, standby: PostgresServer, asked: Connect
) -> None:
    primary.psql("insert into readings values (0)")  # so that the standby has replayed a transaction at all
    arrived = "select count(*) from readings where id = 0"
    await until(asked, standby.dsn(), lambda _one: standby.psql(arrived) == "1")
    standby.psql("select pg_wal_replay_pause()")
    try:
        primary.psql("insert into readings select generate_series(1, 20000)")
        here = await until(
            asked, primary.dsn(), lambda one: bool(one.standbys and (one.standbys[0].behind_bytes or 0) > 500_000)
        )
        assert (here.standbys[0].unsent_bytes or 0) < (here.standbys[0].behind_bytes or 0)
        there = await until(asked, standby.dsn(), lambda one: (one.log.unreplayed_bytes or 0) > 500_000)
        assert there.log.paused
        assert (there.log.replay_lag_seconds or 0) > 0
    finally:
        standby.psql("select pg_wal_replay_resume()")


async def test_a_slot_that_nobody_reads_keeps_the_log(primary: PostgresServer, asked: Connect) -> None:
    primary.psql("select pg_create_physical_replication_slot('forgotten', true)")
    try:
        primary.psql("insert into readings select generate_series(1, 20000)")
        async with asked(primary.dsn()) as database:
            found = await read_replication(database)
        (slot,) = [one for one in found.slots if one.name == "forgotten"]
        assert (slot.kind, slot.active, slot.status) == ("physical", False, "reserved")
        assert (slot.retained_bytes or 0) > 500_000
        assert slot.health is State.OK  # as long as it is not much
    finally:
        primary.psql("select pg_drop_replication_slot('forgotten')")


async def test_the_rate_of_the_log_is_that_between_two_readings(primary: PostgresServer, asked: Connect) -> None:
    async with asked(primary.dsn()) as database:
        first = await read_replication(database)
        primary.psql("insert into readings select generate_series(1, 20000)")
        second = await read_replication(database, first)
    assert first.wal_rate is None
    assert second.wal_rate is not None
    assert second.wal_rate * (second.taken_at - first.taken_at) == pytest.approx(second.log.bytes - first.log.bytes)
    assert second.log.bytes - first.log.bytes > 500_000


async def test_without_privilege_it_says_what_is_hidden(
    primary: PostgresServer, standby: PostgresServer, asked: Connect
) -> None:
    async with asked(primary.dsn(user="bare")) as database:
        found = await read_replication(database)
    assert found.coverage.notes == ('how far standbys are is hidden: grant pg_monitor to "bare";',)


async def test_everything_can_be_read_on_a_standby(standby: PostgresServer, asked: Connect) -> None:
    async with asked(standby.dsn()) as database:
        assert (await read_sessions(database)).sessions
        assert (await read_tables(database)).tables
        assert (await read_instance(database)).uptime >= 0


@pytest.mark.parametrize("action", ["vacuum", "analyze"])
async def test_maintenance_is_refused_there_before_anything_is_sent(standby: PostgresServer, action: str) -> None:
    registration = registry.find(f"postgres.{action}")
    assert registration is not None
    made = registration.build({"schema": "public", "table": "readings"}, environment(standby))
    result = await made.runner.run(lambda piece: None)
    assert result.outcome is Outcome.REFUSED
    assert "this is a standby: maintenance is done on the primary" in result.detail


def test_the_command_says_it_and_fails_only_where_somebody_has_to_look(
    primary: PostgresServer, standby: PostgresServer
) -> None:
    def said(server: PostgresServer, *more: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "opsconsole.cli.main", "--postgres", server.dsn(), "db", "replication", *more]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)

    done = said(primary, "--format", "json")
    assert done.returncode == Exit.DONE, done.stderr
    assert [one["name"] for one in json.loads(done.stdout)["replication"]["standbys"]] == ["second"]
    assert "standby at " in said(standby).stderr


async def test_a_failover_while_it_is_looked_at_is_a_new_primary(primary: PostgresServer, asked: Connect) -> None:
    """The connection breaks off or stays; either way what is said next is what is so."""
    with start_standby(primary) as other:
        async with asked(other.dsn()) as database:
            assert (await read_replication(database)).log.standby
            other.psql("select pg_promote(true, 20)")
            assert not (await read_replication(database)).log.standby
            with psycopg.connect(other.dsn(), autocommit=True) as connection:
                connection.execute("create table fresh (id int)")
            assert "fresh" in {one.name for one in (await read_tables(database)).tables}
            other.restart()
            async with asyncio.timeout(20):
                while True:
                    try:
                        assert not (await read_replication(database)).log.standby
                    except SourceError:
                        await asyncio.sleep(0.05)
                    else:
                        break
