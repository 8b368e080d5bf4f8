"""Who blocks whom: the waiters' edges from the server, and everything that follows from them.

The server names for each waiter those that stand in its way. What a tree needs beyond that is made here: holders that
do nothing at all, prepared transactions, which have no process, and cycles, which have no root until the server breaks
them. The answer is no snapshot: a session that it names may be gone, and is shown as such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.database.asking import Database
from opsconsole.database.finding import NOTHING_HIDDEN, Coverage
from opsconsole.database.sessions import Activity, Session, read_sessions
from opsconsole.sources.postgres_cells import codec_of

Node = str
"""`8123` for a session, `2PC NAME` for a prepared transaction."""

HIDDEN_NAME = "(name not visible)"
"""Stands for the name of a prepared transaction that cannot be found out."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """A session that waits for a lock."""

    pid: int
    blocked_by: tuple[Node, ...]
    seconds: float | None
    """Since when it waits; None where the server does not tell (before 14)."""
    wanted: str
    """The lock: `AccessExclusiveLock on app.readings`."""


@dataclass(frozen=True, slots=True)
class Member:
    """One node of a tree, where it stands in it."""

    node: Node
    under: Node
    """Whom it waits for; empty for the root."""
    goes_on: tuple[bool, ...]
    """For each level from the root down to it: whether more nodes follow at that level. What draws the lines."""
    session: Session | None
    """None for a prepared transaction, and for a session that was gone when it was looked at."""
    waiter: Waiter | None
    """None for the root."""

    @property
    def depth(self) -> int:
        """0 for the root."""
        return len(self.goes_on)


@dataclass(frozen=True, slots=True)
class Root:
    """One that waits for nobody, and holds up others."""

    members: tuple[Member, ...]
    """The whole tree as it is read: the root, then each node right above those that wait for it."""
    frees: int
    """How many sessions go on when it ends, directly or once those before them are through. Who waits for somebody else
    as well does not."""
    longest_seconds: float
    """Of those that wait."""

    @property
    def top(self) -> Member:
        """The root itself."""
        return self.members[0]

    @property
    def effect(self) -> str:
        """What ending it would do, in words."""
        name = self.top.node
        if not self.frees:
            return f"ending {name} alone frees nobody: who waits for it waits for others, too"
        them = "1 session" if self.frees == 1 else f"{self.frees} sessions"
        what = f"ending {name}" if not name.startswith("2PC ") else f"rolling back {name}"
        return f"{what} frees {them}; the longest has waited {duration_text(self.longest_seconds)}"


@dataclass(frozen=True, slots=True)
class BlockingGraph:
    """All waiting at one moment."""

    roots: tuple[Root, ...]
    """The worst first."""
    cycles: tuple[tuple[Node, ...], ...]
    """Deadlocks that are forming, each node before the one that it waits for; the server ends one session of each
    within deadlock_timeout."""
    waiters: tuple[Waiter, ...]
    taken_at: float
    coverage: Coverage = NOTHING_HIDDEN

    @property
    def behind_cycles(self) -> tuple[Waiter, ...]:
        """Those that wait for a deadlock to be broken, and are no part of it themselves."""
        shown = {one.node for root in self.roots for one in root.members} | {
            one for part in self.cycles for one in part
        }
        return tuple(one for one in self.waiters if str(one.pid) not in shown)


async def read_blocking(database: Database) -> BlockingGraph:
    """Who waits for whom now.

    Raises:
        SourceError: the database cannot be asked.
    """
    rows = await database.rows("waiters")
    codec = codec_of((await database.catalog()).settings.get("server_encoding", ""))
    activity = await read_sessions(database)
    waiters = tuple(
        Waiter(
            row.count("pid"),
            _blockers(row.list("blocked_by"), [_prepared_name(one, codec) for one in row.list("holders")]),
            row.number("seconds"),
            row.text("wanted"),
        )
        for row in rows
    )
    return blocking_graph(waiters, activity)


def blocking_graph(waiters: Sequence[Waiter], activity: Activity) -> BlockingGraph:
    """The trees and cycles that the edges make; parallel workers count as the session they work for."""
    merged = _by_leader(waiters, activity)
    blocks: dict[Node, list[Node]] = {}
    for node, waiter in merged.items():
        for blocker in waiter.blocked_by:
            blocks.setdefault(blocker, []).append(node)
    cycles = _cycles(merged)
    sessions = activity.by_pid()
    tops = [node for node in blocks if node not in merged]
    roots = [_root(node, blocks, merged, sessions) for node in tops]
    roots.sort(key=lambda root: (-root.frees, -root.longest_seconds, root.top.node))
    return BlockingGraph(tuple(roots), cycles, tuple(merged.values()), activity.taken_at, activity.coverage)


def _blockers(pids: Sequence[int], prepared: Sequence[str]) -> tuple[Node, ...]:
    found = [str(pid) for pid in dict.fromkeys(pids) if pid]
    if 0 in pids:
        found += [f"2PC {clean_line(gid, limit=200)}" for gid in prepared] or [f"2PC {HIDDEN_NAME}"]
    return tuple(found)


def _prepared_name(told: Sequence[str], codec: str) -> str:
    """The name of a prepared transaction, of the digits of its bytes and the encoding of its database."""
    digits, encoding = told
    return bytes.fromhex(digits).decode(codec_of(encoding) if encoding else codec, errors="replace")


def _by_leader(waiters: Sequence[Waiter], activity: Activity) -> dict[Node, Waiter]:
    leaders = {str(one.pid): str(session.pid) for session in activity.sessions for one in session.workers}
    merged: dict[Node, Waiter] = {}
    for waiter in waiters:
        node = leaders.get(str(waiter.pid), str(waiter.pid))
        blockers = [leaders.get(one, one) for one in waiter.blocked_by]
        earlier = merged.get(node)
        if earlier is not None:
            blockers = [*earlier.blocked_by, *blockers]
        kept = tuple(one for one in dict.fromkeys(blockers) if one != node)
        seconds = max((one.seconds for one in (earlier, waiter) if one and one.seconds is not None), default=None)
        merged[node] = Waiter(int(node), kept, seconds, waiter.wanted)
    return {node: waiter for node, waiter in merged.items() if waiter.blocked_by}


def _root(
    top: Node, blocks: Mapping[Node, list[Node]], waiters: Mapping[Node, Waiter], sessions: Mapping[int, Session]
) -> Root:
    members: list[Member] = []
    seen = {top}
    ahead: list[tuple[Node, Node, tuple[bool, ...]]] = [(top, "", ())]
    while ahead:
        node, under, goes_on = ahead.pop()
        session = sessions.get(int(node)) if node.isdecimal() else None
        members.append(Member(node, under, goes_on, session, waiters.get(node)))
        below = [one for one in blocks.get(node, ()) if one not in seen]
        seen.update(below)
        ahead += [(one, node, (*goes_on, one != below[-1])) for one in reversed(below)]
    longest = max((_waited(one.waiter, sessions) for one in members if one.waiter is not None), default=0.0)
    return Root(tuple(members), _freed(top, members), longest)


def _freed(top: Node, members: Sequence[Member]) -> int:
    """How many of `members` wait for nobody once `top` and those freed before them are gone."""
    gone = {top}
    ahead = {one.node: one.waiter for one in members if one.waiter is not None}
    while now := [node for node, waiter in ahead.items() if gone.issuperset(waiter.blocked_by)]:
        gone.update(now)
        for node in now:
            del ahead[node]
    return len(gone) - 1


def _waited(waiter: Waiter, sessions: Mapping[int, Session]) -> float:
    """Seconds; where the server does not say, what its statement has taken is the most that it can be."""
    if waiter.seconds is not None:
        return waiter.seconds
    session = sessions.get(waiter.pid)
    return session.query_seconds or 0.0 if session is not None else 0.0


def _cycles(waiters: Mapping[Node, Waiter]) -> tuple[tuple[Node, ...], ...]:
    """A cycle of each strongly connected part, beginning with its least node."""
    edges = {node: [one for one in waiter.blocked_by if one in waiters] for node, waiter in waiters.items()}
    back: dict[Node, list[Node]] = {node: [] for node in edges}
    for node, blockers in edges.items():
        for blocker in blockers:
            back[blocker].append(node)
    # Kosaraju's way: nodes by the end of a search along the edges, then searches against them, the last one first.
    ended: list[Node] = []
    _search(edges, edges, set(), ended)
    parts: list[list[Node]] = []
    seen: set[Node] = set()
    for node in reversed(ended):
        if node not in seen:
            part: list[Node] = []
            _search({node: []}, back, seen, part)
            parts.append(part)
    return tuple(sorted(_loop(set(part), edges) for part in parts if len(part) > 1))


def _loop(part: set[Node], edges: Mapping[Node, list[Node]]) -> tuple[Node, ...]:
    """A way through `part` along the edges that comes back to where it began."""
    path = [min(part, key=int)]
    while (following := next(one for one in edges[path[-1]] if one in part)) not in path:
        path.append(following)
    loop = path[path.index(following) :]
    least = loop.index(min(loop, key=int))
    return (*loop[least:], *loop[:least])


def _search(
    starts: Mapping[Node, object], edges: Mapping[Node, list[Node]], seen: set[Node], ended: list[Node]
) -> None:
    """Depth first from each of `starts`; a node joins `ended` when all that it leads to has."""
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(edges[start]))]
        while path:
            node, ahead = path[-1]
            following = next((one for one in ahead if one not in seen), None)
            if following is None:
                ended.append(node)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(edges[following])))
