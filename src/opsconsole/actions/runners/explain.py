"""Asking for the plan of one statement, over a connection of its own, in a transaction that is always rolled back."""

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.actions.runners.sql_session import Session, guard, open_session
from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import SourceError
from opsconsole.sources import postgres_errors
from opsconsole.sources.postgres_exchange import run_query, run_script
from opsconsole.sources.sqltext import SqlTextError, command_of, only_statement, parameters, words

if TYPE_CHECKING:
    import psycopg

_CANCEL_TIMEOUT = 2.0
_PLANNED = frozenset({"select", "with", "values", "table", "insert", "update", "delete", "merge"})
# Where such a word is only a name, a plain transaction is rolled back as well.
_WRITING = frozenset({"insert", "update", "delete", "merge", "into", "share"})
_TRANSACTION_CONTROL = frozenset(
    {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"}
)
GENERIC_PLAN = 160_000
"""The server from which EXPLAIN knows GENERIC_PLAN. An option of a statement is in no catalog."""
_PARAMETERS = b"""\
select coalesce(pg_catalog.array_length(parameter_types, 1), 0)
  from pg_catalog.pg_prepared_statements where name = $1"""


def refused(sql: str, *, analyze: bool = False) -> str | None:
    """Why `sql` is not explained; None where it is."""
    if "\0" in sql:
        return "it holds a NUL character, at which the server would take it to end"
    try:
        sql.encode()
        command = command_of(only_statement(sql))
        wanted = parameters(sql)
    except SqlTextError as error:
        return f"line {error.line}, column {error.column}: {error.message}"
    except UnicodeEncodeError:
        return "it holds bytes that are no text"
    if command in _TRANSACTION_CONTROL:
        return f"{command} controls transactions: it could end the one that keeps EXPLAIN from changing anything"
    if command not in _PLANNED:
        return f"{command or 'this'} has no plan; {', '.join(sorted(_PLANNED))} have"
    if analyze and wanted:
        return f"it has ${wanted}: to run it, it needs values in their place; without --analyze it has a generic plan"
    return None


@dataclass(frozen=True, slots=True)
class ExplainRunner:
    """EXPLAIN (FORMAT JSON) of one statement; the sink gets the JSON.

    With `analyze` the statement is run: in a READ ONLY transaction unless it writes, rolled back in any case. What a
    rollback does not take back (sequences, functions that reach outside) stays. A text with `$1` gets the plan that
    holds for any value: by GENERIC_PLAN, before PostgreSQL 16 as a prepared statement that is forced to it.
    """

    settings: PostgresSettings
    sql: str
    analyze: bool = False
    timeout: float = 30.0
    """Seconds, enforced by the server."""

    async def run(self, sink: Sink) -> Result:
        """Explain it once."""
        started = time.monotonic()
        try:
            plan = await self.read()
        except SourceError as error:
            outcome = Outcome.TIMED_OUT if error.kind == "timeout" else Outcome.FAILED
            return Result(outcome, detail=str(error), duration=time.monotonic() - started)
        sink(plan.encode())
        return Result(Outcome.OK, detail="rolled back", duration=time.monotonic() - started)

    async def read(self) -> str:
        """The plan as JSON.

        Raises:
            SourceError: it is refused, or the server cannot do it.
        """
        import psycopg

        source = f"postgres/{self.settings.name}"
        if reason := refused(self.sql, analyze=self.analyze):
            raise SourceError(source, "bad-query", reason)
        session = await open_session(source, self.settings, lambda notice: None)
        started = time.monotonic()
        try:
            return await self._in_transaction(session)
        except psycopg.Error as error:
            took = time.monotonic() - started
            raise _explained(
                postgres_errors.answering(source, error, seconds=self.timeout, took=took), error
            ) from error
        except asyncio.CancelledError:
            with suppress(Exception):
                await session.connection.cancel_safe(timeout=_CANCEL_TIMEOUT)
            raise
        finally:
            await session.connection.close()

    async def _in_transaction(self, session: Session) -> str:
        await guard(
            session,
            "begin read only" if self.reads else "begin",
            statement_timeout=self.timeout,
            lock_timeout=self.settings.lock_timeout,
        )
        try:
            return await self._plan(session)
        finally:
            with suppress(Exception):
                await run_script(session.connection, b"rollback")

    @property
    def reads(self) -> bool:
        """Whether a READ ONLY transaction does: without ANALYZE always, else where nothing in it writes."""
        return not self.analyze or not _WRITING & words(self.sql)

    async def _plan(self, session: Session) -> str:
        statement = only_statement(self.sql)
        options = "format json, verbose, settings"
        if self.analyze:
            return await _one(session, f"explain ({options}, analyze, buffers) {statement}")
        if not parameters(statement):
            return await plain_plan(session, options, statement)
        name = statement_name()
        try:
            return await generic_plan(session, options, statement, name)
        finally:
            # Prepared statements outlive their transaction, and behind a pooler our stay.
            if session.connection.info.server_version < GENERIC_PLAN:
                with suppress(Exception):
                    await run_script(session.connection, f"rollback; deallocate {name}".encode())


def statement_name() -> str:
    """A name for a prepared statement that nobody else has."""
    return f"opsconsole_{secrets.token_hex(8)}"


async def generic_plan(session: Session, options: str, statement: str, name: str) -> str:
    """The plan of a text with `$1` that holds for any value, in the transaction that is open.

    Where the server has no option for it, the statement is prepared as `name` and stays so: who asks deallocates it.
    NULLs alone would give a plan for NULL, which is often "nothing to do": it is the setting that makes the plan hold
    for any value.

    Raises:
        psycopg.Error: the server refuses.
    """
    if session.connection.info.server_version >= GENERIC_PLAN:
        return await _one(session, f"explain ({options}, generic_plan) {statement}")
    await _one(session, f"prepare {name} as {statement}")
    await run_script(session.connection, b"set local plan_cache_mode = force_generic_plan")
    counted = await run_query(session.connection, _PARAMETERS, (name.encode(),), 1)
    nulls = ", ".join(["null"] * int(counted.rows[0][0] or b"0"))
    return await _one(session, f"explain ({options}) execute {name}({nulls})")


async def plain_plan(session: Session, options: str, statement: str) -> str:
    """The plan of a text without `$1`, in the transaction that is open.

    Raises:
        psycopg.Error: the server refuses.
    """
    return await _one(session, f"explain ({options}) {statement}")


async def _one(session: Session, statement: str) -> str:
    rows = await run_query(session.connection, statement.encode(), (), 10_000)
    return b"\n".join(row[0] or b"" for row in rows.rows).decode("utf-8", "replace")


def _explained(known: SourceError, error: "psycopg.Error") -> SourceError:
    """With what to do about what only EXPLAIN meets."""
    hints = {
        "42P18": "write a cast in its place: $1::int",
        "42P01": "the table is not in this database, or not on this role's search_path: name its schema",
        "25006": "it writes, by a function: only without --analyze",
    }
    hint = hints.get(error.sqlstate or "", known.hint)
    return SourceError(known.source, known.kind, known.message, hint=hint)
