"""Replication: how far each standby is behind, what slots keep of the log, and where this server is itself.

A standby's lag in time is only believed where there is something to replay: on a quiet primary the age of the last
transaction grows though nothing is missing. Bytes are always true.
"""

from dataclasses import dataclass

from opsconsole.core.state import State
from opsconsole.database.asking import Database
from opsconsole.database.finding import NOTHING_HIDDEN, Coverage
from opsconsole.database.row import Row
from opsconsole.sources.postgres_cells import codec_of

LAG_WARN, LAG_CRIT = 30.0, 300.0
"""Seconds behind."""
RETAINED_WARN = 10 * 2**30
"""Bytes of log that a slot keeps, which is when disks begin to fill."""


@dataclass(frozen=True, slots=True)
class Standby:
    """Somebody who receives the log."""

    name: str
    client: str
    state: str
    """`streaming`, `catchup`, `backup`, …; empty where the role may not see it."""
    mode: str
    """`async`, `sync`, `quorum`, `potential`."""
    unsent_bytes: float | None
    unflushed_bytes: float | None
    behind_bytes: float | None
    """Not replayed yet."""
    lag_seconds: float | None
    """Until it was replayed there, of what was written last; None while nothing is written, or not visible."""
    pid: int

    @property
    def health(self) -> State:
        """By its lag; one that is not streaming is a warning."""
        if (self.lag_seconds or 0.0) >= LAG_CRIT:
            return State.CRIT
        odd = self.state not in ("streaming", "backup", "")
        return State.WARN if odd or (self.lag_seconds or 0.0) >= LAG_WARN else State.OK


@dataclass(frozen=True, slots=True)
class Slot:
    """A promise to keep the log for somebody."""

    name: str
    kind: str
    """`physical` or `logical`."""
    plugin: str
    active: bool
    status: str
    """`reserved`, `extended`, `unreserved`, `lost`; empty before 13."""
    retained_bytes: float | None
    room_bytes: float | None
    """Until it is lost, where max_slot_wal_keep_size limits it."""

    @property
    def health(self) -> State:
        """Lost is an alarm; one that nobody reads while it keeps much is a warning."""
        if self.status in ("lost", "unreserved"):
            return State.CRIT
        return State.WARN if not self.active and (self.retained_bytes or 0.0) >= RETAINED_WARN else State.OK


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where a server is in the log."""

    standby: bool
    position: str
    bytes: float
    """The same as a number, so that two readings give a rate."""
    unreplayed_bytes: float | None
    """On a standby: received, and not replayed."""
    replay_lag_seconds: float | None
    """On a standby; 0 where all that was received is replayed."""
    receiver: str
    """On a standby: `streaming`, …; empty where it receives nothing."""
    paused: bool
    archiving: bool
    archive_failing: bool
    """The last try failed."""
    failed_file: str


@dataclass(frozen=True, slots=True)
class Replication:
    """All of it at one moment."""

    log: LogPosition
    standbys: tuple[Standby, ...]
    slots: tuple[Slot, ...]
    taken_at: float
    wal_rate: float | None = None
    """Bytes of log a second since the reading before."""
    coverage: Coverage = NOTHING_HIDDEN


async def read_replication(database: Database, before: Replication | None = None) -> Replication:
    """How replication stands now; the rate is since `before`.

    Raises:
        SourceError: the database cannot be asked.
    """
    catalog = await database.catalog()
    codec = codec_of(catalog.settings.get("server_encoding", "UTF8"))
    found = await database.rows("replication")
    position = await database.rows("log_position")
    log = _log(position.one)
    notes: tuple[str, ...] = ()
    if not catalog.sees_all:
        notes = (f"how far standbys are is hidden: {catalog.grant()}",)
    rate = None
    if before is not None and position.taken_at > before.taken_at and log.bytes >= before.log.bytes:
        rate = (log.bytes - before.log.bytes) / (position.taken_at - before.taken_at)
    return Replication(
        log,
        tuple(_standby(row, codec) for row in found if row.text("kind") == "sender"),
        tuple(_slot(row, codec) for row in found if row.text("kind") == "slot"),
        position.taken_at,
        rate,
        Coverage(notes),
    )


def _standby(row: Row, codec: str) -> Standby:
    return Standby(
        name=row.encoded("name", codec),
        client=row.text("client"),
        state=row.text("state"),
        mode=row.text("mode"),
        unsent_bytes=row.number("unsent"),
        unflushed_bytes=row.number("unflushed"),
        behind_bytes=row.number("behind"),
        lag_seconds=row.number("lag"),
        pid=row.whole("pid") or 0,
    )


def _slot(row: Row, codec: str) -> Slot:
    return Slot(
        name=row.encoded("name", codec),
        kind=row.text("mode"),
        plugin=row.text("client"),
        active=row.flag("active"),
        status=row.text("status"),
        retained_bytes=row.number("retained"),
        room_bytes=row.number("room"),
    )


def _log(row: Row) -> LogPosition:
    failed, archived = row.moment("failed_at"), row.moment("archived_at")
    return LogPosition(
        standby=row.flag("standby"),
        position=row.text("position"),
        bytes=row.number("bytes") or 0.0,
        unreplayed_bytes=row.number("unreplayed"),
        replay_lag_seconds=row.number("replay_lag"),
        receiver=row.text("receiver"),
        paused=row.flag("paused"),
        archiving=row.flag("archiving"),
        archive_failing=failed is not None and failed > (archived or 0.0),
        failed_file=row.text("failed_file"),
    )
