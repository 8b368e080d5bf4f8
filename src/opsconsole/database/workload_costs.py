"""What the planner says a statement costs, without indexes that there are not, and with them (hypopg).

A hypothetical index lives in the memory of one server process: nothing is written, and nobody else plans with it. So
each statement is planned over and over in one transaction of one connection, read only and rolled back, which also
holds behind a pooler; whatever happens in it, the last thing said to that process is to forget them. No statement is
run.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.database.naming import quoted
from opsconsole.database.workload_candidates import Candidate, Resolved

if TYPE_CHECKING:
    from opsconsole.actions.runners.sql_session import Session

BUDGET = 3.0
"""Seconds for all statements together."""
_EACH = 1.0
"""Seconds for one of them; the planner needs milliseconds."""
_LOCK_TIMEOUT = 0.1
_NAME = re.compile(r"<(\d+)>")


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a statement costs, in the planner's unit."""

    before: float = 0.0
    after: float = 0.0
    """With the indexes that were tried."""
    used: frozenset[Candidate] = frozenset()
    """Those of them that its plan uses."""
    gains: Mapping[Candidate, float] = field(default_factory=lambda: MappingProxyType({}))
    """What each of those is worth beside the others: the cost that comes back without it."""
    bytes: Mapping[Candidate, float] = field(default_factory=lambda: MappingProxyType({}))
    """How large each of those would be."""
    failed: str = ""
    """Why it could not be planned; the rest says nothing then."""


class Scales:
    """One connection on which statements are weighed. `schema` is the one hypopg is in."""

    def __init__(self, source: str, session: "Session", schema: str) -> None:
        self._source = source
        self.session = session
        self._schema = quoted(schema)
        self._until = time.monotonic() + BUDGET

    @property
    def spent(self) -> bool:
        """Whether the time for all statements is up."""
        return time.monotonic() > self._until

    async def weigh(self, statement: Resolved, tried: Collection[Candidate], *, each: bool = False) -> Weighed:
        """The cost of a statement without and with the candidates; `each`: also what each of them contributes.

        Raises:
            SourceError: the connection was lost.
        """
        import psycopg

        from opsconsole.actions.runners.sql_session import guard

        names: list[str] = []
        try:
            await guard(self.session, "begin read only", statement_timeout=_EACH, lock_timeout=_LOCK_TIMEOUT)
            path = ", ".join(map(quoted, statement.path)) or "''"
            await self._script(f"set local search_path = {path}")
            return await self._compared(statement.parsed.sql, tried, names, each=each)
        except psycopg.Error as error:
            if self.session.connection.closed:
                raise SourceError(self._source, "gone", "the connection was lost") from error
            return Weighed(failed=_reason(error))
        finally:
            # One message, so that behind a pooler all of it is for the process that had the transaction.
            forget = "".join(f"; deallocate {name}" for name in names)
            with suppress(Exception):
                await self._script(f"rollback; select {self._schema}.hypopg_reset(){forget}")

    async def _compared(self, sql: str, tried: Collection[Candidate], names: list[str], *, each: bool) -> Weighed:
        before, _ = await self._cost(sql, names)
        made = await self._made(tried)
        after, seen = await self._cost(sql, names)
        used = frozenset(candidate for oid, candidate in made.items() if oid in seen)
        sizes = {candidate: await self._size(oid) for oid, candidate in made.items() if candidate in used}
        gains = dict.fromkeys(used, before - after)
        if each and len(used) > 1:
            for one in used:
                await self._script(f"select {self._schema}.hypopg_reset()")
                await self._made(used - {one})
                gains[one] = (await self._cost(sql, names))[0] - after
        return Weighed(before, after, used, gains, sizes)

    async def _made(self, wanted: Collection[Candidate]) -> dict[int, Candidate]:
        """The candidates as hypothetical indexes, by the oids they have as such. One that cannot be is left out."""
        import psycopg

        from opsconsole.sources.postgres_exchange import run_query

        made = {}
        create = f"select indexrelid from {self._schema}.hypopg_create_index($1)".encode()  # noqa: S608 - quoted
        for one in wanted:
            columns = ", ".join(map(quoted, one.columns))
            text = f"CREATE INDEX ON {quoted(one.schema, one.table)} ({columns})"
            await self._script("savepoint made")
            try:
                rows = await run_query(self.session.connection, create, (text.encode(),), 1)
            except psycopg.Error:
                await self._script("rollback to savepoint made")
                continue
            made[int(rows.rows[0][0] or b"0")] = one
        return made

    async def _cost(self, sql: str, names: list[str]) -> tuple[float, set[int]]:
        """The whole cost of a statement, and the hypothetical indexes its plan uses."""
        from opsconsole.actions.runners.explain import GENERIC_PLAN, generic_plan, plain_plan, statement_name
        from opsconsole.sources.sqltext import parameters

        if not parameters(sql):
            text = await plain_plan(self.session, "format json", sql)
        else:
            # Anew each time: a plan that was kept knows nothing of an index that came after it.
            name = statement_name()
            if self.session.connection.info.server_version < GENERIC_PLAN:
                names.append(name)
            text = await generic_plan(self.session, "format json", sql, name)
        return cost_of(text)

    async def _size(self, oid: int) -> float:
        from opsconsole.sources.postgres_exchange import run_query

        asked = f"select {self._schema}.hypopg_relation_size({oid})".encode()
        rows = await run_query(self.session.connection, asked, (), 1)
        return float(rows.rows[0][0] or b"0")

    async def _script(self, text: str) -> None:
        from opsconsole.sources.postgres_exchange import run_script

        await run_script(self.session.connection, text.encode())


@asynccontextmanager
async def scales(settings: PostgresSettings, schema: str) -> AsyncIterator[Scales]:
    """A connection of its own to weigh with; closed afterwards, and the hypothetical indexes with it.

    Raises:
        SourceError: no connection.
    """
    from opsconsole.actions.runners.sql_session import open_session

    source = f"postgres/{settings.name}"
    session = await open_session(source, settings, lambda notice: None)
    try:
        yield Scales(source, session, schema)
    finally:
        await session.connection.close()


def refusal(statement: Resolved, untrusted: Collection[str]) -> str:
    """Why a statement must not be planned: that would run code of roles with less rights. Empty where it may."""
    from opsconsole.actions.runners.explain import refused

    if foreign := sorted(statement.parsed.functions & set(untrusted)):
        return f"it calls {clean_line(foreign[0])}, which planning it would run with this role's rights"
    theirs = [relation.name for relation in statement.tables.values() if not relation.trusted]
    if theirs:
        return f"planning {clean_line(theirs[0])} would run somebody else's functions with this role's rights"
    return refused(statement.parsed.sql) or ""


def cost_of(text: str) -> tuple[float, set[int]]:
    """(total cost, oids of the hypothetical indexes that are used) of a plan as JSON.

    Raises:
        SourceError: that is no plan.
    """
    try:
        root = json.loads(text)[0]["Plan"]
        return float(root["Total Cost"]), set(_hypothetical(root))
    except (ValueError, LookupError, TypeError):
        raise SourceError("postgres", "garbage", "the server's plan is none") from None


def _hypothetical(root: Mapping[str, object]) -> Sequence[int]:
    found: list[int] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        name = _NAME.match(str(node.get("Index Name", "")))
        if name is not None:
            found.append(int(name[1]))
        children = node.get("Plans")
        waiting += [one for one in children if isinstance(one, dict)] if isinstance(children, list) else []
    return found


def _reason(error: Exception) -> str:
    """The server's first line, and what allows it where it is a right that is missing."""
    said = clean_line(str(error).partition("\n")[0], limit=120)
    return f"{said} (GRANT SELECT, or pg_read_all_data, allows it)" if said.startswith("permission denied") else said
