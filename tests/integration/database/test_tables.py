"""Tables of a real server: sizes, sums of partitions, locked ones, roles, names."""

import json

import psycopg
import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit
from opsconsole.database.tables import next_of, read_sizes, read_tables
from tests.integration.database.conftest import Connect
from tests.integration.database.objects import HOSTILE, HOSTILE_SCHEMA, HOSTILE_TABLE, database_with, role
from tests.servers import PostgresServer

PARTITIONED = """
create table whole (id int, at int) partition by range (at);
create table low partition of whole for values from (0) to (100) partition by range (at);
create table low_a partition of low for values from (0) to (50);
create table high partition of whole for values from (100) to (200);
insert into whole select g, g % 200 from generate_series(1, 4000) g where g % 200 < 50 or g % 200 >= 100;
create materialized view summary as select count(*) from whole;
analyze;
"""


async def test_a_partitioned_table_is_one_row_with_the_sums_of_all_levels(
    postgres: PostgresServer, asked: Connect
) -> None:
    with database_with(postgres, PARTITIONED) as name:
        async with asked(postgres.dsn(name)) as database:
            together = await read_tables(database)
            apart = await read_tables(database, apart=True)
    whole, summary = together.tables
    assert (whole.title, whole.kind, whole.partitions, whole.rows) == ("public.whole", "partitioned", 3, 3000)
    assert summary.kind == "materialized view"
    assert {table.name for table in apart.tables} == {"whole", "low", "low_a", "high", "summary"}
    parts = [table for table in apart.tables if table.name in ("low_a", "high")]
    assert whole.sizes.total == sum(table.sizes.heap for table in parts) > 0


async def test_names_of_any_kind_and_a_role_without_rights(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres, HOSTILE) as name, role(postgres) as user:
        async with asked(postgres.dsn(name, user)) as database:
            found = await read_tables(database, schema=HOSTILE_SCHEMA)
            all_of_them = await read_tables(database, limit=1)
    (table,) = found.tables
    assert (table.schema, table.name) == (HOSTILE_SCHEMA, HOSTILE_TABLE)
    assert table.sizes.exact
    assert (table.dead_share, table.hot_share, table.indexes) == (None, None, 2)
    assert all_of_them.more


@pytest.mark.parametrize("waiting", [False, True], ids=["held", "waited for"])
async def test_a_locked_table_is_estimated_and_nothing_waits(
    postgres: PostgresServer, asked: Connect, waiting: bool
) -> None:
    sql = "create table held (id int primary key); create table open (id int)"
    with (
        database_with(postgres, sql) as name,
        psycopg.connect(postgres.dsn(name)) as holder,
        psycopg.connect(postgres.dsn(name)) as waiter,
    ):
        holder.execute(f"lock table held in {'share' if waiting else 'access exclusive'} mode")
        if waiting:
            waiter.pgconn.send_query(b"begin; lock table held in access exclusive mode")
            _until_waiting(postgres, name)
        async with asked(postgres.dsn(name)) as database:
            found = await read_tables(database)
        holder.rollback()
        waiter.close()
    by_name = {table.name: table for table in found.tables}
    assert by_name["held"].sizes.locked
    assert not by_name["held"].sizes.exact
    assert by_name["open"].sizes.exact


async def test_a_table_dropped_in_between_has_no_size(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres, "create table gone (id int)") as name:
        async with asked(postgres.dsn(name)) as database:
            (table,) = (await read_tables(database)).tables
            postgres.psql("drop table gone", name)
            assert await read_sizes(database, [table.oid]) == {}
            assert (await read_tables(database)).tables == ()


async def test_what_autovacuum_does_next_follows_the_options_of_the_table(
    postgres: PostgresServer, asked: Connect
) -> None:
    sql = """create table t (id int) with (autovacuum_vacuum_threshold = 10, autovacuum_vacuum_scale_factor = 0);
             create table off (id int) with (autovacuum_enabled = false);
             insert into t select generate_series(1, 1000); analyze t; delete from t where id <= 500;"""
    with database_with(postgres, sql) as name:
        async with asked(postgres.dsn(name)) as database:
            by_name = {table.name: table for table in (await read_tables(database, sort="due")).tables}
    assert by_name["t"].autovacuum.vacuum_after == 10
    assert next_of(by_name["off"]) == "nothing: autovacuum is off for it"


def test_the_command(postgres: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    with database_with(postgres, HOSTILE) as name:
        common = ["--postgres", postgres.dsn(name), "db", "tables"]
        assert main([*common, "--format", "json"]) == Exit.DONE
        said = json.loads(capsys.readouterr().out)
        assert main([*common, "--limit", "1"]) == Exit.DONE
        shown = capsys.readouterr()
    assert {one["name"] for one in said["tables"]} >= {HOSTILE_TABLE}
    assert said["tables"][0]["vacuum_at"] is None
    assert "--limit shows more" in shown.err


def _until_waiting(server: PostgresServer, database: str) -> None:
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    while not server.psql(waiting, database):
        pass
