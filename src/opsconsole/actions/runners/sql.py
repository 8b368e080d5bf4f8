"""Running SQL: what only reads in a READ ONLY transaction, what writes on a connection of its own."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from opsconsole.actions.action import Outcome, Result, Risk, Sink
from opsconsole.actions.runners.serial import claim, release
from opsconsole.actions.runners.sql_session import Notice, Session, guard, open_session
from opsconsole.actions.runners.text_table import text_table
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import SourceError
from opsconsole.core.secret import Secret
from opsconsole.sources import postgres_errors
from opsconsole.sources.postgres_exchange import Rows, run_query, run_script
from opsconsole.sources.sqltext import READING_COMMANDS, SqlTextError, command_of, compose, statements

if TYPE_CHECKING:
    import psycopg

_CANCEL_TIMEOUT = 2.0
# These report what they skipped as a warning, and success.
_MAINTENANCE = frozenset({"vacuum", "analyze", "analyse", "reindex", "cluster", "refresh"})
_TRANSACTION_CONTROL = frozenset({"begin", "start", "commit", "end", "rollback", "abort"})
_POOLED = (
    "nothing was sent: there is a pooler between here and the server, and this needs a session of its own; "
    "name the server itself under postgres: in the configuration"
)
_NUMBERS = frozenset({20, 21, 23, 26, 700, 701, 1700})  # pg_type.oid
_ENDED = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})
_NO_VALUES: Mapping[str, str | Secret | None] = MappingProxyType({})
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class RowDemand(Protocol):
    """A demand on the number of rows, such as `>0`; its `str` is how people write it."""

    def holds(self, rows: int) -> bool:
        """Whether `rows` meets it."""
        ...


@dataclass(frozen=True, slots=True)
class Still:
    """That a name still means the relation that was looked at: who has the same name by now is somebody else."""

    schema: str
    name: str
    oid: str


# cost: one row of pg_class by its name; any role
_STILL = b"""\
select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and c.oid = $3::oid"""


@dataclass(frozen=True, slots=True)
class SqlRunner:
    """Runs `sql` on the database of `settings`. Values are bound by the server, identifiers quoted.

    With risk `read` it is one statement, of a kind that reads, in a READ ONLY transaction that is rolled back. Else it
    is one statement outside any transaction (VACUUM wants that), or with `txn` several in one. Rows go to the sink
    as a text table, the server's notices as they come. Cancelling has the server cancel the statement.
    """

    settings: PostgresSettings
    sql: str
    values: Mapping[str, str | Secret | None] = field(default_factory=lambda: _NO_VALUES, repr=False)
    """For `:'NAME'`."""
    identifiers: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES)
    """For `:"NAME"`."""
    risk: Risk = Risk.WRITE
    timeout: float = 60.0
    """Seconds for each statement, enforced by the server."""
    lock_timeout: float | None = None
    """Seconds to wait for a lock; None: the settings'."""
    max_rows: int = 100
    expect_rows: RowDemand | None = None
    """Of the last statement: rows returned, or affected where it returns none."""
    txn: bool = False
    alone: bool = False
    """It cannot be in a transaction, and so cannot go through a pooler: refused there before it is sent."""
    still: Still | None = None
    """Asked right before it, in the same session; where it does not hold, the statement is not sent."""
    serial: str = ""
    """The oid of a relation on which only one of us works at a time, with `alone`: refused, with who does, where
    somebody is at it."""

    async def run(self, sink: Sink) -> Result:
        """Run it once. Cancelled, it returns how that ended (outcome `cancelled`) instead of raising."""
        started = time.monotonic()
        try:
            prepared = self._prepared()
        except SqlTextError as error:
            where = f"line {error.line}, column {error.column}: " if error.line > 1 or error.column > 1 else ""
            return Result(Outcome.FAILED, detail=f"{where}{error.message}")
        result = await _Execution(self, prepared, sink).run()
        return replace(result, duration=time.monotonic() - started)

    @property
    def source(self) -> str:
        """As content names it: `postgres/NAME`."""
        return f"postgres/{self.settings.name}"

    def _prepared(self) -> "list[_Prepared]":
        _bytes(self.sql, "the text")
        found = statements(self.sql)
        if not found:
            raise SqlTextError("there is no statement here", 1, 1)
        if len(found) > 1 and (self.risk is Risk.READ or not self.txn):
            raise SqlTextError(f"{len(found)} statements, where one is expected", 1, 1)
        return [self._prepared_one(statement) for statement in found]

    def _prepared_one(self, statement: str) -> "_Prepared":
        command = command_of(statement)
        if self.risk is Risk.READ and command not in READING_COMMANDS:
            expected = ", ".join(sorted(READING_COMMANDS))
            raise SqlTextError(f"{command or 'this'} is no reading statement ({expected}); its risk is not read", 1, 1)
        if command in _TRANSACTION_CONTROL:
            raise SqlTextError(f"{command} is not for a step to say; txn makes one transaction of its statements", 1, 1)
        values = {name: v.reveal() if isinstance(v, Secret) else v for name, v in self.values.items()}
        text, binds = compose(statement, values, self.identifiers)
        return _Prepared(command, text, tuple(None if bind is None else _bytes(bind, "a value") for bind in binds))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One statement as it is sent."""

    command: str
    text: bytes
    binds: Sequence[bytes | None]


class _Execution:
    """One run."""

    def __init__(self, runner: SqlRunner, prepared: "list[_Prepared]", sink: Sink) -> None:
        self._runner = runner
        self._prepared = prepared
        self._sink = sink
        self._session: Session | None = None
        self._warnings: list[str] = []
        self._claimed = False
        self._sent = False
        """A statement that may change something is with the server."""

    async def run(self) -> Result:
        work = asyncio.ensure_future(self._work())
        cancelled = False
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            cancelled = True
            await self._stop(work)
        finally:
            if self._session is not None:
                if self._claimed:
                    await release(self._session.connection, self._runner.serial)
                await self._session.connection.close()
        if work.cancelled():
            return self._unanswered() if self._sent else Result(Outcome.CANCELLED, detail="before it began")
        result = work.result()
        # 57014 says both "cancelled" and "timed out"; we know who it was.
        return replace(result, outcome=Outcome.CANCELLED) if cancelled and result.outcome in _ENDED else result

    async def _work(self) -> Result:
        import psycopg

        runner = self._runner
        started = time.monotonic()
        try:
            self._session = session = await open_session(runner.source, runner.settings, self._hear)
            if runner.alone and session.pooled:
                return Result(Outcome.REFUSED, detail=_POOLED)
            opening = self._opening(session)
            lock_timeout = runner.settings.lock_timeout if runner.lock_timeout is None else runner.lock_timeout
            await guard(session, opening, statement_timeout=runner.timeout, lock_timeout=lock_timeout)
            if runner.still is not None and not await _holds(session, runner.still):
                named = clean_line(f"{runner.still.schema}.{runner.still.name}")
                return Result(Outcome.REFUSED, detail=f"nothing was sent: {named} is another one by now, or gone")
            if runner.serial and (holder := await claim(session.connection, runner.serial)):
                return Result(Outcome.REFUSED, detail=f"nothing was sent: {holder}")
            self._claimed = bool(runner.serial)
            started = time.monotonic()
            self._sent = runner.risk is not Risk.READ
            rows = Rows()
            for prepared in self._prepared:
                rows = await self._answered(session, prepared)
            if opening:
                await run_script(session.connection, b"rollback" if runner.risk is Risk.READ else b"commit")
            self._sent = False
        except SourceError as error:
            return Result(Outcome.FAILED, detail=str(error))
        except psycopg.Error as error:
            return self._failed(error, time.monotonic() - started)
        return self._judged(rows)

    def _opening(self, session: Session) -> str:
        if self._runner.risk is Risk.READ:
            return "begin read only"
        # Behind a pooler a session's settings would stay with a connection that others get next.
        return "begin" if self._runner.txn or session.pooled else ""

    async def _answered(self, session: Session, prepared: _Prepared) -> Rows:
        runner = self._runner
        rows = await run_query(
            session.connection,
            prepared.text,
            prepared.binds,
            runner.max_rows,
            cancel_surplus=runner.risk is Risk.READ,
        )
        self._say(_shown(rows))
        return rows

    async def _stop(self, work: "asyncio.Future[Result]") -> None:
        """Have the server cancel the statement, and wait for its answer; hang up where it gives none."""
        if self._session is not None:
            with suppress(Exception):
                await self._session.connection.cancel_safe(timeout=_CANCEL_TIMEOUT)
            with suppress(asyncio.CancelledError):
                await asyncio.wait({work}, timeout=_CANCEL_TIMEOUT)
        while not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({work})

    def _unanswered(self) -> Result:
        return Result(Outcome.UNKNOWN, detail="the server did not answer; whether it took effect is not known")

    def _failed(self, error: "psycopg.Error", took: float) -> Result:
        if error.sqlstate is None and self._sent:
            return Result(Outcome.UNKNOWN, detail="the connection was lost; whether it took effect is not known")
        known = postgres_errors.answering(self._runner.source, error, seconds=self._runner.timeout, took=took)
        outcome = {"timeout": Outcome.TIMED_OUT}.get(known.kind, Outcome.FAILED) if error.sqlstate == "57014" else None
        return Result(outcome or Outcome.FAILED, detail=str(known))

    def _judged(self, rows: Rows) -> Result:
        runner = self._runner
        count = rows.affected if rows.affected is not None and not rows.columns else len(rows.rows) + rows.surplus
        detail = f"{count} row{'' if count == 1 else 's'}" if rows.columns or rows.affected is not None else rows.tag
        if self._warnings:
            skipped = any(prepared.command in _MAINTENANCE for prepared in self._prepared)
            outcome = Outcome.FAILED if skipped else Outcome.WARN
            return Result(outcome, detail="; ".join(self._warnings))
        if runner.expect_rows is not None and not runner.expect_rows.holds(count):
            return Result(Outcome.FAILED, detail=f"{detail}, expected {runner.expect_rows}")
        return Result(Outcome.OK, detail=detail)

    def _hear(self, notice: Notice) -> None:
        self._say(f"{notice.severity}: {clean(notice.message)}\n")
        if notice.severity == "WARNING":
            self._warnings.append(clean_line(notice.message, limit=300))

    def _say(self, text: str) -> None:
        self._sink(text.encode("utf-8", "replace"))


async def _holds(session: Session, still: Still) -> bool:
    values = [value.encode() for value in (still.schema, still.name, still.oid)]
    return bool((await run_query(session.connection, _STILL, values, 1)).rows)


def _bytes(text: str, what: str) -> bytes:
    """As it is sent. libpq would silently end it at a NUL."""
    if "\x00" in text:
        raise SqlTextError(f"{what} holds a NUL character, which PostgreSQL cannot take", 1, 1)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise SqlTextError(f"{what} holds bytes that are no text", 1, 1) from None


def _shown(rows: Rows) -> str:
    if not rows.columns:
        return f"{rows.tag}\n" if rows.tag else ""
    names = [name.decode("utf-8", "replace") for name, _ in rows.columns]
    right = [at for at, (_, oid) in enumerate(rows.columns) if oid in _NUMBERS]
    cells = [[None if value is None else value.decode("utf-8", "replace") for value in row] for row in rows.rows]
    count = len(rows.rows)
    footer = f"the first {count} rows; there are more" if rows.truncated else f"{count} row{'' if count == 1 else 's'}"
    return f"{text_table(names, cells, right)}({footer})\n"
