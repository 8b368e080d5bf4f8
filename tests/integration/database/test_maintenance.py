"""VACUUM and ANALYZE as actions on a real PostgreSQL: what the server calls success has to be one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Outcome, Result, Risk
from opsconsole.config.loading import postgres_at, settings_for
from opsconsole.config.settings import Environment
from opsconsole.database.actions.standing import read_parts
from opsconsole.database.asking import Database
from tests.servers import PostgresServer

SCHEMA, TABLE = 'we"ird.sch%s', "tab'le\n\u2603 % $$"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    postgres.psql("create role keeper login; create role stranger login")
    return postgres


@pytest.fixture
def table(server: PostgresServer) -> Iterator[str]:
    """A table with an odd name of keeper's, half of its 2,000 rows dead; gives its quoted name."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        name = psycopg.sql.Identifier(SCHEMA, TABLE).as_string(connection)
        schema = psycopg.sql.Identifier(SCHEMA).as_string(connection)
        for statement in (
            f"create schema {schema} authorization keeper",
            f"create table {name} (id int) with (autovacuum_enabled = off)",
            f"alter table {name} owner to keeper",
            f"grant usage on schema {schema} to stranger",
            f"insert into {name} select generate_series(1, 2000)",
            f"delete from {name} where id % 2 = 0",
        ):
            connection.execute(statement.encode())
        connection.execute("select pg_stat_force_next_flush()")
        yield name
        connection.execute(f"drop schema {schema} cascade".encode())


def environment(server: PostgresServer, user: str) -> Environment:
    database = postgres_at(server.dsn(user=user))
    found: Environment = settings_for().environment
    return replace(found, postgres=MappingProxyType({database.name: database}))


def action(server: PostgresServer, name: str, *, user: str = "keeper", **more: str) -> Action:
    registration = registry.find(f"postgres.{name}")
    assert registration is not None
    return registration.build({"schema": SCHEMA, "table": TABLE, **more}, environment(server, user))


async def carried_out(wanted: Action) -> tuple[Result, Result | None]:
    result = await wanted.runner.run(lambda piece: None)
    assert wanted.verify is not None
    return result, await wanted.verify() if result.outcome in (Outcome.OK, Outcome.WARN) else None


@contextmanager
def snapshot(server: PostgresServer) -> Iterator[int]:
    """A transaction that still sees what was there; gives its pid."""
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("select 1")
        yield connection.info.backend_pid
        connection.rollback()


async def test_a_vacuum_is_proven_by_the_dead_rows_that_are_gone(server: PostgresServer, table: str) -> None:
    wanted = action(server, "vacuum", analyze="yes")
    assert wanted.command.endswith(f"VACUUM (ANALYZE) {table};")
    result, proof = await carried_out(wanted)
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert proof.outcome is Outcome.OK
    assert "dead rows 1,000 -> 0" in proof.detail


async def test_an_analyze_is_proven_by_the_servers_counter(server: PostgresServer, table: str) -> None:
    result, proof = await carried_out(action(server, "analyze"))
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert proof.outcome is Outcome.OK


async def test_rows_that_a_snapshot_keeps_are_said_with_whose_it_is(server: PostgresServer, table: str) -> None:
    with snapshot(server) as pid:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(f"delete from {table}".encode())
            connection.execute("select pg_stat_force_next_flush()")
        result, proof = await carried_out(action(server, "vacuum"))
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert proof.outcome is Outcome.WARN
    assert f"session {pid}" in proof.detail


async def test_a_table_of_somebody_else_is_refused_before_anything_is_sent(server: PostgresServer, table: str) -> None:
    for name in ("vacuum", "analyze"):
        result, _ = await carried_out(action(server, name, user="stranger"))
        assert result.outcome is Outcome.REFUSED
        assert "stranger may not maintain it" in result.detail
        assert "it is keeper's" in result.detail


async def test_what_is_no_table_is_refused(server: PostgresServer, table: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        schema = psycopg.sql.Identifier(SCHEMA).as_string(connection)
        connection.execute(f"create view {schema}.seen as select 1 as one".encode())
    result, _ = await carried_out(action(server, "vacuum", table="seen", user="postgres"))
    assert (result.outcome, result.detail) == (Outcome.REFUSED, "it is a view, which has no rows of its own")
    result, _ = await carried_out(action(server, "vacuum", table="gone"))
    assert (result.outcome, "there is no table gone" in result.detail) == (Outcome.REFUSED, True)


async def test_a_lock_is_waited_for_a_while_and_then_it_is_a_failure(
    server: PostgresServer, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.database.actions.maintenance.LOCK_TIMEOUT", 0.2)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute(f"lock table {table} in access exclusive mode".encode())
        result, _ = await carried_out(action(server, "vacuum"))
        connection.rollback()
    assert result.outcome is Outcome.FAILED
    assert "lock" in result.detail


async def test_a_rewrite_does_not_queue_behind_somebody_who_stays(
    server: PostgresServer, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.database.actions.maintenance.LOCK_TIMEOUT", 0.0)
    with psycopg.connect(server.dsn()) as connection:
        connection.execute(f"select 1 from {table}".encode())
        result, _ = await carried_out(action(server, "vacuum", mode="full", user="postgres"))
        pid = connection.info.backend_pid
        connection.rollback()
    assert (result.outcome, f"it would wait for session {pid} of postgres" in result.detail) == (Outcome.REFUSED, True)


async def test_what_will_keep_rows_and_what_a_rewrite_takes_of_the_disk_is_said_before(
    server: PostgresServer, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.database.actions.maintenance.WORTH_A_WORD", 0.0)
    output: list[bytes] = []
    with snapshot(server) as pid:
        await action(server, "vacuum", user="postgres").runner.run(output.append)
    assert f"-- dead rows will stay: session {pid} of postgres" in b"".join(output).decode()
    output.clear()
    result = await action(server, "vacuum", mode="full").runner.run(output.append)
    assert result.outcome is Outcome.OK
    assert "-- it needs about " in b"".join(output).decode()


def test_a_full_vacuum_is_destructive_and_asks_for_the_tables_name(server: PostgresServer) -> None:
    wanted = action(server, "vacuum", mode="full")
    assert wanted.risk is Risk.DESTRUCTIVE
    assert wanted.confirm == f"type:{SCHEMA}.{TABLE}"
    assert "VACUUM (FULL)" in wanted.command


async def test_a_full_vacuum_is_proven_by_the_tables_new_file(server: PostgresServer, table: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"analyze {table}".encode())
    result, proof = await carried_out(action(server, "vacuum", mode="full"))
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert proof.outcome is Outcome.OK
    pages = re.search(r"it was rewritten; pages (\d+) -> (\d+)", proof.detail)
    assert pages is not None
    assert int(pages[1]) > int(pages[2]) > 0


async def test_a_table_of_the_servers_own_is_not_rewritten(server: PostgresServer) -> None:
    wanted = action(server, "vacuum", mode="full", schema="pg_catalog", table="pg_class", user="postgres")
    result, _ = await carried_out(wanted)
    assert result.outcome is Outcome.REFUSED
    assert "rewriting it would stop everybody" in result.detail


def test_an_unknown_mode_is_no_action(server: PostgresServer) -> None:
    with pytest.raises(ValueError, match="mode"):
        action(server, "vacuum", mode="everything")


@pytest.fixture
def partitioned(server: PostgresServer, table: str) -> str:
    """In the schema of `table` a partitioned one of keeper's, two levels deep, with dead rows in three partitions."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        schema = psycopg.sql.Identifier(SCHEMA).as_string(connection)
        connection.execute("set role keeper")
        for statement in (
            f"create table {schema}.p (id int) partition by range (id)",
            f"create table {schema}.p1 partition of {schema}.p for values from (0) to (1000)",
            f"create table {schema}.p2 partition of {schema}.p for values from (1000) to (3000)"
            " partition by range (id)",
            f"create table {schema}.p21 partition of {schema}.p2 for values from (1000) to (2000)",
            f"create table {schema}.p22 partition of {schema}.p2 for values from (2000) to (3000)",
            *(f"alter table {schema}.{part} set (autovacuum_enabled = off)" for part in ("p1", "p21", "p22")),
            f"insert into {schema}.p select generate_series(0, 2999)",
            f"delete from {schema}.p where id % 2 = 0",
        ):
            connection.execute(statement.encode())
        connection.execute("select pg_stat_force_next_flush()")
        return schema


@pytest.mark.parametrize("mode", ["plain", "full"])
async def test_a_partitioned_table_is_proven_by_its_partitions(
    server: PostgresServer, partitioned: str, mode: str
) -> None:
    result, proof = await carried_out(action(server, "vacuum", table="p", mode=mode))
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert proof.outcome is Outcome.OK
    told = "it was rewritten" if mode == "full" else "the server counts one more; dead rows 1,500 -> 0"
    assert proof.detail.startswith(f"3 partitions: {told}")


async def test_partitions_that_were_not_done_are_named(
    server: PostgresServer, partitioned: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.database.actions.maintenance._PATIENCE", 0.5)
    wanted = action(server, "vacuum", table="p")
    work: Any = wanted.runner
    # As if the server had skipped all but one without a word.
    work.statement = replace(work.statement, sql=f"VACUUM {partitioned}.p21")
    result, proof = await carried_out(wanted)
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert proof.outcome is Outcome.FAILED
    assert "2 of 3 partitions were not done" in proof.detail
    assert f"{SCHEMA}.p1" in proof.detail
    assert "p21" not in proof.detail


async def test_an_analyze_of_a_partitioned_table_is_proven_by_its_partitions(
    server: PostgresServer, partitioned: str
) -> None:
    result, proof = await carried_out(action(server, "analyze", table="p"))
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert (proof.outcome, proof.detail) == (Outcome.OK, "3 partitions: the server counts one more")


async def test_a_partitioned_table_without_partitions_is_no_success(server: PostgresServer, partitioned: str) -> None:
    server.psql(f"drop table {partitioned}.p1, {partitioned}.p2")
    _, proof = await carried_out(action(server, "vacuum", table="p"))
    assert proof is not None
    assert (proof.outcome, "no partitions" in proof.detail) == (Outcome.WARN, True)


async def test_a_partition_of_somebody_else_makes_it_a_failure(server: PostgresServer, partitioned: str) -> None:
    server.psql(f"alter table {partitioned}.p22 owner to stranger")
    result, _ = await carried_out(action(server, "vacuum", table="p"))
    assert result.outcome is Outcome.FAILED
    assert "p22" in result.detail


async def test_what_somebody_else_did_is_told_apart(
    server: PostgresServer, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.database.actions.maintenance._PATIENCE", 0.5)
    wanted = action(server, "vacuum")
    work: Any = wanted.runner
    work.statement = replace(work.statement, sql="ANALYZE " + table)
    result, proof = await carried_out(wanted)
    assert result.outcome is Outcome.OK, result.detail
    assert proof is not None
    assert (proof.outcome, proof.detail) == (Outcome.FAILED, "the server says it is done, and counted nothing")
    # One that came between, and ours after it.
    wanted = action(server, "vacuum")
    result = await wanted.runner.run(lambda piece: None)
    server.psql(f"vacuum {table}")
    assert wanted.verify is not None
    proof = await wanted.verify()
    assert "somebody else did the same meanwhile (1 more)" in proof.detail


async def test_a_table_that_is_another_by_now_is_left_alone(
    server: PostgresServer, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def replaced(database: Database, schema: str, name: str) -> object:
        found = await read_parts(database, schema, name)
        server.psql(
            f"alter table {table} rename to gone; create table {table} (id int); alter table {table} owner to keeper"
        )
        return found

    monkeypatch.setattr("opsconsole.database.actions.maintenance.read_parts", replaced)
    result, _ = await carried_out(action(server, "vacuum", mode="full"))
    assert result.outcome is Outcome.REFUSED
    assert "nothing was sent" in result.detail
    assert "is another one by now" in result.detail
