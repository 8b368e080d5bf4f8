"""A database connection for one action: opened for it, guarded, closed after it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import SourceError
from opsconsole.sources import postgres_errors
from opsconsole.sources.postgres_conninfo import APPLICATION_NAME, Target, target_of
from opsconsole.sources.postgres_exchange import run_query, run_script

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.errors import Diagnostic


# Where there is no such setting (before 14) no row is found, and nothing is set.
_CHECK_CLIENT = (
    "select pg_catalog.set_config(name, '2s', {local}) from pg_catalog.pg_settings"
    " where name = 'client_connection_check_interval'"
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the server remarks beside its answer."""

    severity: str
    """WARNING, NOTICE, INFO, …, in English whatever the server speaks."""
    message: str


@dataclass(slots=True)
class Session:
    """An open connection."""

    connection: "AsyncConnection[object]"
    pooled: bool
    """Something like PgBouncer stands in between: only what is said within a transaction stays with us."""


async def open_session(source: str, settings: PostgresSettings, listen: Callable[[Notice], None]) -> Session:
    """Connect; `listen` hears the server's notices as they come.

    Raises:
        SourceError: why not.
    """
    target = await asyncio.to_thread(target_of, source, settings)
    connection = await _connected(source, target)
    connection.add_notice_handler(lambda diagnostic: listen(_notice(diagnostic)))
    try:
        answer = await run_query(connection, b"select pg_catalog.pg_backend_pid()", (), 1)
    except BaseException:
        await connection.close()
        raise
    # A pooler invents the number it gives at connection time, for it does not know the server process yet.
    pooled = answer.rows[0][0] != str(connection.info.backend_pid).encode()
    return Session(connection, pooled)


async def guard(session: Session, opening: str, *, statement_timeout: float, lock_timeout: float) -> None:
    """Begin as `opening` says (`begin read only`, `begin`, or nothing), and limit waiting and working, in seconds.

    From PostgreSQL 14 on the server looks every two seconds whether we are still there: what runs or waits for a lock
    ends with a console that was killed.

    Raises:
        psycopg.Error: the server refuses.
    """
    local = "local " if opening else ""
    lines = [
        opening,
        f"set {local}statement_timeout = {_milliseconds(statement_timeout)}",
        f"set {local}lock_timeout = {_milliseconds(lock_timeout)}",
        f"set {local}idle_in_transaction_session_timeout = {_milliseconds(statement_timeout + 5)}",
        _CHECK_CLIENT.format(local="true" if opening else "false"),
    ]
    await run_script(session.connection, ";".join(filter(None, lines)).encode())


async def _connected(source: str, target: Target) -> "AsyncConnection[object]":
    import psycopg

    parameters: dict[str, Any] = {**target.parameters, "application_name": f"{APPLICATION_NAME}/action"}
    seconds = float(parameters["connect_timeout"])
    try:
        # psycopg bounds each attempt; this bounds looking up names and trying several addresses, too.
        async with asyncio.timeout(seconds * (2 + parameters.get("host", "").count(","))):
            return await psycopg.AsyncConnection.connect(**parameters, autocommit=True, prepare_threshold=None)
    except TimeoutError as error:
        late: SourceError = postgres_errors.connecting(
            source, target.place, psycopg.errors.ConnectionTimeout("timeout expired"), seconds=seconds
        )
        raise late from error
    except psycopg.Error as error:
        raise postgres_errors.connecting(source, target.place, error, seconds=seconds) from error


def _notice(diagnostic: "Diagnostic") -> Notice:
    message = diagnostic.message_primary or ""
    if diagnostic.message_detail:
        message += f" ({diagnostic.message_detail})"
    return Notice(diagnostic.severity_nonlocalized or diagnostic.severity or "NOTICE", message)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would mean: no limit
