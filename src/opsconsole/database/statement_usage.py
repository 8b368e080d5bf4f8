"""What statements did over a span of time: since their counters began, or between two snapshots."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from opsconsole.database.finding import Coverage
from opsconsole.database.statements import Counters, Entry, Key, Snapshot

SLOW = 1.0
"""Seconds. Of a mean: the statement is slow; of the most it ever took: it can be."""
N_PLUS_ONE_RATE = 50.0
"""Calls a second from which one-row look-ups are suspected to be a loop of the application."""
N_PLUS_ONE_ROWS = (0.5, 1.5)
"""Rows per call of such a look-up."""
N_PLUS_ONE_MEAN = 0.005
"""Seconds: each is quick, which is why nobody notices."""
N_PLUS_ONE_SHARE = 0.05
"""Of all execution time, from which it is worth a change: together they are not quick."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one statement did over `seconds`."""

    key: Key
    user: str
    database: str
    counters: Counters
    seconds: float | None
    """The span; None where the server does not say since when it counts."""
    stddev: float
    """Seconds, of the calls within the span."""
    most: float
    """Seconds that the slowest call took since the statement is counted, which may be before the span."""
    share: float = 0.0
    """Of the execution time of all statements in the span, hidden ones too; 0 to 1."""
    restarted: bool = False
    """Its counters began anew within the span: it did at least this much."""
    text: str = ""

    @property
    def mean(self) -> float:
        """Seconds of a call."""
        return self.counters.total / self.counters.calls if self.counters.calls else 0.0

    @property
    def rate(self) -> float | None:
        """Calls a second."""
        return self.counters.calls / self.seconds if self.seconds else None

    @property
    def rows_per_call(self) -> float:
        """Rows returned or changed by a call."""
        return self.counters.rows / self.counters.calls if self.counters.calls else 0.0

    @property
    def blocks_per_call(self) -> float:
        """Shared blocks looked at by a call."""
        return self.counters.shared / self.counters.calls if self.counters.calls else 0.0

    @property
    def slow(self) -> bool:
        """Whether a call takes more than a second, usually or at its worst."""
        return self.mean > SLOW or self.most > SLOW

    @property
    def slow_at_worst(self) -> bool:
        """Whether only its slowest call was slow."""
        return self.slow and self.mean <= SLOW

    @property
    def n_plus_one(self) -> bool:
        """Whether it looks like a query in a loop: very often, about one row, quick, and dear in sum."""
        least, most = N_PLUS_ONE_ROWS
        return (
            (self.rate or 0.0) >= N_PLUS_ONE_RATE
            and least <= self.rows_per_call <= most
            and self.mean <= N_PLUS_ONE_MEAN
            and self.share >= N_PLUS_ONE_SHARE
        )


@dataclass(frozen=True, slots=True)
class Span:
    """All statements over a span of time."""

    began_at: float | None
    """Unix seconds; None where the server does not say."""
    ended_at: float
    usages: tuple[Usage, ...]
    total: float
    """Seconds of execution of all of them, hidden ones too."""
    system: str = ""
    version: str = ""
    database: str = ""
    block_size: int = 8192
    coverage: Coverage = field(default_factory=Coverage)
    partial: bool = False
    """Only some of the statements were kept: what is missing here may have run all the same."""

    @property
    def seconds(self) -> float | None:
        """Its length."""
        return None if self.began_at is None else max(0.0, self.ended_at - self.began_at)


def since_reset(snapshot: Snapshot) -> Span:
    """All that is counted."""
    seconds = None if snapshot.reset_at is None else max(0.0, snapshot.taken_at - snapshot.reset_at)
    notes = list(snapshot.coverage.notes)
    if snapshot.reset_at is None:
        notes.append("this version does not say since when it counts: no calls per second")
    if snapshot.evictions:
        notes.append(
            f"statements were dropped for want of room {snapshot.evictions} times since then: what came seldom is "
            "missing or counted from later on; a higher pg_stat_statements.max keeps them"
        )
    usages = [_whole(entry, seconds) for entry in snapshot.entries]
    return _span(snapshot, snapshot.reset_at, usages, snapshot.hidden_total, notes)


def between(before: Snapshot, after: Snapshot) -> Span:
    """What was done between two snapshots of one server.

    Counters that began anew are said, and count for what they have since: never negative, never the whole past.
    """
    notes = list(after.coverage.notes)
    began = before.taken_at
    reset = _reset_between(before, after)
    if reset is not None:
        notes.append("the statistics were reset meanwhile: this is what was done since then")
        began = reset
    known = {} if reset is not None else {entry.key: entry for entry in before.entries}
    seconds = max(0.0, after.taken_at - began)
    usages = [_difference(known.get(entry.key), entry, seconds) for entry in after.entries]
    if reset is None:
        notes += _dropped(before, after, [usage for usage in usages if usage.restarted])
    hidden = after.hidden_total - (0.0 if reset is not None else before.hidden_total)
    return _span(after, began, [usage for usage in usages if usage.counters.calls > 0], max(0.0, hidden), notes)


SORTS: Mapping[str, Callable[[Usage], float]] = {
    "total": lambda usage: usage.counters.total,
    "mean": lambda usage: usage.mean,
    "calls": lambda usage: usage.counters.calls,
    "rows": lambda usage: usage.counters.rows,
    "temp": lambda usage: usage.counters.temp,
    "wal": lambda usage: usage.counters.wal_bytes or 0.0,
    # Where the times of files are not measured, the blocks that had to be fetched stand for them.
    "io": lambda usage: usage.counters.io_time or usage.counters.shared_read * 1e-9,
}
"""What statements can be ranked by, most first."""


def ranked(span: Span, sort: str = "total", *, slow: bool = False) -> list[Usage]:
    """The statements of `span` by one of `SORTS`; with `slow` only those that are, or can be."""
    chosen = [usage for usage in span.usages if usage.slow or not slow]
    return sorted(chosen, key=SORTS[sort], reverse=True)


def _whole(entry: Entry, seconds: float | None) -> Usage:
    return Usage(entry.key, entry.user, entry.database, entry.counters, seconds, entry.stddev, entry.max)


def _difference(before: Entry | None, after: Entry, seconds: float) -> Usage:
    whole = _whole(after, seconds)
    if before is None:
        return whole
    if _restarted(before, after):
        return replace(whole, restarted=True)
    counters = after.counters - before.counters
    return replace(whole, counters=counters, stddev=_stddev(before, after, counters))


def _restarted(before: Entry, after: Entry) -> bool:
    """Evicted and back, or reset by itself."""
    if before.since is not None and after.since is not None:
        return after.since > before.since
    return after.counters.calls < before.counters.calls or after.counters.total < before.counters.total


def _stddev(before: Entry, after: Entry, counters: Counters) -> float:
    """Of the calls in between: the server keeps the sum of squares, as calls * (stddev² + mean²)."""
    if counters.calls <= 0:
        return 0.0
    squares = _squares(after) - _squares(before)
    mean = counters.total / counters.calls
    return math.sqrt(max(0.0, squares / counters.calls - mean * mean))


def _squares(entry: Entry) -> float:
    mean: float = entry.counters.total / entry.counters.calls if entry.counters.calls else 0.0
    return entry.counters.calls * (entry.stddev**2 + mean * mean)


def _reset_between(before: Snapshot, after: Snapshot) -> float | None:
    """When all was reset, in unix seconds; where the server does not say, the time of `before` stands for it."""
    if before.reset_at is not None and after.reset_at is not None:
        return after.reset_at if after.reset_at > before.reset_at else None
    earlier = {entry.key: entry for entry in before.entries}
    common = [(earlier[entry.key], entry) for entry in after.entries if entry.key in earlier]
    if common and all(_restarted(then, now) for then, now in common):
        return before.taken_at
    return None


def _dropped(before: Snapshot, after: Snapshot, restarted: list[Usage]) -> list[str]:
    """What evictions took from the span."""
    notes = []
    gone = len({entry.key for entry in before.entries} - {entry.key for entry in after.entries})
    rounds = (after.evictions or 0) - (before.evictions or 0)
    if rounds > 0 or gone:
        often = f" in {rounds} rounds" if rounds > 0 else ""
        notes.append(
            f"{gone} statements were dropped meanwhile{often}: what they did is missing here; "
            "a higher pg_stat_statements.max keeps them"
        )
    if restarted:
        notes.append(f"{len(restarted)} statements are counted anew since: they did at least what is shown")
    return notes


def _span(snapshot: Snapshot, began: float | None, usages: list[Usage], hidden: float, notes: list[str]) -> Span:
    total = sum(usage.counters.total for usage in usages) + hidden
    shares = tuple(replace(usage, share=usage.counters.total / total if total else 0.0) for usage in usages)
    return Span(
        began,
        snapshot.taken_at,
        shares,
        total,
        snapshot.system,
        snapshot.version,
        snapshot.database,
        snapshot.block_size,
        Coverage(tuple(notes)),
    )
