"""Tables: size and growth, dead rows, vacuum and analyze, age, and what autovacuum does next."""

from dataclasses import dataclass
from typing import cast

from opsconsole.core.clean import clean_line
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.table_findings import table_findings
from opsconsole.database.tables import Sort, Table, Tables, next_of, read_tables
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.lines import state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

MOST_SHOWN = 200
"""Tables of a page, the first by its order."""

_COLUMNS = (
    Column("table", "TABLE", widest=44, least=16),
    Column("size", "SIZE", align="right"),
    Column("growth", "GROWTH", align="right", priority=5),
    Column("indexes", "INDEXES", align="right", priority=6),
    Column("rows", "ROWS", align="right", priority=3),
    Column("dead", "DEAD", align="right"),
    Column("dead_share", "DEAD %", align="right", priority=4),
    Column("modified", "CHANGED", align="right", priority=9),
    Column("vacuum", "VACUUM", align="right", priority=1),
    Column("analyze", "ANALYZE", align="right", priority=2),
    Column("seq", "SEQ SCANS", align="right", priority=7),
    Column("hot", "HOT", align="right", priority=9),
    Column("age", "XID AGE", align="right", priority=3),
    Column("next", "NEXT", grows=True, priority=8, least=10),
)
_SHOWN_SORT = {"size": "size", "dead": "dead", "age": "age", "seq": "seq", "modified": "modified"}


@dataclass(frozen=True, slots=True)
class TablesReading:
    """The tables now, and how large each was when the page was opened."""

    tables: Tables
    first: dict[str, float]
    """oid -> bytes."""


class TablesPage(Page[Database, TablesReading]):
    """The tables of the database that the connection is to."""

    id = "tables"
    title = "Tables"
    period = 30.0
    sorts = ("size", "dead", "age", "seq", "modified")

    async def take(self, database: Database, before: TablesReading | None, order: Order) -> TablesReading:
        found = await read_tables(database, sort=cast(Sort, order.sort), limit=MOST_SHOWN)
        sizes = {one.oid: one.sizes.total for one in found.tables}
        return TablesReading(found, sizes | (before.first if before is not None else {}))

    def sheet(self, reading: TablesReading, order: Order) -> Sheet:
        """One row a table; a partitioned one has the sums of its partitions."""
        found = reading.tables
        first = f"the first {len(found.tables)} tables by {order.sort}" if found.more else f"{len(found.tables)} tables"
        total = format_value(sum(one.sizes.total for one in found.tables), "bytes")
        rows = [_row(one, reading.first.get(one.oid), found.taken_at) for one in found.tables]
        return Sheet(_COLUMNS, rows, f"{first}   {total}", _SHOWN_SORT[order.sort], notes=found.coverage.notes)

    def detail(self, reading: TablesReading, key: str) -> Detail | None:
        """All that is known of a table, and what should be done about it."""
        table = _of(reading, key)
        if table is None:
            return None
        facts = (
            ("kind", f"{table.persistence} {table.kind}"),
            ("owner", table.owner),
            ("options", table.options),
            ("partitions", str(table.partitions or "")),
            ("table", format_value(table.sizes.heap, "bytes")),
            ("TOAST", format_value(table.sizes.toast, "bytes")),
            ("indexes", f"{table.indexes}, {format_value(table.sizes.indexes, 'bytes')}"),
            ("live and dead rows", f"{table.live:,} and {table.dead:,}"),
            (
                "inserted, updated, deleted",
                f"{table.inserted:,}, {table.updated:,} ({table.hot:,} HOT), {table.deleted:,}",
            ),
            ("changed since analyze", f"{table.modified:,}"),
            ("sequential scans", f"{table.seq_scans:,}, {table.seq_rows:,} rows"),
            ("index scans", f"{table.index_scans:,}"),
            ("vacuums", f"{table.vacuums} by hand, {table.autovacuums} by autovacuum"),
            ("analyzes", f"{table.analyzes} by hand, {table.autoanalyzes} by autovacuum"),
            ("transaction age", f"{table.xid_age:,}" if table.xid_age is not None else ""),
            ("next", next_of(table)),
        )
        parts = tuple(
            (clean_line(one.title), clean_line(f"{one.why} {one.advice}".strip(), limit=2000))
            for one in table_findings(table)
        )
        return Detail(
            f"Table {clean_line(table.title)}",
            tuple((name, clean_line(value)) for name, value in facts if value),
            parts,
        )

    def choices(self, reading: TablesReading, key: str) -> list[Choice]:
        """Maintenance of one table."""
        table = _of(reading, key)
        if table is None:
            return []
        named = {"schema": table.schema, "table": table.name}
        why = clean_line(
            f"{table.dead:,} dead of {table.live + table.dead:,} rows; transaction age {table.xid_age or 0:,}; "
            f"next: {next_of(table) or 'nothing due'}"
        )
        name = clean_line(table.title)

        def vacuum(label: str, words: str, **more: str) -> Choice:
            full = more.get("mode") == "full"
            return Choice(label, Repair("postgres.vacuum", {**named, **more}, f"{words} {name}", why, full))

        return [
            Choice("analyze", Repair("postgres.analyze", named, f"Analyze {name}", why)),
            vacuum("vacuum", "Vacuum"),
            vacuum("vacuum analyze", "Vacuum and analyze", analyze="yes"),
            vacuum("vacuum freeze", "Freeze", mode="freeze"),
            vacuum("vacuum full", "Rewrite, locked meanwhile,", mode="full"),
        ]


def _row(table: Table, first: float | None, now: float) -> Row:
    sizes = table.sizes
    mark = "" if sizes.exact else "≈ "
    grown = sizes.total - first if first is not None else 0.0
    growth = Cell(f"{'+' if grown > 0 else ''}{format_value(grown, 'bytes')}", "accent") if grown else cells.NOTHING
    return Row(
        table.oid,
        (
            cells.words(table.title, state_role(table.state) if table.state.value != "OK" else "text", 130),
            Cell(mark + format_value(sizes.total, "bytes"), "dim" if mark else "text"),
            growth,
            cells.size(sizes.indexes, "dim"),
            cells.count(table.rows),
            cells.count(table.dead),
            cells.share(table.dead_share, 0.2, 0.5),
            cells.count(table.modified),
            cells.ago(table.vacuumed_at, now),
            cells.ago(table.analyzed_at, now),
            cells.count(table.seq_scans),
            cells.share(table.hot_share),
            cells.count(table.xid_age, state_role(table.state) if table.state.value != "OK" else "text"),
            cells.words(next_of(table), "dim"),
        ),
    )


def _of(reading: TablesReading, key: str) -> Table | None:
    return next((one for one in reading.tables.tables if one.oid == key), None)
