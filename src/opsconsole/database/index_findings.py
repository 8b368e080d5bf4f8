"""What is wrong with the indexes of a database, as findings. Pure."""

import hashlib
from collections.abc import Iterator

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.finding import Finding, Fix
from opsconsole.database.indexes import (
    YOUNG,
    Index,
    IndexReading,
    Redundant,
    UnindexedKey,
    invalid,
    unindexed,
    unused,
)
from opsconsole.database.naming import quoted

_NAME_BYTES = 63


def index_findings(reading: IndexReading) -> Iterator[Finding]:
    """Invalid, redundant and unused indexes, each named once; foreign keys without one."""
    for one in invalid(reading):
        yield _invalid(one, reading)
    told = {one.oid for one in reading.redundant}
    for redundant in reading.redundant:
        yield _redundant(redundant, reading)
    if reading.statistics_age >= YOUNG:
        yield from (_unused(one, reading) for one in unused(reading) if one.oid not in told)
    yield from map(_unindexed, unindexed(reading))


def drop(schema: str, name: str, table: str, definition: str | None, *, leftover: bool = False) -> Fix:
    """Dropping an index, with the statement that makes it again."""
    return Fix(
        "postgres.drop-leftover" if leftover else "postgres.drop-index",
        {"schema": schema, "index": name},
        f"DROP INDEX CONCURRENTLY {quoted(schema, name)};",
        f"SHARE UPDATE EXCLUSIVE on {schema}.{table}; waits for its open transactions",
        f"{definition};"
        if definition
        else "its definition could not be read: somebody had the table locked; ask again",
    )


def index_name(table: str, columns: tuple[str, ...]) -> str:
    """A name for an index on these columns, within the server's limit of 63 bytes, and not that of another's."""
    plain = f"{table}_{'_'.join(columns)}_idx"
    if len(plain.encode()) <= _NAME_BYTES:
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:8]
    return f"{plain.encode()[: _NAME_BYTES - 13].decode(errors='ignore')}_{digest}_idx"


def _invalid(one: Index, reading: IndexReading) -> Finding:
    why = "no query uses it, and writes may still have to keep it up"
    if one.partitioned:
        return Finding(
            "invalid-index",
            State.WARN,
            one.title,
            "a partitioned index that lacks partitions",
            why,
            "create the index on each partition that lacks it, and ALTER INDEX … ATTACH PARTITION it",
        )
    if one.protected and not one.leftover:
        fix = Fix(
            "postgres.reindex",
            {"schema": one.schema, "index": one.name},
            f"REINDEX INDEX CONCURRENTLY {quoted(one.schema, one.name)};",
            f"SHARE UPDATE EXCLUSIVE on {one.schema}.{one.table}",
            "none needed",
        )
    else:
        fix = drop(one.schema, one.name, one.table, reading.definitions.get(one.oid), leftover=bool(one.leftover))
    titles = {
        "new": "left by a REINDEX CONCURRENTLY that failed; the index it was to replace is there",
        "old": "left by a REINDEX CONCURRENTLY that failed at its end; the new index is good",
        "": "invalid: its CREATE INDEX CONCURRENTLY failed",
    }
    return Finding(
        "leftover-index" if one.leftover else "invalid-index",
        State.WARN,
        one.title,
        titles[one.leftover],
        why,
        "drop it, and create it again where it is missed",
        one.bytes,
        "bytes",
        {"bytes": one.bytes},
        fix,
    )


def _redundant(one: Redundant, reading: IndexReading) -> Finding:
    what = "the same as" if one.equal else "covered by"
    return Finding(
        "duplicate-index" if one.equal else "redundant-index",
        State.WARN,
        one.title,
        f"{what} {one.keeper}",
        f"{format_value(one.bytes, 'bytes')}, and every write keeps up both; queries can use {one.keeper}",
        effect=one.bytes,
        unit="bytes",
        evidence={"bytes": one.bytes, "scans": one.scans, "keeper": one.keeper},
        fix=drop(one.schema, one.name, one.table, reading.definitions.get(one.oid)),
        caveats=() if one.equal else ("the wider index is larger: a query that reads much of it may get slower",),
    )


def _unused(one: Index, reading: IndexReading) -> Finding:
    since = duration_text(reading.statistics_age)
    standbys = f"{reading.standbys} standbys are connected, and" if reading.standbys else "standbys, if there are any,"
    caveats = [f"only this server's scans count: {standbys} have counts of their own"]
    if one.expression:
        caveats.append("an index on an expression gives the planner statistics of it, read or not")
    return Finding(
        "unused-index",
        State.OK,
        one.title,
        f"not read once in at least {since}",
        f"{format_value(one.bytes, 'bytes')}, and every write to {one.table} keeps it up",
        effect=one.bytes,
        unit="bytes",
        evidence={"bytes": one.bytes, "scans": 0, "statistics_age": reading.statistics_age},
        fix=drop(one.schema, one.name, one.table, reading.definitions.get(one.oid)),
        caveats=tuple(caveats),
    )


def create(schema: str, table: str, name: str, columns: tuple[str, ...]) -> Fix:
    """Building an index on these columns while the table is in use."""
    listed = ", ".join(map(quoted, columns))
    return Fix(
        "postgres.create-index",
        {"schema": schema, "table": table, "index": name, "columns": listed},
        f"CREATE INDEX CONCURRENTLY {quoted(name)} ON {quoted(schema, table)} ({listed});",
        f"SHARE UPDATE EXCLUSIVE on {schema}.{table}: reads and writes go on",
        f"DROP INDEX CONCURRENTLY {quoted(schema, name)};",
    )


def _unindexed(one: UnindexedKey) -> Finding:
    fix = create(one.schema, one.table, index_name(one.table, one.columns), one.columns)
    by_part = "a partitioned table: create it on each partition, then ON ONLY the table, and attach them"
    return Finding(
        "unindexed-foreign-key",
        State.WARN if one.target_changes else State.OK,
        f"{one.schema}.{one.table}",
        f"foreign key {one.name} has no index on {', '.join(one.columns)}",
        f"each row deleted from {one.target}, or whose key is updated, reads all {one.table_rows:.0f} rows here",
        by_part if one.partitioned else "",
        evidence={
            "rows": one.table_rows,
            "changes": one.target_changes,
            "columns": one.columns,
            "table_oid": one.table_oid,
        },
        fix=None if one.partitioned else fix,
    )
