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
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.database.naming import quoted
from opsconsole.database.workload_candidates import Candidate, Resolved

if TYPE_CHECKING:
    from opsconsole.actions.runners.sql_session import Session

LEAST_GAIN = 0.3
"""Share of a statement's cost that has to be saved for an index to be proposed; every write pays for it."""
LEAST_COST = 100.0
"""Cost of a statement, in the planner's unit, below which no index is worth it (source: dexter's --min-cost)."""
NEARLY = 0.95
"""Share of what an index saves that one with less columns has to save to be taken instead."""
BUDGET = 3.0
"""Seconds for all statements together."""
_EACH = 1.0
"""Seconds for one of them; the planner needs milliseconds."""
_LOCK_TIMEOUT = 0.1
_EACH_TEXT = "from jsonb_array_elements_text($1::jsonb) with ordinality t (text, place) cross join lateral"
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

    @property
    def worth(self) -> bool:
        """Whether the cost falls by enough."""
        return bool(self.used) and self.before >= LEAST_COST and self.after <= self.before * (1 - LEAST_GAIN)


@dataclass(frozen=True, slots=True)
class _Planning:
    """A statement, and the names under which it is prepared by now."""

    sql: str
    names: list[str]


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

    async def weigh(self, statement: Resolved, tried: Collection[Candidate], *, narrow: bool = True) -> Weighed:
        """The cost of a statement without and with the candidates; `narrow`: of as few of their columns as save nearly
        as much.

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
            return await self._compared(_Planning(statement.parsed.sql, names), tried, narrow=narrow)
        except psycopg.Error as error:
            if self.session.connection.closed:
                raise SourceError(self._source, "gone", "the connection was lost") from error
            return Weighed(failed=_reason(error))
        finally:
            # One message, so that behind a pooler all of it is for the process that had the transaction.
            forget = "".join(f"; deallocate {name}" for name in names)
            with suppress(Exception):
                await self._script(f"rollback; select {self._schema}.hypopg_reset(){forget}")

    async def _compared(self, planning: "_Planning", tried: Collection[Candidate], *, narrow: bool) -> Weighed:
        before, _ = await self._cost(planning)
        found = Weighed(before, *await self._with(planning, tried))
        if not found.worth:
            return found
        if narrow:
            found = await self._narrowest(planning, found)
        gains = dict.fromkeys(found.used, before - found.after)
        for one in found.used if len(found.used) > 1 else ():
            without, _ = await self._with(planning, found.used - {one})
            gains[one] = without - found.after
        return replace(found, gains=gains, bytes=await self._sizes(found.used))

    async def _narrowest(self, planning: "_Planning", found: Weighed) -> Weighed:
        for width in range(1, max(len(one.columns) for one in found.used)):
            fewer = {one._replace(columns=one.columns[:width]) for one in found.used}
            narrower = Weighed(found.before, *await self._with(planning, fewer))
            if narrower.used and found.before - narrower.after >= NEARLY * (found.before - found.after):
                return narrower
        return found

    async def _with(self, planning: "_Planning", tried: Collection[Candidate]) -> tuple[float, frozenset[Candidate]]:
        """(cost, which of them are used) of the statement with these candidates and no others."""
        made = await self._made(tried)
        cost, seen = await self._cost(planning)
        return cost, frozenset(candidate for oid, candidate in made.items() if oid in seen)

    async def _sizes(self, wanted: Collection[Candidate]) -> dict[Candidate, float]:
        from opsconsole.sources.postgres_exchange import run_query

        made = await self._made(wanted)
        asked = ", ".join(f"{self._schema}.hypopg_relation_size({oid})" for oid in made)
        rows = await run_query(self.session.connection, f"select {asked}".encode(), (), 1)
        return {one: float(size or b"0") for one, size in zip(made.values(), rows.rows[0], strict=True)}

    async def _made(self, wanted: Collection[Candidate]) -> dict[int, Candidate]:
        """These candidates as hypothetical indexes, and no others, by the oids they have as such. One that cannot be is
        left out.
        """
        import psycopg

        ordered = sorted(wanted)
        await self._script(f"select {self._schema}.hypopg_reset(); savepoint made")
        try:
            return dict(zip(await self._created(ordered), ordered, strict=True))
        except psycopg.Error:
            if self.session.connection.closed:
                raise
        made: dict[int, Candidate] = {}
        await self._script(f"rollback to savepoint made; select {self._schema}.hypopg_reset()")
        for one in ordered:
            await self._script("savepoint made")
            try:
                made |= dict.fromkeys(await self._created([one]), one)
            except psycopg.Error:
                await self._script("rollback to savepoint made")
        return made

    async def _created(self, wanted: Sequence[Candidate]) -> list[int]:
        from opsconsole.sources.postgres_exchange import run_query

        texts = [
            f"CREATE INDEX ON {quoted(one.schema, one.table)} ({', '.join(map(quoted, one.columns))})" for one in wanted
        ]
        create = f"select h.indexrelid {_EACH_TEXT} {self._schema}.hypopg_create_index(t.text) h order by t.place"
        rows = await run_query(self.session.connection, create.encode(), (json.dumps(texts).encode(),), len(texts) + 1)
        return [int(row[0] or b"0") for row in rows.rows]

    async def _cost(self, planning: "_Planning") -> tuple[float, set[int]]:
        """The whole cost of a statement, and the hypothetical indexes its plan uses."""
        from opsconsole.actions.runners.explain import GENERIC_PLAN, generic_plan, plain_plan, statement_name
        from opsconsole.sources.sqltext import parameters

        sql = planning.sql
        if not parameters(sql):
            text = await plain_plan(self.session, "format json", sql)
        else:
            # Anew each time: a plan that was kept knows nothing of an index that came after it.
            name = statement_name()
            if self.session.connection.info.server_version < GENERIC_PLAN:
                planning.names.append(name)
            text = await generic_plan(self.session, "format json", sql, name)
        return cost_of(text)

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
