"""All that is wrong with the objects of a database, as findings: ranked by what repairing is worth, each with its fix.

Pure: what was read goes in. What other subjects find (slow queries, blocked sessions) is added by `ranked`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.bloat import BloatReading
from opsconsole.database.connections import Connections
from opsconsole.database.finding import Coverage, Finding, Fix
from opsconsole.database.index_findings import index_findings
from opsconsole.database.indexes import IndexReading
from opsconsole.database.instance import Instance, lifetime
from opsconsole.database.missing_findings import missing_findings, without_served
from opsconsole.database.naming import quoted
from opsconsole.database.pooler_findings import pooler_findings
from opsconsole.database.sequences import Sequence, Sequences
from opsconsole.database.settings import Settings
from opsconsole.database.table_findings import table_findings
from opsconsole.database.tables import Table
from opsconsole.database.vacuum import OLD_XIDS, VacuumReport, reason, remedy
from opsconsole.database.workload import Workload

BLOATED, BLOAT_SHARE = 50 * 2.0**20, 0.4
"""Bytes and share: below, an estimate is too rough to act on (source: the bloat checks of check_postgres)."""
HIT_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Readings:
    """All that the findings rest on. What was not read is None."""

    tables: tuple[Table, ...] = ()
    vacuum: VacuumReport | None = None
    bloat: BloatReading | None = None
    indexes: IndexReading | None = None
    workload: Workload | None = None
    sequences: Sequences | None = None
    settings: Settings | None = None
    instance: Instance | None = None
    connections: Connections | None = None
    """With the pooler before the server; only read where one is configured."""
    extensions: frozenset[str] = frozenset()
    """Created in this database."""
    available: frozenset[str] = frozenset()
    """That could be created."""
    conn: str = ""
    """The database's name in the configuration: what a fix is for."""
    database: str = ""
    version: str = ""
    taken_at: float = 0.0
    coverage: Coverage = field(default_factory=Coverage)


def findings(readings: Readings) -> tuple[Finding, ...]:
    """All of them, worst and most rewarding first."""
    found: list[Finding] = [one for table in readings.tables for one in table_findings(table)]
    if readings.vacuum:
        found += holder_findings(readings.vacuum)
    if readings.bloat:
        found += bloat_findings(readings.bloat)
    if readings.indexes:
        found += index_findings(readings.indexes)
    if readings.workload:
        # Tables that are read whole have their own findings here.
        found = without_served([*found, *missing_findings(replace(readings.workload, scanned=()))])
    if readings.sequences:
        found += sequence_findings(readings.sequences.sequences)
    if readings.settings:
        found += setting_findings(readings.settings)
    if readings.instance:
        found += instance_findings(readings.instance)
    if readings.connections:
        found += pooler_findings(readings.connections)
    found += extension_findings(readings)
    return ranked(_for(one, readings.conn) for one in found)


def ranked(*groups: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings of any subjects, together: by state, then what is measured in seconds, bytes, nothing; largest first."""
    units = {"s": 0, "bytes": 1}
    found = (one for group in groups for one in group)
    return tuple(sorted(found, key=lambda one: (-one.state.severity, units.get(one.unit, 2), -one.effect, one.subject)))


def holder_findings(report: VacuumReport) -> Iterator[Finding]:
    """What keeps vacuum from removing rows."""
    for one in report.holders:
        if one.age < OLD_XIDS and (one.seconds or 0.0) < 3600:
            continue
        fix = None
        if one.kind == "session" and one.started:
            fix = Fix(
                "postgres.terminate",
                {"pid": one.id, "backend_start": one.started},
                f"SELECT pg_terminate_backend({one.id});",
                "none",
                "none: its transaction is rolled back",
            )
        yield Finding(
            "vacuum-held-back",
            State.WARN,
            f"{one.kind} {one.id}",
            "vacuum cannot remove rows",
            reason(one),
            remedy(one),
            evidence={"age": one.age, "seconds": one.seconds, "owner": one.owner},
            fix=fix,
        )


def bloat_findings(reading: BloatReading) -> Iterator[Finding]:
    """Relations that are mostly air."""
    for one in reading.relations:
        wasted, share = one.wasted, one.share
        if wasted is None or share is None or wasted < BLOATED or share < BLOAT_SHARE:
            continue
        name, lock = quoted(one.schema, one.name), f"SHARE UPDATE EXCLUSIVE on {one.schema}.{one.table}"
        if one.kind == "index":
            fix = Fix(
                "postgres.reindex",
                {"schema": one.schema, "index": one.name},
                f"REINDEX INDEX CONCURRENTLY {name};",
                lock,
                "none needed: the new index is the same",
            )
        else:
            fix = Fix(
                "postgres.vacuum",
                {"schema": one.schema, "table": one.name, "mode": "full"},
                f"VACUUM (FULL) {name};",
                f"ACCESS EXCLUSIVE on {one.title} until it is done: nobody reads or writes it",
                "none: nothing is lost",
            )
        how = "counted" if one.exact else "estimated from statistics"
        yield Finding(
            f"bloated-{one.kind}",
            State.WARN,
            one.title,
            f"{format_value(share, 'percentunit')} of it is empty ({how})",
            f"{_size(wasted)} of {_size(one.total)} are read, cached and backed up for nothing",
            "" if one.kind == "index" else "needs as much free disk again; pg_repack does it without the lock",
            effect=wasted,
            unit="bytes",
            evidence={"total": one.total, "needed": one.needed, "exact": one.exact},
            fix=fix,
            caveats=() if one.exact else ("an estimate: wide rows and equal keys mislead it; count it exactly first",),
        )


def sequence_findings(sequences: Iterable[Sequence]) -> Iterator[Finding]:
    """Sequences near their end."""
    for one in sequences:
        if one.state not in (State.WARN, State.CRIT):
            continue
        column = f"{one.table}.{one.column} ({one.column_type})" if one.table else f"type {one.type}"
        yield Finding(
            "sequence-ends",
            one.state,
            one.title,
            f"{format_value(one.used, 'percentunit')} used up",
            f"{one.remaining or 0:.0f} numbers are left of {column}; then every INSERT fails",
            "change the column to bigint in good time, by a rewrite under ACCESS EXCLUSIVE or a new column that is "
            "filled bit by bit; then ALTER SEQUENCE … AS bigint",
            evidence={"last": one.last, "used": one.used, "remaining": one.remaining},
        )


def setting_findings(settings: Settings) -> Iterator[Finding]:
    """Settings worth changing."""
    for one in settings.advice:
        yield Finding(
            "setting",
            one.state,
            one.name,
            f"{one.name} is {one.value}",
            one.why,
            one.how,
            evidence={"value": one.value, "source": one.reference},
        )


def extension_findings(readings: Readings) -> Iterator[Finding]:
    """Extensions that the console could use, and that are only waiting to be created."""
    uses = {
        "pg_stat_statements": "what each query costs is not counted; shared_preload_libraries has to name it, too",
        "pgstattuple": "bloat can be estimated, not counted",
        "hypopg": "what an index would save can be guessed, not reckoned",
    }
    for name, why in uses.items():
        if name in readings.available and name not in readings.extensions:
            fix = Fix(
                "postgres.create-extension",
                {"extension": name},
                f"CREATE EXTENSION {quoted(name)};",
                "none on tables",
                f"DROP EXTENSION {quoted(name)};",
            )
            yield Finding("extension", State.OK, name, f"the extension {name} is not created", why, fix=fix)


def instance_findings(instance: Instance) -> Iterator[Finding]:
    """What the counters say as a whole."""
    told = lifetime(instance)
    counters, since = told.grown, f"over the last {duration_text(told.seconds)}"
    if told.hit_share is not None and told.hit_share < HIT_SHARE and (counters.read or 0) > 100_000:
        yield Finding(
            "cache-hit",
            State.WARN,
            "shared_buffers",
            f"{format_value(told.hit_share, 'percentunit')} cache hits",
            f"{counters.read} blocks came from outside shared_buffers {since}",
            "find the queries that read most first; then more shared_buffers",
            evidence={"hit_share": told.hit_share},
        )
    if told.requested_share is not None and told.requested_share > 0.5 and (counters.checkpoints_requested or 0) >= 10:
        yield Finding(
            "checkpoints",
            State.WARN,
            "max_wal_size",
            f"{format_value(told.requested_share, 'percentunit')} of the checkpoints were forced",
            "each makes every page's next change write the page to WAL whole",
            "raise max_wal_size",
            evidence={"requested": counters.checkpoints_requested},
        )
    if counters.deadlocks:
        yield Finding(
            "deadlocks",
            State.OK,
            "transactions",
            f"{counters.deadlocks} deadlocks {since}",
            "one transaction of each was rolled back",
            "take locks in one order; the server's log names the statements",
            evidence={"deadlocks": counters.deadlocks},
        )
    if counters.checksum_failures:
        yield Finding(
            "checksums",
            State.CRIT,
            "data files",
            f"{counters.checksum_failures} pages failed their checksum",
            "data on disk is damaged",
            "stop, copy the data directory, and restore from a backup",
            evidence={"failures": counters.checksum_failures},
        )


def _for(finding: Finding, conn: str) -> Finding:
    """The finding, with its fix said to be for the database `conn`."""
    if finding.fix is None or not conn:
        return finding
    return replace(finding, fix=replace(finding.fix, arguments={**finding.fix.arguments, "conn": conn}))


def _size(value: float) -> str:
    return format_value(value, "bytes")
