"""The SQL runner on a real PostgreSQL: reading cannot write, cancelling reaches the server, nothing is pasted."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from opsconsole.actions.action import Outcome, Result, Risk
from opsconsole.actions.runners.sql import SqlRunner
from opsconsole.actions.runners.sql_session import guard, open_session
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.secret import Secret
from tests.servers import PostgresServer


@dataclass(frozen=True)
class AtLeast:
    number: int

    def holds(self, rows: int) -> bool:
        return rows >= self.number

    def __str__(self) -> str:
        return f">={self.number}"


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> PostgresServer:
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("create role clerk login")
        connection.execute("create table orders (id int primary key, note text)")
        connection.execute("grant select, insert, update, delete on orders to clerk")
        connection.execute(
            "create function sneaky() returns int language sql volatile as $$ delete from orders returning 1 $$"
        )
    return postgres


@pytest.fixture(autouse=True)
def orders(server: PostgresServer) -> Iterator[Any]:
    """Three orders, and a connection to look at them."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("truncate orders")
        connection.execute("insert into orders values (1, 'one'), (2, 'two'), (3, null)")
        yield connection


def settings(server: PostgresServer, user: str = "postgres", **more: str) -> PostgresSettings:
    return PostgresSettings("app", SecretRef.of(server.dsn(user=user, **more)), lock_timeout=0.2)


async def ran(server: PostgresServer, sql: str, user: str = "postgres", **changes: Any) -> tuple[Result, str]:
    output: list[bytes] = []
    result = await SqlRunner(settings(server, user), sql, **changes).run(output.append)
    return result, b"".join(output).decode()


def count(connection: Any) -> int:
    [(number,)] = connection.execute("select count(*) from orders").fetchall()
    return int(number)


class TestReading:
    async def test_rows_come_as_a_table(self, server: PostgresServer) -> None:
        result, output = await ran(server, "select id, note from orders order by id;", risk=Risk.READ)
        assert (result.outcome, result.detail) == (Outcome.OK, "3 rows")
        assert output == "id | note\n---+-----\n 1 | one\n 2 | two\n 3 | ∅\n(3 rows)\n"

    @pytest.mark.parametrize(
        "sql",
        [
            "with gone as (delete from orders returning *) select * from gone",
            "select sneaky()",
            "select * from orders for update",
            "select nextval('s')",
            "select lo_create(0)",
            "explain analyze delete from orders",
            "select set_config('transaction_read_only', 'off', true), sneaky()",
        ],
    )
    async def test_cannot_write(self, server: PostgresServer, orders: Any, sql: str) -> None:
        orders.execute("create sequence if not exists s")
        result, _ = await ran(server, sql, risk=Risk.READ)
        if "lo_create" in sql and result.outcome is Outcome.OK:
            # PostgreSQL lets large objects through in READ ONLY before 16; the rollback takes it back.
            assert orders.execute("select count(*) from pg_largeobject_metadata").fetchall() == [(0,)]
            return
        assert result.outcome is Outcome.FAILED
        assert count(orders) == 3

    @pytest.mark.parametrize(
        ("sql", "says"),
        [
            ("delete from orders", "no reading statement"),
            ("copy orders to program 'touch /tmp/pwned'", "no reading statement"),
            ("vacuum orders", "no reading statement"),
            ("set session characteristics as transaction read write", "no reading statement"),
            ("begin", "no reading statement"),
            ("do $$ begin delete from orders; end $$", "no reading statement"),
            ("select 1; delete from orders", "2 statements"),
            ("select 1; commit; delete from orders", "3 statements"),
            ("-- nothing", "no statement"),
            ("select :NAME", "bare :NAME"),
            ("select :'NAME'", "nothing was given"),
            ("select 'open", "does not end"),
        ],
    )
    async def test_refuses_before_it_connects(self, orders: Any, sql: str, says: str) -> None:
        nowhere = PostgresSettings("app", SecretRef.of("postgresql://127.0.0.1:9/none"))
        result = await SqlRunner(nowhere, sql, risk=Risk.READ).run(lambda _: None)
        assert result.outcome is Outcome.FAILED
        assert says in result.detail
        assert count(orders) == 3

    async def test_time_is_limited_by_the_server(self, server: PostgresServer) -> None:
        result, _ = await ran(server, "select pg_sleep(30)", risk=Risk.READ, timeout=0.2)
        assert result.outcome is Outcome.TIMED_OUT
        assert result.duration < 5

    async def test_many_rows_are_cut_and_the_server_stopped(self, server: PostgresServer) -> None:
        result, output = await ran(
            server, "select generate_series(1, 100000000), repeat('x', 100)", risk=Risk.READ, max_rows=5
        )
        assert result.outcome is Outcome.OK
        assert output.endswith("(the first 5 rows; there are more)\n")
        assert len(output.splitlines()) == 8

    @pytest.mark.parametrize(("least", "outcome"), [(0, Outcome.OK), (3, Outcome.OK), (4, Outcome.FAILED)])
    async def test_rows_can_be_demanded(self, server: PostgresServer, least: int, outcome: Outcome) -> None:
        result, _ = await ran(server, "select * from orders", risk=Risk.READ, expect_rows=AtLeast(least))
        assert result.outcome is outcome
        assert outcome is Outcome.OK or "3 rows, expected >=4" in result.detail

    async def test_hostile_text_is_inert(self, server: PostgresServer) -> None:
        _, output = await ran(server, r"select E'\x1b]52;c;eA==\x07\nsecond' as " + '"a\nb"', risk=Risk.READ)
        assert "\x1b" not in output
        assert len(output.splitlines()) == 4


VALUES = {
    "injection": "'; drop table orders;--",
    "shell": "$(id)`id`",
    "newline": "a\nb",
    "dash": "-rf",
    "slot": ":'X' :\"X\" $1 %s",
    "dollar": "$$ $tag$ ",
    "unicode": "“’é漢",
    "backslash": "\\'; \\",
    "empty": "",
    "long": "x" * 1_000_000,
}


class TestValues:
    @pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
    async def test_reach_the_server_unchanged(self, server: PostgresServer, orders: Any, value: str) -> None:
        result, _ = await ran(
            server, "update orders set note = :'X' where id = :'ID'::int", values={"X": value, "ID": "1"}
        )
        assert result.outcome is Outcome.OK
        assert orders.execute("select note from orders where id = 1").fetchall() == [(value,)]
        assert count(orders) == 3

    @pytest.mark.parametrize(("value", "says"), [("a\x00b", "NUL"), ("a\udcff", "no text")])
    async def test_what_the_server_cannot_take_is_refused_not_cut(
        self, server: PostgresServer, orders: Any, value: str, says: str
    ) -> None:
        result, _ = await ran(server, "update orders set note = :'X'", values={"X": value})
        assert result.outcome is Outcome.FAILED
        assert says in result.detail
        result, _ = await ran(server, f"update orders set note = '{value}'")
        assert result.outcome is Outcome.FAILED
        assert orders.execute("select count(*) from orders where note = 'a'").fetchall() == [(0,)]

    async def test_secrets_and_nulls_can_be_bound(self, server: PostgresServer) -> None:
        runner = SqlRunner(
            settings(server),
            "select length(:'S'), :'N'::text is null",
            values={"S": Secret("hunter2"), "N": None},
            risk=Risk.READ,
        )
        output: list[bytes] = []
        assert (await runner.run(output.append)).outcome is Outcome.OK
        assert b"7 | t" in b"".join(output)
        assert "hunter2" not in repr(runner)

    async def test_identifiers_are_quoted(self, server: PostgresServer, orders: Any) -> None:
        hostile = 'x"; drop table orders; --'
        result, _ = await ran(server, 'select * from :"T"', identifiers={"T": hostile}, risk=Risk.READ)
        assert result.outcome is Outcome.FAILED
        assert "does not exist" in result.detail
        assert count(orders) == 3


class TestWriting:
    async def test_says_how_many_rows(self, server: PostgresServer, orders: Any) -> None:
        result, output = await ran(server, "delete from orders where id < 3", expect_rows=AtLeast(2))
        assert (result.outcome, result.detail) == (Outcome.OK, "2 rows")
        assert output == "DELETE 2\n"
        assert count(orders) == 1

    async def test_goes_to_its_end_though_it_returns_more_rows_than_are_shown(
        self, server: PostgresServer, orders: Any
    ) -> None:
        sql = "insert into orders select g, repeat('x', 1000) from generate_series(10, 20009) g returning *"
        result, output = await ran(server, sql, max_rows=2)
        assert (result.outcome, result.detail) == (Outcome.OK, "20000 rows")
        assert "the first 2 rows" in output
        assert count(orders) == 20003

    async def test_vacuum_runs_outside_a_transaction(self, server: PostgresServer) -> None:
        result, output = await ran(server, "vacuum (verbose) orders")
        assert (result.outcome, result.detail) == (Outcome.OK, "VACUUM")
        assert "INFO: " in output

    async def test_a_maintenance_command_that_skips_has_failed(self, server: PostgresServer) -> None:
        result, output = await ran(server, "vacuum orders", user="clerk")
        assert result.outcome is Outcome.FAILED
        assert "skipping" in result.detail
        assert output.startswith("WARNING: ")

    async def test_another_warning_is_a_warning(self, server: PostgresServer) -> None:
        result, _ = await ran(server, "select pg_terminate_backend(0)")
        assert result.outcome is Outcome.WARN
        assert "PID 0" in result.detail

    @pytest.mark.parametrize("sql", ["delete from orders; select 1", "begin", "commit", "rollback"])
    async def test_one_statement_and_no_transaction_of_its_own(
        self, server: PostgresServer, orders: Any, sql: str
    ) -> None:
        result, _ = await ran(server, sql)
        assert result.outcome is Outcome.FAILED
        assert count(orders) == 3

    async def test_several_in_one_transaction_all_or_none(self, server: PostgresServer, orders: Any) -> None:
        result, _ = await ran(
            server, "delete from orders where id = 1; update orders set id = 3 where id = 2", txn=True
        )
        assert result.outcome is Outcome.FAILED
        assert "[23505]" in result.detail
        assert count(orders) == 3
        result, output = await ran(server, "delete from orders where id = 1; delete from orders", txn=True)
        assert (result.outcome, output) == (Outcome.OK, "DELETE 1\nDELETE 2\n")
        assert count(orders) == 0

    async def test_waiting_for_a_lock_is_limited(self, server: PostgresServer, orders: Any) -> None:
        with orders.transaction():
            orders.execute("lock table orders")
            result, _ = await ran(server, "delete from orders", timeout=20)
        assert result.outcome is Outcome.FAILED
        assert "55P03" in result.detail
        assert count(orders) == 3

    async def test_copy_is_refused_and_ends(self, server: PostgresServer, orders: Any) -> None:
        result, _ = await ran(server, "copy orders from stdin", timeout=5)
        assert result.outcome is Outcome.FAILED
        assert count(orders) == 3


def sleeping(connection: Any, mark: str) -> int:
    query = "select count(*) from pg_stat_activity where state = 'active' and query like %s and pid <> pg_backend_pid()"
    [(number,)] = connection.execute(query, (f"%{mark}%",)).fetchall()
    return int(number)


async def until_asleep(connection: Any, mark: str) -> None:
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(sleeping, connection, mark):  # noqa: ASYNC110 - the server sends no event
            await asyncio.sleep(0.01)


class TestCancelling:
    @pytest.mark.parametrize("risk", [Risk.READ, Risk.WRITE])
    async def test_ends_the_statement_on_the_server(self, server: PostgresServer, orders: Any, risk: Risk) -> None:
        runner = SqlRunner(settings(server), "select pg_sleep(60), 'mark-a'", risk=risk)
        task = asyncio.create_task(runner.run(lambda _: None))
        await until_asleep(orders, "mark-a")
        task.cancel()
        result = await asyncio.wait_for(task, 5)
        assert result.outcome is Outcome.CANCELLED
        assert sleeping(orders, "mark-a") == 0

    async def test_takes_back_what_a_transaction_did(self, server: PostgresServer, orders: Any) -> None:
        runner = SqlRunner(settings(server), "delete from orders; select pg_sleep(60), 'mark-b'", txn=True)
        task = asyncio.create_task(runner.run(lambda _: None))
        await until_asleep(orders, "mark-b")
        task.cancel()
        assert (await asyncio.wait_for(task, 5)).outcome is Outcome.CANCELLED
        assert count(orders) == 3

    async def test_before_it_is_connected(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            accepted = threading.Event()
            held: list[socket.socket] = []

            def accept() -> None:
                held.append(mute.accept()[0])
                accepted.set()

            threading.Thread(target=accept, daemon=True).start()
            dsn = SecretRef.of(f"postgresql://127.0.0.1:{mute.getsockname()[1]}/x")
            task = asyncio.create_task(SqlRunner(PostgresSettings("app", dsn), "delete from x").run(lambda _: None))
            await asyncio.to_thread(accepted.wait, 5)
            task.cancel()
            result = await asyncio.wait_for(task, 5)
        assert (result.outcome, result.detail) == (Outcome.CANCELLED, "before it began")


class TestFailing:
    async def test_no_server_is_said(self) -> None:
        runner = SqlRunner(PostgresSettings("app", SecretRef.of("postgresql://127.0.0.1:9/none")), "delete from x")
        result = await runner.run(lambda _: None)
        assert result.outcome is Outcome.FAILED
        assert "postgres/app: connection refused" in result.detail

    async def test_a_writing_statement_whose_session_is_killed_has_failed(
        self, server: PostgresServer, orders: Any
    ) -> None:
        task = asyncio.create_task(SqlRunner(settings(server), "select pg_sleep(60), 'mark-c'").run(lambda _: None))
        await until_asleep(orders, "mark-c")
        orders.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query like '%mark-c%' and pid <> pg_backend_pid()"
        )
        result = await asyncio.wait_for(task, 5)
        assert result.outcome is Outcome.FAILED
        assert "57P01" in result.detail

    async def test_a_line_that_breaks_under_a_writing_statement_leaves_it_unknown(
        self, server: PostgresServer, orders: Any
    ) -> None:
        with Relay(server.port) as relay:
            dsn = SecretRef.of(server.dsn().replace(str(server.port), str(relay.port)))
            runner = SqlRunner(PostgresSettings("app", dsn), "select pg_sleep(2), 'mark-d'")
            task = asyncio.create_task(runner.run(lambda _: None))
            await until_asleep(orders, "mark-d")
            relay.cut()
            result = await asyncio.wait_for(task, 10)
        assert result.outcome is Outcome.UNKNOWN
        assert "not known" in result.detail

    async def test_its_sessions_are_named_and_gone_afterwards(self, server: PostgresServer, orders: Any) -> None:
        _, output = await ran(server, "show application_name", risk=Risk.READ)
        assert "opsconsole/action" in output
        async with asyncio.timeout(5):
            query = "select count(*) from pg_stat_activity where application_name = 'opsconsole/action'"
            while orders.execute(query).fetchall() != [(0,)]:  # noqa: ASYNC110 - the server sends no event
                await asyncio.sleep(0.01)


class Relay:
    """A line to the server that can be cut."""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._target = port
        self._ends: list[socket.socket] = []

    def __enter__(self) -> "Relay":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        self._server.close()
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _accept(self) -> None:
        while True:
            try:
                near = self._server.accept()[0]
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            return


async def test_a_statement_ends_with_a_console_that_was_killed(server: PostgresServer, orders: Any) -> None:
    session = await open_session("postgres/app", settings(server), lambda notice: None)
    await guard(session, "", statement_timeout=600.0, lock_timeout=600.0)
    pid = session.connection.info.backend_pid
    session.connection.pgconn.send_query(b"select pg_sleep(600)")
    there = "select state from pg_stat_activity where pid = %s"
    async with asyncio.timeout(20):
        while orders.execute(there, (pid,)).fetchone() != ("active",):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
        with socket.socket(fileno=os.dup(session.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)  # as the kernel does for a process that is gone
        while orders.execute(there, (pid,)).fetchone() is not None:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
    await session.connection.close()
