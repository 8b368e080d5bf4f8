"""The workbench on a terminal, on a real PostgreSQL: from who is blocked to the session that is ended."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from bench.terminal import Terminal
from opsconsole.ui.actions import Place, Registry
from tests.servers import PostgresServer, start_pgbouncer, start_postgres
from tests.terminal.site import Site
from tests.terminal.supervisors import ended_supervisors

NAME = 'we"ird [/oops] ☃'


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with start_postgres(settings=["shared_preload_libraries=pg_stat_statements"]) as started:
        started.psql(
            "create extension pg_stat_statements; create table readings (id int primary key, value int);"
            "insert into readings select i, i from generate_series(1, 2000) i"
        )
        quoted = NAME.replace('"', '""')
        started.psql(f'create table "{quoted}" as select i from generate_series(1, 1000) i')
        yield started


@pytest.fixture
def site(tmp_path: Path, server: PostgresServer) -> Iterator[Site]:
    made = Site(tmp_path, databases={"app": server.dsn()}, mode="guarded")
    made.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "postgres/app", "query": "select 1"}])
    with ended_supervisors(made.state):
        yield made


@contextmanager
def blocked(server: PostgresServer) -> Iterator[tuple[int, int]]:
    """One session that holds a row and does nothing, and one that waits for it; gives their pids."""
    with (
        closing(psycopg.connect(server.dsn(application_name="batch"))) as holder,
        closing(psycopg.connect(server.dsn(application_name="web"), autocommit=True)) as waiter,
    ):
        holder.execute("update readings set value = 0 where id = 1")

        def wait() -> None:
            with suppress(psycopg.Error):
                waiter.execute("update readings set value = 1 where id = 1")

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield holder.info.backend_pid, waiter.info.backend_pid
        finally:
            with suppress(psycopg.Error):
                holder.rollback()
            thread.join()


def finished(terminal: Terminal) -> None:
    """Wait for the run, which ends by itself after its only step, and go back to where it came from."""
    terminal.wait_for(r"The run has ended: ok(.|\n)*enter back")
    terminal.press("enter")
    terminal.wait_for(r"Sessions +Locks +Queries")


def test_from_who_is_blocked_to_the_session_that_is_ended(site: Site, server: PostgresServer) -> None:
    with blocked(server) as (holder, waiter), site.console() as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press(":db locks", "enter")
        terminal.wait_for(rf"{holder} +idle in tx .* frees 1, the longest waits")
        terminal.wait_for(rf"└ {waiter} +active")
        terminal.press("enter")
        terminal.wait_for(rf"Session {holder}(.|\n)*effect +ending {holder} frees 1 session(.|\n)*update readings")
        terminal.press("esc")
        terminal.wait_for(r"Sessions +Locks +Queries")
        terminal.press("x")
        terminal.wait_for(rf"terminate +End session {holder}")
        terminal.press("enter")
        terminal.wait_for(rf"1\.1 +End session {holder} \(postgres batch\) +DESTRUCTIVE")
        terminal.wait_for(r"Why: it is idle in transaction")
        terminal.press("enter")
        terminal.wait_for(rf"Type +{holder} +to run this step")
        terminal.press(str(holder), "enter")
        terminal.wait_for(r"● 1\.1 ")
        finished(terminal)
        terminal.wait_for(r"nobody waits for a lock")
    assert server.psql("select value from readings where id = 1") == "1"
    (entry,) = [one for one in site.ask("audit", "list") if one["run"] and one["outcome"] == "ok"]
    assert entry["action"] == "postgres.terminate"


def test_a_table_is_vacuumed_whatever_its_name(site: Site, server: PostgresServer) -> None:
    with site.console() as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press("w")
        terminal.wait_for(r"\d+ sessions")
        terminal.press("tab", "tab", "tab")
        terminal.wait_for(r"public\.readings")
        terminal.press("/oops", "enter")
        terminal.wait_for(r"1 of \d(.|\n)*public\.we\"ird \[/oops\]")
        terminal.press("down", "x")
        terminal.wait_for(r"vacuum freeze")
        terminal.press("vacuum", "enter")
        terminal.wait_for(r"1\.1 +Vacuum public\.we\"ird \[/oops\]")
        terminal.press("enter")
        terminal.wait_for(r"Run this step\?")
        terminal.press("y")
        terminal.wait_for(r"● 1\.1 (.|\n)*the server counts one more")
        finished(terminal)
        terminal.wait_for(r"1 of \d(.|\n)*public\.we\"ird \[/oops\]")
    assert server.psql(f"select vacuum_count from pg_stat_all_tables where relname = $${NAME}$$") == "1"


def test_every_page_answers_and_none_holds_up_a_key(site: Site) -> None:
    with site.console(columns=80, lines=24) as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press(":db", "enter")
        for shown in (
            r"\d+ sessions", r"nobody waits", r"statements +", r"\d+ tables", r"unused or invalid",
            r"a pool of \d+ would do", r"no vacuum, analyze", r"primary at", r"cache hits",
            r"findings|nothing that anybody",
        ):  # fmt: skip
            terminal.wait_for(shown)
            terminal.press("s", "v", "r", "?")
            terminal.wait_for(r"› Keys: Database app")
            terminal.press("esc")
            terminal.wait_gone(r"› Keys")
            terminal.press("tab")
        terminal.wait_for(r"\d+ sessions")  # round to the first


def test_a_listed_statement_is_explained_without_being_run(site: Site, server: PostgresServer) -> None:
    server.psql("select pg_stat_statements_reset()")
    server.psql("select * from readings where value = 7; delete from readings where id < 0")
    with site.console() as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press(":db queries", "enter")
        terminal.wait_for(r"delete from readings")
        terminal.press("/select * from readings", "enter")
        terminal.wait_for(r"1 of \d+")
        terminal.press("e")
        terminal.wait_for(r"generic plan: the one(.|\n)*Seq Scan on public\.readings(.|\n)*readings\.value = \$1")
    assert server.psql("select count(*) from readings") == "2000"


def test_an_index_is_made_and_the_plan_shows_what_it_did(site: Site, server: PostgresServer) -> None:
    server.psql("select pg_stat_statements_reset()")
    server.psql("create table events as select i, i % 500 as kind from generate_series(1, 50000) i; analyze events")
    server.psql("select * from events where kind = 7")
    with site.console() as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press(":db queries", "enter")
        terminal.wait_for(r"from events where kind")
        terminal.press("/from events where", "enter")
        terminal.wait_for(r"1 of \d+")
        terminal.press("e")
        terminal.wait_for(r"Seq Scan on public\.events")
        terminal.press("esc")
        terminal.wait_for(r"Sessions +Locks +Queries")
        server.psql("create index on events (kind)")
        terminal.press("e")
        terminal.wait_for(r"since .* ago(.|\n)*Seq Scan on public\.events.* → (.|\n)*generic plan")


def test_what_became_slower_since_a_baseline(site: Site, server: PostgresServer) -> None:
    server.psql("create function probe() returns int language sql as 'select 1'; select pg_stat_statements_reset()")
    server.psql("select probe();" * 30)
    with site.console() as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press(":db queries", "enter")
        terminal.wait_for(r"select probe\(\)")
        terminal.press("v", "v")
        terminal.wait_for(r"no baseline of this server is kept: :baseline NAME keeps one")
        terminal.press(":baseline before", "enter")
        terminal.wait_for(r"\d+ statements kept as baseline before")
        terminal.wait_for(r"since baseline before")
        server.psql("create or replace function probe() returns int language sql as 'select 1 from pg_sleep(0.01)'")
        server.psql("select probe();" * 30)
        terminal.press("r")
        terminal.wait_for(r"slower +[\d,.]+x .* select probe\(\)")


def wait_stale(terminal: Terminal) -> None:
    terminal.wait_for(r"STALE .*trying again")


def test_a_server_that_goes_leaves_its_last_values_and_comes_back(tmp_path: Path) -> None:
    with start_postgres() as own:
        site = Site(tmp_path, databases={"app": own.dsn()})
        site.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "postgres/app", "query": "select 1"}])
        with site.console() as terminal:
            terminal.wait_for(r"1 Plain")
            terminal.press(":db tables", "enter")
            terminal.wait_for(r"0 tables")
            terminal.press("shift+tab", "shift+tab", "shift+tab")
            terminal.wait_for(r"\d+ sessions")
            own.program.stop()
            wait_stale(terminal)
            terminal.press("?")
            terminal.wait_for(r"› Keys: Database app")
            terminal.press("esc")
            own.program.start()
            terminal.wait_gone(r"STALE")
            terminal.wait_for(r"\d+ sessions +\d+ active")


def test_every_key_of_the_workbench_does_something(site: Site, server: PostgresServer) -> None:
    """Those that it shares with other lists move in a list; its own are tried one by one."""
    elsewhere = {Place.DASHBOARD, Place.RUNBOOKS}
    own = {action.id for action in Registry() if Place.WORKBENCH in action.where and not action.where & elsewhere}
    marks = {"mark", "mark-range", "mark-all"}
    assert own == {"fix", "next-page", "previous-page", "next-database", "explain", "sort", "group", *marks}
    with blocked(server), site.console() as terminal:
        terminal.wait_for(r"1 Plain")
        terminal.press("w")
        terminal.wait_for(r"idle in tx")
        for key, shown in (
            ("d", "there is no other database"),
            ("s", "sorted by query"),
            ("M", "space marks the first row"),
            ("space", "1 marked"),
            ("*", "2 marked"),
            ("esc", r"^ +2 +sort query"),
            ("v", "^ *NAME +SESSIONS"),
            ("p", "paused; p goes on"),
            ("p", "reading again"),
            ("right", "HOLDS UP OR WAITS FOR"),
            ("left", "SESSIONS"),
            ("l", "HOLDS UP OR WAITS FOR"),
            ("h", "SESSIONS"),
            ("shift+tab", "FINDING"),
            ("tab", "SESSIONS"),
            ("x", "nothing that the console does would change that"),
            ("e", "there is no statement here to explain"),
            ("enter", "there is no more to say"),
            ("0", "no run is going on"),
        ):
            terminal.press(key)
            terminal.wait_for(f"(?m){shown}")
        terminal.press("n")
        terminal.wait_for("(?m)^ note")
        terminal.press("seen", "enter")
        terminal.wait_for("noted")
        terminal.press(":db airflow", "enter")
        terminal.wait_for("no page 'airflow'")
        terminal.press("esc", "esc", "esc")
        terminal.wait_for(r"9 Runbooks")


def test_the_pools_before_a_database_are_seen_and_their_death_changes_nothing_else(
    tmp_path: Path, server: PostgresServer
) -> None:
    with start_pgbouncer(server, ["app = dbname=postgres pool_size=1"]) as pooler:
        database = {"dsn": server.dsn(), "pooler": {"dsn": pooler.dsn(), "timeout": "1s"}}
        site = Site(tmp_path, more={"postgres": {"app": database}})
        site.screen("plain", [{"id": "a", "title": "A", "kind": "stat", "source": "postgres/app", "query": "select 1"}])
        client = pooler.dsn("app", "postgres", "postgres")
        with psycopg.connect(client, prepare_threshold=None) as holder, site.console() as terminal:
            holder.execute("select 1")
            terminal.wait_for(r"1 Plain")
            terminal.press(":db connections", "enter")
            terminal.wait_for(r"PgBouncer 1\.\d+\.\d+ +1 ")
            terminal.wait_for(r"app / postgres +1 +1 +1 ")
            terminal.press("down", "down", "down", "down", "enter")  # the pools stand at the end
            terminal.wait_for(r"Pool(.|\n)*servers active +1(.|\n)*pool_size +1")
            terminal.press("esc")
            terminal.wait_for(r"Sessions +Locks +Queries")
            holder.rollback()  # a pause waits for what is under way
            pooler.order("PAUSE app")
            terminal.press("r")
            terminal.wait_for(r"app / postgres .*PAUSED")
            pooler.program.kill()
            terminal.press("r")
            terminal.wait_for(r"PgBouncer 1.* STALE \d+s: .*connection")
            terminal.wait_for(r"postgres +\d+ ")
            pooler.program.start()
            terminal.wait_for(r"PgBouncer 1\.\d+\.\d+ +0 ")
