"""Sessions: who is connected, what each does, for how long, and what it waits for."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from opsconsole.database.asking import Database, Rows
from opsconsole.database.catalog import Catalog
from opsconsole.database.finding import NOTHING_HIDDEN, Coverage
from opsconsole.database.row import Row
from opsconsole.sources.postgres_cells import codec_of

MOST_SESSIONS = 5000
"""Rows of pg_stat_activity that are read; max_connections is rarely a tenth of that."""
CLIENT = "client backend"
OURS = "opsconsole"
"""What the application name of every console begins with."""

Key = Literal["state", "role", "application", "database", "client"]


@dataclass(frozen=True, slots=True)
class Session:
    """One row of pg_stat_activity. Durations are seconds by the server's clock, None where there is nothing to time."""

    pid: int
    backend_start: str
    """As the server writes it: with the pid it names the session and no later one."""
    kind: str
    """`client backend`, `autovacuum worker`, `walsender`, …; empty where this role may not see it."""
    leader: int | None
    """Of a parallel worker: the session that it works for."""
    state: str
    """`active`, `idle`, `idle in transaction`, …; empty for the server's own processes."""
    wait_type: str
    wait: str
    database: str
    role: str
    application: str
    client: str
    """Address; empty for a local socket."""
    query: str
    query_id: str
    query_seconds: float | None
    transaction_seconds: float | None
    state_seconds: float | None
    xmin_age: int | None
    """Transactions since the oldest one whose rows this session keeps from being cleaned up."""
    ours: bool
    """A console's own."""
    workers: tuple["Session", ...] = ()
    """The parallel workers that it leads."""

    @property
    def hidden(self) -> bool:
        """Another role's, of which this one may see no more than role, database and application."""
        return not self.kind

    @property
    def of_client(self) -> bool:
        """Whether it is a client's. Of a hidden one role and database tell: the server's own processes have none, or
        one of them. Hidden parallel workers count as well, for nothing tells them apart."""
        return self.kind == CLIENT or (self.hidden and bool(self.role and self.database))

    @property
    def origin(self) -> str:
        """Where its client is, for people: an address, or `local`; empty where that is hidden."""
        return self.client or ("" if self.hidden else "local")

    @property
    def doing(self) -> str:
        """Its state for people; of the server's own processes what they are."""
        return self.state or self.kind or "hidden"

    @property
    def idle_in_transaction(self) -> bool:
        """Holds locks and a snapshot, and does nothing."""
        return self.state.startswith("idle in transaction")

    @property
    def active(self) -> bool:
        """Whether a statement is under way."""
        return self.state in ("active", "fastpath function call")

    @property
    def seconds(self) -> float:
        """For how long it does what it does: in its statement, or in its transaction where that does nothing."""
        if self.active:
            return self.query_seconds or 0.0
        if self.idle_in_transaction and self.transaction_seconds is None:  # an aborted one has ended for the server
            return self.state_seconds or 0.0
        return self.transaction_seconds or 0.0


@dataclass(frozen=True, slots=True)
class Activity:
    """All sessions at one moment, parallel workers under their leaders."""

    sessions: tuple[Session, ...]
    taken_at: float
    """Unix seconds."""
    coverage: Coverage = NOTHING_HIDDEN

    def by_pid(self) -> Mapping[int, Session]:
        """Every session, workers too."""
        return {one.pid: one for session in self.sessions for one in (session, *session.workers)}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions are wanted; what is empty wants all."""

    state: str = ""
    role: str = ""
    application: str = ""
    database: str = ""
    least_seconds: float = 0.0
    background: bool = False
    """The server's own processes and the console's sessions as well."""

    def admits(self, session: Session) -> bool:
        """Whether `session` is wanted."""
        if not self.background and (not session.of_client or session.ours):
            return False
        wanted = ((self.state, session.state), (self.role, session.role), (self.database, session.database))
        return (
            all(not want or want == have for want, have in wanted)
            and self.application in session.application
            and session.seconds >= self.least_seconds
        )


@dataclass(frozen=True, slots=True)
class Group:
    """The sessions that have one thing in common."""

    name: str
    count: int
    active: int
    waiting: int
    idle_in_transaction: int
    longest_seconds: float


async def read_sessions(database: Database) -> Activity:
    """All sessions now.

    Raises:
        SourceError: the database cannot be asked.
    """
    catalog = await database.catalog()
    rows = await database.rows("sessions", most=MOST_SESSIONS)
    codec = codec_of(catalog.settings.get("server_encoding", "UTF8"))
    sessions = await asyncio.to_thread(_sessions, rows, codec)  # a thousand take longer than a key may wait
    return Activity(sessions, rows.taken_at, _coverage(catalog, cut=rows.truncated))


def _sessions(rows: Rows, codec: str) -> tuple[Session, ...]:
    by_pid = sorted(rows, key=lambda row: row.count("pid"))
    return under_leaders(_session(row, codec) for row in by_pid)


def under_leaders(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Parallel workers go under the session they work for; one whose leader is gone stands for itself."""
    listed = list(sessions)
    there = {one.pid for one in listed if one.leader in (None, one.pid)}
    led: dict[int, list[Session]] = {}
    for one in listed:
        if one.leader is not None and one.leader != one.pid and one.leader in there:
            led.setdefault(one.leader, []).append(one)
    workers = {one.pid for found in led.values() for one in found}
    return tuple(
        replace(one, workers=tuple(led[one.pid])) if one.pid in led else one for one in listed if one.pid not in workers
    )


def most_telling_first(sessions: Iterable[Session]) -> list[Session]:
    """Idle holders of a transaction and whoever waits for a lock before what merely runs; the longest first."""

    def rank(session: Session) -> tuple[int, float, int]:
        waiting = session.wait_type == "Lock" or session.idle_in_transaction
        return (0 if waiting else 1 if session.active else 2, -session.seconds, session.pid)

    return sorted(sessions, key=rank)


def grouped(sessions: Iterable[Session], key: Key) -> list[Group]:
    """The sessions by what they have in common under `key`, the largest group first."""
    found: dict[str, list[Session]] = {}
    for session in sessions:
        found.setdefault(getattr(session, key), []).append(session)
    groups = [_group(name, members) for name, members in found.items()]
    return sorted(groups, key=lambda group: (-group.count, group.name))


def _group(name: str, members: Sequence[Session]) -> Group:
    def count(holds: Callable[[Session], bool]) -> int:
        return sum(map(holds, members))

    return Group(
        name=name,
        count=len(members),
        active=count(lambda one: one.active),
        waiting=count(lambda one: one.wait_type == "Lock"),
        idle_in_transaction=count(lambda one: one.idle_in_transaction),
        longest_seconds=max(one.seconds for one in members),
    )


def _session(row: Row, codec: str) -> Session:
    # Names of databases and roles are of the encoding that they were made in; what is written into
    # pg_stat_activity by a session is of the encoding of its database.
    theirs = codec_of(row.text("encoding")) if row.text("encoding") else codec
    application = row.encoded("application", theirs)
    return Session(
        pid=row.count("pid"),
        backend_start=row.text("backend_start"),
        kind=row.text("backend_type"),
        leader=row.whole("leader_pid"),
        state=row.text("state"),
        wait_type=row.text("wait_event_type"),
        wait=row.text("wait_event"),
        database=row.encoded("database", codec),
        role=row.encoded("role", codec),
        application=application,
        client=row.text("client"),
        query=row.encoded("query", theirs),
        query_id=row.text("query_id"),
        query_seconds=_since(row, "query_start"),
        transaction_seconds=_since(row, "transaction_start"),
        state_seconds=_since(row, "state_change"),
        xmin_age=row.whole("xmin_age"),
        ours=row.flag("own") or application.partition("/")[0] == OURS,
    )


def _since(row: Row, column: str) -> float | None:
    """Seconds from that moment until the server was asked; never below zero, as its clock may be set back."""
    begun, asked = row.number(column), row.number("asked")
    return max(asked - begun, 0.0) if asked is not None and begun is not None else None


def _coverage(catalog: Catalog, *, cut: bool) -> Coverage:
    notes = []
    if not catalog.sees_all:
        notes.append(f"what sessions of other roles do is hidden: {catalog.grant()}")
    if catalog.settings.get("track_activities") == "off":
        notes.append("what sessions do is not tracked: alter system set track_activities = on;")
    if cut:
        notes.append(f"only the first {MOST_SESSIONS:,} sessions are shown")
    return Coverage(tuple(notes))
