"""What stands in the way of maintenance before it is sent: transactions that it would wait for, and disk it needs.

A concurrent build waits for every transaction of the database that has an old snapshot, on whatever table. One that
has been open for longer than the build would wait is likely to stay for longer still: then nothing is sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.row import Row
from opsconsole.sources.postgres_cells import codec_of

_STRONG = frozenset(
    {"ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
)
_WRITING = frozenset({"RowExclusiveLock"}) | _STRONG  # ShareLock itself: another build, whose own lock it meets
_ANY = frozenset({"AccessShareLock", "RowShareLock", "RowExclusiveLock"}) | _STRONG
_GIVES_WAY = "autovacuum worker"
"""The server cancels it when somebody waits for its lock, unless it prevents wraparound."""
WORTH_A_WORD = 5.0
"""Seconds of a transaction below which a busy server always has some."""


@dataclass(frozen=True, slots=True)
class Waits:
    """For whom a kind of maintenance waits."""

    modes: frozenset[str]
    """Locks on its table that stand in its way, as pg_locks writes them."""
    snapshots: bool = False
    """And whoever has a snapshot, on whatever table."""


CREATE = Waits(_WRITING, snapshots=True)
REINDEX = Waits(_ANY, snapshots=True)
DROP = Waits(_ANY)
VACUUM = Waits(_STRONG)
REWRITE = Waits(_ANY)


@dataclass(frozen=True, slots=True)
class Open:
    """A transaction that is open."""

    kind: str
    """`session` or `prepared`."""
    id: str
    """pid, or the name of the prepared transaction."""
    owner: str
    application: str
    backend_type: str
    state: str
    snapshot: bool
    modes: frozenset[str]
    """Its locks on the table."""
    seconds: float | None
    """None: not visible to this role."""

    def holds_up(self, waits: Waits) -> bool:
        """Whether maintenance of that kind waits for it."""
        return bool(self.modes & waits.modes) or (waits.snapshots and self.snapshot)

    @property
    def in_words(self) -> str:
        """Who it is, and since when."""
        whose = f" of {self.owner}" if self.owner else ""
        since = f"open for {duration_text(self.seconds)}" if self.seconds is not None else "open, since when is hidden"
        if self.kind == "prepared":
            return clean_line(f"prepared transaction {self.id}{whose}, {since}")
        told = ", ".join(filter(None, (self.state or self.backend_type, self.application)))
        return clean_line(f"session {self.id}{whose} ({told}), {since}")

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.kind == "prepared":
            return "COMMIT PREPARED or ROLLBACK PREPARED it"
        return f"end its transaction, or the session: opsconsole db kill {self.id}"


@dataclass(frozen=True, slots=True)
class Way:
    """What is open before maintenance of one table."""

    open: tuple[Open, ...]
    """The longest first."""
    hidden: str = ""
    """The role that does not see the transactions of others; empty: it sees all."""

    def ahead(self, waits: Waits) -> list[Open]:
        """Those that maintenance of that kind waits for."""
        return [one for one in self.open if one.holds_up(waits)]


async def read_way(database: Database, table_oid: str) -> Way:
    """What is open now.

    Raises:
        SourceError: the database cannot be asked.
    """
    catalog = await database.catalog()
    codec = codec_of(catalog.settings.get("server_encoding", ""))
    rows = await database.rows("in_the_way", {"table": table_oid})
    return Way(tuple(_open(row, codec) for row in rows), "" if catalog.sees_all else catalog.role)


def objection(way: Way, waits: Waits, patience: float) -> str:
    """Why nothing is to be sent: a transaction that is older than the `patience` (seconds) with which it would be
    waited for. Empty where there is none."""
    old = [
        one
        for one in way.ahead(waits)
        if one.seconds is not None and one.seconds >= patience and one.backend_type != _GIVES_WAY
    ]
    if not old:
        return ""
    more = f", and {len(old) - 1} more" if len(old) > 1 else ""
    return (
        f"nothing was sent: it would wait for {old[0].in_words}{more}, and give up after {duration_text(patience)}; "
        f"{old[0].remedy}"
    )


def warnings(way: Way, waits: Waits) -> list[str]:
    """Whom it will wait for, one sentence each, and whom nobody can see from here."""
    ahead = [one for one in way.ahead(waits) if one.seconds is None or one.seconds >= WORTH_A_WORD or one.modes]
    found = [f"it waits for {one.in_words}" for one in ahead]
    if way.hidden:
        found.append(f"not known: transactions of other roles; grant pg_monitor to {clean_line(way.hidden)};")
    return found


def disk(bytes_needed: float | None, what: str) -> str:
    """What it takes of the disk. PostgreSQL tells nobody how much is free."""
    size = "an unknown amount" if bytes_needed is None else f"about {format_value(bytes_needed, 'bytes')}"
    free = "how much is free is not known: the server does not tell"
    return f"it needs {size} more on disk until it is done ({what}); {free}"


def lines(sentences: Iterable[str]) -> bytes:
    """Sentences as they stand in the output of an action, before what it does."""
    return "".join(f"-- {one}\n" for one in sentences).encode()


def _open(row: Row, codec: str) -> Open:
    kind = row.text("kind")
    modes: Sequence[object] = row.list("modes")
    return Open(
        kind=kind,
        id=row.text("id") if kind == "session" else row.encoded("id", codec),
        owner=row.encoded("owner", codec),
        application=row.encoded("application", codec),
        backend_type=row.text("backend_type"),
        state=row.text("state"),
        snapshot=row.flag("snapshot"),
        modes=frozenset(map(str, modes)),
        seconds=row.number("seconds"),
    )
