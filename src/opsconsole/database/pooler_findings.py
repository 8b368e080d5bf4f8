"""What a pooler's pools say: who waits and why, what they may take of the server, and the arithmetic of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.connections import CRIT_SHARE, WARN_SHARE, Connections
from opsconsole.database.finding import Finding
from opsconsole.database.pooler import CRIT_WAIT, WARN_WAIT, Pool, PooledDatabase, Pooler

SLOW_TURN = 0.1
"""Seconds that a client waits each time, on average, from which people notice it."""
_STALE = "the pooler does not answer any more: this is what it said last"


@dataclass(frozen=True, slots=True)
class Reach:
    """What the pools before one server have of its connections, and may come to have."""

    now: int
    most: int
    arithmetic: str
    unknown: str = ""
    """Why it cannot be said; the rest means nothing then."""


def reach(pooler: Pooler, database: str) -> Reach:
    """Of the server that has `database`, as the pooler's entries lead there.

    PgBouncer opens a pool for each database and user; those that are there now are counted. A user that comes later
    makes one more.
    """
    servers = {one.server for one in pooler.databases if one.database == database}
    if len(servers) != 1:
        why = "none leads" if not servers else f"entries for {len(servers)} servers lead"
        return Reach(0, 0, "", f"which of the pooler's entries are this server's is not known: {why} to {database}")
    entries = [one for one in pooler.databases if one.server in servers]
    if any(pool.size is None for one in entries for pool in _pools_of(pooler, one)):
        return Reach(0, 0, "", "the size of a pool is not told, so what all may take is not known")
    parts = [_most_of(pooler, one) for one in entries]
    most = sum(number for number, _ in parts)
    now = sum(pool.servers for one in entries for pool in _pools_of(pooler, one))
    return Reach(now, most, f"{'; '.join(text for _, text in parts)}; together {most}")


def pooler_findings(connections: Connections) -> Iterator[Finding]:
    """Everything about the pooler that somebody should know; nothing where none is configured or it never answered."""
    pooler = connections.pooler
    if pooler is None or pooler.taken_at is None:
        return
    for database in pooler.databases:
        yield from _closed(pooler, database)
    for pool in pooler.pools:
        yield from _waiting(connections, pooler, pool)
        yield from _reserve(pooler, pool)
        yield from _role_limit(connections, pooler, pool)
    yield from _sum(connections, pooler)
    yield from _clients(pooler)
    yield from _turns(pooler)


def _closed(pooler: Pooler, database: PooledDatabase) -> Iterator[Finding]:
    waiting = sum(pool.waiting for pool in _pools_of(pooler, database))
    if database.paused:
        yield _finding(
            pooler, "pool-paused", State.WARN, database.name, "the pooler is paused for it",
            f"{_clients_wait(waiting)}; PgBouncer gives them no server connection until somebody resumes",
            f"when the work it was paused for is done, on the admin console: RESUME {database.name};",
            waiting=waiting,
        )  # fmt: skip
    if database.disabled:
        yield _finding(
            pooler, "pool-disabled", State.WARN, database.name, "the pooler refuses new clients for it",
            "somebody disabled it; clients that were there go on",
            f"on the admin console: ENABLE {database.name};",
        )  # fmt: skip


def _waiting(connections: Connections, pooler: Pooler, pool: Pool) -> Iterator[Finding]:
    """Clients that wait long enough to be noticed; bursts below that are what a pool is for."""
    wait = pool.longest_wait or 0.0
    if not pool.waiting or wait < WARN_WAIT or pool.paused:
        return
    size = "an unknown number" if pool.size is None else str(pool.size)
    why = f"{_clients_wait(pool.waiting)}, the first for {duration_text(wait)}; {pool.busy} of {size} servers are busy"
    limit = "" if pool.full else _other_limit(pooler, pool)
    yield _finding(
        pooler,
        "pool-full" if pool.full else "pool-starved",
        State.CRIT if wait >= CRIT_WAIT else State.WARN,
        pool.name,
        "the pool is at its limit" if pool.full else "clients wait, and the pool is not at its limit",
        f"{why}; {limit}" if limit else why,
        _ways_out(connections, pooler, pool) if pool.full else "remove what holds it back; more pool_size does not",
        caveats=() if pooler.wait_timeout is None else (
            f"PgBouncer drops who waits longer than query_wait_timeout, {duration_text(pooler.wait_timeout)}",
        ),
        waiting=pool.waiting, wait=wait, servers=pool.servers, size=pool.size,
    )  # fmt: skip


def _ways_out(connections: Connections, pooler: Pooler, pool: Pool) -> str:
    """What would let them through, each with its numbers."""
    ways = []
    here = _server_of(pooler, pool)
    idle = [one for one in pooler.pools if one is not pool and one.spare and _server_of(pooler, one) == here]
    if idle:
        named = " + ".join(f"{one.spare} of {one.name}" for one in idle)
        total = sum(one.spare for one in idle)
        ways.append(f"{named} = {total} servers stand idle before the same server: give this pool some of their size")
    limits = connections.limits
    free = limits.usable - connections.used
    reckoned = f"{limits.usable} usable - {connections.used} used = {free}"
    if not _is_here(connections, pooler, pool):
        ways.append("whether its server has room for more is not known: it is not the one that was asked")
    elif free > 0:
        ways.append(f"the server has room for {free} ({reckoned}): raise pool_size, where it has the cores for more")
    else:
        ways.append(f"the server has no room ({reckoned}): shorter transactions, or smaller pools elsewhere")
    if pool.mode == "session":
        ways.append("in session mode a client keeps its server until it hangs up: transaction mode needs fewer")
    return "; ".join(ways)


def _other_limit(pooler: Pooler, pool: Pool) -> str:
    """What holds back a pool that could grow by its own size."""
    entry = _entry(pooler, pool)
    if entry is not None and entry.most is not None and (entry.current or 0) >= entry.most:
        return f"its database has {entry.current} of max_db_connections {entry.most}"
    theirs = sum(one.servers for one in pooler.pools if one.user == pool.user)
    if pooler.most_per_user is not None and theirs >= pooler.most_per_user:
        return f"its user has {theirs} of max_user_connections {pooler.most_per_user}"
    if pool.servers_login:
        return f"{pool.servers_login} are being opened: the server is slow to let them in, or refuses; see both logs"
    return "what holds them back is not told: the server may refuse new connections; the pooler's log says"


def _reserve(pooler: Pooler, pool: Pool) -> Iterator[Finding]:
    if not pool.reserve_used:
        return
    after = "" if pooler.reserve_timeout is None else f" longer than {duration_text(pooler.reserve_timeout)}"
    yield _finding(
        pooler, "pool-reserve", State.WARN, pool.name, "the pool lives on its reserve",
        f"{pool.servers} servers - {pool.size} of its size = {pool.reserve_used} of a reserve of {pool.reserve}; "
        f"it is opened when somebody has waited{after}",
        "what the reserve does every day belongs into pool_size",
        servers=pool.servers, size=pool.size, reserve=pool.reserve,
    )  # fmt: skip


def _role_limit(connections: Connections, pooler: Pooler, pool: Pool) -> Iterator[Finding]:
    entry = _entry(pooler, pool)
    role = (entry.user if entry is not None else "") or pool.user
    most = connections.limits.roles.get(role)
    if most is None or pool.size is None or pool.size <= most or not _is_here(connections, pooler, pool):
        return
    yield _finding(
        pooler, "pool-role-limit", State.WARN, pool.name, "the pool is larger than its role may be",
        f"pool_size {pool.size} > {most}, the connection limit of role {role}: the server refuses the rest",
        f"a pool_size of {most} at most, or a higher limit of the role",
        size=pool.size, limit=most,
    )  # fmt: skip


def _sum(connections: Connections, pooler: Pooler) -> Iterator[Finding]:
    found = reach(pooler, connections.database)
    usable = connections.limits.usable
    if found.unknown or found.most <= usable:
        return
    yield _finding(
        pooler, "pool-sum", State.WARN, "PgBouncer", "the pools may take more connections than the server has",
        f"{found.arithmetic} > {usable} usable ({connections.limits.most} max_connections - "
        f"{connections.limits.reserved} reserved); {found.now} are open now",
        "smaller pools, or max_db_connections: more than the server can work on at once helps nobody",
        caveats=("counted are the users that have a pool now; each further one adds another",),
        most=found.most, usable=usable, now=found.now,
    )  # fmt: skip


def _clients(pooler: Pooler) -> Iterator[Finding]:
    if pooler.clients is None or not pooler.most_clients:
        return
    share = pooler.clients / pooler.most_clients
    if share < WARN_SHARE:
        return
    yield _finding(
        pooler, "pooler-clients", State.CRIT if share >= CRIT_SHARE else State.WARN, "PgBouncer",
        "the pooler itself is nearly full",
        f"{pooler.clients} clients of max_client_conn {pooler.most_clients} "
        f"({format_value(share, 'percentunit')}); beyond that it refuses them",
        "raise max_client_conn (and the limit of open files), or look for who opens so many",
        clients=pooler.clients, most=pooler.most_clients,
    )  # fmt: skip


def _turns(pooler: Pooler) -> Iterator[Finding]:
    """Waiting on average, which a look at one moment does not see."""
    for one in pooler.traffic:
        if one.wait_seconds is not None and one.wait_seconds >= SLOW_TURN:
            said = f"a client waits {duration_text(one.wait_seconds)} for a server connection each time"
        elif one.waits_per_second is not None and one.waits_per_second >= 1.0:
            said = f"clients waited {one.waits_per_second:.1f} s in each second: so many always wait"
        else:
            continue
        query = "" if one.query_seconds is None else f"; a query takes {duration_text(one.query_seconds)}"
        yield _finding(
            pooler, "pool-waits", State.WARN, one.database, "its clients wait for server connections",
            f"{said}, on average over the pooler's last stats_period{query}",
            "shorter transactions first; then a larger pool_size, where the server has room",
            wait_seconds=one.wait_seconds, waits_per_second=one.waits_per_second,
        )  # fmt: skip


def _finding(
    pooler: Pooler, kind: str, state: State, subject: str, title: str, why: str, advice: str, *,
    caveats: tuple[str, ...] = (), **evidence: object,
) -> Finding:  # fmt: skip
    if pooler.failed:
        caveats = (*caveats, _STALE)
    return Finding(kind, state, subject, title, why, advice, evidence=evidence, caveats=caveats)


def _most_of(pooler: Pooler, database: PooledDatabase) -> tuple[int, str]:
    """The server connections that one entry's pools may have, and how that was reckoned."""
    pools = _pools_of(pooler, database)
    sizes = [(pool.size or 0) + (pool.reserve or 0) for pool in pools] or [
        (database.size or 0) + (database.reserve or 0)
    ]
    most = sum(sizes)
    text = f"{database.name}: {' + '.join(map(str, sizes))}"
    text += f" = {most}" if len(sizes) > 1 else ""
    if pooler.most_per_user is not None and len(sizes) * pooler.most_per_user < most:
        most = len(sizes) * pooler.most_per_user
        text += f", no more than {len(sizes)} x max_user_connections {pooler.most_per_user} = {most}"
    if database.most is not None and database.most < most:
        most = database.most
        text += f", no more than max_db_connections {most}"
    return most, text


def _pools_of(pooler: Pooler, database: PooledDatabase) -> list[Pool]:
    return [pool for pool in pooler.pools if pool.database == database.name]


def _entry(pooler: Pooler, pool: Pool) -> PooledDatabase | None:
    return next((one for one in pooler.databases if one.name == pool.database), None)


def _server_of(pooler: Pooler, pool: Pool) -> tuple[str, int | None] | None:
    entry = _entry(pooler, pool)
    return entry.server if entry is not None else None


def _is_here(connections: Connections, pooler: Pooler, pool: Pool) -> bool:
    """Whether the pool leads to the server that `connections` are of, as far as that can be known."""
    servers = {one.server for one in pooler.databases if one.database == connections.database}
    return len(servers) == 1 and _server_of(pooler, pool) in servers


def _clients_wait(count: int) -> str:
    return "nobody waits now" if not count else "1 client waits" if count == 1 else f"{count} clients wait"
