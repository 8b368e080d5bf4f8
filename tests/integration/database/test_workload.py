"""Which indexes a workload lacks, on a real server: with the real hypopg, without it, and by roles of all kinds."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import psycopg
import pytest

from opsconsole.actions import registry
from opsconsole.actions.action import Outcome
from opsconsole.cli.main import main
from opsconsole.config.loading import postgres_at, settings_for
from opsconsole.core.exit_codes import Exit
from opsconsole.core.state import State
from opsconsole.database.missing_findings import missing_findings
from opsconsole.database.workload import Missing, Workload
from opsconsole.database.workload_candidates import Candidate, Relation, resolve
from opsconsole.database.workload_costs import Scales, Weighed, scales
from opsconsole.database.workload_parsing import parse
from opsconsole.database.workload_reading import read_workload
from opsconsole.demo.packages import FetchError
from opsconsole.ui.pages.page import Order
from opsconsole.ui.workbench.indexes import IndexesPage
from tests.integration.database.conftest import Connect
from tests.integration.database.objects import database_with, role
from tests.servers import PostgresServer, start_postgres

COUNTED = "create extension pg_stat_statements;"
ORDERS = """
create table customers (id int primary key, email text, country int);
insert into customers select g, 'c' || g, g % 50 from generate_series(1, 20000) g;
create table orders (id int primary key, customer int, status text, created timestamptz, note text);
insert into orders
select g, g % 20000, (array['new', 'paid', 'sent'])[g % 3 + 1], now() - g * interval '1 minute', 'n' || g
  from generate_series(1, 50000) g;
analyze customers, orders;
"""


@pytest.fixture(scope="module")
def advised() -> Iterator[PostgresServer]:
    """A PostgreSQL that has hypopg to be created."""
    try:
        with start_postgres(settings=["shared_preload_libraries=pg_stat_statements"], extension="hypopg") as server:
            yield server
    except FetchError as error:
        pytest.skip(f"hypopg is not to be had here: {error}")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROMETHEUS_URL", "PGHOST", "PGSERVICE", "OPSCONSOLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


async def lacking(server: PostgresServer, asked: Connect, name: str, *, user: str = "postgres") -> Workload:
    async with asked(server.dsn(name, user)) as database:
        return await read_workload(database)


def by_name(workload: Workload) -> dict[tuple[str, tuple[str, ...]], Missing]:
    return {(one.relation.name, one.columns): one for one in workload.missing}


def calls(server: PostgresServer, name: str, text: str) -> str:
    return server.psql(f"select sum(calls) from pg_stat_statements where query = '{text}'", name)


async def test_an_index_is_proposed_by_what_the_planner_says_it_saves(advised: PostgresServer, asked: Connect) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name:
        advised.psql(
            """select count(*) from orders where customer = 7; select count(*) from orders where customer = 8;
            select * from orders o join customers c on c.id = o.customer where c.email = 'c77';
            with x as (select * from orders where customer = 9 and status = 'paid') select count(*) from x;
            select count(*) from customers where lower(email) = 'c5'; select count(*) from orders where id = 5;
            vacuum customers""",
            name,
        )
        workload = await lacking(advised, asked, name)
        found = by_name(workload)
        assert set(found) == {("orders", ("customer",)), ("customers", ("email",))}
        orders = found["orders", ("customer",)]
        assert len(orders.served) == 3
        assert {one.calls for one in orders.served} == {1.0, 2.0}
        assert orders.costed
        for one in orders.served:
            assert one.before is not None
            assert one.after is not None
            assert one.after < one.before * 0.7
        # Nothing was run: what was called twice was called twice, and nothing is left on the server.
        assert calls(advised, name, "select count(*) from orders where customer = $1") == "2"
        assert advised.psql("select count(*) from pg_indexes where indexname like '%customer_idx%'", name) == "0"
        assert workload.coverage.notes == ()


async def test_a_proposed_index_does_what_was_said_of_it(advised: PostgresServer, asked: Connect) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name:
        advised.psql("select count(*) from orders where customer = 7", name)
        workload = await lacking(advised, asked, name)
        (finding,) = missing_findings(workload)
        settings = postgres_at(advised.dsn(name))
        environment = replace(settings_for().environment, postgres=MappingProxyType({settings.name: settings}))
        assert finding.fix is not None
        registration = registry.find(finding.fix.action)
        assert registration is not None
        action = registration.build(dict(finding.fix.arguments), environment)
        assert action.command.endswith(finding.fix.sql)
        result = await action.runner.run(lambda piece: None)
        assert result.outcome is Outcome.OK, result.detail
        advised.psql("analyze orders", name)
        (served,) = workload.missing[0].served
        plan = advised.psql("explain (format json) select count(*) from orders where customer = 7", name)
        real = json.loads(plan)[0]["Plan"]["Total Cost"]
        assert served.after == pytest.approx(real, rel=0.5)
        size = float(advised.psql("select pg_relation_size('orders_customer_idx')", name))
        # The real one stores equal keys once; the hypothetical one does not know that.
        assert workload.missing[0].bytes == pytest.approx(size, rel=3.0)
        assert (await lacking(advised, asked, name)).missing == ()


HOSTILE = """
create schema "we""ird.sch%s";
create table "we""ird.sch%s"."tab'le
☃ %" (id int, "col;drop" int, "MiXed" text);
insert into "we""ird.sch%s"."tab'le
☃ %" select g, g, 'x' || g from generate_series(1, 20000) g;
analyze;
"""


async def test_names_of_any_kind_are_planned_with_and_built_on(advised: PostgresServer, asked: Connect) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + HOSTILE) as name:
        advised.psql(
            """select count(*) from "we""ird.sch%s"."tab'le
☃ %" x where x."col;drop" = 5 and "MiXed" = 'x5'""",
            name,
        )
        (finding,) = missing_findings(await lacking(advised, asked, name))
        assert finding.fix is not None
        advised.psql(finding.fix.sql, name)
        built = advised.psql(
            "select count(*) from pg_indexes where indexname = $$" + finding.fix.arguments["index"] + "$$", name
        )
        assert built == "1"
        assert (await lacking(advised, asked, name)).missing == ()


async def test_ors_orders_partitions_and_writes(advised: PostgresServer, asked: Connect) -> None:
    parts = """create table p (a int, b int) partition by range (a);
        create table p1 partition of p for values from (0) to (20000);
        create table p2 partition of p for values from (20000) to (50000);
        insert into p select g, g from generate_series(0, 49999) g; analyze p;"""
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS + parts) as name:
        advised.psql(
            """select * from orders where customer = 5 or note = 'zz';
            select * from orders where created > now() - interval '1 hour' order by created desc limit 5;
            select * from p where b = 77; update customers set country = 3 where email = 'c9';
            delete from customers where email in (select note from orders where customer = 77)""",
            name,
        )
        found = by_name(await lacking(advised, asked, name))
    assert {("orders", ("note",)), ("orders", ("created",)), ("p", ("b",)), ("customers", ("email",))} <= set(found)
    assert ("orders", ("customer",)) in found
    either = [one for one in found["orders", ("note",)].served if " or " in one.text]
    assert len(either) == 1
    assert {found[key].relation.kind for key in found if key[0] == "p"} == {"p"}


async def test_tables_are_found_as_their_roles_find_them(advised: PostgresServer, asked: Connect) -> None:
    sql = """create schema one; create schema two;
        create table one.t as select g as a, g as b from generate_series(1, 20000) g;
        create table two.t as select * from one.t; create table two.only as select * from one.t; analyze;
        grant usage on schema one, two to public; grant select on all tables in schema one, two to public;"""
    with database_with(advised, COUNTED + "create extension hypopg;" + sql) as name, role(advised) as user:
        advised.psql(f"alter role {user} in database {name} set search_path = 'two', public", name)
        advised.psql(f"set role {user}; set search_path = two; select count(*) from t where a = 1", name)
        advised.psql("set search_path = one; select count(*) from t where b = 2", name)
        advised.psql("set search_path = two; select count(*) from only where b = 2".replace("only", '"only"'), name)
        advised.psql("create temp table mine as select 1 as a; select * from mine where a = 1", name)
        workload = await lacking(advised, asked, name)
    found = {(one.relation.schema, one.relation.name, one.columns, one.guessed) for one in workload.missing}
    # Whose t the second one is, of two, nobody can say; the third is the only one of its name.
    assert found == {("two", "t", ("a",), False), ("two", "only", ("b",), True)}
    (note,) = workload.coverage.notes
    assert note.startswith("2 of ")
    assert "which is not there (temporary, dropped, or of another path)" in note


async def test_a_role_that_may_not_read_a_table_gets_a_guess_and_the_reason(
    advised: PostgresServer, asked: Connect
) -> None:
    with (
        database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name,
        role(advised, "pg_monitor") as user,
    ):
        advised.psql("select orders.*, pg_sleep(0.01) from orders where customer = 7", name)
        denied = await lacking(advised, asked, name, user=user)
        # The statistics of a column are shown to who may read it; planning wants all that the statement reads.
        advised.psql(f"grant select (customer) on orders to {user}", name)
        guessed = await lacking(advised, asked, name, user=user)
        advised.psql(f"grant select on orders to {user}", name)
        costed = await lacking(advised, asked, name, user=user)
        advised.psql(f"drop owned by {user}", name)
    assert denied.missing == ()
    for workload in (denied, guessed):
        (note,) = workload.coverage.notes
        assert "permission denied for table orders (GRANT SELECT, or pg_read_all_data, allows it)" in note
    (finding,) = missing_findings(guessed)
    assert finding.title.startswith("heuristic: a statement looks for customer")
    assert (by_name(costed)["orders", ("customer",)].costed, costed.coverage.notes) == (True, ())


async def test_a_bare_role_is_told_what_it_cannot_see(advised: PostgresServer, asked: Connect) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name, role(advised) as user:
        advised.psql("select count(*) from orders where customer = 7", name)
        workload = await lacking(advised, asked, name, user=user)
    assert workload.missing == ()
    assert workload.coverage.notes == (f'statements of other roles are hidden: grant pg_read_all_stats to "{user}";',)


async def test_planning_runs_nobodys_functions(advised: PostgresServer, asked: Connect) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name, role(advised) as user:
        advised.psql(
            f"""grant create on schema public to {user}; grant select on orders to {user}; set role {user};
            create function secret() returns int immutable language plpgsql as $$ begin
                raise log 'planned by %', session_user; return 7; end $$;
            create table bait (a int, b int); insert into bait select g, g from generate_series(1, 20000) g;
            create index on bait ((a + secret()));
            select count(*) from orders where customer = secret(); select count(*) from bait where b = 7""",
            name,
        )
        advised.psql("analyze bait", name)
        ran = advised.program.log.read_text().count("planned by")
        workload = await lacking(advised, asked, name)
        assert advised.program.log.read_text().count("planned by") == ran
        (note,) = workload.coverage.notes
        assert note.startswith("2 of 2 statements that look for columns without an index are left out")
        # What the same role planned itself does run it: the check above is able to fail.
        advised.psql("explain select count(*) from orders where customer = secret()", name)
        assert advised.program.log.read_text().count("planned by") > ran
        advised.psql(f"drop owned by {user} cascade", name)


async def test_a_locked_table_is_left_out_and_not_waited_for(advised: PostgresServer, asked: Connect) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name:
        advised.psql(
            "select count(*) from orders where customer = 7; update customers set country = 1 where email = 'x'", name
        )
        with psycopg.connect(advised.dsn(name)) as holder:
            holder.execute("lock table orders in access exclusive mode")
            workload = await lacking(advised, asked, name)
            holder.rollback()
    assert ("customers", ("email",)) in by_name(workload)
    assert any("lock timeout" in note for note in workload.coverage.notes)


async def test_the_connection_is_left_as_it_was_whatever_happens(advised: PostgresServer) -> None:
    sql = "create extension hypopg; create table t as select g as a, g as b from generate_series(1, 20000) g; analyze"
    with database_with(advised, sql) as name:
        table = Relation(advised.psql("select 't'::regclass::oid", name), "public", "t", "r", rows=20000.0)
        there, impossible = (Candidate(table.oid, "public", "t", (column,)) for column in ("a", "none"))
        right, wrong = (
            resolve(parse(f"select * from t where {column} = $1"), ("public",), {"t": [table]})
            for column in ("a", "nothing")
        )
        async with scales(postgres_at(advised.dsn(name)), "public") as on:
            assert (await on.weigh(right, [impossible, there])).used == {there}
            assert '"nothing" does not exist' in (await on.weigh(wrong, [there])).failed
            left = await on.session.connection.execute(
                "select (select count(*) from hypopg()), (select count(*) from pg_prepared_statements),"
                " current_setting('search_path'), current_setting('transaction_read_only')"
            )
            assert await left.fetchone() == (0, 0, '"$user", public', "off")


async def test_a_connection_that_is_lost_costs_the_costs_only(
    advised: PostgresServer, asked: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(self: Scales, statement: object, tried: object, *, narrow: bool = True) -> Weighed:
        pid = self.session.connection.info.backend_pid
        advised.psql(f"select pg_terminate_backend({pid}, 5000)")
        return await weigh(self, statement, tried, narrow=narrow)  # type: ignore[arg-type]

    weigh = Scales.weigh
    monkeypatch.setattr(Scales, "weigh", lost)
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name:
        advised.psql("select orders.*, pg_sleep(0.01) from orders where customer = 7", name)
        workload = await lacking(advised, asked, name)
    assert [(one.columns, one.costed) for one in workload.missing] == [(("customer",), False)]
    assert workload.coverage.notes == ("what an index would save is not reckoned (heuristic): the connection was lost",)


async def test_without_hypopg_nothing_is_costed_and_it_says_what_to_do(
    advised: PostgresServer, postgres: PostgresServer, asked: Connect
) -> None:
    query = "select orders.*, pg_sleep(0.01) from orders where customer = 7"
    hints = (
        (advised, "run: opsconsole db create-extension hypopg --conn app"),
        (postgres, "install hypopg on the server (postgresql-15-hypopg), then opsconsole db create-extension hypopg"),
    )
    for server, hint in hints:
        with database_with(server, COUNTED + ORDERS) as name:
            server.psql(query, name)
            workload = await lacking(server, asked, name)
        (finding,) = missing_findings(workload)
        assert (finding.state, finding.subject) == (State.OK, "public.orders (customer)")
        assert finding.title.startswith("heuristic: ")
        assert finding.fix is not None
        assert workload.coverage.notes == (f"what an index would save is not reckoned (heuristic): {hint}",)


@pytest.mark.parametrize("absent", ["pglast", "pg_stat_statements"])
async def test_without_statements_sequential_scans_have_to_do(
    postgres: PostgresServer, asked: Connect, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    if absent == "pglast":
        monkeypatch.setitem(sys.modules, "pglast", None)
    sql = ORDERS if absent == "pg_stat_statements" else COUNTED + ORDERS
    monkeypatch.setattr("opsconsole.database.table_findings.SEQ_ROWS", 100_000)
    with database_with(postgres, sql) as name:
        postgres.psql("select count(*) from orders where customer = 7;" * 5, name)
        workload = await lacking(postgres, asked, name)
    (finding,) = missing_findings(workload)
    assert (finding.id, finding.subject, finding.fix) == ("sequential-scans", "public.orders", None)
    assert finding.title.startswith("heuristic: read whole")
    (note,) = workload.coverage.notes
    assert ("pip install 'opsconsole[advice]'" if absent == "pglast" else "CREATE EXTENSION pg_stat_statements") in note


async def test_the_page_lists_what_is_missing_first_and_offers_to_build_it(
    advised: PostgresServer, asked: Connect
) -> None:
    page, order = IndexesPage(), Order("finding")
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name:
        advised.psql("select count(*) from orders where customer = 7", name)
        async with asked(advised.dsn(name)) as database:
            first = await page.take(database, None, order)
            again = await page.take(database, first, order)
    assert again.workload is first.workload  # planning anew each minute would tell nothing
    row = page.sheet(first, order).rows[0]
    assert row.key == "public.orders (customer)"
    assert row.cells[0].text == "(missing)"
    (choice,) = page.choices(first, row.key)
    assert (choice.label, choice.repair.arguments["columns"]) == ("create-index", '"customer"')
    detail = page.detail(first, row.key)
    assert detail is not None
    assert any("CREATE INDEX CONCURRENTLY" in text for _, text in detail.parts)


def test_the_commands_tell_it(advised: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    with database_with(advised, COUNTED + "create extension hypopg;" + ORDERS) as name:
        advised.psql("select count(*) from orders where customer = 7", name)
        for verb in (["indexes", "--missing"], ["analyze"]):
            assert main(["--postgres", advised.dsn(name), "db", *verb, "--format", "json"]) == Exit.DONE
            said = json.loads(capsys.readouterr().out)
            found = said["findings"] if "findings" in said else said["report"]["findings"]
            (missing,) = [one for one in found if one["id"] == "missing-index"]
            (statement,) = missing["evidence"]["statements"]
            assert statement["after"] < statement["before"]
            assert int(statement["queryid"])
            assert missing["fix"]["action"] == "postgres.create-index"
        assert main(["--postgres", advised.dsn(name), "db", "analyze", "--format", "md"]) == Exit.DONE
        assert 'CREATE INDEX CONCURRENTLY "orders_customer_idx" ON "public"."orders"' in capsys.readouterr().out
        assert main(["--postgres", advised.dsn(name), "db", "indexes", "--unused"]) == Exit.DONE
        assert "missing-index" not in capsys.readouterr().out
