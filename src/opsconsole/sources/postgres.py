"""Reading from PostgreSQL, on the event loop: bounded, read only, and never in the way of the database."""

import asyncio
import importlib
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.core.values import Table
from opsconsole.sources import postgres_errors, sqltext
from opsconsole.sources.backoff import Backoff
from opsconsole.sources.postgres_cells import codec_of, names_of
from opsconsole.sources.postgres_conninfo import Target, target_of
from opsconsole.sources.postgres_facts import Facts, capabilities_of, facts_of, facts_sql
from opsconsole.sources.postgres_lane import Lane, Statement, Taken

if TYPE_CHECKING:
    from psycopg import AsyncConnection

V = TypeVar("V")
_LANES = (("fast", 0.25), ("medium", 1.0), ("slow", float("inf")))
"""Each with the seconds up to which a query belongs there: three connections at most."""
_REMEMBERED = 500
_NOT_IN_ENCODING = "22021"


class PostgresSource:
    """One database. Implements `Source`; every answer is a `Table`.

    Each query runs alone in a READ ONLY transaction with time-outs for statement, lock and idling, and is rolled
    back. A query that turned out slow runs over a connection of its own from then on, where it holds up no other.
    """

    def __init__(self, settings: PostgresSettings, *, name: str | None = None, backoff: Backoff | None = None) -> None:
        self.name = name or f"postgres/{settings.name}"
        self._settings = settings
        self._backoff = backoff or Backoff()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: dict[str, Lane] = {}
        self._facts: Facts | None = None
        self._seconds: OrderedDict[str, float] = OrderedDict()
        self._unconvertible: OrderedDict[str, None] = OrderedDict()

    async def read(self, query: Query) -> Answer:
        """Answer a query; its `binds` are for `:'NAME'` as values and for `:"NAME"` as identifiers.

        `on_rows` is called from the event loop with a few rows at a time.
        """
        if query.text in self._unconvertible:
            return await self._read(query, raw=True)
        try:
            return await self._read(query, raw=False)
        except SourceError as error:
            # Bytes that are not of the database's encoding: ask for them as they are, and show what can be shown.
            if not error.message.endswith(f"[{_NOT_IN_ENCODING}]"):
                raise
            _remember(self._unconvertible, query.text, None)
            return await self._read(query, raw=True)

    async def facts(self) -> Facts:
        """What the server is and what the role may see, as of the latest connection.

        Raises:
            SourceError: it cannot be reached.
        """
        if self._facts is None:
            await self.probe()
        assert self._facts is not None
        return self._facts

    async def probe(self) -> Capabilities:
        """Connect where need be, look again, and say what is there."""
        taken = await self._lane("fast").read(Statement(facts_sql(), max_rows=1))
        self._facts = _facts(taken)
        return capabilities_of(self._facts)

    async def close(self) -> None:
        """Hang up. The source can be used again afterwards."""
        lanes = list(self._lanes.values())
        self._lanes = {}
        if self._loop is asyncio.get_running_loop():
            await asyncio.gather(*(lane.hang_up() for lane in lanes))
        else:
            for lane in lanes:
                lane.abandon()

    async def _read(self, query: Query, *, raw: bool) -> Answer:
        codec = codec_of((await self.facts()).encoding) if raw else "utf-8"
        statement = self._statement(query, codec, raw=raw)
        try:
            taken = await self._lane(self._lane_for(query.text)).read(statement)
        except SourceError as error:
            if error.kind == "timeout":
                _remember(self._seconds, query.text, self._settings.statement_timeout)
            raise
        _remember(self._seconds, query.text, taken.took)
        return Answer(_table(taken, codec), taken.taken_at, taken.took, warnings=tuple(taken.notices))

    def _statement(self, query: Query, codec: str, *, raw: bool) -> Statement:
        given = dict(query.binds)
        try:
            text = sqltext.only_statement(query.text)
            command = sqltext.command_of(text)
            if command not in sqltext.READING_COMMANDS:
                allowed = "SELECT, WITH, VALUES, TABLE, SHOW, EXPLAIN"
                said = f"begins with {command.upper()[:20]}" if command else "is no statement"
                raise SourceError(self.name, "bad-query", f"the query {said}; here only {allowed} are run")
            sql, values = sqltext.compose(text, given, given, encoding=codec)
            encoded = [None if value is None else _encoded(value, codec) for value in values]
        except sqltext.SqlTextError as error:
            place = f"line {error.line}, column {error.column}"
            raise SourceError(self.name, "bad-query", f"{error.message} ({place})") from None
        except ValueError as error:
            raise SourceError(self.name, "bad-query", f"a value that cannot be sent: {error}") from None
        return Statement(sql, encoded, query.max_rows, codec, raw, query.on_rows)

    def _lane_for(self, text: str) -> str:
        seconds = self._seconds.get(text, 0.0)
        return next(name for name, limit in _LANES if seconds < limit)

    def _lane(self, name: str) -> Lane:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # The command line may use several event loops, one after the other.
            for lane in self._lanes.values():
                lane.abandon()
            self._loop, self._lanes = loop, {}
        if name not in self._lanes:
            self._lanes[name] = Lane(self.name, self._settings, self._connect)
        return self._lanes[name]

    async def _connect(self, lane: Lane) -> "AsyncConnection":
        """A new connection for `lane`, with what the server is now; not before its time after a failure."""
        self._backoff.check()
        try:
            connection = await self._connection()
            try:
                self._facts = _facts(await lane.read_first(connection, Statement(facts_sql(), max_rows=1)))
            except BaseException:
                connection.pgconn.finish()
                raise
        except TimeoutError:
            error = SourceError(self.name, "timeout", f"no answer within {self._settings.statement_timeout:g} s")
            self._backoff.failed(error)
            raise error from None
        except SourceError as error:
            self._backoff.failed(error)
            raise
        self._backoff.succeeded()
        return connection

    async def _connection(self) -> "AsyncConnection":
        # Importing psycopg takes tens of milliseconds, and the DSN may come from a command: beside the event loop.
        psycopg = await asyncio.to_thread(importlib.import_module, "psycopg")
        target: Target = await asyncio.to_thread(target_of, self.name, self._settings)
        seconds = float(target.parameters["connect_timeout"])
        addresses = 2 + target.parameters.get("host", "").count(",")
        connection: AsyncConnection
        try:
            # psycopg bounds each attempt; this bounds looking up names and trying several addresses, too.
            async with asyncio.timeout(seconds * addresses):
                connection = await psycopg.AsyncConnection.connect(
                    **target.parameters, autocommit=True, prepare_threshold=None
                )
        except TimeoutError as error:
            raise postgres_errors.unanswered(self.name, target.place, seconds * addresses) from error
        except psycopg.Error as error:
            raise postgres_errors.connecting(self.name, target.place, error, seconds=seconds) from error
        return connection


def _table(taken: Taken, codec: str) -> Table:
    rows = taken.rows
    return Table(names_of(rows.columns, codec), tuple(rows.cells), rows.truncated, tuple(taken.notices))


def _facts(taken: Taken) -> Facts:
    (row,) = taken.rows.rows
    values = [None if value is None else value.decode("utf-8", errors="replace") for value in row]
    return facts_of({name.decode(): value for (name, _), value in zip(taken.rows.columns, values, strict=True)})


def _encoded(value: str, codec: str) -> bytes:
    if "\x00" in value:
        raise ValueError("PostgreSQL text cannot hold a NUL character")
    try:
        return value.encode(codec)
    except UnicodeEncodeError:
        raise ValueError(f"the database's encoding has no way to write {value[:20]!r}") from None


def _remember(memory: OrderedDict[str, V], key: str, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
