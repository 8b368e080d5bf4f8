"""Space that tables and indexes take beyond what their rows need: estimated from statistics, or counted exactly."""

import math
from dataclasses import dataclass, field
from typing import Literal

from opsconsole.core.reading import SourceError
from opsconsole.database.asking import Database, Rows
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row

_PAGE_HEADER = 24
_ROW_HEADER = 23
_LINE_POINTER = 4
_INDEX_ENTRY = 8
_BTREE_SPECIAL = 16
_UPPER_PAGES = 1.01
"""Inner pages of a B-tree with usual keys: about one in a hundred leaves."""


@dataclass(frozen=True, slots=True)
class Bloat:
    """What one relation takes and what it would take if it were written anew. Bytes."""

    kind: Literal["table", "index"]
    oid: str
    schema: str
    name: str
    table: str
    """The table's name; of an index: that of its table."""
    total: float
    needed: float | None
    """None: no statistics that this role may read."""
    exact: bool = False
    dead: float | None = None
    """Bytes of dead rows, where counted."""

    @property
    def title(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def wasted(self) -> float | None:
        """Bytes that would come free."""
        return None if self.needed is None else max(0.0, self.total - self.needed)

    @property
    def share(self) -> float | None:
        """Of the total, 0 to 1."""
        wasted = self.wasted
        return None if wasted is None or not self.total else wasted / self.total


@dataclass(frozen=True, slots=True)
class BloatReading:
    """Relations, most wasted bytes first; those without an estimate at the end."""

    relations: tuple[Bloat, ...]
    taken_at: float
    coverage: Coverage = field(default_factory=Coverage)


class NoSuchTableError(LookupError):
    """There is no table of that name."""


async def estimate(database: Database, *, largest: int = 500) -> BloatReading:
    """Estimates for the `largest` tables and indexes of 1 MiB and more.

    Raises:
        SourceError: it cannot be asked.
    """
    limit = {"limit": str(largest)}
    tables = await database.rows("table_bloat", limit, most=largest)
    indexes = await database.rows("index_bloat", limit, most=largest)
    found = [*map(table_bloat, tables), *map(index_bloat, indexes)]
    notes = (*_seen(tables, "tables"), *_seen(indexes, "indexes"))
    return BloatReading(_ranked(found), tables.taken_at, Coverage(notes))


async def count(database: Database, name: str) -> BloatReading:
    """The exact numbers of one table (`schema.table`, as lists show it) and its B-tree indexes.

    Raises:
        NoSuchTableError: there is none of that name.
        SourceError: it cannot be asked; `unsupported` without the extension pgstattuple, `refused` without the right.
    """
    catalog = await database.catalog()
    extension = catalog.extensions.get("pgstattuple")
    if extension is None:
        hint = "CREATE EXTENSION pgstattuple" if "pgstattuple" in catalog.available else "install postgresql-contrib"
        raise SourceError(database.source, "unsupported", "exact bloat needs the extension pgstattuple", hint=hint)
    found = await database.rows("find_table", {"name": name})
    if not found.rows:
        raise NoSuchTableError(name)
    table = found.one
    binds = {"table": table.text("oid"), "SCHEMA": extension.schema}
    heap = await database.rows("table_exact", binds)
    indexes = await database.rows("index_exact", binds)
    relations = [_counted_table(row, table) for row in heap] + [_counted_index(row, table) for row in indexes]
    locked = () if heap.rows else (f"{name} is not counted: it is locked, or partitioned (count its partitions)",)
    return BloatReading(_ranked(relations), heap.taken_at, Coverage(locked))


def table_bloat(row: Row) -> Bloat:
    """From a row of `sql/table_bloat.sql`."""
    block, pages = row.number("block_size") or 8192.0, row.number("pages") or 0.0
    width, rows = row.number("width"), row.number("rows") or 0.0
    needed = None
    if width is not None and rows >= 0:
        bitmap = math.ceil(row.count("columns") / 8) if row.flag("nulls") else 0
        one = _aligned(_ROW_HEADER + bitmap) + _aligned(width) + _LINE_POINTER
        needed = block * _pages(rows * one, (block - _PAGE_HEADER) * (row.number("fillfactor") or 100) / 100)
    name = row.text("name")
    return Bloat("table", row.text("oid"), row.text("schema"), name, name, block * pages, needed)


def index_bloat(row: Row) -> Bloat:
    """From a row of `sql/index_bloat.sql`."""
    block, pages = row.number("block_size") or 8192.0, row.number("pages") or 0.0
    width, rows = row.number("width"), row.number("rows") or 0.0
    needed = None
    if width is not None and rows >= 0:
        one = _aligned(_INDEX_ENTRY + (4 if row.flag("nulls") else 0)) + _aligned(width) + _LINE_POINTER
        room = (block - _PAGE_HEADER - _BTREE_SPECIAL) * (row.number("fillfactor") or 90) / 100
        needed = block * (1 + math.ceil(_pages(rows * one, room) * _UPPER_PAGES))
    total = block * pages
    return Bloat("index", row.text("oid"), row.text("schema"), row.text("name"), row.text("table_name"), total, needed)


def _counted_table(row: Row, table: Row) -> Bloat:
    total, free, dead = (row.number(f"{part}_bytes") or 0.0 for part in ("total", "free", "dead"))
    names = (table.text("oid"), table.text("schema"), table.text("name"), table.text("name"))
    return Bloat("table", *names, total, max(0.0, total - free - dead), exact=True, dead=dead)


def _counted_index(row: Row, table: Row) -> Bloat:
    total, density = row.number("total_bytes") or 0.0, row.number("density")
    used = total if density is None else total * min(1.0, density / (row.number("fillfactor") or 90))
    names = (row.text("oid"), row.text("schema"), row.text("name"), table.text("name"))
    return Bloat("index", *names, total, used, exact=True)


def _aligned(size: float) -> float:
    return math.ceil(size / 8) * 8


def _pages(size: float, room: float) -> int:
    return math.ceil(size / room) if size > 0 else 0


def _ranked(found: list[Bloat]) -> tuple[Bloat, ...]:
    return tuple(sorted(found, key=lambda one: (one.wasted is None, -(one.wasted or 0.0), one.title)))


def _seen(rows: Rows, what: str) -> tuple[str, ...]:
    seen = sum(row.number("width") is not None for row in rows)
    if seen == len(rows):
        return ()
    return (
        f"bloat: {seen} of {len(rows)} {what} visible; the others need ANALYZE, or SELECT on their columns "
        "(GRANT pg_read_all_data)",
    )
