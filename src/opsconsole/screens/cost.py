"""What the console itself costs those whom it watches, and this machine."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cost:
    """Averages over the last minute or so."""

    queries_per_second: float = 0.0
    source_seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Per source, seconds spent waiting for its answers, per second: 0.01 keeps it busy for 1 % of the time at most."""
    cpu_share: float = 0.0
    """Of one core, 0 to 1 and beyond."""
    skipped_ticks: int = 0
    """Since the start: readings that were due while the one before was still under way."""

    def share_of(self, kind: str) -> float:
        """`source_seconds` of all sources of a kind: `postgres` for every `postgres/NAME`."""
        return sum(seconds for name, seconds in self.source_seconds.items() if name.partition("/")[0] == kind)


class CostMeter:
    """Counts attempts over a sliding window."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        cpu_time: Callable[[], float] = time.process_time,
        window: float = 60.0,
    ) -> None:
        self._monotonic = monotonic
        self._cpu_time = cpu_time
        self._window = window
        self._attempts: deque[tuple[float, str, float]] = deque(maxlen=10_000)
        self._cpu: deque[tuple[float, float]] = deque([(monotonic(), cpu_time())], maxlen=1000)
        self._started = monotonic()
        self.skipped_ticks = 0

    def attempt(self, source: str, took: float) -> None:
        """One query has ended, after `took` seconds."""
        self._attempts.append((self._monotonic(), source, took))

    def snapshot(self) -> Cost:
        """The averages as of now. Calling it often costs nothing and changes nothing."""
        now = self._monotonic()
        since = now - self._window
        while self._attempts and self._attempts[0][0] < since:
            self._attempts.popleft()
        elapsed = max(1.0, min(self._window, now - self._started))
        seconds: dict[str, float] = defaultdict(float)
        for _, source, took in self._attempts:
            seconds[source] += took / elapsed
        return Cost(
            queries_per_second=len(self._attempts) / elapsed,
            source_seconds=MappingProxyType(dict(seconds)),
            cpu_share=self._cpu_share(now),
            skipped_ticks=self.skipped_ticks,
        )

    def _cpu_share(self, now: float) -> float:
        used = self._cpu_time()
        if now - self._cpu[-1][0] >= 1.0:
            self._cpu.append((now, used))
        while len(self._cpu) > 1 and self._cpu[1][0] <= now - self._window:
            self._cpu.popleft()
        at, then = self._cpu[0]
        return max(0.0, used - then) / max(1.0, now - at)
