"""Indexes of a real server: which may go, which never, and what is left behind by what failed."""

from contextlib import suppress

import psycopg

from opsconsole.database.index_findings import index_findings
from opsconsole.database.indexes import invalid, read_indexes, unindexed, unused
from tests.integration.database.conftest import Connect
from tests.integration.database.objects import HOSTILE, HOSTILE_SCHEMA, HOSTILE_TABLE, database_with
from tests.servers import PostgresServer

ALIKE = """
create table t (a int, b int, c text, primary key (a));
create index ia on t (a); create index iab on t (a, b); create index ia_desc on t (a desc);
create unique index iu on t (a, b); create index ipart on t (a) where b > 0; create index ipart2 on t (a) where b > 0;
create index il on t (lower(c)); create index il2 on t (lower(c), a); create index icpat on t (c text_pattern_ops);
create index ic on t (c); create index ihash on t using hash (a); create index iinc on t (a) include (b);
create index icoll on t (c collate "C"); create index icoll2 on t (c collate "POSIX");
create table twin (a int); create index twin_1 on twin (a); create index twin_2 on twin (a);
create index twin_3 on twin (a);
"""
KEYS = """
create table parent (id int primary key, also int, unique (id, also));
create table child (id int, p int references parent, q int, foreign key (p, q) references parent (id, also));
create table covered (p int references parent, q int); create index on covered (p, q);
create table partial (p int references parent); create index on partial (p) where p > 10;
insert into parent select g, g from generate_series(1, 10) g;
insert into child select g, 1, 1 from generate_series(1, 2000) g;
insert into partial select 1 from generate_series(1, 2000) g;
analyze;
"""


async def test_redundant_ones_are_those_that_another_replaces_in_everything(
    postgres: PostgresServer, asked: Connect
) -> None:
    with database_with(postgres, ALIKE) as name:
        async with asked(postgres.dsn(name)) as database:
            reading = await read_indexes(database)
    gone = {one.name: one.keeper for one in reading.redundant}
    assert set(gone) == {"ia", "iab", "iinc", "il", *(set(gone) & {"ipart", "ipart2", "twin_1", "twin_2", "twin_3"})}
    assert len(set(gone) & {"ipart", "ipart2"}) == 1
    assert len(set(gone) & {"twin_1", "twin_2", "twin_3"}) == 2
    assert not set(gone) & {"t_pkey", "iu", "ia_desc", "icpat", "ic", "ihash", "icoll", "icoll2", "il2"}
    assert not set(gone) & set(gone.values())  # what replaces an index stays
    assert "CREATE INDEX il ON public.t USING btree (lower(c))" in reading.definitions.values()


async def test_a_locked_table_is_left_out_where_its_expressions_would_be_waited_for(
    postgres: PostgresServer, asked: Connect
) -> None:
    with database_with(postgres, ALIKE) as name, psycopg.connect(postgres.dsn(name)) as holder:
        holder.execute("lock table t in access exclusive mode")
        async with asked(postgres.dsn(name)) as database:
            reading = await read_indexes(database)
        holder.rollback()
    names = {one.name for one in reading.redundant}
    assert "ia" in names
    assert "il" not in names
    assert not any(" il " in definition for definition in reading.definitions.values())


async def test_foreign_keys_without_an_index_that_serves_them(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres, KEYS) as name:
        async with asked(postgres.dsn(name)) as database:
            found = unindexed(await read_indexes(database))
    assert {(one.table, one.columns) for one in found} == {
        ("child", ("p",)), ("child", ("p", "q")), ("partial", ("p",)),
    }  # fmt: skip


async def test_a_failed_build_is_invalid_and_its_leftovers_are_told_apart(
    postgres: PostgresServer, asked: Connect
) -> None:
    sql = "create table t (id int); insert into t values (1), (1); create table u (id int primary key)"
    with database_with(postgres, sql) as name:
        with suppress(AssertionError):  # duplicates: what it leaves behind is what this is about
            postgres.psql("create unique index concurrently broken on t (id)", name)
        postgres.psql("create index left_ccnew1 on u (id)", name)
        marking = "update pg_index set indisvalid = false where indexrelid = 'left_ccnew1'::regclass"
        postgres.psql(marking, name)
        async with asked(postgres.dsn(name)) as database:
            reading = await read_indexes(database)
    by_name = {one.name: one for one in invalid(reading)}
    assert set(by_name) == {"broken", "left_ccnew1"}
    assert (by_name["broken"].leftover, by_name["left_ccnew1"].leftover) == ("", "new")
    told = {one.subject: one for one in index_findings(reading)}
    fix = told["public.left_ccnew1"].fix
    assert fix is not None
    assert fix.sql == 'DROP INDEX CONCURRENTLY "public"."left_ccnew1";'
    assert fix.undo == "CREATE INDEX left_ccnew1 ON public.u USING btree (id);"


async def test_unused_ones_are_judged_by_what_needs_them(postgres: PostgresServer, asked: Connect) -> None:
    fill = 'insert into "{0}"."{1}" select g, g, \'x\' from generate_series(1, 2000) g; analyze;'
    fill = fill.format(HOSTILE_SCHEMA.replace('"', '""'), HOSTILE_TABLE)
    with database_with(postgres, HOSTILE + fill + KEYS) as name:
        async with asked(postgres.dsn(name)) as database:
            reading = await read_indexes(database)
    assert [(one.schema, one.name) for one in unused(reading)] == [(HOSTILE_SCHEMA, "i[red]x[/red]")]
    supporting = next(one for one in reading.indexes if one.name == "covered_p_q_idx")
    assert supporting.protected[0].startswith("supports foreign key")


async def test_nothing_at_all(postgres: PostgresServer, asked: Connect) -> None:
    with database_with(postgres) as name:
        async with asked(postgres.dsn(name)) as database:
            reading = await read_indexes(database)
    assert (reading.indexes, reading.redundant, reading.unindexed, reading.definitions) == ((), (), (), {})
