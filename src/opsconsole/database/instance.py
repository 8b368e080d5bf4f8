"""The counters of a database and its server, and the rates between two readings of them."""

from dataclasses import dataclass, field, fields

from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row


@dataclass(frozen=True, slots=True)
class Counters:
    """What only ever grows, until somebody resets it. None: this version does not count it."""

    commits: int | None
    rollbacks: int | None
    read: int | None
    """Blocks that were not in shared_buffers."""
    hit: int | None
    temp_files: int | None
    temp_bytes: int | None
    deadlocks: int | None
    conflicts: int | None
    rows_returned: int | None
    rows_fetched: int | None
    checksum_failures: int | None
    sessions_lost: int | None
    checkpoints_timed: int | None
    checkpoints_requested: int | None
    checkpoint_write_seconds: float | None
    checkpoint_sync_seconds: float | None
    buffers_checkpoint: int | None
    buffers_clean: int | None
    maxwritten_clean: int | None
    buffers_alloc: int | None
    wal_records: int | None
    wal_fpi: int | None
    wal_bytes: float | None
    wal_buffers_full: int | None


@dataclass(frozen=True, slots=True)
class Instance:
    """One reading."""

    counters: Counters
    backends: int
    standbys: int
    uptime: float
    """Seconds."""
    statistics_age: float | None
    """Seconds since the counters of the database were reset; None: never, as far as the server knows."""
    taken_at: float
    """Unix seconds."""
    coverage: Coverage = field(default_factory=Coverage)


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two readings. None: not counted, nothing happened to divide by, or counters were reset."""

    seconds: float
    grown: Counters
    """By how much each counter grew; all None after a reset."""
    hit_share: float | None
    """Of the blocks that were wanted, 0 to 1, those found in shared_buffers."""
    rollback_share: float | None
    requested_share: float | None
    """Of the checkpoints, those that WAL forced before their time: max_wal_size is small."""
    reset: bool
    """Somebody reset the counters in between, or the server came back without them."""


async def read_instance(database: Database) -> Instance:
    """The counters now.

    Raises:
        SourceError: it cannot be asked.
    """
    found = await database.rows("instance")
    catalog = await database.catalog()
    notes = () if catalog.has("pg_stat_wal") else ("WAL is counted from PostgreSQL 14 on",)
    return instance_of(found.one, found.taken_at, Coverage(notes))


def instance_of(row: Row, taken_at: float, coverage: Coverage) -> Instance:
    """From the row of `sql/instance.sql`."""
    counters = {one.name: _counter(row, one.name) for one in fields(Counters)}
    return Instance(
        Counters(**counters),  # type: ignore[arg-type]  # the server's own type, whole or not, for each
        row.count("backends"),
        row.count("standbys"),
        row.number("uptime") or 0.0,
        row.number("reset_ago"),
        taken_at,
        coverage,
    )


def between(before: Instance, after: Instance) -> Interval:
    """What happened from one reading to the next. Where any counter went backwards, none of them is believed."""
    pairs = {
        one.name: (getattr(before.counters, one.name), getattr(after.counters, one.name)) for one in fields(Counters)
    }
    reset = any(old is not None and new is not None and new < old for old, new in pairs.values())
    grown = {name: None if reset or old is None or new is None else new - old for name, (old, new) in pairs.items()}
    return Interval(max(0.0, after.taken_at - before.taken_at), *_shares(Counters(**grown)), reset)


def lifetime(instance: Instance) -> Interval:
    """The same since the counters began: what one reading alone can say."""
    seconds = instance.uptime if instance.statistics_age is None else instance.statistics_age
    return Interval(seconds, *_shares(instance.counters), False)


def _shares(grown: Counters) -> tuple[Counters, float | None, float | None, float | None]:
    return (
        grown,
        _share(grown.hit, grown.read),
        _share(grown.rollbacks, grown.commits),
        _share(grown.checkpoints_requested, grown.checkpoints_timed),
    )


def _share(part: float | None, rest: float | None) -> float | None:
    return None if part is None or rest is None or not part + rest else part / (part + rest)


def _counter(row: Row, name: str) -> float | None:
    value = row.number(name)
    return int(value) if value is not None and value.is_integer() else value
