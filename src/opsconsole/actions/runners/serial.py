"""One at a time: two consoles do not run maintenance on the same relation at once.

What holds it is an advisory lock of the session that does the work, so it ends with that session, however that ends.
"""

import asyncio
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.sources.postgres_exchange import run_query

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_RELEASE = (
    b"select pg_catalog.pg_advisory_unlock(d.oid::int4, $1::oid::int4)"
    b" from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()"
)
_RELEASE_TIMEOUT = 2.0


async def claim(connection: "AsyncConnection[object]", relation: str) -> str:
    """Claim the relation with that oid for this connection: empty where it is ours now, else who has it, in words.

    Raises:
        psycopg.Error: the server refuses.
    """
    answer = await run_query(connection, _claim_sql(), (relation.encode(),), 1)
    mine, *who = answer.rows[0]
    return "" if mine == b"t" else _in_words(*who)


async def release(connection: "AsyncConnection[object]", relation: str) -> None:
    """Let go of it at once: the server may take a while to see that a session has ended. Raises nothing."""
    import psycopg

    with suppress(psycopg.Error, TimeoutError):
        async with asyncio.timeout(_RELEASE_TIMEOUT):
            await run_query(connection, _RELEASE, (relation.encode(),), 1)


def _in_words(
    pid: bytes | None, role: bytes | None, application: bytes | None, client: bytes | None, seconds: bytes | None
) -> str:
    if pid is None:
        return "somebody else has just done maintenance on this table; try again"
    told = ", ".join(filter(None, (_decoded(application), f"from {client.decode()}" if client else "")))
    since = f", for {duration_text(float(seconds))}" if seconds else ""
    whose = f" of {_decoded(role)}" if role else ""
    return clean_line(
        f"session {pid.decode()}{whose} ({told}) does maintenance on this table{since}; wait for its end, or cancel it"
    )


def _decoded(digits: bytes | None) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-8", "replace") if digits else ""


@cache
def _claim_sql() -> bytes:
    return files("opsconsole.actions.runners").joinpath("serial.sql").read_bytes()
