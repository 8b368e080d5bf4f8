"""VACUUM and ANALYZE of one table: `postgres.vacuum`, `postgres.analyze`.

Looked at before (a standby, a view, somebody else's table are refused before anything is sent), run on a connection of
its own without a statement time-out, and judged by what it did: the server's counter has to have moved since, and where
dead rows stay, whoever keeps them is named. A partitioned table has no rows of its own: there all of its partitions
have to have been done. What autovacuum does is counted apart by the server, and never taken for ours.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.postgres_session import database_of
from opsconsole.actions.runners.sql import SqlRunner, Still
from opsconsole.config.settings import Environment, PostgresSettings
from opsconsole.core.reading import SourceError
from opsconsole.database.actions.ledger import record
from opsconsole.database.actions.prechecks import (
    REWRITE,
    VACUUM,
    WORTH_A_WORD,
    Way,
    disk,
    lines,
    objection,
    read_way,
    warnings,
)
from opsconsole.database.actions.standing import Part, Standing, looking_at, read_parts
from opsconsole.database.actions.watching import told
from opsconsole.database.naming import quoted
from opsconsole.database.vacuum import oldest, read_holders, read_vacuum, reason, remedy

TIMEOUT = 6 * 3600.0
"""Seconds: a large table takes hours, and what was cleaned until then stays cleaned when it is stopped."""
LOCK_TIMEOUT = 5.0
"""Seconds to wait for the lock; who waits longer in its queue holds up every ALTER TABLE behind."""
_VERIFY_TIMEOUT = 15.0
_PATIENCE = 10.0
"""Seconds that the server's statistics may be late."""
_NAMED = 3
"""Partitions that are named where there are more to name."""
_LAG = 0.25
"""Seconds between two looks at statistics that may come late (before 15 by half a second and more)."""

_MOSTLY = 0.5
"""Share of the dead rows that is still there afterwards from which it did not help. Some always died meanwhile."""

_OPTIONS = {"plain": (), "full": ("FULL",), "freeze": ("FREEZE",)}


def vacuum(arguments: Mapping[str, str], environment: Environment) -> Action:
    """VACUUM of `schema`.`table`; `mode` is plain, full or freeze, `analyze` yes or no."""
    mode = arguments.get("mode", "plain")
    options = [*_OPTIONS[mode], *(["ANALYZE"] if arguments.get("analyze") == "yes" else [])]
    listed = f" ({', '.join(options)})" if options else ""
    # The server does not count a rewrite; but the table has another file afterwards.
    sign = "file" if mode == "full" else "vacuums"
    action = _maintenance("postgres.vacuum", f"VACUUM{listed}", sign, arguments, environment)
    if mode != "full":
        return action
    name = action.target
    lock = "ACCESS EXCLUSIVE: nobody reads or writes the table meanwhile, and it needs its size once more on disk"
    return replace(action, risk=Risk.DESTRUCTIVE, confirm=f"type:{name}", details=(*action.details, ("lock", lock)))


def analyze(arguments: Mapping[str, str], environment: Environment) -> Action:
    """ANALYZE of `schema`.`table`."""
    return _maintenance("postgres.analyze", "ANALYZE", "analyzes", arguments, environment)


def _maintenance(
    action_id: str, command: str, sign: str, arguments: Mapping[str, str], environment: Environment
) -> Action:
    settings = database_of(environment, arguments.get("conn", ""))
    schema, table = arguments["schema"], arguments["table"]
    statement = f'{command} :"schema".:"table"'
    runner = SqlRunner(
        settings,
        statement,
        identifiers={"schema": schema, "table": table},
        risk=Risk.WRITE,
        timeout=TIMEOUT,
        lock_timeout=LOCK_TIMEOUT,
        alone=True,
    )
    work = _Maintenance(action_id, settings, schema, table, sign, runner)
    return Action(
        id=action_id,
        title=f"{command} {schema}.{table}",
        command=f"-- on {settings.name}\n{command} {quoted(schema, table)};",
        target=f"{schema}.{table}",
        risk=Risk.WRITE,
        runner=work,
        timeout=TIMEOUT,
        undo="none is needed: no row that anybody can see changes",
        verify=work.verified,
        verify_timeout=_VERIFY_TIMEOUT,
        details=(("database", settings.name), ("schema", schema), ("table", table)),
    )


def done(sign: str, before: Part, after: Part, since: float) -> bool:
    """Whether a table was done after `since` (unix seconds, by the server's clock), as `sign` tells it.

    One that somebody else did earlier may be counted only now, for counts come late; but its time is the earlier one.
    """
    if sign == "file":
        return after.file != before.file
    at = after.vacuum_at if sign == "vacuums" else after.analyze_at
    return getattr(after, sign) != getattr(before, sign) and at is not None and at >= since


def undone(sign: str, before: Iterable[Part], after: Iterable[Part], since: float) -> list[Part]:
    """Those of the tables there were that are still there, and were not done."""
    now = {one.oid: one for one in after}
    return [one for one in before if one.oid in now and not done(sign, one, now[one.oid], since)]


def of_others(sign: str, before: Iterable[Part], after: Iterable[Part]) -> int:
    """How many times somebody else did the same meanwhile."""
    if sign == "file":
        return 0
    now = {one.oid: one for one in after}
    return sum(max(0, getattr(now[one.oid], sign) - getattr(one, sign) - 1) for one in before if one.oid in now)


@dataclass(slots=True)
class _Maintenance:
    """One statement on one table, with what was there before."""

    action: str
    settings: PostgresSettings
    schema: str
    table: str
    sign: str
    """The field of Part that is another one when it is done."""
    statement: SqlRunner
    before: Standing | None = field(default=None, init=False)
    after: Standing | None = field(default=None, init=False)
    parts: tuple[Part, ...] = field(default=(), init=False)
    """What has to be done: the table itself, or its partitions."""

    async def run(self, sink: Sink) -> Result:
        try:
            async with looking_at(self.settings) as database:
                found = await read_parts(database, self.schema, self.table)
                way = await read_way(database, found[0].oid) if found is not None else Way(())
                holder = oldest(await read_holders(database)) if self.sign == "vacuums" else None
        except SourceError as error:
            return Result(Outcome.FAILED, detail=f"nothing was sent: {error}")
        if found is None:
            return Result(Outcome.REFUSED, detail=f"there is no table {self.table} in schema {self.schema}")
        self.before, self.parts = found
        if self.before.refusal:
            return Result(Outcome.REFUSED, detail=self.before.refusal)
        if self.before.system and self.sign == "file":
            return Result(Outcome.REFUSED, detail="it is the server's own table: rewriting it would stop everybody")
        rewrites = self.sign == "file"
        # Who waits for ACCESS EXCLUSIVE stops everybody behind him: not for somebody who is not likely to go.
        if rewrites and (refusal := objection(way, REWRITE, LOCK_TIMEOUT)):
            return Result(Outcome.REFUSED, detail=refusal)
        said = [disk(self.before.bytes, "the table and its indexes, once more")] if rewrites else []
        said += warnings(way, REWRITE if rewrites else VACUUM)
        if holder is not None and (holder.seconds or 0.0) >= WORTH_A_WORD:
            said.append(f"dead rows will stay: {reason(holder)}")
        sink(lines(said))
        still = Still(self.schema, self.table, self.before.oid)
        async with told(self.settings, {one.oid for one in self.parts}, sink):
            return await replace(self.statement, still=still, serial=self.before.oid).run(sink)

    async def verified(self) -> Result:
        """Whether it had its effect; waits for statistics that come late."""
        result = await self._judged()
        record(self.action, self.settings.name, f"{self.schema}.{self.table}", self.before, self.after, result)
        return result

    async def _judged(self) -> Result:
        before = self.before
        assert before is not None, "it ran"
        if not self.parts:
            return Result(Outcome.WARN, detail="it has no partitions with rows of their own: nothing was done")
        until = time.monotonic() + _PATIENCE
        async with looking_at(self.settings) as database:
            while True:
                found = await read_parts(database, self.schema, self.table)
                if found is None or found[0].oid != before.oid:
                    return Result(Outcome.FAILED, detail="the table was replaced or dropped meanwhile")
                self.after, parts = found
                left = undone(self.sign, self.parts, parts, before.server_at)
                if not left:
                    break
                if time.monotonic() > until:
                    return Result(Outcome.FAILED, detail=self._not_done(left))
                await asyncio.sleep(_LAG)
            if self.sign == "vacuums" and self.after.dead and self.after.dead >= before.dead * _MOSTLY:
                return await self._held(self.after)
        return Result(Outcome.OK, detail=self._effect(before, self.after, parts))

    def _not_done(self, left: Sequence[Part]) -> str:
        """What the server called done and is not, in words."""
        said = "the server says it is done, and "
        if len(self.parts) == 1 and left[0].title == f"{self.schema}.{self.table}":
            return said + ("the file is the same as before" if self.sign == "file" else "counted nothing")
        named = ", ".join(one.title for one in left[:_NAMED]) + (", …" if len(left) > _NAMED else "")
        return f"{said}{len(left)} of {len(self.parts)} partitions were not done: {named}"

    def _effect(self, before: Standing, after: Standing, parts: Sequence[Part]) -> str:
        """What it did, in words."""
        count = f"{len(self.parts)} partition" + ("s" if len(self.parts) != 1 else "")
        where = f"{count}: " if before.kind == "p" else ""
        others = of_others(self.sign, self.parts, parts)
        also = f"; somebody else did the same meanwhile ({others} more)" if others else ""
        match self.sign:
            case "file":
                return f"{where}it was rewritten; pages {before.pages:,} -> {after.pages:,}"
            case "vacuums":
                return f"{where}the server counts one more; dead rows {before.dead:,} -> {after.dead:,}{also}"
        return f"{where}the server counts one more{also}"

    async def _held(self, after: Standing) -> Result:
        """It ran, and the dead rows are still there: who keeps them?"""
        async with looking_at(self.settings) as database:
            holder = oldest((await read_vacuum(database)).holders)
        why = f"{reason(holder)}; {remedy(holder)}" if holder else "they died meanwhile, or their counts are estimates"
        return Result(Outcome.WARN, detail=f"it ran, and {after.dead:,} dead rows are still there: {why}")
