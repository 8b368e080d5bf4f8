"""Work on whole tables that is under way: how far it is, how fast, and when it will be done.

The server says how far a phase is, never how fast: the rate is that between two readings, and the end is that of the
phase. What comes after it is not known, and is not guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from opsconsole.database.asking import Database
from opsconsole.database.finding import NOTHING_HIDDEN, Coverage
from opsconsole.database.row import Row
from opsconsole.sources.postgres_cells import codec_of


@dataclass(frozen=True, slots=True)
class Work:
    """One command that is under way."""

    kind: str
    """`vacuum`, `analyze`, `create index concurrently`, `reindex`, `cluster`, `copy from`, `base backup`, …"""
    pid: int
    backend_start: str
    phase: str
    done: int
    """Of the phase, in `unit`."""
    total: int
    """0: not known."""
    unit: str
    """`blocks`, `rows`, `bytes`, `sessions` that are waited for, `partitions`."""
    detail: str
    """What else the server says: index passes of a vacuum, the session that is waited for, rows copied."""
    database: str
    relation: str
    """As SQL writes it; its number where it is in another database."""
    relation_oid: str
    index: str
    role: str
    automatic: bool
    """An autovacuum worker's."""
    seconds: float | None
    """Since the statement began."""
    rate: float | None = None
    """`unit` a second, between the last two readings of the same phase; None with the first."""

    @property
    def share(self) -> float | None:
        """Of the phase, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def left_seconds(self) -> float | None:
        """Until the phase ends, at this rate."""
        if not self.total or not self.rate or self.rate <= 0:
            return None
        return max(0.0, (self.total - self.done) / self.rate)

    @property
    def phase_key(self) -> tuple[object, ...]:
        """What has to be the same for two readings to be of one phase."""
        return (self.pid, self.backend_start, self.kind, self.relation_oid, self.phase, self.unit, self.total)


@dataclass(frozen=True, slots=True)
class Progress:
    """All of it at one moment."""

    works: tuple[Work, ...]
    taken_at: float
    coverage: Coverage = NOTHING_HIDDEN


async def read_progress(database: Database, before: Progress | None = None) -> Progress:
    """What is under way now; with `before`, how fast it is.

    Raises:
        SourceError: the database cannot be asked.
    """
    catalog = await database.catalog()
    codec = codec_of(catalog.settings.get("server_encoding", "UTF8"))
    rows = await database.rows("progress")
    works = tuple(_work(row, codec) for row in rows)
    notes = []
    if not catalog.sees_all:
        notes.append(f"what other roles' work is on is hidden: {catalog.grant()}")
    missing = [what for view, what in _LATER.items() if not catalog.has(view)]
    if missing:
        notes.append(f"PostgreSQL {catalog.version} does not report {', '.join(missing)}")
    now = Progress(works, rows.taken_at, Coverage(tuple(notes)))
    return rated(before, now) if before is not None else now


_LATER: Mapping[str, str] = {
    "pg_stat_progress_analyze": "analyze",
    "pg_stat_progress_copy": "copy",
    "pg_stat_progress_basebackup": "base backups",
}


def rated(before: Progress, now: Progress) -> Progress:
    """`now` with the rates since `before`, for what is still in the same phase."""
    known = {one.phase_key: one for one in before.works}
    passed = now.taken_at - before.taken_at

    def with_rate(work: Work) -> Work:
        earlier = known.get(work.phase_key)
        if earlier is None or passed <= 0 or work.done < earlier.done:
            return work
        return replace(work, rate=(work.done - earlier.done) / passed)

    return replace(now, works=tuple(map(with_rate, now.works)))


def _work(row: Row, codec: str) -> Work:
    return Work(
        kind=row.text("kind"),
        pid=row.count("pid"),
        backend_start=row.text("backend_start"),
        phase=row.text("phase"),
        done=row.whole("done") or 0,
        total=row.whole("total") or 0,
        unit=row.text("unit"),
        detail=row.text("detail"),
        database=row.encoded("database", codec),
        relation=row.text("relation"),
        relation_oid=row.text("relation_oid"),
        index=row.text("index"),
        role=row.encoded("role", codec),
        automatic=row.flag("automatic"),
        seconds=row.number("seconds"),
    )
