"""Errors as a real PostgreSQL knows them, in each of its log formats."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.errors.asking import Errors
from opsconsole.errors.memory import Memory
from opsconsole.errors.model import DAY, Heard, Kind
from opsconsole.errors.postgres import PostgresErrorsOf
from opsconsole.sources.postgres import PostgresSource
from tests.servers import PostgresServer, start_postgres

ROLES = """
create role watcher login; create role reader login;
grant pg_monitor to watcher, reader;
grant execute on function pg_read_binary_file(text, bigint, bigint) to reader;
create role nobody_special login;
create table meters (id int primary key, name text);
insert into meters values (1, 'a'), (2, 'b');
grant all on meters to public
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    settings = (
        "logging_collector=on", "log_destination=stderr,csvlog,jsonlog", "log_line_prefix=%m [%p] %q%u@%d %e ",
        "log_timezone=Europe/Berlin", "deadlock_timeout=50ms",
    )  # fmt: skip
    with start_postgres(settings=settings) as server:
        server.psql(ROLES)
        yield server


@asynccontextmanager
async def errors_of(
    server: PostgresServer, user: str = "postgres", memory: Memory | None = None, *, dbname: str = "postgres",
    name: str = "app", rollbacks: bool = False,
) -> AsyncIterator[PostgresErrorsOf]:  # fmt: skip
    dsn = SecretRef.of(server.dsn(dbname, user=user))
    source = PostgresSource(PostgresSettings(name, dsn, connect_timeout=2.0))
    try:
        yield PostgresErrorsOf(f"postgres/{name}", source.read, DAY, memory, rollbacks=rollbacks)
    finally:
        await source.close()


def fail(server: PostgresServer, *statements: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for statement in statements:
            with pytest.raises(psycopg.Error):
                connection.execute(statement.encode())


async def until(server: PostgresServer, condition: str) -> None:
    """Wait until it holds for a new session: what the collector writes arrives a moment later."""
    async with asyncio.timeout(10):
        while server.psql(f"select {condition}") != "t":  # noqa: ASYNC110  a server's log tells nobody
            await asyncio.sleep(0.05)


def of_type(heard: Heard, name: str) -> Kind:
    (kind,) = [one for one in heard.kinds if one.type == name]
    return kind


@pytest.mark.parametrize("log_format", ["jsonlog", "csvlog", "stderr"])
async def test_the_server_log_is_read_in_each_format(postgres: PostgresServer, log_format: str) -> None:
    postgres.psql(f"alter system set log_destination = '{log_format}'")
    postgres.psql("select pg_reload_conf()")
    async with errors_of(postgres) as errors:
        await errors.hear()
        began = time.time()
        fail(
            postgres,
            "insert into meters values (1, 'x')",
            "insert into meters\nvalues (2, 'y')",
            "select 'a' || \"no_such\nname\"",
        )
        await until(postgres, f"pg_read_file(pg_current_logfile('{log_format}')) like '%no_such%no_such%'")
        heard = await errors.hear()
        duplicate = of_type(heard, "ERROR 23505")
        assert heard.notes == ()
        assert duplicate.service == "postgres"
        assert duplicate.message == 'duplicate key value violates unique constraint "meters_pkey"'
        assert duplicate.last_at is not None
        assert began - 1 <= duplicate.last_at <= time.time() + 1
        latest = duplicate.samples[0]
        assert "DETAIL:  Key (id)=(2) already exists." in latest.trace
        assert "insert into meters\nvalues (2, 'y')" in latest.trace
        count = duplicate.count
        assert of_type(heard, "ERROR 42703").samples[0].labels["sqlstate"] == "42703"
        fail(postgres, "insert into meters values (1, 'x')")
        assert of_type(await errors.hear(), "ERROR 23505").count == count + 1


async def test_who_may_not_read_the_log_is_told_how_to_allow_it(postgres: PostgresServer) -> None:
    async with errors_of(postgres, "nobody_special") as errors:
        assert "grant pg_monitor" in (await errors.hear()).notes[0]
    async with errors_of(postgres, "watcher") as errors:
        assert "grant execute on function pg_read_binary_file" in (await errors.hear()).notes[0]
    fail(postgres, "insert into meters values (1, 'x')")
    async with errors_of(postgres, "reader") as errors:
        heard = await errors.hear()
        assert heard.notes == ()
        assert of_type(heard, "ERROR 23505").count >= 1


async def test_an_error_of_the_server_is_told_once_for_all_its_databases(postgres: PostgresServer) -> None:
    with socket.create_connection(("127.0.0.1", postgres.port)) as client:
        client.sendall(struct.pack("!ii", 8, 9 << 16))  # a protocol that there is not: FATAL, in no database
        while client.recv(1024):
            pass
    await until(postgres, "pg_read_file(pg_current_logfile('stderr')) like '%unsupported frontend protocol%'")
    async with errors_of(postgres) as app, errors_of(postgres, dbname="template1", name="other") as other:
        kinds = (await Errors([app, other], None).survey()).kinds
    (kind,) = [one for one in kinds if "unsupported frontend protocol" in one.message]
    assert (kind.source, kind.service) == ("postgres/app", "server")


async def test_a_rollback_is_an_error_only_where_that_is_wanted(postgres: PostgresServer, tmp_path: Path) -> None:
    def roll_back() -> None:
        with psycopg.connect(postgres.dsn()) as connection:
            connection.execute("select 1")
            connection.rollback()

    async def rolled_back(*, wanted: bool) -> list[Kind]:
        memory = Memory(tmp_path / f"{wanted}.sqlite", "test")
        async with errors_of(postgres, memory=memory, rollbacks=wanted) as errors:
            await errors.hear()
            before = postgres.psql("select xact_rollback from pg_stat_database where datname = 'postgres'")
            await asyncio.to_thread(roll_back)
            await until(postgres, f"(select xact_rollback > {before} from pg_stat_database where datname = 'postgres')")
            return [one for one in (await errors.hear()).kinds if one.type == "rollback"]

    assert await rolled_back(wanted=False) == []
    (kind,) = await rolled_back(wanted=True)
    assert kind.count >= 1


async def test_a_deadlock_is_counted_from_one_look_to_the_next(postgres: PostgresServer, tmp_path: Path) -> None:
    memory = Memory(tmp_path / "errors.sqlite", "test")
    async with errors_of(postgres, memory=memory) as errors:
        await errors.hear()
        await asyncio.to_thread(deadlock, postgres)
        async with asyncio.timeout(10):  # statistics arrive when the session ends, or a second later
            while not (found := [one for one in (await errors.hear()).kinds if one.type == "deadlock"]):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert (found[0].count, found[0].service, found[0].message) == (1, "postgres", "a deadlock was ended")
    async with errors_of(postgres, memory=Memory(tmp_path / "errors.sqlite", "test")) as later:
        assert of_type(await later.hear(), "deadlock").count == 1


def deadlock(server: PostgresServer) -> None:
    """Two transactions that wait for each other; one of them is ended."""
    both = threading.Barrier(2)

    def lock(first: int, second: int) -> None:
        try:
            with psycopg.connect(server.dsn()) as connection:
                connection.execute("update meters set name = name where id = %s", (first,))
                both.wait(5)
                connection.execute("update meters set name = name where id = %s", (second,))
        except psycopg.errors.DeadlockDetected:
            pass

    threads = [threading.Thread(target=lock, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
