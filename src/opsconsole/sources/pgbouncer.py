"""Looking at PgBouncer through its admin console: `SHOW POOLS` and its like, which only read.

The console speaks PostgreSQL's protocol and no SQL: one command at a time by the simple protocol, no transaction, no
SET. What would be a time-out of the server elsewhere is one of ours here.
"""

import asyncio
import importlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from opsconsole.config.secrets import SecretError
from opsconsole.config.settings import PoolerSettings, PostgresSettings
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.core.values import Table
from opsconsole.sources import postgres_errors
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.postgres_cells import cell, zone_of
from opsconsole.sources.postgres_conninfo import Target, target_of
from opsconsole.sources.postgres_exchange import Rows, run_simple

if TYPE_CHECKING:
    import psycopg
    from psycopg import AsyncConnection

ADMIN_DATABASE = "pgbouncer"
"""The name under which the pooler offers its own console."""
COMMANDS = ("POOLS", "DATABASES", "USERS", "STATS", "LISTS", "CONFIG", "VERSION")
"""What may follow SHOW. All are open to `stats_users`, and to `admin_users`."""
OLDEST = (1, 12)
"""Before, the version came as a notice, and numbers were counted otherwise."""
_ZONE = zone_of("UTC")  # no column of these is a time
_HINT = "its dsn has to lead to the database pgbouncer, and its user has to be in stats_users or admin_users"


class PgBouncerSource:
    """One pooler. Implements `Source`; the query's text is `SHOW` and one of `COMMANDS`. Answers are tables."""

    def __init__(self, settings: PoolerSettings, *, name: str, backoff: Backoff | None = None) -> None:
        self.name = name
        self._settings = settings
        self._backoff = backoff or Backoff()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Lock()
        self._connection: AsyncConnection | None = None

    async def read(self, query: Query) -> Answer:
        """Run the command that the query's text names."""
        words = query.text.upper().split()
        if len(words) != 2 or words[0] != "SHOW" or words[1] not in COMMANDS:
            said = clean_line(query.text, limit=60)
            raise SourceError(self.name, "bad-query", f"{said!r} is none of SHOW {', '.join(COMMANDS)}")
        taken_at, started = time.time(), time.monotonic()
        rows = await self._ask(" ".join(words), query.max_rows)
        return Answer(_table(rows), taken_at, time.monotonic() - started)

    async def probe(self) -> Capabilities:
        """Which version this is."""
        table = _table(await self._ask("SHOW VERSION", 1))
        product, _, version = str(table.rows[0][0] if table.rows else "").partition(" ")
        if product.lower() != "pgbouncer":
            raise SourceError(self.name, "garbage", "something that is not PgBouncer answers", hint=_HINT)
        notes = (f"version {version} is older than 1.12; its numbers are not read",) if _is_old(version) else ()
        return Capabilities("PgBouncer", clean_line(version, limit=40), notes=notes)

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.pgconn.finish()

    async def _ask(self, command: str, most: int) -> Rows:
        self._settle()
        async with self._free:
            known = self._connection is not None
            try:
                return await self._asked(command, most)
            except SourceError as error:
                if not known or error.kind != "gone":
                    raise
            # It was restarted since the last command. Commands only read: asking again is safe.
            return await self._asked(command, most)

    async def _asked(self, command: str, most: int) -> Rows:
        import psycopg

        if self._connection is None:
            self._connection = await self._connected()
        started, answered = time.monotonic(), False
        try:
            async with asyncio.timeout(self._settings.timeout):
                rows = await run_simple(self._connection, command.encode(), most)
            answered = True
        except TimeoutError:
            raise SourceError(self.name, "timeout", f"no answer within {self._settings.timeout:g} s") from None
        except psycopg.Error as error:
            if error.sqlstate is not None:
                raise self._refusal(error) from error
            took = time.monotonic() - started
            raise postgres_errors.answering(self.name, error, seconds=self._settings.timeout, took=took) from error
        finally:
            if not answered:  # what would still come belongs to no later command
                await self.close()
        return rows

    def _refusal(self, error: "psycopg.Error") -> SourceError:
        """It answers, and will not: the admin console does not know the command, or this is none."""
        reason = clean_line(error.diag.message_primary or str(error), limit=200)
        return SourceError(self.name, "unsupported", f"no admin console of PgBouncer: {reason}", hint=_HINT)

    def _settle(self) -> None:
        """The command line may use several event loops, one after the other."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._connection is not None:
                self._connection.pgconn.finish()
            self._loop, self._free, self._connection = loop, asyncio.Lock(), None

    async def _connected(self) -> "AsyncConnection":
        self._backoff.check()
        try:
            connection = await self._opened()
        except SourceError as error:
            self._backoff.failed(error)
            raise
        self._backoff.succeeded()
        return connection

    async def _opened(self) -> "AsyncConnection":
        psycopg = await asyncio.to_thread(importlib.import_module, "psycopg")
        target = await asyncio.to_thread(_target, self.name, self._settings)
        seconds = self._settings.timeout
        connection: AsyncConnection
        try:
            async with asyncio.timeout(seconds):
                connection = await psycopg.AsyncConnection.connect(
                    **target.parameters, autocommit=True, prepare_threshold=None
                )
        except TimeoutError as error:
            raise postgres_errors.unanswered(self.name, target.place, seconds) from error
        except psycopg.Error as error:
            raise postgres_errors.connecting(self.name, target.place, error, seconds=seconds) from error
        return connection


def _target(source: str, settings: PoolerSettings) -> Target:
    """Where to connect: the admin console, unless the DSN says otherwise. May run the commands of secrets."""
    target = target_of(source, PostgresSettings(ADMIN_DATABASE, settings.dsn, connect_timeout=settings.timeout))
    parameters = dict(target.parameters)
    if "service" not in parameters:
        parameters.setdefault("dbname", ADMIN_DATABASE)
    if settings.password is not None:
        try:
            parameters["password"] = settings.password.reveal()
        except SecretError as error:
            raise SourceError(source, "refused", str(error), hint="no password to connect with") from None
    return replace(target, parameters=parameters)


def _table(rows: Rows) -> Table:
    columns = tuple(clean(name.decode("utf-8", "replace")) for name, _ in rows.columns)
    oids = [oid for _, oid in rows.columns]
    cells = tuple(
        tuple(cell(oid, value, "utf-8", _ZONE) for oid, value in zip(oids, row, strict=True)) for row in rows.rows
    )
    return Table(columns, cells, rows.truncated)


def version_of(text: str) -> tuple[int, ...]:
    """`1.18.0` as (1, 18, 0); empty where it begins with no number."""
    digits: list[int] = []
    for part in text.split("."):
        number = "".join(char for char in part if char.isdecimal())
        if not number or not part[:1].isdecimal():
            break
        digits.append(int(number))
    return tuple(digits)


def _is_old(version: str) -> bool:
    found = version_of(version)
    return bool(found) and found < OLDEST
