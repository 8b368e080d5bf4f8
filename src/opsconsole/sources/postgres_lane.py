"""One connection, and reading through it: a lane of its own for slow queries keeps them out of the way of fast ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import OnRows, SourceError
from opsconsole.sources import postgres_errors
from opsconsole.sources.postgres_cells import decoder, names_of, zone_of
from opsconsole.sources.postgres_exchange import Cells, Column, Decoding, Row, Rows, run_query, run_script

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.errors import Diagnostic

LONGEST_WAIT = 0.1
"""Seconds that a reading waits for a lock, whatever the settings say: they are for what changes something. Somebody who
waits in a queue of locks holds up all behind him."""
_GRACE = 1.0
"""Seconds beyond the server's statement time-out after which the server is taken for dead."""
_CANCEL_TIMEOUT = 2.0
_CLOSE_TIMEOUT = 0.5


@dataclass(frozen=True, slots=True)
class Statement:
    """What is sent: text with `$1`…, values, and how many rows are wanted."""

    text: bytes
    values: Sequence[bytes | None] = ()
    max_rows: int = 500
    codec: str = ""
    """Decode the rows as they come, texts by this Python codec; empty: leave them as they are."""
    raw: bool = False
    """Ask for text as it is stored, unconverted: for what does not convert to UTF-8."""
    on_rows: OnRows | None = None
    """Is given rows as soon as they are decoded."""


@dataclass(slots=True)
class Taken:
    """Rows, and the circumstances under which they were read."""

    rows: Rows
    taken_at: float
    took: float
    notices: list[str] = field(default_factory=list)


class _Stale(Exception):  # noqa: N818 - no error yet: a new connection may work
    """The connection was lost before anything was asked."""


class Lane:
    """At most one statement at a time, each in a READ ONLY transaction of its own that is rolled back."""

    def __init__(
        self, source: str, settings: PostgresSettings, connect: Callable[["Lane"], Awaitable["AsyncConnection"]]
    ) -> None:
        self._source = source
        self._settings = settings
        self._connect = connect
        self._connection: AsyncConnection | None = None
        self._free = asyncio.Lock()
        self._notices: list[str] = []
        self._work: asyncio.Future[Taken] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._handed_over = False
        self._closed = False

    async def read(self, statement: Statement) -> Taken:
        """Run one statement, connecting first where need be.

        When the caller is cancelled, or the server does not answer in time, the server is told to end the
        statement; that goes on by itself, and the next reader waits for it.

        Raises:
            SourceError: no connection, an error of the server, or no answer.
        """
        await self._free.acquire()
        try:
            await self._connected()
            try:
                return await self._bounded(statement)
            except _Stale:
                # The server was restarted since the last reading. Nothing was asked yet, so asking is safe.
                await self._connected()
                return await self._bounded(statement)
        except _Stale:
            raise SourceError(self._source, "gone", "the connection was lost") from None
        finally:
            if not self._handed_over:
                self._free.release()
            self._handed_over = False

    async def read_first(self, connection: "AsyncConnection", statement: Statement) -> Taken:
        """For who is connecting this lane: read over a connection that is not in service yet."""
        async with asyncio.timeout(self._settings.statement_timeout + _GRACE):
            return await self._transaction(connection, statement)

    async def hang_up(self) -> None:
        """Close the lane for good. A statement under way is called off, on the server, too."""
        self._closed = True
        work, connection = self._work, self._connection
        if work is not None and not work.done() and connection is not None:
            with suppress(Exception):
                await connection.cancel_safe(timeout=_CLOSE_TIMEOUT)
            await asyncio.wait({work}, timeout=_CLOSE_TIMEOUT)
            work.cancel()
            await asyncio.wait({work})
        self._work, self._connection = None, None
        if connection is not None:
            await connection.close()

    def abandon(self) -> None:
        """Drop the connection at once: its event loop is gone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.pgconn.finish()

    async def _connected(self) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = None
            connection = await self._connect(self)
            if self._closed:
                connection.pgconn.finish()
                raise SourceError(self._source, "gone", "the query was called off")
            connection.add_notice_handler(self._note)
            self._connection = connection

    async def _bounded(self, statement: Statement) -> Taken:
        assert self._connection is not None
        work = self._work = asyncio.ensure_future(self._transaction(self._connection, statement))
        limit = self._settings.statement_timeout + _GRACE
        try:
            done, _ = await asyncio.wait({work}, timeout=limit)
        except asyncio.CancelledError:
            self._leave(work)
            raise
        if not done:
            self._leave(work)
            raise SourceError(self._source, "timeout", f"no answer within {limit:g} s")
        if work.cancelled():
            raise SourceError(self._source, "gone", "the query was called off")
        return work.result()

    async def _transaction(self, connection: "AsyncConnection", statement: Statement) -> Taken:
        import psycopg

        self._notices = []
        taken_at, started = time.time(), time.monotonic()
        begun = False
        try:
            await run_script(connection, self._opening(statement))
            begun = True
            decoding = _decoding(connection, statement) if statement.codec else None
            rows = await run_query(connection, statement.text, statement.values, statement.max_rows, decoding=decoding)
        except psycopg.Error as error:
            if not begun and error.sqlstate in (None, "57P01") and _lost(connection):
                raise _Stale from error
            took, limit = time.monotonic() - started, self._settings.statement_timeout
            raise postgres_errors.answering(self._source, error, seconds=limit, took=took) from error
        finally:
            await _end_transaction(connection)
        return Taken(rows, taken_at, time.monotonic() - started, self._notices)

    def _opening(self, statement: Statement) -> bytes:
        """The start of a transaction. Everything is LOCAL, so that it also holds behind PgBouncer."""
        timeout = max(1, round(self._settings.statement_timeout * 1000))
        lines = [
            "begin read only",
            f"set local statement_timeout = {timeout}",
            f"set local lock_timeout = {max(1, round(min(self._settings.lock_timeout, LONGEST_WAIT) * 1000))}",
            f"set local idle_in_transaction_session_timeout = {timeout + 5000}",
            # To compile a plan takes 0.1 s, of a large one 1 s and more: what a console reads is over by then.
            "set local jit = off",
            # What postgres_cells reads.
            "set local datestyle = 'ISO, YMD'",
            "set local intervalstyle = 'postgres'",
            "set local bytea_output = 'hex'",
        ]
        if statement.raw:
            lines.append("set local client_encoding = 'SQL_ASCII'")
        return ";".join(lines).encode()

    def _leave(self, work: "asyncio.Future[Taken]") -> None:
        self._handed_over = True
        task = asyncio.ensure_future(self._let_go(work))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _let_go(self, work: "asyncio.Future[Taken]") -> None:
        """Have the server end the statement, then free the lane; hang up on a server that does not react."""
        connection = self._connection
        try:
            if connection is not None:
                with suppress(Exception):
                    await connection.cancel_safe(timeout=_CANCEL_TIMEOUT)
            await asyncio.wait({work}, timeout=_CANCEL_TIMEOUT)
            if not work.done():
                # First the one who waits for the socket, then the socket: its number may be given out again at once.
                work.cancel()
                await asyncio.wait({work})
                self.abandon()
            if not work.cancelled():
                work.exception()  # it has no other reader
        finally:
            self._free.release()

    def _note(self, diagnostic: "Diagnostic") -> None:
        self._notices.append(clean_line(f"{diagnostic.severity or 'NOTICE'}: {diagnostic.message_primary}"))


def _decoding(connection: "AsyncConnection", statement: Statement) -> Decoding:
    codec, on_rows = statement.codec, statement.on_rows
    zone = zone_of(connection.info.parameter_status("TimeZone") or "UTC")

    def decoding(columns: Sequence[Column]) -> Callable[[Sequence[Row]], list[Cells]]:
        names = names_of(columns, codec)
        decoders = [decoder(oid, codec, zone) for _, oid in columns]

        def decode(rows: Sequence[Row]) -> list[Cells]:
            found = [
                tuple([None if data is None else decode(data) for decode, data in zip(decoders, row, strict=True)])
                for row in rows
            ]
            if on_rows is not None:
                on_rows(names, found)
            return found

        return decode

    return decoding


async def _end_transaction(connection: "AsyncConnection") -> None:
    """Roll back. A connection that is not idle afterwards is of no further use."""
    import psycopg

    if connection.closed:
        return
    with suppress(psycopg.Error):
        await run_script(connection, b"rollback")
    if connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        connection.pgconn.finish()


def _lost(connection: "AsyncConnection") -> bool:
    import psycopg

    return connection.closed or connection.pgconn.status != psycopg.pq.ConnStatus.OK
