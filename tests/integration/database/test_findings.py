"""Bloat, sequences, settings, counters, what holds vacuum back, and the report of it all, on a real server."""

import json

import psycopg
import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit
from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.database.bloat import NoSuchTableError, count, estimate
from opsconsole.database.examining import examine
from opsconsole.database.findings import findings
from opsconsole.database.instance import between, lifetime, read_instance
from opsconsole.database.report import Report, html, markdown
from opsconsole.database.sequences import read_sequences
from opsconsole.database.settings import read_settings
from opsconsole.database.vacuum import read_vacuum, sentences, stuck_tables
from tests.integration.database.conftest import Connect
from tests.integration.database.objects import HOSTILE, database_with, role
from tests.servers import PostgresServer, start_postgres

AIRY = """
create table airy (id int, filler text) with (autovacuum_enabled = false);
insert into airy select g, repeat('x', 100) from generate_series(1, 40000) g;
create index airy_id on airy (id);
delete from airy where id % 10 <> 0;
vacuum analyze airy;
"""


async def test_the_estimate_of_bloat_is_near_the_count(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres, AIRY + "create extension pgstattuple") as name:
        async with asked(postgres.dsn(name)) as database:
            guessed = {one.name: one for one in (await estimate(database)).relations}
            counted = {one.name: one for one in (await count(database, "public.airy")).relations}
    assert counted["airy"].exact
    assert guessed["airy"].share == pytest.approx(counted["airy"].share, abs=0.1)
    assert counted["airy_id"].total > 0


async def test_bloat_says_what_it_could_not_see(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres, AIRY) as name, role(postgres, "pg_monitor") as user:
        async with asked(postgres.dsn(name, user)) as database:
            reading = await estimate(database)
            with pytest.raises(SourceError, match="pgstattuple") as raised:
                await count(database, "airy")
            assert "CREATE EXTENSION" in raised.value.hint
    assert reading.coverage.notes[0].startswith("bloat: 0 of 1 tables visible")
    assert reading.relations[0].wasted is None


async def test_a_table_that_is_not_there_cannot_be_counted(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres, "create extension pgstattuple") as name:
        async with asked(postgres.dsn(name)) as database:
            with pytest.raises(NoSuchTableError):
                await count(database, 'we"ird.none')


async def test_sequences_end_with_their_column_and_in_both_directions(postgres: PostgresServer, asked: Connect) -> None:
    sql = """create table t (id int); create sequence s owned by t.id; select setval('s', 2000000000);
             create sequence down increment -1 minvalue -1000 maxvalue -1 start -1; select setval('down', -950);
             create sequence small as smallint cycle; select setval('small', 32767); create sequence fresh;
             create table i (id smallint generated always as identity);"""
    with database_with(postgres, sql) as name, role(postgres) as user:
        async with asked(postgres.dsn(name)) as database:
            by_name = {one.name: one for one in (await read_sequences(database)).sequences}
        async with asked(postgres.dsn(name, user)) as database:
            hidden = await read_sequences(database)
    ending = by_name["s"]
    assert (ending.column_ends_first, ending.column_type, ending.remaining) == (True, "integer", 147_483_647)
    assert ending.state is State.CRIT
    assert by_name["down"].used == pytest.approx(0.95, abs=0.01)
    assert by_name["down"].remaining == 50
    assert (by_name["fresh"].used, by_name["fresh"].state) == (None, State.OK)
    assert by_name["i_id_seq"].column == "id"
    assert {one.state for one in hidden.sequences} == {State.UNKNOWN}
    assert "may not be read" in hidden.coverage.notes[0]


async def test_settings_are_those_of_the_server_and_not_of_the_console(
    postgres: PostgresServer, asked: Connect
) -> None:
    async with asked(postgres.dsn()) as database:
        found = await read_settings(database)
    advised = {one.name: one for one in found.advice}
    assert advised["fsync"].state is State.CRIT
    assert advised["fsync"].how.startswith("it is given on the server's command line"), "which wins over ALTER SYSTEM"
    assert advised["idle_in_transaction_session_timeout"].value == "0 s"
    assert advised["random_page_cost"].sql == "ALTER SYSTEM SET random_page_cost = '1.1';"


async def test_counters_between_two_readings(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres) as name:
        async with asked(postgres.dsn(name)) as database:
            before = await read_instance(database)
            postgres.psql("create table t as select generate_series(1, 100)", name)
            after = await read_instance(database)
            grown = between(before, after)
            assert not grown.reset
            assert (grown.grown.wal_bytes or 0) > 0
            assert between(after, before).reset
            assert between(after, before).hit_share is None
            assert 0 <= (lifetime(after).hit_share or 0) <= 1


async def test_an_open_snapshot_is_why_vacuum_removes_nothing(postgres: PostgresServer, asked: Connect) -> None:
    sql = """create table t (id int) with (autovacuum_vacuum_threshold = 10, autovacuum_vacuum_scale_factor = 0,
             autovacuum_enabled = true); insert into t select generate_series(1, 1000);"""
    with database_with(postgres, sql) as name, psycopg.connect(postgres.dsn(name)) as holder:
        holder.execute("set transaction isolation level repeatable read")
        holder.execute("select 1")
        postgres.psql("delete from t", name)
        postgres.psql("vacuum t", name)  # a session of its own: each reports its counts as it ends
        async with asked(postgres.dsn(name)) as database:
            report = await read_vacuum(database)
        (session,) = [one for one in report.holders if one.id == str(holder.info.backend_pid)]
        holder.rollback()
    assert (session.kind, session.state, session.catalogs_only) == ("session", "idle in transaction", False)
    assert session.started
    assert [table.name for table in stuck_tables(report)] == ["t"]
    assert sentences(report) == ["public.t: vacuumed, and 1000 dead rows are still there"]


async def test_a_report_of_an_empty_cluster_and_of_hostile_names(postgres: PostgresServer, asked: Connect) -> None:
    bait = 'create table "<script>alert(1)</script>|`x`" (id int) with (autovacuum_enabled = false);'
    with database_with(postgres) as empty, database_with(postgres, HOSTILE + bait) as hostile:
        async with asked(postgres.dsn(empty)) as database:
            nothing = await examine(database)
        async with asked(postgres.dsn(hostile)) as database:
            readings = await examine(database)
    assert nothing.tables == ()
    assert "Performance report of" in markdown(Report(nothing, findings(nothing)))
    report = Report(readings, findings(readings))
    assert any("<script>" in one.subject for one in report.findings)
    assert "<script>" not in html(report)
    assert "&lt;script&gt;" in html(report)
    assert "\\<script\\>" in markdown(report)


@pytest.mark.parametrize("member_of", ["", "pg_monitor"], ids=["bare", "pg_monitor"])
async def test_every_part_can_be_read_by_a_role_without_rights(
    postgres: PostgresServer, asked: Connect, member_of: str
) -> None:
    with database_with(postgres, AIRY) as name, role(postgres, member_of) as user:
        async with asked(postgres.dsn(name, user)) as database:
            readings = await examine(database)
    parts = (
        readings.vacuum,
        readings.bloat,
        readings.indexes,
        readings.sequences,
        readings.settings,
        readings.instance,
    )
    assert all(part is not None for part in parts)
    assert readings.tables[0].name == "airy"
    assert not any("could not be read" in note for note in readings.coverage.notes)
    assert any("grant pg_monitor to" in note for note in readings.coverage.notes) == (not member_of)


@pytest.mark.parametrize("verb", ["analyze", "vacuum-report", "bloat", "indexes", "sequences", "settings", "instance"])
def test_the_commands(verb: str, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--interval", "0s"] if verb == "instance" else []
    with database_with(postgres, HOSTILE + "create sequence s") as name:
        for form in ("json", "table", *(("md", "html") if verb == "analyze" else ())):
            assert main(["--postgres", postgres.dsn(name), "db", verb, *more, "--format", form]) == Exit.DONE
            said = capsys.readouterr().out
            assert said if form != "json" else {"taken_at", "notes"} <= set(json.loads(said))


async def test_prepared_transactions_and_slots_hold_rows_too(asked: Connect) -> None:
    settings = ["max_prepared_transactions=2", "wal_level=logical"]
    with start_postgres(settings=settings) as server, database_with(server, "create table t (id int)") as name:
        server.psql("select pg_create_logical_replication_slot('gone', 'pgoutput')", name)
        server.psql("begin; insert into t values (1); prepare transaction 'it''s'", name)
        async with asked(server.dsn(name)) as database:
            report = await read_vacuum(database)
        async with asked(server.dsn()) as database:
            elsewhere = await read_vacuum(database)
        server.psql("rollback prepared 'it''s'; select pg_drop_replication_slot('gone')", name)
    by_kind = {one.kind: one for one in report.holders}
    assert by_kind["prepared"].id == "it's"
    assert (by_kind["slot"].id, by_kind["slot"].state, by_kind["slot"].catalogs_only) == ("gone", "inactive", True)
    assert elsewhere.holders == ()
