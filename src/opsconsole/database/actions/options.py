"""Smaller changes: an extension, the counters of statements, a table's autovacuum parameters."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.postgres_session import database_of
from opsconsole.actions.runners.sql import SqlRunner
from opsconsole.config.settings import Environment, PostgresSettings
from opsconsole.core.reading import SourceError
from opsconsole.database.actions.ledger import record
from opsconsole.database.actions.standing import looking_at
from opsconsole.database.asking import Database
from opsconsole.database.naming import quoted
from opsconsole.database.statements import read_statements

_TIMEOUT = 60.0
Look = Callable[[Database], Awaitable[str]]
"""What is there now, in words; the same words mean that nothing changed."""


def create_extension(arguments: Mapping[str, str], environment: Environment) -> Action:
    """CREATE EXTENSION `extension`, in the schema that is the connection's default."""
    settings = database_of(environment, arguments.get("conn", ""))
    name = arguments["extension"]

    async def look(database: Database) -> str:
        found = (await database.catalog()).extensions.get(name)
        return f"version {found.version} in schema {found.schema}" if found is not None else "not there"

    runner = _runner(settings, 'CREATE EXTENSION :"extension"', {"extension": name})
    work = _Change("postgres.create-extension", name, settings, runner, look, "not there")
    return _action(
        f"create extension {name}", f"CREATE EXTENSION {quoted(name)};", work,
        undo=f"DROP EXTENSION {quoted(name)};",
    )  # fmt: skip


def reset_statements(arguments: Mapping[str, str], environment: Environment) -> Action:
    """pg_stat_statements_reset(): all counters of all statements begin anew."""
    settings = database_of(environment, arguments.get("conn", ""))

    async def look(database: Database) -> str:
        found = await read_statements(database)
        if not found.available:
            return "not there"
        return f"{sum(one.counters.calls for one in found.entries):.0f} calls of {len(found.entries)} statements"

    work = _Change(
        "postgres.reset-statements",
        settings.name,
        settings,
        _runner(settings, "SELECT pg_stat_statements_reset()", {}),
        look,
    )
    return _action(
        "reset the counters of statements", "SELECT pg_stat_statements_reset();", work,
        undo="none: what was counted is gone; opsconsole db queries --save-baseline NAME keeps it",
    )  # fmt: skip


def autovacuum(arguments: Mapping[str, str], environment: Environment) -> Action:
    """ALTER TABLE `schema`.`table` SET (autovacuum_vacuum_scale_factor = …, autovacuum_vacuum_threshold = …)."""
    settings = database_of(environment, arguments.get("conn", ""))
    schema, table = arguments["schema"], arguments["table"]
    # Numbers by their patterns in the registry: they are written as they are, for options take no parameters.
    options = ", ".join(
        f"autovacuum_vacuum_{name} = {arguments[name]}" for name in ("scale_factor", "threshold") if name in arguments
    )
    if not options:
        raise ValueError("postgres.autovacuum: scale_factor or threshold has to be given")

    async def look(database: Database) -> str:
        rows = await database.rows("table_options", {"schema": schema, "table": table})
        return (rows.one.text("options") or "no options") if len(rows) else "not there"

    runner = _runner(settings, f'ALTER TABLE :"schema".:"table" SET ({options})', {"schema": schema, "table": table})
    reset = ", ".join(f"autovacuum_vacuum_{name}" for name in ("scale_factor", "threshold") if name in arguments)
    work = _Change(
        "postgres.autovacuum", f"{schema}.{table}", settings, runner, look, unless="not there", same_is_fine=True,
        doubt=_switched_off,
    )  # fmt: skip
    name = quoted(schema, table)
    return _action(
        f"autovacuum of {schema}.{table}", f"ALTER TABLE {name} SET ({options});", work,
        undo=f"ALTER TABLE {name} RESET ({reset}); or what the output shows as before",
    )  # fmt: skip


def _switched_off(options: str) -> str:
    """Why parameters of autovacuum have no effect; empty where they have."""
    off = re.search(r"\bautovacuum_enabled=(off|false|no|0)\b", options)
    how = "ALTER TABLE … RESET (autovacuum_enabled);"
    return f"autovacuum is off for this table, so this has no effect: {how}" if off else ""


def _runner(settings: PostgresSettings, statement: str, names: Mapping[str, str]) -> SqlRunner:
    return SqlRunner(settings, statement, identifiers=names, risk=Risk.WRITE, timeout=_TIMEOUT, lock_timeout=2.0)


def _action(title: str, shown: str, work: "_Change", undo: str) -> Action:
    return Action(
        id=work.action,
        title=title,
        command=f"-- on {work.settings.name}\n{shown}",
        target=work.target,
        risk=Risk.WRITE,
        runner=work,
        timeout=_TIMEOUT,
        undo=undo,
        verify=work.verified,
        verify_timeout=15.0,
        details=(("database", work.settings.name),),
    )


@dataclass(slots=True)
class _Change:
    """One statement, with what was there before and what is there after."""

    action: str
    target: str
    settings: PostgresSettings
    statement: SqlRunner
    look: Look
    expected: str = ""
    """What has to be there before, where that matters."""
    unless: str = ""
    """What must not be there before."""
    same_is_fine: bool = False
    """It may have been so already."""
    doubt: Callable[[str], str] = lambda after: ""
    """Why what is there after has no effect for now; empty where nothing speaks against it."""
    before: str = field(default="", init=False)

    async def run(self, sink: Sink) -> Result:
        try:
            async with looking_at(self.settings) as database:
                self.before = await self.look(database)
                standby = (await database.rows("log_position")).one.flag("standby")
        except SourceError as error:
            return Result(Outcome.FAILED, detail=f"nothing was sent: {error}")
        if standby:
            return Result(Outcome.REFUSED, detail="this is a standby: that is done on the primary")
        if (self.expected and self.before != self.expected) or self.before == (self.unless or None):
            return Result(Outcome.REFUSED, detail=f"nothing was sent; before: {self.before}")
        sink(f"-- before: {self.before}\n".encode())
        return await self.statement.run(sink)

    async def verified(self) -> Result:
        """Whether anything is otherwise now."""
        async with looking_at(self.settings) as database:
            after = await self.look(database)
        result = Result(Outcome.OK, detail=f"{self.before} -> {after}")
        if doubt := self.doubt(after):
            result = Result(Outcome.WARN, detail=f"{result.detail}; {doubt}")
        if after == self.before and not self.same_is_fine:
            result = Result(Outcome.FAILED, detail=f"the server says it is done, and it is as before: {after}")
        record(self.action, self.settings.name, self.target, self.before, after, result)
        return result
