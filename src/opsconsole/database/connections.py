"""Connections: how many there are, of how many there may be, who has them, and how large a pool would do.

The size of a pool follows from how many sessions are busy at once, not from how many are open. By Little's law the
mean number of busy ones is the time that statements took, divided by the time that passed; a pool takes a multiple of
that for the peaks, and at least as many as were seen busy.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from opsconsole.core.state import State
from opsconsole.database.asking import Database
from opsconsole.database.finding import NOTHING_HIDDEN, Coverage
from opsconsole.database.pooler import Pooler, read_pooler
from opsconsole.database.sessions import Activity, read_sessions

WARN_SHARE, CRIT_SHARE = 0.8, 0.95
"""Of the connections that applications can have; the usual thresholds of exporters' alert rules."""
PEAK_FACTOR = 3.0
"""How much busier than on average a pool is taken to become: arrivals are bursts."""
SMALLEST_POOL = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server allows."""

    most: int
    """max_connections."""
    reserved: int
    """Of these, kept for superusers and, from 16 on, for roles that may use reserved ones."""
    roles: Mapping[str, int]
    """Role -> the most connections it may have; those without a limit are not in it."""
    databases: Mapping[str, int]

    @property
    def usable(self) -> int:
        """By anybody."""
        return max(0, self.most - self.reserved)


@dataclass(frozen=True, slots=True)
class Connections:
    """How connections are used at one moment."""

    limits: Limits
    used: int
    """Client sessions. A role without rights counts them, too, but sees nothing of what they do."""
    activity: Activity
    busy_mean: float | None
    """Sessions in a statement, on average over `counted_seconds`; None before 14."""
    counted_seconds: float
    session_mean: float | None
    """Seconds that a session lasted; None before 14."""
    taken_at: float
    busy_peak: int = 0
    """The most that were seen busy at once, since somebody looks."""
    coverage: Coverage = NOTHING_HIDDEN
    database: str = ""
    """The one that was asked, as the server calls it."""
    pooler: Pooler | None = None
    """What stands before it; None: none is configured."""

    @property
    def share(self) -> float:
        """Of what anybody may use, 0 to 1 and above."""
        return self.used / self.limits.usable if self.limits.usable else 1.0

    @property
    def state(self) -> State:
        """By that share."""
        return State.CRIT if self.share >= CRIT_SHARE else State.WARN if self.share >= WARN_SHARE else State.OK

    @property
    def busy(self) -> int:
        """Client sessions in a statement now."""
        return sum(one.active for one in self.activity.sessions if one.of_client and not one.ours)


@dataclass(frozen=True, slots=True)
class PoolAdvice:
    """How many server connections a pool needs, and how that was reckoned."""

    size: int
    arithmetic: str


async def read_connections(database: Database, before: Connections | None = None) -> Connections:
    """How connections are used now; the peak goes on from `before`. A pooler is asked at the same time, and one that
    does not answer changes nothing for the rest.

    Raises:
        SourceError: the database cannot be asked.
    """
    looking = asyncio.ensure_future(read_pooler(database, before.pooler if before is not None else None))
    try:
        found = await _read(database, before)
        return replace(found, pooler=await looking)
    finally:
        looking.cancel()


async def _read(database: Database, before: Connections | None) -> Connections:
    row = (await database.rows("connections")).one
    activity = await read_sessions(database)
    counted = row.number("counted_seconds") or 0.0
    active, lasted = row.number("active_seconds"), row.number("session_seconds")
    sessions = row.whole("sessions")
    limits = Limits(
        most=row.count("most"),
        reserved=row.count("reserved") + row.count("reserved_role"),
        roles=_limits(row.list("role_limits")),
        databases=_limits(row.list("database_limits")),
    )
    found = Connections(
        limits=limits,
        used=row.count("used"),
        activity=activity,
        busy_mean=active / counted if active is not None and counted else None,
        counted_seconds=counted,
        session_mean=lasted / sessions if lasted is not None and sessions else None,
        taken_at=activity.taken_at,
        busy_peak=before.busy_peak if before is not None else 0,
        coverage=activity.coverage,
        database=(await database.catalog()).database,
    )
    return replace(found, busy_peak=max(found.busy_peak, found.busy))


def pool_advice(connections: Connections) -> PoolAdvice:
    """The size of a pool in front of this server, with the arithmetic."""
    parts = [f"{SMALLEST_POOL} at least"]
    sizes = [SMALLEST_POOL]
    if connections.busy_mean is not None:
        sizes.append(math.ceil(connections.busy_mean * PEAK_FACTOR))
        hours = connections.counted_seconds / 3600
        parts.append(
            f"{connections.busy_mean:.2f} busy on average over {hours:.1f} h x {PEAK_FACTOR:g} for peaks = {sizes[-1]}"
        )
    sizes.append(connections.busy_peak)
    parts.append(f"{connections.busy_peak} seen busy at once")
    most = max(sizes)
    size = min(most, connections.limits.usable)
    cut = f", no more than the {connections.limits.usable} that there may be" if size < most else ""
    return PoolAdvice(size, f"the most of: {'; '.join(parts)}{cut}")


def _limits(pairs: tuple[object, ...]) -> dict[str, int]:
    return {str(one[0]): int(one[1]) for one in pairs if isinstance(one, list) and len(one) == 2}
