"""Indexes that cost more than they give: never read, invalid, redundant; and those that are missing, for foreign keys
and for the statements that take most of the time.
"""

from dataclasses import dataclass, field

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.finding import Finding
from opsconsole.database.index_findings import index_findings
from opsconsole.database.indexes import Index, IndexReading, read_indexes
from opsconsole.database.missing_findings import missing_findings, without_served
from opsconsole.database.workload import Workload
from opsconsole.database.workload_reading import read_workload
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.workbench.findings import finding_choices, finding_detail

MOST_SHOWN = 500
WORKLOAD_PERIOD = 300.0
"""Seconds between two looks at what statements lack: planning a hundred of them anew each minute tells nothing new."""
_COLUMNS = (
    Column("index", "INDEX", widest=48, least=16),
    Column("table", "TABLE", widest=30, priority=3),
    Column("size", "SIZE", align="right"),
    Column("scans", "SCANS", align="right", priority=1),
    Column("last", "LAST SCAN", align="right", priority=4),
    Column("method", "METHOD", priority=6),
    Column("kept", "KEPT FOR", priority=5, widest=24),
    Column("finding", "FINDING", grows=True, least=20),
)


@dataclass(frozen=True, slots=True)
class IndexesReading:
    """All indexes, and what there is to say of them, by subject."""

    indexes: IndexReading
    told: dict[str, Finding]
    workload: Workload = field(default_factory=Workload)


class IndexesPage(Page[Database, IndexesReading]):
    """The indexes of the database that the connection is to."""

    id = "indexes"
    title = "Indexes"
    period = 60.0
    sorts = ("finding", "size", "scans", "table")

    async def take(self, database: Database, before: IndexesReading | None, order: Order) -> IndexesReading:
        found = await read_indexes(database)
        lacking = before.workload if before is not None else Workload()
        if not 0 <= found.taken_at - lacking.taken_at < WORKLOAD_PERIOD:
            lacking = await read_workload(database)
        told: dict[str, Finding] = {}
        for one in without_served([*index_findings(found), *missing_findings(lacking)]):
            told.setdefault(one.subject, one)
        return IndexesReading(found, told, lacking)

    def sheet(self, reading: IndexesReading, order: Order) -> Sheet:
        """Missing ones first, then those with a finding, then the others."""
        found, told = reading.indexes, reading.told
        known = {one.title for one in found.indexes}
        missing = [one for subject, one in told.items() if subject not in known]
        chosen = sorted(found.indexes, key=lambda one: _rank(one, told, order.sort))[:MOST_SHOWN]
        rows = [_missing_row(one) for one in missing] + [
            _row(one, told.get(one.title), found.taken_at) for one in chosen
        ]
        free = format_value(sum(one.effect for one in told.values() if one.unit == "bytes"), "bytes")
        first = f"the first {len(chosen)} of " if len(chosen) < len(found.indexes) else ""
        summary = f"{first}{len(found.indexes):,} unused or invalid   findings: {len(told)}   {free} could come free"
        descending = order.sort == "size"
        notes = (found.coverage + reading.workload.coverage).notes
        return Sheet(_COLUMNS, rows, summary, order.sort, descending, notes)

    def detail(self, reading: IndexesReading, key: str) -> Detail | None:
        """The definition, and the finding where there is one."""
        index = _of(reading, key)
        told = reading.told.get(index.title if index is not None else key)
        shown = finding_detail(told) if told is not None else None
        if index is None:
            return shown
        facts = (
            ("table", index.table),
            ("size", format_value(index.bytes, "bytes")),
            ("scans", f"{index.scans:,}"),
            ("method", index.method),
            ("valid", "yes" if index.valid else "being built" if index.building else "no"),
            ("kept for", ", ".join(index.protected)),
        )
        parts = [("finding", told.title), *shown.parts] if told is not None and shown is not None else []
        if definition := reading.indexes.definitions.get(index.oid):
            parts.append(("definition", definition))
        return Detail(
            f"Index {clean_line(index.title)}",
            tuple((name, clean_line(value)) for name, value in facts if value),
            tuple((name, clean(text)) for name, text in parts),
        )

    def choices(self, reading: IndexesReading, key: str) -> list[Choice]:
        """Rebuild it, or what its finding proposes."""
        index = _of(reading, key)
        told = reading.told.get(index.title if index is not None else key)
        offered = finding_choices(told) if told is not None else []
        if index is None or index.partitioned or "reindex" in {one.label for one in offered}:
            return offered
        name = clean_line(index.title)
        named = {"schema": index.schema, "index": index.name}
        why = f"{format_value(index.bytes, 'bytes')}, {index.scans:,} scans"
        return [*offered, Choice("reindex", Repair("postgres.reindex", named, f"Rebuild index {name}", why))]


def _rank(index: Index, told: dict[str, Finding], sort: str) -> tuple[object, ...]:
    match sort:
        case "size":
            return (-index.bytes, index.title)
        case "scans":
            return (index.scans, -index.bytes)
        case "table":
            return (index.schema, index.table, index.name)
    return (index.title not in told, -index.bytes)


def _row(index: Index, told: Finding | None, now: float) -> Row:
    last = cells.ago(index.last_scan_at, now) if index.last_scan_at is not None else cells.NOTHING
    return Row(
        index.oid,
        (
            cells.words(index.title, "text" if index.valid else "crit", 130),
            cells.words(index.table, "dim", 63),
            cells.size(index.bytes),
            cells.count(index.scans),
            last,
            cells.words(index.method, "dim"),
            cells.words(", ".join(index.protected), "dim"),
            cells.words(told.title, _role(told)) if told is not None else cells.NOTHING,
        ),
    )


def _missing_row(finding: Finding) -> Row:
    nothing = cells.NOTHING
    size = finding.evidence.get("bytes")
    return Row(
        finding.subject,
        (
            Cell("(missing)", "dim"),
            cells.words(finding.subject, limit=130),
            Cell(f"~{format_value(size, 'bytes')}", "dim") if isinstance(size, float) else nothing,
            nothing,
            nothing,
            nothing,
            nothing,
            cells.words(finding.title, _role(finding)),
        ),
    )


def _role(finding: Finding) -> str:
    return "crit" if finding.state is State.CRIT else "warn" if finding.state is State.WARN else "text"


def _of(reading: IndexesReading, key: str) -> Index | None:
    return next((one for one in reading.indexes.indexes if one.oid == key), None)
