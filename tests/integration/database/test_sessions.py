"""Sessions and who blocks whom, on a real server."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import psycopg
import pytest

from opsconsole.cli.main import main
from opsconsole.core.exit_codes import Exit
from opsconsole.database.actions.prechecks import read_way
from opsconsole.database.blocking import BlockingGraph, read_blocking
from opsconsole.database.connections import read_connections
from opsconsole.database.sessions import Filter, Session, grouped, most_telling_first, read_sessions
from opsconsole.database.vacuum import read_holders
from tests.integration.database.conftest import Connect
from tests.servers import PostgresServer, start_postgres

BARE = "bare"
"""A role that may log in, and nothing else."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    settings = ["max_prepared_transactions=5", "deadlock_timeout=60s"]
    with start_postgres(settings=settings) as started:
        started.psql(
            "create table readings (id int primary key, value int); insert into readings values (1, 1), (2, 2)"
        )
        started.psql(f"create role {BARE} login")
        yield started


@contextmanager
def sitting(server: PostgresServer, *statements: str, application: str = "etl") -> Iterator[int]:
    """A session that has carried out `statements` and now does nothing; gives its pid."""
    with psycopg.connect(server.dsn(application_name=application), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection.info.backend_pid


@contextmanager
def waiting(server: PostgresServer, *statements: str, application: str = "api") -> Iterator[int]:
    """A session whose last statement waits for a lock; gives its pid. It is ended with the block."""
    with closing(psycopg.connect(server.dsn(application_name=application), autocommit=True)) as connection:
        pid = connection.info.backend_pid
        for statement in statements[:-1]:
            connection.execute(statement.encode())

        def run() -> None:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(statements[-1].encode())
                except psycopg.Error:
                    return

        thread = threading.Thread(target=run)
        thread.start()
        try:
            until(lambda: lock_wait(server, pid))
            yield pid
        finally:
            with psycopg.connect(server.dsn(), autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", (pid,))
            thread.join(10)


def lock_wait(server: PostgresServer, pid: int) -> bool:
    asked = f"select count(*) from pg_stat_activity where pid = {pid} and wait_event_type = 'Lock'"
    return server.psql(asked).strip().endswith("1")


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not come to wait"
        time.sleep(0.05)


async def blocking(server: PostgresServer, asked: Connect) -> BlockingGraph:
    async with asked(server.dsn()) as database:
        return await read_blocking(database)


async def by_application(server: PostgresServer, asked: Connect, name: str) -> list[Session]:
    async with asked(server.dsn()) as database:
        activity = await read_sessions(database)
    return [one for one in activity.sessions if one.application == name]


async def test_a_session_says_what_it_does_and_for_how_long(server: PostgresServer, asked: Connect) -> None:
    with sitting(server, "begin", "select 1 as one", application="batch") as pid:
        (session,) = await by_application(server, asked, "batch")
    assert session.pid == pid
    assert (session.state, session.idle_in_transaction, session.active) == ("idle in transaction", True, False)
    assert session.query == "select 1 as one"
    assert session.role
    assert session.database
    assert session.seconds == session.transaction_seconds
    assert session.transaction_seconds is not None
    assert 0 <= session.transaction_seconds < 60


async def test_the_consoles_own_session_is_known_as_such(server: PostgresServer, asked: Connect) -> None:
    async with asked(server.dsn()) as database:
        activity = await read_sessions(database)
    assert [one for one in activity.sessions if one.ours]
    assert not [one for one in activity.sessions if one.ours and Filter().admits(one)]


async def test_texts_of_a_database_with_another_encoding_are_read_by_it(server: PostgresServer, asked: Connect) -> None:
    server.psql("create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
    with psycopg.connect(server.dsn(dbname="latin", application_name="paris"), client_encoding="LATIN1") as connection:
        connection.execute("select 'café'")
        (session,) = await by_application(server, asked, "paris")
    assert session.query == "select 'café'"
    assert session.database == "latin"


async def test_a_database_with_another_encoding_reads_its_own_texts_and_those_of_others(
    server: PostgresServer, asked: Connect
) -> None:
    server.psql("create database latin1 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
    with (
        psycopg.connect(server.dsn(dbname="latin1", application_name="rome"), client_encoding="LATIN1") as own,
        psycopg.connect(server.dsn(application_name="oslo")) as other,
    ):
        own.execute(r"select 'caffè\'")
        other.execute(r"select 'blåbær ☃ \x41'")
        async with asked(server.dsn("latin1")) as database:
            queries = {one.application: one.query for one in (await read_sessions(database)).sessions}
    assert queries["rome"] == r"select 'caffè\'"
    assert queries["oslo"] == r"select 'blåbær ☃ \x41'"


async def test_a_statement_longer_than_a_cell_is_shown_by_its_beginning(asked: Connect) -> None:
    with start_postgres(settings=["track_activity_query_size=100kB"]) as server:
        text = f"select '{'é' * 20_000}'"
        with sitting(server, text, application="long"):
            (session,) = await by_application(server, asked, "long")
    assert text.startswith(session.query[:2000])
    assert 2000 < len(session.query) < 5000


async def test_a_role_without_rights_is_told_what_it_cannot_see(server: PostgresServer, asked: Connect) -> None:
    with sitting(server, "select 42 as secret", application="payroll") as pid:
        async with asked(server.dsn(user=BARE)) as database:
            activity = await read_sessions(database)
    session = activity.by_pid()[pid]
    assert "secret" not in session.query
    assert (session.doing, session.role, session.application) == ("hidden", "postgres", "payroll")
    assert session.origin == "", "where it comes from is hidden, and not local"
    assert Filter().admits(session)
    assert activity.coverage.notes == (f'what sessions of other roles do is hidden: grant pg_monitor to "{BARE}";',)


async def test_a_role_without_rights_sees_who_waits_for_whom(server: PostgresServer, asked: Connect) -> None:
    with (
        sitting(server, "begin", "update readings set value = 2 where id = 1") as holder,
        waiting(server, "update readings set value = 3 where id = 1") as waiter,
    ):
        async with asked(server.dsn(user=BARE)) as database:
            graph = await read_blocking(database)
            used = (await read_connections(database)).used
    (root,) = graph.roots
    assert [one.node for one in root.members] == [str(holder), str(waiter)]
    assert root.top.session is not None
    assert root.top.session.hidden
    assert used == 3, "the sessions of others count, though it sees nothing of them"


def test_a_session_that_is_hidden_is_not_signalled(server: PostgresServer) -> None:
    with sitting(server, "select 1") as pid:
        argv = [
            sys.executable,
            "-m",
            "opsconsole.cli.main",
            "--postgres",
            server.dsn(user=BARE),
            "db",
            "kill",
            str(pid),
        ]
        done = subprocess.run([*argv, "--confirm", str(pid)], capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == Exit.GUARDED, done.stderr
        assert f"session {pid} is postgres's, and hidden from this role" in done.stderr
        assert f'grant pg_monitor to "{BARE}";' in done.stderr


async def test_an_aborted_transaction_lasts_since_it_failed(server: PostgresServer, asked: Connect) -> None:
    with psycopg.connect(server.dsn(application_name="failed")) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("select 1/0")
        (session,) = await by_application(server, asked, "failed")
        connection.rollback()
    assert session.state == "idle in transaction (aborted)"
    assert session.seconds == session.state_seconds


async def test_a_chain_is_a_tree_whose_root_frees_all_of_them(server: PostgresServer, asked: Connect) -> None:
    with (
        sitting(server, "begin", "update readings set value = 2 where id = 1") as holder,
        waiting(server, "begin", "update readings set value = 5 where id = 2",
                "update readings set value = 3 where id = 1") as first,
        waiting(server, "update readings set value = 4 where id = 2") as second,
        waiting(server, "alter table readings add column more int", application="dba") as third,
    ):  # fmt: skip
        graph = await blocking(server, asked)
    (root,) = graph.roots
    assert root.top.node == str(holder)
    assert root.top.session is not None
    assert root.top.session.idle_in_transaction
    assert root.frees == 3
    assert "frees 3 sessions" in root.effect
    under = {one.node: one.under for one in root.members}
    assert (under[str(second)], under[str(first)], under[str(third)]) == (str(first), str(holder), str(holder))
    wanted = {one.pid: one.wanted for one in graph.waiters}
    assert wanted[third] == "AccessExclusiveLock on readings"
    assert all(one.seconds is not None for one in graph.waiters)


async def test_an_idle_session_that_holds_an_advisory_lock_is_the_root(server: PostgresServer, asked: Connect) -> None:
    with (
        sitting(server, "select pg_advisory_lock(7)") as holder,
        waiting(server, "select pg_advisory_lock(7)") as waiter,
    ):
        graph = await blocking(server, asked)
    (root,) = graph.roots
    assert root.top.session is not None
    assert (root.top.node, root.top.session.state) == (str(holder), "idle")
    assert [one.node for one in root.members[1:]] == [str(waiter)]
    assert graph.waiters[0].wanted == "ExclusiveLock on advisory 7"


@pytest.mark.parametrize(
    ("before", "wanting"),
    [
        ("update readings set value = 9 where id = 1", "update readings set value = 3 where id = 1"),
        ("lock table readings in access exclusive mode", "select * from readings"),
    ],
    ids=["row", "table"],
)
async def test_a_prepared_transaction_is_named(
    server: PostgresServer, asked: Connect, before: str, wanting: str
) -> None:
    with sitting(server, "begin", before, "prepare transaction 'it''s mine'"):
        try:
            with waiting(server, wanting) as waiter:
                graph = await blocking(server, asked)
        finally:
            server.psql("rollback prepared 'it''s mine'")
    (root,) = graph.roots
    assert root.top.node == "2PC it's mine"
    assert [one.node for one in root.members[1:]] == [str(waiter)]
    assert root.effect.startswith("rolling back 2PC it's mine frees 1 session")


async def test_a_prepared_transaction_is_named_by_the_encoding_of_its_database(
    server: PostgresServer, asked: Connect
) -> None:
    server.psql("create database latin2 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0")
    server.psql("create table one (id int); insert into one values (1)", "latin2")
    target = server.dsn(dbname="latin2")
    with closing(psycopg.connect(target, autocommit=True, client_encoding="LATIN1")) as connection:
        connection.execute("begin; update one set id = 2; prepare transaction 'café'")
        try:
            async with asked(server.dsn("latin2")) as there:
                holders = await read_holders(there)
                way = await read_way(there, server.psql("select 'one'::regclass::oid", "latin2"))
            connection.execute("set lock_timeout = '10s'")
            thread = threading.Thread(target=_tolerant, args=(connection, "update one set id = 3"))
            thread.start()
            until(lambda: lock_wait(server, connection.info.backend_pid))
            graph = await blocking(server, asked)  # from a database in UTF-8, for which these bytes are no text
        finally:
            connection.cancel_safe()
            thread.join(10)
            connection.execute("rollback prepared 'café'")
    assert [root.top.node for root in graph.roots] == ["2PC café"]
    assert [one.id for one in holders if one.kind == "prepared"] == ["café"]
    assert [(one.kind, one.id, "RowExclusiveLock" in one.modes) for one in way.open] == [("prepared", "café", True)]


async def test_a_deadlock_that_is_forming_is_a_cycle_without_a_root(server: PostgresServer, asked: Connect) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(closing(psycopg.connect(server.dsn(), autocommit=True)))
        pid = one.info.backend_pid
        one.execute("begin; update readings set value = 1 where id = 1")
        other = stack.enter_context(
            waiting(server, "begin", "update readings set value = 1 where id = 2",
                    "update readings set value = 1 where id = 1")
        )  # fmt: skip
        thread = threading.Thread(target=lambda: _tolerant(one, "update readings set value = 1 where id = 2"))
        thread.start()
        stack.callback(thread.join, 10)
        until(lambda: lock_wait(server, pid))
        graph = await blocking(server, asked)
        server.psql(f"select pg_terminate_backend({pid})")
    assert not graph.roots
    assert graph.cycles == (tuple(sorted((str(pid), str(other)), key=int)),)


def _tolerant(connection: psycopg.Connection, statement: str) -> None:
    try:
        connection.execute(statement.encode())
    except psycopg.Error:
        return


async def test_what_needs_somebody_stands_first_and_groups_count(server: PostgresServer, asked: Connect) -> None:
    with (
        sitting(server, "select 1", application="web"),
        sitting(server, "select 1", application="web"),
        sitting(server, "begin", "select 1", application="stuck"),
    ):
        async with asked(server.dsn()) as database:
            activity = await read_sessions(database)
    sessions = most_telling_first(one for one in activity.sessions if Filter().admits(one))
    assert sessions[0].application == "stuck"
    groups = {group.name: group for group in grouped(sessions, "application")}
    assert (groups["web"].count, groups["stuck"].idle_in_transaction) == (2, 1)


def test_the_commands_say_it_as_a_tree_and_as_json(
    server: PostgresServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*arguments: str) -> str:
        assert main(["--postgres", server.dsn(), "db", *arguments]) == Exit.DONE
        return capsys.readouterr().out

    def said_in_latin(*arguments: str) -> str:
        argv = [sys.executable, "-m", "opsconsole.cli.main", "--postgres", server.dsn(), "db", *arguments]
        surroundings = {**os.environ, "PYTHONIOENCODING": "latin-1"}
        done = subprocess.run(argv, capture_output=True, check=True, timeout=60, env=surroundings)
        return done.stdout.decode("latin-1")

    assert "nobody waits for a lock" in said("locks")
    with (
        sitting(server, "begin", "update readings set value = 2 where id = 1") as holder,
        waiting(server, "update readings set value = 3 where id = 1") as waiter,
    ):
        tree = said("locks")
        document = json.loads(said("locks", "--format", "json"))
        listed = json.loads(said("activity", "--state", "idle in transaction", "--format", "json"))
        table = said("activity")
        by_user = json.loads(said("activity", "--group-by", "user", "--format", "json"))
        latin = said_in_latin("locks")
        monkeypatch.setenv("OPSCONSOLE_GLYPHS", "ascii")
        plain = said("locks")
    assert f"└ {waiter}  active" in tree
    assert f"`- {waiter}  active" in plain
    assert f"`- {waiter}  active" in latin
    assert [one["name"] for one in by_user["groups"]] == ["postgres"]
    assert f"ending {holder} frees 1 session" in tree
    assert document["roots"][0]["node"] == str(holder)
    assert document["edges"][0]["blocked_by"] == [str(holder)]
    assert [one["pid"] for one in listed["sessions"]] == [holder]
    assert "Lock: transactionid" in table
