"""Building, rebuilding and dropping indexes, while the table is read and written.

A concurrent build that breaks off leaves an invalid index, which costs every write and helps no read: what a failed
attempt of ours leaves is dropped again, and what cannot be dropped is named. Success is what the catalog says
afterwards: there, valid, and for a rebuild another file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.postgres_session import database_of
from opsconsole.actions.runners.sql import SqlRunner, Still
from opsconsole.config.settings import Environment, PostgresSettings
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.core.units import format_value
from opsconsole.database.actions.ledger import record
from opsconsole.database.actions.maintenance import TIMEOUT
from opsconsole.database.actions.prechecks import CREATE, DROP, REINDEX, Waits, Way, disk, lines, read_way, warnings
from opsconsole.database.actions.prechecks import objection as objection_to
from opsconsole.database.actions.standing import Standing, looking_at, read_standing
from opsconsole.database.actions.watching import told
from opsconsole.database.asking import Database
from opsconsole.database.naming import quoted
from opsconsole.database.row import Row

LOCK_TIMEOUT = 600.0
"""Seconds for one wait. A concurrent build waits for the transactions that are open; meanwhile it holds up nobody but
other maintenance of the table, and says whom it waits for."""
_CLEANING_TIMEOUT = 60.0
_VERIFY_TIMEOUT = 30.0
_COLUMN = re.compile(r'"((?:[^"]|"")+)"')
_LEFTOVER = re.compile(r"_cc(new|old)\d*$")
_DONE = (Outcome.OK, Outcome.WARN)


@dataclass(frozen=True, slots=True)
class IndexStanding:
    """One index at one moment."""

    oid: str
    kind: str
    """As pg_class.relkind has it."""
    table_oid: str
    table: str
    system: bool
    standby: bool
    may: bool
    owner: str
    valid: bool
    file: str
    bytes: float
    definition: str
    protected: tuple[str, ...]
    """Why it may not be dropped."""

    @property
    def refusal(self) -> str:
        """Why nothing is to be done to it; empty where nothing speaks against it."""
        if self.standby:
            return "this is a standby: indexes are made on the primary, and arrive here by themselves"
        if self.system:
            return "it is the server's own index"
        if self.kind == "I":
            return "it is a partitioned index, which has no rows of its own; its parts have"
        return "" if self.may else f"it is {self.owner}'s: act as {self.owner}, or grant {self.owner} to this role"


async def read_index_standing(database: Database, schema: str, index: str) -> IndexStanding | None:
    """How the index stands; None where there is none of that name.

    Raises:
        SourceError: the database cannot be asked.
    """
    rows = await database.rows("index_standing", {"schema": schema, "index": index})
    return _standing(rows.one) if len(rows) else None


def create(arguments: Mapping[str, str], environment: Environment) -> Action:
    """CREATE INDEX CONCURRENTLY `index` on `schema`.`table` (`columns`)."""
    settings = database_of(environment, arguments.get("conn", ""))
    schema, table, index = arguments["schema"], arguments["table"], arguments["index"]
    columns = columns_of(arguments["columns"])
    listed = ", ".join(f':"column{place}"' for place in range(len(columns)))
    names = {"schema": schema, "table": table, "index": index}
    names |= {f"column{place}": column for place, column in enumerate(columns)}
    statement = f'CREATE INDEX CONCURRENTLY :"index" ON :"schema".:"table" ({listed})'
    work = _Create("postgres.create-index", settings, schema, index, _runner(settings, statement, names), table)
    shown = f"CREATE INDEX CONCURRENTLY {quoted(index)} ON {quoted(schema, table)} ({', '.join(map(quoted, columns))});"
    return _action(
        f"create index {index} on {schema}.{table}", shown, settings, work, Risk.WRITE,
        undo=f"DROP INDEX CONCURRENTLY {quoted(schema, index)};",
    )  # fmt: skip


def reindex(arguments: Mapping[str, str], environment: Environment) -> Action:
    """REINDEX INDEX CONCURRENTLY `schema`.`index`."""
    settings = database_of(environment, arguments.get("conn", ""))
    schema, index = arguments["schema"], arguments["index"]
    runner = _runner(settings, 'REINDEX INDEX CONCURRENTLY :"schema".:"index"', {"schema": schema, "index": index})
    work = _Reindex("postgres.reindex", settings, schema, index, runner)
    shown = f"REINDEX INDEX CONCURRENTLY {quoted(schema, index)};"
    undo = "none is needed: the new index has the rows of the old one"
    return _action(f"rebuild index {schema}.{index}", shown, settings, work, Risk.WRITE, undo)


def drop(arguments: Mapping[str, str], environment: Environment) -> Action:
    """DROP INDEX CONCURRENTLY `schema`.`index`. What something needs is refused."""
    return _drop(arguments, environment, "postgres.drop-index", leftover=False)


def drop_leftover(arguments: Mapping[str, str], environment: Environment) -> Action:
    """DROP INDEX CONCURRENTLY of what a REINDEX CONCURRENTLY left behind, and of nothing else."""
    return _drop(arguments, environment, "postgres.drop-leftover", leftover=True)


def columns_of(text: str) -> list[str]:
    """The names in a list of quoted ones, such as `"a", "b"`.

    Raises:
        ValueError: that is no list of quoted names.
    """
    found = [one.replace('""', '"') for one in _COLUMN.findall(text)]
    if not found or ", ".join(map(quoted, found)) != text:
        raise ValueError(f'columns: {clean_line(text, limit=60)!r}; expected quoted names, such as "a", "b"')
    return found


def _drop(arguments: Mapping[str, str], environment: Environment, action: str, *, leftover: bool) -> Action:
    settings = database_of(environment, arguments.get("conn", ""))
    schema, index = arguments["schema"], arguments["index"]
    runner = _runner(settings, 'DROP INDEX CONCURRENTLY :"schema".:"index"', {"schema": schema, "index": index})
    work = _Drop(action, settings, schema, index, runner, leftover)
    shown = f"DROP INDEX CONCURRENTLY {quoted(schema, index)};"
    undo = "none is needed: it was invalid" if leftover else "the CREATE INDEX that the output shows as before"
    risk = Risk.WRITE if leftover else Risk.DESTRUCTIVE
    return _action(f"drop index {schema}.{index}", shown, settings, work, risk, undo)


def _runner(
    settings: PostgresSettings, statement: str, names: Mapping[str, str], lock_timeout: float = LOCK_TIMEOUT
) -> SqlRunner:
    return SqlRunner(
        settings, statement, identifiers=names, risk=Risk.WRITE, timeout=TIMEOUT, lock_timeout=lock_timeout, alone=True
    )


def _action(title: str, shown: str, settings: PostgresSettings, work: "_Work", risk: Risk, undo: str) -> Action:
    return Action(
        id=work.action,
        title=title,
        command=f"-- on {settings.name}\n{shown}",
        target=f"{work.schema}.{work.index}",
        risk=risk,
        runner=work,
        timeout=TIMEOUT,
        undo=undo,
        confirm=f"type:{work.schema}.{work.index}" if risk is Risk.DESTRUCTIVE else "",
        verify=work.verified,
        verify_timeout=_VERIFY_TIMEOUT,
        details=(("database", settings.name), ("schema", work.schema), ("index", work.index)),
    )


@dataclass(slots=True)
class _Work:
    """One statement on one index, with what was there before."""

    action: str
    settings: PostgresSettings
    schema: str
    index: str
    statement: SqlRunner
    before: IndexStanding | None = field(default=None, init=False)
    table_oid: str = field(default="", init=False)

    async def run(self, sink: Sink) -> Result:
        try:
            async with looking_at(self.settings) as database:
                self.before = await read_index_standing(database, self.schema, self.index)
                refusal = await self.objection(database)
                earlier = await _invalid(database, self.table_oid) if not refusal else ()
                way = await read_way(database, self.table_oid) if not refusal else Way(())
        except SourceError as error:
            return Result(Outcome.FAILED, detail=f"nothing was sent: {error}")
        if refusal := refusal or objection_to(way, self.waits, LOCK_TIMEOUT):
            return Result(Outcome.REFUSED, detail=refusal)
        if self.before is not None:
            sink(f"-- before: {self.before.definition}; {format_value(self.before.bytes, 'bytes')}\n".encode())
        sink(lines((*self.needs(), *warnings(way, self.waits))))
        statement = replace(self.statement, still=self.still, serial=self.table_oid)
        async with told(self.settings, (self.table_oid,), sink):
            result = await statement.run(sink)
        return result if result.outcome in _DONE else await self._cleaned(result, earlier, sink)

    @property
    def waits(self) -> Waits:
        """For whom it waits."""
        raise NotImplementedError

    def needs(self) -> tuple[str, ...]:
        """What it takes beside time, in sentences."""
        return ()

    @property
    def still(self) -> Still:
        """What has to be the same by the time the statement is sent: the index."""
        assert self.before is not None, "it was looked at"
        return Still(self.schema, self.index, self.before.oid)

    async def objection(self, database: Database) -> str:
        """Why it must not be tried; empty where nothing speaks against it. Finds out the table."""
        if self.before is None:
            return f"there is no index {self.index} in schema {self.schema}"
        self.table_oid = self.before.table_oid
        return self.before.refusal

    async def verified(self) -> Result:
        """Whether it had its effect."""
        async with looking_at(self.settings) as database:
            after = await read_index_standing(database, self.schema, self.index)
        result = self.judged(after)
        record(self.action, self.settings.name, f"{self.schema}.{self.index}", self.before, after, result)
        return result

    def judged(self, after: IndexStanding | None) -> Result:
        """By what is there afterwards."""
        raise NotImplementedError

    async def _cleaned(self, result: Result, earlier: Sequence[tuple[str, str]], sink: Sink) -> Result:
        """`result`, after what the attempt left was dropped: the invalid indexes that were not there before."""
        try:
            async with looking_at(self.settings) as database:
                left = [one for one in await _invalid(database, self.table_oid) if one not in earlier]
        except SourceError as error:
            return _but(result, f"whether it left an invalid index is not known: {error}")
        for schema, index in left:
            names = {"schema": schema, "index": index}
            sink(f"-- dropping what it left: {quoted(schema, index)}\n".encode())
            drop_it = 'DROP INDEX CONCURRENTLY :"schema".:"index"'
            dropped = await _runner(self.settings, drop_it, names, _CLEANING_TIMEOUT).run(sink)
            if dropped.outcome not in _DONE:
                how = f"DROP INDEX CONCURRENTLY {quoted(schema, index)};"
                return _but(result, f"an invalid index is left, and could not be dropped ({dropped.detail}): {how}")
        return _but(result, f"the invalid index it left was dropped: {left[0][1]}") if left else result


@dataclass(slots=True)
class _Create(_Work):
    table: str = ""
    standing: Standing | None = field(default=None, init=False)

    @property
    def waits(self) -> Waits:
        return CREATE

    def needs(self) -> tuple[str, ...]:
        most = self.standing.own_bytes if self.standing is not None else None
        return (disk(most, "what the index takes; the table's own size is the most that is usual"),)

    @property
    def still(self) -> Still:
        return Still(self.schema, self.table, self.table_oid)

    async def objection(self, database: Database) -> str:
        standing = await read_standing(database, self.schema, self.table)
        if standing is None:
            return f"there is no table {self.table} in schema {self.schema}"
        self.table_oid, self.standing = standing.oid, standing
        if self.before is not None:
            return f"there is an index of that name already: {self.before.definition}"
        if standing.kind == "p":
            return "a partitioned table cannot have an index built concurrently: build one on each partition"
        return standing.refusal

    def judged(self, after: IndexStanding | None) -> Result:
        if after is None or not after.valid:
            return Result(Outcome.FAILED, detail="it is not there" if after is None else "it is there, but invalid")
        return Result(Outcome.OK, detail=f"it is there and valid, {format_value(after.bytes, 'bytes')}")


@dataclass(slots=True)
class _Reindex(_Work):
    @property
    def waits(self) -> Waits:
        return REINDEX

    def needs(self) -> tuple[str, ...]:
        size = self.before.bytes if self.before is not None else None
        return (disk(size, "the new index, beside the old one"),)

    def judged(self, after: IndexStanding | None) -> Result:
        before = self.before
        assert before is not None, "it ran"
        if after is None or not after.valid:
            return Result(Outcome.FAILED, detail="it is gone" if after is None else "it is invalid")
        if after.file == before.file:
            return Result(Outcome.FAILED, detail="the server says it is done, but the file is the same as before")
        sizes = f"{format_value(before.bytes, 'bytes')} -> {format_value(after.bytes, 'bytes')}"
        return Result(Outcome.OK, detail=f"it was rebuilt; {sizes}")


@dataclass(slots=True)
class _Drop(_Work):
    leftover: bool = False

    @property
    def waits(self) -> Waits:
        return DROP

    async def objection(self, database: Database) -> str:
        # `super()` does not work in a dataclass with slots: the class is made twice.
        if refusal := await _Work.objection(self, database):
            return refusal
        assert self.before is not None
        if self.leftover and (self.before.valid or not _LEFTOVER.search(self.index)):
            return "it is no leftover of a rebuild: those are invalid, and end in _ccnew or _ccold"
        return "" if self.leftover else "; ".join(self.before.protected)

    def judged(self, after: IndexStanding | None) -> Result:
        if after is not None:
            return Result(Outcome.FAILED, detail="it is still there")
        assert self.before is not None, "it ran"
        return Result(Outcome.OK, detail=f"it is gone; {format_value(self.before.bytes, 'bytes')} came free")


async def _invalid(database: Database, table_oid: str) -> tuple[tuple[str, str], ...]:
    rows = await database.rows("invalid_indexes", {"table": table_oid})
    return tuple((row.text("schema"), row.text("name")) for row in rows)


def _but(result: Result, more: str) -> Result:
    return replace(result, detail=f"{result.detail}; {more}")


def _standing(row: Row) -> IndexStanding:
    return IndexStanding(
        oid=row.text("oid"),
        kind=row.text("kind"),
        table_oid=row.text("table_oid"),
        table=row.text("table_name"),
        system=row.flag("system"),
        standby=row.flag("standby"),
        may=row.flag("may"),
        owner=row.text("owner"),
        valid=row.flag("valid"),
        file=row.text("file"),
        bytes=row.number("bytes") or 0.0,
        definition=row.text("definition"),
        protected=tuple(map(str, row.list("protected"))),
    )
