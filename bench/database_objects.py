"""Tables and findings of large databases, on a PostgreSQL of their own, as the console asks it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg

from bench.measure import median
from opsconsole.config.secrets import SecretRef
from opsconsole.config.settings import PostgresSettings
from opsconsole.database.asking import Database
from opsconsole.database.examining import examine
from opsconsole.database.findings import findings
from opsconsole.database.tables import read_tables
from opsconsole.sources.postgres import PostgresSource
from tests.servers import PostgresServer

T = TypeVar("T")
_BATCH = 500
_ROWS = 5_000


def fill(server: PostgresServer, tables: int) -> str:
    """The name of a new database with `tables` tables, each with two indexes; the first ten hold rows."""
    name = f"of_{tables}"
    server.psql(f"create database {name}")
    server.psql(
        f"""do $$ begin for i in 1..{tables} loop
              execute format('create table t%s (id int primary key, other int, word text)', i);
              execute format('create index on t%s (other)', i);
              if i % {_BATCH} = 0 then commit; end if;
            end loop; end $$""",
        name,
    )
    for number in range(1, 11):
        server.psql(f"insert into t{number} select g, g, 'x' from generate_series(1, {_ROWS}) g", name)
    server.psql("analyze", name)
    return name


def seconds(server: PostgresServer, name: str, read: Callable[[Database], Awaitable[T]], runs: int = 3) -> float:
    """The median of what `read` takes, over a connection that is open; the first run is not counted."""

    async def timed() -> list[float]:
        settings = PostgresSettings("app", SecretRef.of(server.dsn(name)))
        source = PostgresSource(settings)
        took = []
        try:
            database = Database("postgres/app", source.read)
            for _ in range(runs + 1):
                began = time.perf_counter()
                await read(database)
                took.append(time.perf_counter() - began)
        finally:
            await source.close()
        return took[1:]

    return median(asyncio.run(timed()))


def first_page(server: PostgresServer, name: str) -> float:
    """Seconds to the first page of tables while somebody holds one of them: nothing waits for that."""
    with psycopg.connect(server.dsn(name)) as holder:
        holder.execute("lock table t1 in access exclusive mode")
        return seconds(server, name, lambda database: read_tables(database, limit=50))


def all_findings(server: PostgresServer, name: str) -> float:
    """Seconds to everything that is wrong, ranked."""

    async def found(database: Database) -> int:
        return len(findings(await examine(database)))

    return seconds(server, name, found)
