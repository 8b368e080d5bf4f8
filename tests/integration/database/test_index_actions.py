"""Building, rebuilding and dropping indexes on a real PostgreSQL; and the smaller changes."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import psycopg
import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Action, Outcome, Result, Risk
from opsconsole.config.loading import postgres_at, settings_for
from opsconsole.config.settings import Environment
from opsconsole.database.actions.indexing import columns_of, read_index_standing
from opsconsole.database.actions.ledger import NAME
from opsconsole.database.asking import Database
from opsconsole.database.naming import quoted
from tests.servers import PostgresServer

SCHEMA, TABLE, COLUMN, INDEX = 'in"dex.sch%s', "ta'ble\n☃ $$", 'co"l, "x" %', "an 'index\" ☃"
NAME_OF_TABLE = quoted(SCHEMA, TABLE)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    postgres.psql("create role builder login; create role onlooker login")
    return postgres


@pytest.fixture
def table(server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A table of builder's with odd names and a unique index; gives a superuser's connection."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for statement in (
            f"create schema {quoted(SCHEMA)} authorization builder",
            f"create table {NAME_OF_TABLE} (id int primary key, {quoted(COLUMN)} int, other text)",
            f"alter table {NAME_OF_TABLE} owner to builder",
            f"grant usage on schema {quoted(SCHEMA)} to onlooker",
            f"insert into {NAME_OF_TABLE} select i, i % 10, '' from generate_series(1, 2000) i",
        ):
            connection.execute(statement.encode())
        yield connection
        connection.execute(f"drop schema {quoted(SCHEMA)} cascade".encode())


def environment(server: PostgresServer, user: str) -> Environment:
    database = postgres_at(server.dsn(user=user))
    return replace(settings_for().environment, postgres=MappingProxyType({database.name: database}))


def action(server: PostgresServer, name: str, *, user: str = "builder", **arguments: str) -> Action:
    registration = registry.find(f"postgres.{name}")
    assert registration is not None
    return registration.build(arguments, environment(server, user))


async def carried_out(wanted: Action) -> tuple[Result, Result | None, str]:
    output: list[bytes] = []
    result = await wanted.runner.run(output.append)
    assert wanted.verify is not None
    proof = await wanted.verify() if result.outcome in (Outcome.OK, Outcome.WARN) else None
    return result, proof, b"".join(output).decode()


def create(server: PostgresServer, **more: str) -> Action:
    columns = ", ".join(map(quoted, (COLUMN, "id")))
    given = {"schema": SCHEMA, "table": TABLE, "index": INDEX, "columns": columns, **more}
    return action(server, "create-index", **given)


def indexes(connection: psycopg.Connection) -> dict[str, bool]:
    """Name -> whether it is valid."""
    rows = connection.execute(
        "select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid"
        " join pg_namespace n on n.oid = c.relnamespace where n.nspname = %s",
        (SCHEMA,),
    )
    return dict(rows.fetchall())


async def test_an_index_is_built_rebuilt_and_dropped_whatever_the_names(
    server: PostgresServer, table: psycopg.Connection, own_state: Path
) -> None:
    made = create(server)
    assert made.command.endswith(f"ON {NAME_OF_TABLE} ({quoted(COLUMN)}, {quoted('id')});")
    result, proof, _ = await carried_out(made)
    assert (result.outcome, proof and proof.outcome) == (Outcome.OK, Outcome.OK), (result, proof)
    assert indexes(table)[INDEX]

    result, proof, _ = await carried_out(action(server, "reindex", schema=SCHEMA, index=INDEX))
    assert proof is not None, result
    assert proof.outcome is Outcome.OK
    assert proof.detail.startswith("it was rebuilt; ")

    gone = action(server, "drop-index", schema=SCHEMA, index=INDEX)
    assert gone.risk is Risk.DESTRUCTIVE
    result, proof, said = await carried_out(gone)
    assert proof is not None, result
    assert proof.outcome is Outcome.OK
    assert "-- before: CREATE INDEX" in said  # what would bring it back
    assert INDEX not in indexes(table)

    ledger = [json.loads(line) for line in (own_state / NAME).read_text().splitlines()]
    assert [one["action"] for one in ledger] == ["postgres.create-index", "postgres.reindex", "postgres.drop-index"]
    assert ledger[1]["before"]["file"] != ledger[1]["after"]["file"]
    assert ledger[2]["after"] is None


async def test_what_something_needs_is_not_dropped(server: PostgresServer, table: psycopg.Connection) -> None:
    key = next(iter(indexes(table)))
    result, _, _ = await carried_out(action(server, "drop-index", schema=SCHEMA, index=key))
    assert result.outcome is Outcome.REFUSED
    assert "it is the primary key" in result.detail
    result, _, _ = await carried_out(action(server, "drop-leftover", schema=SCHEMA, index=key))
    assert (result.outcome, "no leftover" in result.detail) == (Outcome.REFUSED, True)
    assert indexes(table) == {key: True}


@pytest.mark.parametrize("name", ["reindex", "drop-index"])
async def test_somebody_elses_index_is_refused_before_anything_is_sent(
    server: PostgresServer, table: psycopg.Connection, name: str
) -> None:
    table.execute(f"create index plain on {NAME_OF_TABLE} (other)".encode())
    result, _, _ = await carried_out(action(server, name, user="onlooker", schema=SCHEMA, index="plain"))
    assert (result.outcome, "it is builder's" in result.detail) == (Outcome.REFUSED, True)
    result, _, _ = await carried_out(action(server, name, schema=SCHEMA, index="nowhere"))
    assert (result.outcome, "there is no index nowhere" in result.detail) == (Outcome.REFUSED, True)


async def test_a_build_that_breaks_off_leaves_nothing(server: PostgresServer, table: psycopg.Connection) -> None:
    with psycopg.connect(server.dsn(), autocommit=False) as holder:
        holder.execute(f"update {NAME_OF_TABLE} set other = 'x' where id = 1".encode())
        work = asyncio.ensure_future(carried_out(create(server)))
        async with asyncio.timeout(20):
            while INDEX not in indexes(table):  # noqa: ASYNC110 - of a server no event tells
                await asyncio.sleep(0.02)
        assert not indexes(table)[INDEX]
        table.execute("select pg_cancel_backend(pid) from pg_stat_progress_create_index")
        # Dropping it waits for the same transaction: it is there as long as that one is.
        await asyncio.sleep(0)
        holder.rollback()
    result, _, said = await work
    assert result.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
    assert "the invalid index it left was dropped" in result.detail, (result, said)
    assert INDEX not in indexes(table)


@pytest.mark.parametrize("name", ["reindex", "drop-index"])
async def test_an_index_that_is_another_by_now_is_left_alone(
    server: PostgresServer, table: psycopg.Connection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def replaced(database: Database, schema: str, index: str) -> object:
        found = await read_index_standing(database, schema, index)
        table.execute(f"drop index {quoted(SCHEMA, 'plain')}".encode())
        table.execute(f"create index plain on {NAME_OF_TABLE} (id)".encode())
        return found

    table.execute(f"create index plain on {NAME_OF_TABLE} (other)".encode())
    monkeypatch.setattr("opsconsole.database.actions.indexing.read_index_standing", replaced)
    result, _, _ = await carried_out(action(server, name, schema=SCHEMA, index="plain"))
    assert (result.outcome, "is another one by now" in result.detail) == (Outcome.REFUSED, True)
    assert indexes(table)["plain"]


@contextmanager
def transaction(server: PostgresServer, *statements: str, isolation: str = "repeatable read") -> Iterator[int]:
    """A transaction that stays open; gives its pid."""
    with psycopg.connect(server.dsn(application_name="etl/night")) as connection:
        connection.execute(f"set transaction isolation level {isolation}".encode())
        for statement in statements:
            connection.execute(statement.encode())
        yield connection.info.backend_pid
        connection.rollback()


async def test_a_build_is_not_begun_that_would_wait_for_an_old_snapshot_of_any_table(
    server: PostgresServer, table: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.execute(f"create index plain on {NAME_OF_TABLE} (other)".encode())
    with transaction(server, "select count(*) from pg_class") as pid:
        monkeypatch.setattr("opsconsole.database.actions.indexing.LOCK_TIMEOUT", 0.0)
        result, _, said = await carried_out(create(server, user="postgres"))
        rebuilt, _, _ = await carried_out(action(server, "reindex", user="postgres", schema=SCHEMA, index="plain"))
        dropped, proof, _ = await carried_out(action(server, "drop-index", schema=SCHEMA, index="plain"))
    for refused in (result, rebuilt):
        assert refused.outcome is Outcome.REFUSED, refused
        assert (
            f"it would wait for session {pid} of postgres (idle in transaction, etl/night), open for " in refused.detail
        )
    assert (said, INDEX in indexes(table)) == ("", False)
    assert proof is not None, dropped
    assert proof.outcome is Outcome.OK, "a drop waits for locks on its table alone"


async def test_a_drop_is_not_begun_that_would_wait_for_an_old_reader_of_its_table(
    server: PostgresServer, table: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.execute(f"create index plain on {NAME_OF_TABLE} (other)".encode())
    monkeypatch.setattr("opsconsole.database.actions.indexing.LOCK_TIMEOUT", 0.0)
    with transaction(server, f"select 1 from {NAME_OF_TABLE}", isolation="read committed") as pid:
        result, _, _ = await carried_out(action(server, "drop-index", user="postgres", schema=SCHEMA, index="plain"))
    assert (result.outcome, f"session {pid} of postgres" in result.detail) == (Outcome.REFUSED, True)
    assert indexes(table)["plain"]


async def test_whom_it_waits_for_is_said_and_it_goes_on_when_they_are_through(
    server: PostgresServer, table: psycopg.Connection
) -> None:
    output: list[bytes] = []
    with transaction(server, f"update {NAME_OF_TABLE} set other = 'x' where id = 1", isolation="read committed") as pid:
        work = asyncio.ensure_future(create(server, user="postgres").runner.run(output.append))
        async with asyncio.timeout(20):
            while INDEX not in indexes(table):  # noqa: ASYNC110 - of a server no event tells
                await asyncio.sleep(0.02)
        said = b"".join(output).decode()
        assert f"-- it waits for session {pid} of postgres (idle in transaction, etl/night)" in said
        assert "-- it needs about " in said
        assert "how much is free is not known" in said
    assert (await work).outcome is Outcome.OK
    result, _, said = await carried_out(action(server, "reindex", schema=SCHEMA, index=INDEX))
    assert result.outcome is Outcome.OK
    assert "-- not known: transactions of other roles; grant pg_monitor to builder;" in said


async def test_one_console_at_a_time_works_on_a_table(server: PostgresServer, table: psycopg.Connection) -> None:
    key = next(iter(indexes(table)))
    with transaction(server, f"update {NAME_OF_TABLE} set other = 'x' where id = 1", isolation="read committed"):
        work = asyncio.ensure_future(carried_out(create(server)))
        async with asyncio.timeout(20):
            while INDEX not in indexes(table):  # noqa: ASYNC110 - of a server no event tells
                await asyncio.sleep(0.02)
        second, _, _ = await carried_out(action(server, "reindex", user="postgres", schema=SCHEMA, index=key))
        vacuumed, _, _ = await carried_out(action(server, "vacuum", user="postgres", schema=SCHEMA, table=TABLE))
        other, _, _ = await carried_out(action(server, "analyze", user="postgres", schema="pg_catalog", table="pg_am"))
        for refused in (second, vacuumed):
            assert refused.outcome is Outcome.REFUSED, refused
            assert "of builder (opsconsole/action, from 127.0.0.1) does maintenance on this table" in refused.detail
        assert other.outcome is Outcome.OK, "another table is another matter"
    result, _, _ = await work
    assert result.outcome is Outcome.OK
    again, _, _ = await carried_out(action(server, "reindex", schema=SCHEMA, index=key))
    assert again.outcome is Outcome.OK, "it is let go of at the end"
    held = table.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
    assert held == (0,)


async def test_a_claim_ends_with_the_work_that_is_cancelled(server: PostgresServer, table: psycopg.Connection) -> None:
    with transaction(server, f"update {NAME_OF_TABLE} set other = 'x' where id = 1", isolation="read committed"):
        work = asyncio.ensure_future(create(server).runner.run(lambda piece: None))
        async with asyncio.timeout(20):
            while INDEX not in indexes(table):  # noqa: ASYNC110 - of a server no event tells
                await asyncio.sleep(0.02)
        work.cancel()
        table.execute("select pg_cancel_backend(pid) from pg_stat_progress_create_index")
    await asyncio.wait({work})
    result, _, _ = await carried_out(action(server, "analyze", schema=SCHEMA, table=TABLE))
    assert result.outcome is Outcome.OK, result


async def test_an_invalid_index_of_a_rebuild_is_dropped_as_what_it_is(
    server: PostgresServer, table: psycopg.Connection
) -> None:
    table.execute(f"create unique index left_ccnew on {NAME_OF_TABLE} (id)".encode())
    table.execute("update pg_index set indisvalid = false where indexrelid::regclass::text like '%left_ccnew%'")
    result, proof, _ = await carried_out(action(server, "drop-leftover", schema=SCHEMA, index="left_ccnew"))
    assert proof is not None, result
    assert proof.outcome is Outcome.OK


async def test_an_existing_name_and_a_missing_table_are_said(server: PostgresServer, table: psycopg.Connection) -> None:
    key = next(iter(indexes(table)))
    result, _, _ = await carried_out(create(server, index=key))
    assert "there is an index of that name already" in result.detail
    result, _, _ = await carried_out(create(server, table="nowhere"))
    assert (result.outcome, "there is no table nowhere" in result.detail) == (Outcome.REFUSED, True)


@pytest.mark.parametrize("text", ["a", '"a","b"', '"a"; drop table x', '"a" desc', '"', '""'])
def test_columns_are_quoted_names_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="columns"):
        columns_of(text)
    assert columns_of('"a", "b ""c"') == ["a", 'b "c']


async def test_a_tables_autovacuum_parameters(server: PostgresServer, table: psycopg.Connection) -> None:
    given = {"schema": SCHEMA, "table": TABLE, "scale_factor": "0.02", "threshold": "1000"}
    result, proof, _ = await carried_out(action(server, "autovacuum", **given))
    assert proof is not None, result
    assert proof.detail == ("no options -> autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000")
    server.psql(f"alter table {quoted(SCHEMA, TABLE)} set (autovacuum_enabled = off)")
    _, proof, _ = await carried_out(action(server, "autovacuum", **given))
    assert proof is not None
    assert proof.outcome is Outcome.WARN
    assert "autovacuum is off for this table, so this has no effect" in proof.detail
    with pytest.raises(ValueError, match="scale_factor"):
        action(server, "autovacuum", **{**given, "scale_factor": "0.02); drop table x; --"})


async def test_an_extension_and_the_counters_of_statements(server: PostgresServer) -> None:
    server.psql("drop extension if exists pg_stat_statements; drop extension if exists pgstattuple")
    try:
        make = action(server, "create-extension", user="postgres", extension="pg_stat_statements")
        result, proof, _ = await carried_out(make)
        assert proof is not None, result
        assert proof.detail.startswith("not there -> version ")
        result, _, _ = await carried_out(make)
        assert (result.outcome, "before: version" in result.detail) == (Outcome.REFUSED, True)
        server.psql("select 1")
        result, proof, _ = await carried_out(action(server, "reset-statements", user="postgres"))
        assert proof is not None, result
        assert proof.outcome is Outcome.OK, proof
        result, _, _ = await carried_out(action(server, "reset-statements", user="onlooker"))
        assert result.outcome is Outcome.FAILED
        assert "permission denied" in result.detail
    finally:
        server.psql("drop extension if exists pg_stat_statements")
