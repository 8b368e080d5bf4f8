"""One statement over one connection, by libpq's own interface.

Always by the extended protocol, in which the server takes one statement at a time. Rows come in small chunks,
so that a query without a limit ends at ours and not at the end of memory.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from opsconsole.core.values import Cell

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.pq.abc import PGconn, PGresult

Row = tuple[bytes | None, ...]
Column = tuple[bytes, int]
"""(name, type oid)."""
Cells = tuple[Cell, ...]
Decoding = Callable[[Sequence[Column]], Callable[[Sequence[Row]], list[Cells]]]
"""Looked up once for the columns of an answer: what decodes each piece of its rows."""
_CHUNK = 10
"""Rows of one piece: libpq holds a whole piece before we see any of it, and a row can be large."""
_BYTES_LIMIT = 64 * 1024 * 1024
"""Of one answer, as for Prometheus: more is no answer to show, it is a query to change."""
_CHUNKS_SINCE = 170_000  # libpq 17
_CANCEL_TIMEOUT = 2.0


@dataclass(slots=True)
class Rows:
    """What a statement answered."""

    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    """As they came; empty where they were decoded."""
    cells: list[Cells] = field(default_factory=list)
    """Decoded, where that was asked for."""
    size: int = 0
    """Bytes of the rows kept."""
    truncated: bool = False
    surplus: int = 0
    """Rows that came beyond the limit and were dropped; where the server was stopped, those before that."""
    tag: str = ""
    """`SELECT 3`, `UPDATE 5`, `VACUUM`."""
    affected: int | None = None
    """Rows that were returned or changed; None where that makes no sense."""


async def run_script(connection: "AsyncConnection[object]", script: bytes) -> None:
    """Several statements of our own in one round trip; their answers are dropped.

    Raises:
        psycopg.Error: the first that fails.
    """
    connection.pgconn.send_query(script)
    failed: Exception | None = None
    async with aclosing(_results(connection)) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Exception):
                failed = failed or outcome
    if failed is not None:
        raise failed


async def run_simple(connection: "AsyncConnection[object]", text: bytes, max_rows: int) -> Rows:
    """One command by the simple protocol, for who speaks no other: the rows of its last answer.

    Raises:
        psycopg.Error: what the other side refuses.
    """
    connection.pgconn.send_query(text)
    answer = Rows()
    failed: Exception | None = None
    async with aclosing(_results(connection)) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Exception):
                failed = failed or outcome
                continue
            answer = Rows(_columns(outcome))
            _take(answer, outcome, max_rows)
    if failed is not None:
        raise failed
    return answer


async def run_query(
    connection: "AsyncConnection[object]",
    statement: bytes,
    values: Sequence[bytes | None],
    max_rows: int,
    *,
    cancel_surplus: bool = True,
    decoding: Decoding | None = None,
) -> Rows:
    """One statement with `$1`… for `values`, whose types the server infers; at most `max_rows` of its rows.

    With `cancel_surplus` the server is stopped when there are more. What writes must be let to its end instead.
    With `decoding` rows are decoded as they come, while the server works on the next ones: that never keeps the event
    loop for longer than a piece takes.

    Raises:
        psycopg.Error: what the server refuses, more than one statement included; an answer that is too large.
    """
    from psycopg import errors, pq

    connection.pgconn.send_query_params(statement, values)
    if pq.version() >= _CHUNKS_SINCE:
        connection.pgconn.set_chunked_rows_mode(_CHUNK)
    else:
        connection.pgconn.set_single_row_mode()
    answer = Rows()
    decode: Callable[[Sequence[Row]], list[Cells]] | None = None
    failed: Exception | None = None
    stopped = False
    async with aclosing(_results(connection)) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, Exception):
                failed = failed or outcome
                continue
            if not answer.columns:
                answer.columns = _columns(outcome)
                decode = decoding(answer.columns) if decoding is not None else None
            if outcome.command_status:
                answer.tag = outcome.command_status.decode("ascii", "replace")
                answer.affected = outcome.command_tuples
            if _take(answer, outcome, max_rows, decode) and cancel_surplus and not stopped:
                stopped = True
                await connection.cancel_safe(timeout=_CANCEL_TIMEOUT)
    if failed is not None and not stopped:  # our own cancellation is no failure
        raise failed
    if answer.size > _BYTES_LIMIT and cancel_surplus:
        raise errors.ProgramLimitExceeded(f"answer larger than {_BYTES_LIMIT // 1024**2} MiB")
    return answer


def _columns(result: "PGresult") -> list[Column]:
    return [(result.fname(column) or b"", result.ftype(column)) for column in range(result.nfields)]


def _take(
    answer: Rows, result: "PGresult", max_rows: int, decode: Callable[[Sequence[Row]], list[Cells]] | None = None
) -> bool:
    """Keep the rows of `result` that still fit; True when there are too many, or they are too large."""
    width = range(result.nfields)
    kept = len(answer.rows) + len(answer.cells)
    fitting = min(result.ntuples, max_rows - kept) if answer.size <= _BYTES_LIMIT else 0
    value = result.get_value
    rows = [tuple([value(row, column) for column in width]) for row in range(fitting)]
    answer.size += sum(map(len, filter(None, chain.from_iterable(rows))))
    if answer.size > _BYTES_LIMIT:
        rows, fitting = [], 0
    if decode is None:
        answer.rows += rows
    else:
        answer.cells += decode(rows)
    answer.surplus += result.ntuples - fitting
    answer.truncated = answer.surplus > 0
    return answer.truncated


def _error(connection: "AsyncConnection[object]", result: "PGresult") -> Exception | None:
    from psycopg import errors, pq

    status = pq.ExecStatus(result.status)
    if status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
        return errors.error_from_result(result, encoding=connection.info.encoding)
    if status in (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH):
        connection.pgconn.finish()  # nobody will speak the COPY protocol
        return errors.FeatureNotSupported("COPY is not a query")
    return None


async def _results(connection: "AsyncConnection[object]") -> "AsyncGenerator[PGresult | Exception]":
    """Results and errors as they come. A server that hangs up says why first: that is the error to keep."""
    from psycopg import OperationalError

    pgconn = connection.pgconn
    told = False
    line = _Line(pgconn)
    try:
        while pgconn.flush():
            await line.writable_or_readable()
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                await line.readable()
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                return
            error = _error(connection, result)
            told = told or error is not None
            yield error or result
    except OperationalError as lost:
        if not told:
            yield lost
    finally:
        line.let_go()


class _Line:
    """The socket of a connection, for as long as one statement lasts.

    The event loop is told once that somebody listens, and not anew for each of the thousand pieces in which a large
    answer comes: that would take as long as to read them.
    """

    def __init__(self, pgconn: "PGconn") -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = pgconn.socket
        self._waiting: asyncio.Future[None] | None = None
        self._listening = False

    async def readable(self) -> None:
        """Until the server says something, or hangs up."""
        self._waiting = self._loop.create_future()
        if not self._listening:
            self._loop.add_reader(self._socket, self._wake)
            self._listening = True
        await self._waiting

    async def writable_or_readable(self) -> None:
        """Until more can be sent; or the server says something meanwhile."""
        self._loop.add_writer(self._socket, self._wake)
        try:
            await self.readable()
        finally:
            self._loop.remove_writer(self._socket)

    def let_go(self) -> None:
        """Listen no longer. Before the connection is closed: its number may be given out again at once."""
        if self._listening:
            self._loop.remove_reader(self._socket)
            self._listening = False

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        else:  # nobody reads now; who does asks again
            self.let_go()
