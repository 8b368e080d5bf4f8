"""What is wrong with a table, as findings. Pure."""

from collections.abc import Iterator

from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.finding import Finding, Fix
from opsconsole.database.naming import quoted
from opsconsole.database.tables import WRAPAROUND_STOP, Table

DEAD_ROWS, DEAD_SHARE = 10_000, 0.2
"""From both on, dead rows are worth a vacuum (autovacuum's own scale factor is 0.2)."""
SEQ_ROWS = 10_000_000
"""Rows read by sequential scans, from which a large table is worth a look."""
UPDATES, HOT_SHARE = 100_000, 0.5
"""From so many updates on, less than that share of HOT ones is worth a look."""
PARTITION_BYTES = 100 * 2.0**30
"""Size from which partitioning is worth a thought (source: PostgreSQL documentation, 5.11: larger than memory)."""


def table_findings(table: Table) -> Iterator[Finding]:
    """What is wrong with one table."""
    yield from _old(table)
    yield from _dead(table)
    yield from _statistics(table)
    yield from read_whole(table)
    yield from _cold_updates(table)
    if table.kind == "table" and table.sizes.total >= PARTITION_BYTES:
        yield Finding(
            "large-table",
            State.OK,
            table.title,
            f"{_size(table.sizes.total)} in one table",
            "vacuum, index builds and dropping old rows take as long as the whole table",
            "partition it by what old rows are dropped by (usually time), where queries name that column; keep the "
            "number of partitions in the hundreds",
            evidence={"bytes": table.sizes.total},
        )
    if table.kind == "table" and not table.autovacuum.enabled and "autovacuum_enabled" in table.options:
        yield Finding(
            "autovacuum-off",
            State.WARN,
            table.title,
            "autovacuum is off for this table",
            "its dead rows stay, and its statistics age, until somebody thinks of it",
            f"ALTER TABLE {quoted(table.schema, table.name)} RESET (autovacuum_enabled);",
            evidence={"options": table.options},
        )


def _old(table: Table) -> Iterator[Finding]:
    if table.state is State.OK:
        return
    left = WRAPAROUND_STOP - (table.xid_age or 0)
    yield Finding(
        "wraparound",
        table.state,
        table.title,
        f"{table.xid_age} transactions old",
        f"after {left} more the server takes no writes at all",
        evidence={"xid_age": table.xid_age},
        fix=_vacuum(table, "freeze", "FREEZE"),
    )


def _dead(table: Table) -> Iterator[Finding]:
    share = table.dead_share or 0.0
    if table.dead < DEAD_ROWS or share < DEAD_SHARE:
        return
    effect = table.sizes.heap * share
    yield Finding(
        "dead-rows",
        State.WARN,
        table.title,
        f"{table.dead} dead rows, {format_value(share, 'percentunit')} of all",
        f"about {_size(effect)} that every scan reads; they are reused once vacuumed",
        effect=effect,
        unit="bytes",
        evidence={"dead": table.dead, "live": table.live, "last_vacuum": table.vacuumed_at},
        fix=_vacuum(table, "plain", "ANALYZE", analyze="yes"),
        caveats=("where something holds vacuum back it removes nothing: see vacuum-report",),
    )
    if table.autovacuum.enabled and table.kind == "table" and table.live + table.dead > 1_000_000:
        yield _oftener(table)


def _oftener(table: Table) -> Finding:
    name = quoted(table.schema, table.name)
    options = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"
    return Finding(
        "autovacuum-late",
        State.OK,
        table.title,
        "autovacuum comes late to a large table",
        f"it waits for {table.autovacuum.vacuum_after or 0:.0f} dead rows",
        evidence={"options": table.options},
        fix=Fix(
            "postgres.autovacuum",
            {"schema": table.schema, "table": table.name, "scale_factor": "0.02", "threshold": "1000"},
            f"ALTER TABLE {name} SET ({options});",
            f"SHARE UPDATE EXCLUSIVE on {table.title}, for a moment",
            f"ALTER TABLE {name} RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);",
        ),
    )


def _statistics(table: Table) -> Iterator[Finding]:
    never = table.analyzed_at is None and table.live >= DEAD_ROWS
    changed = (table.autovacuum.analyze_due or 0.0) > 2 and table.modified >= DEAD_ROWS
    if never or changed:
        yield Finding(
            "old-statistics",
            State.WARN,
            table.title,
            "never analyzed" if never else f"{table.modified} rows changed since the last analyze",
            "the planner reckons with numbers that are no longer true",
            evidence={"modified": table.modified},
            fix=Fix(
                "postgres.analyze",
                {"schema": table.schema, "table": table.name},
                f"ANALYZE {quoted(table.schema, table.name)};",
                f"SHARE UPDATE EXCLUSIVE on {table.title}",
                "none: statistics only",
            ),
        )


def read_whole(table: Table) -> Iterator[Finding]:
    """That a large table is read whole more often than by its indexes."""
    rows = table.rows or 0.0
    if rows < DEAD_ROWS or table.seq_rows < SEQ_ROWS or table.seq_scans <= table.index_scans:
        return
    yield Finding(
        "sequential-scans",
        State.OK,
        table.title,
        f"heuristic: read whole {table.seq_scans} times, by index {table.index_scans}; an index may be missing",
        f"{table.seq_rows} rows were read that way",
        "which columns were looked for is not known; look at its queries, and their plans, before an index is made",
        evidence={"seq_scans": table.seq_scans, "index_scans": table.index_scans, "seq_rows": table.seq_rows},
    )


def _cold_updates(table: Table) -> Iterator[Finding]:
    if table.updated < UPDATES or table.hot_share is None or table.hot_share >= HOT_SHARE:
        return
    yield Finding(
        "few-hot-updates",
        State.OK,
        table.title,
        f"{format_value(table.hot_share, 'percentunit')} of {table.updated} updates were HOT",
        "the others wrote an entry into every index of the table",
        "leave room in the pages (ALTER TABLE … SET (fillfactor = 85)), and drop indexes on columns that change often",
        evidence={"updated": table.updated, "hot": table.hot, "indexes": table.indexes},
    )


def _vacuum(table: Table, mode: str, option: str, **more: str) -> Fix:
    return Fix(
        "postgres.vacuum",
        {"schema": table.schema, "table": table.name, "mode": mode, **more},
        f"VACUUM ({option}) {quoted(table.schema, table.name)};",
        f"SHARE UPDATE EXCLUSIVE on {table.title}: reads and writes go on",
        "none: nothing is lost",
    )


def _size(value: float) -> str:
    return format_value(value, "bytes")
