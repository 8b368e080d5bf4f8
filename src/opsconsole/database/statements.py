"""What pg_stat_statements counted of each statement, as far as this role may see it.

It has no percentiles, and none can be made of it: there are the count, the sum, the least, the most and the standard
deviation. Times are seconds, blocks are of the server's `block_size`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database
from opsconsole.database.catalog import Catalog
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row

EXTENSION = "pg_stat_statements"
MOST_STATEMENTS = 50_000
"""Entries that are read; `pg_stat_statements.max` is 5000 unless somebody raised it."""


class Key(NamedTuple):
    """What the server tells statements apart by."""

    user_id: int
    database_id: int
    queryid: int
    toplevel: bool
    """False: run by a function. Before 1.9 always true."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What only grows while a statement is counted. None: this version does not count it."""

    calls: float = 0
    total: float = 0
    """Seconds of execution."""
    rows: float = 0
    shared_hit: float = 0
    shared_read: float = 0
    shared_dirtied: float = 0
    shared_written: float = 0
    local_hit: float = 0
    local_read: float = 0
    local_dirtied: float = 0
    local_written: float = 0
    temp_read: float = 0
    temp_written: float = 0
    read_time: float = 0
    """Seconds; zero as long as `track_io_timing` is off."""
    write_time: float = 0
    temp_read_time: float | None = None
    temp_write_time: float | None = None
    wal_records: float | None = None
    wal_fpi: float | None = None
    wal_bytes: float | None = None
    plans: float | None = None
    plan_time: float | None = None
    """Seconds; zero as long as `pg_stat_statements.track_planning` is off."""

    def __sub__(self, earlier: "Counters") -> "Counters":
        less: dict[str, Any] = {name: _less(getattr(self, name), getattr(earlier, name)) for name in COUNTED}
        return Counters(**less)

    @property
    def shared(self) -> float:
        """Blocks looked at, in memory or not."""
        return self.shared_hit + self.shared_read

    @property
    def temp(self) -> float:
        """Blocks of temporary files, read and written."""
        return self.temp_read + self.temp_written

    @property
    def io_time(self) -> float:
        """Seconds of reading and writing files."""
        return self.read_time + self.write_time + (self.temp_read_time or 0.0) + (self.temp_write_time or 0.0)


COUNTED = tuple(one.name for one in fields(Counters))
_UNKNOWN_BEFORE = frozenset(one.name for one in fields(Counters) if one.default is None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement, counted since `since`."""

    key: Key
    user: str
    database: str
    """Empty where the database is gone."""
    counters: Counters
    min: float
    max: float
    mean: float
    stddev: float
    since: float | None = None
    """Unix seconds; None before 1.11 (PostgreSQL 17)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All statements at one moment."""

    taken_at: float
    """Unix seconds."""
    entries: tuple[Entry, ...] = ()
    hidden: int = 0
    """Statements of other roles, of which only the counts are visible."""
    hidden_total: float = 0.0
    """Seconds that those took."""
    system: str = ""
    """The cluster's own identifier."""
    version: str = ""
    """Of the server, for people."""
    database: str = ""
    """That was connected; the entries are of all databases of the cluster."""
    reset_at: float | None = None
    """Unix seconds since which all is counted; None before 1.9 (PostgreSQL 14)."""
    evictions: int | None = None
    """How often the least used statements were dropped for want of room; None before 1.9."""
    block_size: int = 8192
    coverage: Coverage = field(default_factory=Coverage)
    available: bool = True
    """False: there is nothing to read; `coverage` says why, and what to do."""


async def read_statements(database: Database) -> Snapshot:
    """All statements, without their texts.

    Raises:
        SourceError: the server does not answer. That the extension is missing is no error: see `available`.
    """
    catalog = await database.catalog()
    if reason := why_not(catalog):
        return Snapshot(0.0, available=False, coverage=Coverage((reason,)))
    schema = {"SCHEMA": catalog.extensions[EXTENSION].schema}
    about = (await database.rows("statements_about", schema)).one
    answer = await database.rows("statements", schema, most=MOST_STATEMENTS)
    hidden = [row for row in answer if row.whole("queryid") is None]
    notes = [*shortcomings(catalog), *_hidden_note(len(hidden), catalog)]
    if answer.truncated:
        notes.append(f"only {MOST_STATEMENTS} statements were read; there are more")
    return Snapshot(
        answer.taken_at,
        tuple(_entry(row) for row in answer if row.whole("queryid") is not None),
        len(hidden),
        sum(row.number("total") or 0.0 for row in hidden),
        about.text("system"),
        about.text("version"),
        about.text("database_name"),
        about.moment("stats_reset"),
        about.whole("dealloc"),
        int(catalog.settings.get("block_size", "8192")),
        Coverage(tuple(notes)),
    )


async def read_texts(database: Database, keys: Iterable[Key]) -> dict[tuple[int, int, int], str]:
    """The texts of these by (user, database, queryid), cleaned, long ones cut. What the server dropped is missing.

    Raises:
        SourceError: the server does not answer, which takes it longer the larger its file of texts is; or one of all
            its texts has a character that the encoding of the connected database lacks.
    """
    queryids = sorted({key.queryid for key in keys})
    catalog = await database.catalog()
    if not queryids or why_not(catalog):
        return {}
    binds = {"SCHEMA": catalog.extensions[EXTENSION].schema, "QUERYIDS": ",".join(map(str, queryids))}
    answer = await database.rows("statement_texts", binds, most=MOST_STATEMENTS)
    return {
        (row.count("user_id"), row.count("database_id"), row.count("queryid")): row.encoded("query", "utf-8")
        + ("…" if row.flag("more") else "")
        for row in answer
    }


async def read_text(database: Database, queryid: int) -> str:
    """The whole text of a statement that ran in this database, whoever ran it.

    Raises:
        SourceError: the server does not answer, or has no readable statement of that id here.
    """
    catalog = await database.catalog()
    if reason := why_not(catalog):
        raise SourceError(database.source, "unsupported", reason)
    binds = {"SCHEMA": catalog.extensions[EXTENSION].schema, "QUERYID": str(queryid)}
    pieces = await database.rows("statement_text", binds)
    if not pieces.rows:
        message = f"no statement with the queryid {queryid} that this role may see in {catalog.database}"
        hint = "db queries lists those there are, and in which database"
        raise SourceError(database.source, "bad-query", message, hint=hint)
    if pieces.truncated:
        raise SourceError(database.source, "unsupported", "the statement is too long to be read: give it with --file")
    return bytes.fromhex("".join(row.text("query") for row in pieces)).decode("utf-8", "replace")


def why_not(catalog: Catalog) -> str | None:
    """Why there is nothing to read, and what has to be done; None where there is."""
    loaded = f"{EXTENSION}.max" in catalog.settings
    preload = f"put {EXTENSION} into shared_preload_libraries and restart the server"
    if EXTENSION in catalog.extensions:
        return None if loaded else f"{EXTENSION} is created here, but the server does not load it: {preload}"
    create = f"CREATE EXTENSION {EXTENSION}; in {catalog.database}, or --conn with a database that has it"
    if loaded:
        return f"the server loads {EXTENSION}, but it is not created in {catalog.database}: {create}"
    if EXTENSION in catalog.available:
        return f"{EXTENSION} is neither loaded nor created: {preload}, then {create}"
    return f"the server has no {EXTENSION}: install PostgreSQL's contrib package on it, {preload}, then {create}"


def shortcomings(catalog: Catalog) -> list[str]:
    """What could be seen and is not, one sentence each."""
    notes = []
    created, newest = catalog.extensions[EXTENSION].version, catalog.available.get(EXTENSION, "")
    if newest and created != newest:
        notes.append(
            f"{EXTENSION} {created} on server {catalog.version}, which has {newest}: "
            f"ALTER EXTENSION {EXTENSION} UPDATE; shows what the newer one counts"
        )
    if catalog.settings.get("track_io_timing") == "off":
        notes.append("track_io_timing is off: no times of reading and writing")
    if catalog.settings.get(f"{EXTENSION}.track") == "none":
        notes.append(f"{EXTENSION}.track is none: nothing is counted")
    return notes


def _hidden_note(count: int, catalog: Catalog) -> list[str]:
    if not count:
        return []
    return [f"{count} statements of other roles are hidden: {catalog.grant('pg_read_all_stats')}"]


def _entry(row: Row) -> Entry:
    counted: dict[str, Any] = {name: _counted(name, row.number(name)) for name in COUNTED}
    return Entry(
        Key(row.count("user_id"), row.count("database_id"), row.count("queryid"), row.flag("toplevel")),
        row.text("user_name"),
        row.text("database_name"),
        Counters(**counted),
        min=row.number("min") or 0.0,
        max=row.number("max") or 0.0,
        mean=row.number("mean") or 0.0,
        stddev=row.number("stddev") or 0.0,
        since=row.moment("stats_since"),
    )


def _counted(name: str, value: float | None) -> float | None:
    return value if value is not None or name in _UNKNOWN_BEFORE else 0.0


def _less(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else max(0.0, later - earlier)
