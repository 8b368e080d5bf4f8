"""When one query is asked next: the arithmetic of the poller, without its event loop."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opsconsole.core.reading import Query, Reading
from opsconsole.screens.clock import Timer

LONGEST_BACKOFF = 30.0
"""Seconds."""
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 2.0, 30.0
"""Seconds."""


def hard_timeout(interval: float) -> float:
    """Seconds after which an attempt counts as failed, whatever the source says.

    One interval, so that a source that hangs is seen within two.
    """
    return min(max(interval, SHORTEST_TIMEOUT), LONGEST_TIMEOUT)


def backoff(failures: int, interval: float, random: Callable[[], float]) -> float:
    """Seconds until the next attempt after that many failures in a row.

    The first retry comes within one interval. Each further one waits up to twice as long, at most
    `LONGEST_BACKOFF` (or the interval, where that is longer). The jitter keeps many consoles from asking in step.
    """
    longest = max(LONGEST_BACKOFF, interval)
    wait = min(longest, interval * 2.0 ** min(failures - 1, 16))
    return wait * (0.5 + 0.5 * random())


@dataclass(slots=True, eq=False)
class Schedule:
    """One distinct query, whoever watches it."""

    query: Query
    reading: Reading
    intervals: dict[int, float] = field(default_factory=dict)
    """Seconds, by watch."""
    timer: Timer | None = None
    attempt: "Attempt | None" = None
    failures: int = 0
    """In a row."""
    waiting_for_source: bool = False
    """Backed off because the whole source is out; asked again as soon as the source answers anything."""
    again: bool = False
    """Somebody wants a fresh reading as soon as the attempt under way has ended."""

    @property
    def interval(self) -> float:
        """The shortest that anybody wants."""
        return min(self.intervals.values())

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self.intervals)

    def stop_timer(self) -> None:
        """No attempt is due any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


@dataclass(slots=True, eq=False)
class Attempt:
    """One question under way."""

    started: float
    """Monotonic seconds."""
    cancel: Callable[[], None]
    deadline: Timer | None = None
    over: bool = False
    """It has been counted, as answered or as failed; what comes later is ignored."""
