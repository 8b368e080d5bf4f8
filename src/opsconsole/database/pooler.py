"""PgBouncer before a database: its pools, who waits for a server connection, and what they may take of the server.

Columns are looked up by their names, for versions 1.12 to 1.25 have different ones; what a version does not tell is
None, never zero, and said once in the coverage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Cell
from opsconsole.database.asking import Database
from opsconsole.database.finding import NOTHING_HIDDEN, Coverage

OWN = "pgbouncer"
"""The database under which the pooler offers its own console: no pool of ours."""
WARN_WAIT, CRIT_WAIT = 1.0, 10.0
"""Seconds that a client waits for a server connection: people notice the first, and time-outs of applications begin
with the second (PgBouncer itself gives up after query_wait_timeout, 120 s)."""
MICROSECONDS = 1e6

_WAITING_SERVERS = ("sv_active_cancel", "sv_being_canceled")


@dataclass(frozen=True, slots=True)
class Pool:
    """The server connections of one database and user, and the clients that share them. None: not told."""

    database: str
    user: str
    mode: str
    """`session`, `transaction`, `statement`."""
    clients_active: int | None
    clients_waiting: int | None
    """Have sent something, and have no server connection yet."""
    servers_active: int | None
    servers_idle: int | None
    servers_used: int | None
    """Idle for longer than server_check_delay: looked at before they are used again."""
    servers_tested: int | None
    servers_login: int | None
    """Being opened."""
    servers_cancelling: int | None
    """Kept busy by the cancellation of a statement; before 1.18 they are among the others."""
    longest_wait: float | None
    """Seconds, of those that wait now."""
    size: int | None
    """Server connections that it may have."""
    reserve: int | None
    """Server connections beyond that, for who waited longer than reserve_pool_timeout."""
    paused: bool
    disabled: bool

    @property
    def name(self) -> str:
        """As people write it: `app / api`."""
        return f"{self.database} / {self.user}"

    @property
    def servers(self) -> int:
        """Server connections that it has, in whatever state."""
        parts = (
            self.servers_active, self.servers_idle, self.servers_used, self.servers_tested, self.servers_login,
            self.servers_cancelling,
        )  # fmt: skip
        return sum(part or 0 for part in parts)

    @property
    def spare(self) -> int:
        """Server connections that do nothing."""
        return (self.servers_idle or 0) + (self.servers_used or 0)

    @property
    def busy(self) -> int:
        """Server connections that somebody has."""
        return self.servers - self.spare - (self.servers_login or 0)

    @property
    def waiting(self) -> int:
        """Clients that wait."""
        return self.clients_waiting or 0

    @property
    def full(self) -> bool:
        """All connections that it may have without the reserve are there and busy."""
        return bool(self.size) and self.busy >= (self.size or 0)

    @property
    def reserve_used(self) -> int:
        """Server connections beyond its size."""
        return max(0, self.servers - self.size) if self.size is not None and self.reserve else 0

    @property
    def state(self) -> State:
        """By how long somebody waits."""
        wait = self.longest_wait or 0.0
        if self.waiting and wait >= CRIT_WAIT:
            return State.CRIT
        return State.WARN if (self.waiting and wait >= WARN_WAIT) or self.paused or self.disabled else State.OK


@dataclass(frozen=True, slots=True)
class PooledDatabase:
    """One entry of the pooler's section `databases`."""

    name: str
    host: str
    """Empty: a socket."""
    port: int | None
    database: str
    """As the server calls it."""
    user: str
    """All clients share this one's pool; empty: each has a pool of its own."""
    size: int | None
    reserve: int | None
    most: int | None
    """Server connections of all its pools together; None: no limit."""
    current: int | None
    paused: bool
    disabled: bool

    @property
    def server(self) -> tuple[str, int | None]:
        """Where it leads to."""
        return self.host, self.port


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went through one database, on average over the pooler's last stats_period."""

    database: str
    transactions: float | None
    """A second."""
    query_seconds: float | None
    """Of one query."""
    wait_seconds: float | None
    """That a client waited for a server connection each time it got one; told from 1.23 on."""
    waits_per_second: float | None
    """Seconds that all clients together waited, per second: 1 is one that always waits; told before 1.23."""


@dataclass(frozen=True, slots=True)
class Pooler:
    """One reading of a pooler."""

    version: str = ""
    pools: tuple[Pool, ...] = ()
    databases: tuple[PooledDatabase, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    clients: int | None = None
    """Connected to the pooler, the console's own among them."""
    most_clients: int | None = None
    """max_client_conn."""
    most_per_user: int | None = None
    """max_user_connections; None: no limit."""
    mode: str = ""
    """Of a database that says nothing else."""
    wait_timeout: float | None = None
    """query_wait_timeout, seconds; None: they wait for ever."""
    reserve_timeout: float | None = None
    taken_at: float | None = None
    """Unix seconds; None: it has not answered yet."""
    failed: str = ""
    """Why the latest try brought nothing; what is here is of `taken_at` then."""
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def state(self) -> State:
        """The worst of its pools; UNKNOWN where it never answered, STALE where it does not any more."""
        if self.failed:
            return State.UNKNOWN if self.taken_at is None else State.STALE
        return max((pool.state for pool in self.pools), key=lambda state: state.severity, default=State.OK)

    @property
    def servers(self) -> int:
        """Server connections of all pools."""
        return sum(pool.servers for pool in self.pools)

    @property
    def waiting(self) -> int:
        """Clients that wait in all pools."""
        return sum(pool.waiting for pool in self.pools)


async def read_pooler(database: Database, before: Pooler | None = None) -> Pooler | None:
    """The pooler that stands before `database` now; None where none is configured. Never raises for the pooler: one
    that does not answer is what was known `before`, and why.
    """
    if not database.pooler:
        return None
    try:
        asked = {what: await database.ask_pooler(f"SHOW {what}") for what in _ASKED}
    except SourceError as error:
        why = error.message + (f" ({error.hint})" if error.hint else "")
        return replace(before or Pooler(), failed=why)
    return pooler_of({what: rows for what, (rows, _) in asked.items()}, min(at for _, at in asked.values()))


def pooler_coverage(pooler: Pooler) -> Coverage:
    """What could not be seen of it."""
    silent = (f"the pooler does not answer: {pooler.failed}",) if pooler.failed else ()
    return Coverage(silent) + pooler.coverage


_ASKED = ("VERSION", "CONFIG", "LISTS", "DATABASES", "USERS", "STATS", "POOLS")
"""The pools last: what is looked up for them is there by then."""
Record = Mapping[str, Cell]


def pooler_of(asked: Mapping[str, Sequence[Record]], taken_at: float | None) -> Pooler:
    """The reading that the rows of each command make; a command or a column may be missing."""
    config = {str(row.get("key")): row.get("value") for row in asked.get("CONFIG", ())}
    lists = {str(row.get("list")): row.get("items") for row in asked.get("LISTS", ())}
    version = next((str(next(iter(row.values()))) for row in asked.get("VERSION", ())), "")
    mode = str(config.get("pool_mode") or "")
    entries = {one.name: one for one in map(_database, asked.get("DATABASES", ())) if one.name != OWN}
    sizes = own_sizes(asked.get("USERS", ()))
    pools = tuple(
        _pool(row, entries.get(str(row.get("database"))), sizes, mode)
        for row in asked.get("POOLS", ())
        if row.get("database") != OWN
    )
    return Pooler(
        version=version.removeprefix("PgBouncer ").strip(),
        pools=tuple(sorted(pools, key=lambda pool: (-pool.waiting, -(pool.longest_wait or 0.0), pool.name))),
        databases=tuple(entries.values()),
        traffic=tuple(_traffic(row) for row in asked.get("STATS", ()) if row.get("database") != OWN),
        clients=_whole(lists, "used_clients"),
        most_clients=_whole(config, "max_client_conn"),
        most_per_user=_whole(config, "max_user_connections") or None,
        mode=mode,
        wait_timeout=_number(config, "query_wait_timeout") or None,
        reserve_timeout=_number(config, "reserve_pool_timeout"),
        taken_at=taken_at,
        coverage=_coverage(asked),
    )


def own_sizes(users: Sequence[Record]) -> dict[str, int | None]:
    """The pool sizes that users have for themselves (from 1.23 on); None where that is not certain.

    PgBouncer does not clear the text between two rows: a user without a size shows the one of the user before it
    (`admin_show_users`, to 1.25 at least). A size is certain where it differs from the one before.
    """
    found: dict[str, int | None] = {}
    before: int | None = None
    for row in users:
        size = _whole(row, "pool_size")
        if size is not None:
            found[_text(row, "name")] = None if size == before else size
        before = size
    return found


def _pool(row: Record, entry: PooledDatabase | None, own_sizes: Mapping[str, int | None], mode: str) -> Pool:
    wait, beyond = _number(row, "maxwait"), _number(row, "maxwait_us")
    cancelling = [_whole(row, name) for name in _WAITING_SERVERS]
    user = _text(row, "user")
    size = entry.size if entry is not None else None
    return Pool(
        database=_text(row, "database"),
        user=user,
        mode=_text(row, "pool_mode") or mode,
        clients_active=_whole(row, "cl_active"),
        clients_waiting=_whole(row, "cl_waiting"),
        servers_active=_whole(row, "sv_active"),
        servers_idle=_whole(row, "sv_idle"),
        servers_used=_whole(row, "sv_used"),
        servers_tested=_whole(row, "sv_tested"),
        servers_login=_whole(row, "sv_login"),
        servers_cancelling=None if None in cancelling else sum(one or 0 for one in cancelling),
        longest_wait=None if wait is None else wait + (beyond or 0.0) / MICROSECONDS,
        size=own_sizes.get(user, size),
        reserve=entry.reserve if entry is not None else None,
        paused=entry is not None and entry.paused,
        disabled=entry is not None and entry.disabled,
    )


def _database(row: Record) -> PooledDatabase:
    reserve = _whole(row, "reserve_pool")
    return PooledDatabase(
        name=_text(row, "name"),
        host=_text(row, "host"),
        port=_whole(row, "port"),
        database=_text(row, "database"),
        user=_text(row, "force_user"),
        size=_whole(row, "pool_size"),
        reserve=_whole(row, "reserve_pool_size") if reserve is None else reserve,  # renamed in 1.24
        most=_whole(row, "max_connections") or None,
        current=_whole(row, "current_connections"),
        paused=bool(_whole(row, "paused")),
        disabled=bool(_whole(row, "disabled")),
    )


def _traffic(row: Record) -> Traffic:
    query, wait = (
        None if (value := _number(row, name)) is None else value / MICROSECONDS
        for name in ("avg_query_time", "avg_wait_time")
    )
    each = "avg_server_assignment_count" in row
    return Traffic(
        database=_text(row, "database"),
        transactions=_number(row, "avg_xact_count"),
        query_seconds=query,
        wait_seconds=wait if each else None,
        waits_per_second=None if each else wait,
    )


_NEEDED = {
    "POOLS": ("cl_active", "cl_waiting", "sv_active", "sv_idle", "sv_used", "sv_login", "maxwait", "maxwait_us"),
    "DATABASES": ("pool_size", "max_connections", "paused", "disabled"),
    "STATS": ("avg_query_time", "avg_wait_time"),
}


def _coverage(asked: Mapping[str, Sequence[Record]]) -> Coverage:
    """What this version does not tell."""
    notes = [
        f"this version of PgBouncer does not tell, in SHOW {what}: {', '.join(missing)}"
        for what, names in _NEEDED.items()
        for row in asked.get(what, ())[:1]
        if (missing := [name for name in names if name not in row])
    ]
    if unsure := [name for name, size in own_sizes(asked.get("USERS", ())).items() if size is None]:
        notes.append(
            f"the size of the pools of {', '.join(unsure[:5])} is not known: SHOW USERS repeats another user's"
        )
    return Coverage(tuple(notes)) if notes else NOTHING_HIDDEN


def _text(row: Record, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _number(row: Record, name: str) -> float | None:
    """A number; settings come as texts."""
    value = row.get(name)
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _whole(row: Record, name: str) -> int | None:
    value = _number(row, name)
    return None if value is None else int(value)
