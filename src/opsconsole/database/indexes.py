"""Indexes that cost more than they give: never used, redundant, invalid; and foreign keys that lack one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row
from opsconsole.database.tables import LOCKED

DAY = 86_400.0
YOUNG = 7 * DAY
"""Seconds. Statistics younger than that say nothing about use: a weekly report would look like none."""
TINY_ROWS = 1000
"""Below, the planner reads the whole table whatever indexes it has; no advice (source: pghero's 500, doubled)."""
MOST = 500
"""Indexes of one kind that are told."""

_LEFTOVER = re.compile(r"_cc(new|old)\d*$")


@dataclass(frozen=True, slots=True)
class Index:
    """One index with something to it."""

    oid: str
    schema: str
    name: str
    table: str
    table_oid: str
    method: str
    partitioned: bool
    bytes: float
    table_bytes: float
    table_rows: float
    scans: int
    valid: bool
    building: bool
    """Somebody is creating it right now."""
    expression: bool
    last_scan_at: float | None
    """Unix seconds, 16 and later; None where never or not known."""
    protected: tuple[str, ...]
    """Why it is to be kept even where nobody reads it."""

    @property
    def title(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def leftover(self) -> str:
        """`new` or `old` for what an interrupted REINDEX CONCURRENTLY left; empty for others."""
        found = _LEFTOVER.search(self.name)
        return found[1] if found and not self.valid and not self.building else ""


@dataclass(frozen=True, slots=True)
class Redundant:
    """An index that another one replaces."""

    oid: str
    schema: str
    name: str
    table: str
    bytes: float
    scans: int
    table_rows: float
    keeper: str
    """Name of the index that stays; in the same schema."""
    equal: bool
    """Same in everything; otherwise the keeper does more."""

    @property
    def title(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class UnindexedKey:
    """A foreign key without an index on its columns."""

    table_oid: str
    schema: str
    table: str
    name: str
    columns: tuple[str, ...]
    target: str
    """Referenced table, `schema.name`."""
    table_bytes: float
    table_rows: float
    partitioned: bool
    target_changes: int
    """Rows updated and deleted there: each of them looks through this table."""


@dataclass(frozen=True, slots=True)
class IndexReading:
    """All of it. `definitions` has CREATE INDEX statements by oid, of all that may be dropped."""

    indexes: tuple[Index, ...]
    redundant: tuple[Redundant, ...]
    unindexed: tuple[UnindexedKey, ...]
    definitions: dict[str, str]
    statistics_age: float
    """Seconds that the statistics are known to reach back, at least."""
    standbys: int
    taken_at: float
    coverage: Coverage = field(default_factory=Coverage)


async def read_indexes(database: Database) -> IndexReading:
    """Indexes with something to them, and foreign keys without one.

    Raises:
        SourceError: it cannot be asked.
    """
    limit = {"limit": str(MOST * 4)}
    found = await database.rows("indexes", limit, most=MOST * 4)
    pairs, notes = await _pairs(database)
    keys = await database.rows("foreign_keys", {"limit": str(MOST)}, most=MOST)
    age = (await database.rows("instance")).one
    indexes = tuple(map(index_of, found))
    redundant = resolved(pairs)
    oids = [one.oid for one in indexes if not one.protected][:MOST] + [one.oid for one in redundant]
    definitions = await _definitions(database, oids)
    reset, uptime = age.number("reset_ago"), age.number("uptime") or 0.0
    return IndexReading(
        indexes,
        redundant,
        tuple(map(_key_of, keys)),
        definitions,
        statistics_age=uptime if reset is None else reset,
        standbys=age.count("standbys"),
        taken_at=found.taken_at,
        coverage=Coverage(notes),
    )


def unused(reading: IndexReading) -> list[Index]:
    """Indexes that nobody read, and that nothing else needs; largest first. Tiny tables aside."""
    return [
        one
        for one in reading.indexes
        if one.valid and not one.scans and not one.protected and one.table_rows >= TINY_ROWS
    ]


def invalid(reading: IndexReading) -> list[Index]:
    """Indexes that no query uses, and that (most of them) every write pays for; none that is being built."""
    return [one for one in reading.indexes if not one.valid and not one.building]


def unindexed(reading: IndexReading) -> list[UnindexedKey]:
    """Foreign keys whose table is large enough for an index to matter."""
    return [one for one in reading.unindexed if one.table_rows >= TINY_ROWS]


def index_of(row: Row) -> Index:
    """From a row of `sql/indexes.sql`."""
    return Index(
        oid=row.text("oid"),
        schema=row.text("schema"),
        name=row.text("name"),
        table=row.text("table_name"),
        table_oid=row.text("table_oid"),
        method=row.text("method"),
        partitioned=row.flag("partitioned"),
        bytes=row.number("bytes") or 0.0,
        table_bytes=row.number("table_bytes") or 0.0,
        table_rows=row.number("table_rows") or 0.0,
        scans=row.count("scans"),
        valid=row.flag("valid"),
        building=row.flag("building"),
        expression=row.flag("expression"),
        last_scan_at=row.moment("last_scan_at"),
        protected=row.list("protected"),
    )


def resolved(rows: Iterable[Row]) -> tuple[Redundant, ...]:
    """Of the pairs in `sql/redundant_indexes.sql` those that may go together: what replaces an index always stays."""
    pairs: dict[str, list[Row]] = {}
    for row in rows:
        pairs.setdefault(row.text("oid"), []).append(row)
    gone: set[str] = set()
    for oid, keepers in pairs.items():
        if any(row.text("keeper_oid") not in gone for row in keepers):
            gone.add(oid)
    kept = (next((row for row in pairs[oid] if row.text("keeper_oid") not in gone), None) for oid in sorted(gone))
    return tuple(_redundant(row) for row in kept if row is not None)


def _redundant(row: Row) -> Redundant:
    return Redundant(
        oid=row.text("oid"),
        schema=row.text("schema"),
        name=row.text("name"),
        table=row.text("table_name"),
        bytes=row.number("bytes") or 0.0,
        scans=row.count("scans"),
        table_rows=row.number("table_rows") or 0.0,
        keeper=row.text("keeper"),
        equal=row.flag("equal"),
    )


def _key_of(row: Row) -> UnindexedKey:
    return UnindexedKey(
        table_oid=row.text("table_oid"),
        schema=row.text("schema"),
        table=row.text("table_name"),
        name=row.text("name"),
        columns=row.list("columns"),
        target=f"{row.text('target_schema')}.{row.text('target')}",
        table_bytes=row.number("table_bytes") or 0.0,
        table_rows=row.number("table_rows") or 0.0,
        partitioned=row.flag("partitioned"),
        target_changes=row.count("target_changes"),
    )


async def _pairs(database: Database) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    try:
        return (await database.rows("redundant_indexes", {"limit": str(MOST)}, most=MOST)).rows, ()
    except SourceError as error:
        if not error.message.endswith(LOCKED):
            raise
        return (), ("redundant indexes were not looked for: a table was locked meanwhile; ask again",)


async def _definitions(database: Database, oids: list[str]) -> dict[str, str]:
    if not oids:
        return {}
    try:
        found = await database.rows("index_definitions", {"oids": ",".join(oids)}, most=len(oids))
    except SourceError as error:
        if not error.message.endswith(LOCKED):
            raise
        return {}
    return {row.text("oid"): row.text("definition") for row in found}
