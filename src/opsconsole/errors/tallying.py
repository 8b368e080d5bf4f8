"""Errors by kind, as they come, in bounded memory: counts by time, and the latest samples of each kind.

Two windows are kept: what is shown, and the one before it, to compare with; and a day, to say what is new.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from opsconsole.errors.model import DAY, Kind, Occurrence, Sample
from opsconsole.errors.occurring import fingerprint, normal_message

MOST_KINDS = 1000
"""Of one source. Beyond it the rarest are put together as one: what is unheard of is then counted, at least."""
SAMPLES = 5
"""Of each kind."""
TREND = 24
"""Parts of a window."""
_PARTS = 288
"""Of a window, for counting: five minutes of a day."""
RECENT = 600.0
"""Seconds that a rate is of, where the parts are not longer than that."""
OTHERS = "other kinds of errors, each seen too seldom to be kept apart"


def reach(window: float) -> float:
    """Seconds that are looked back at, for a window: as long again, and to yesterday at least."""
    return max(2 * window, window + DAY)


@dataclass(slots=True)
class _Tally:
    """What is counted of one kind."""

    service: str
    type: str
    message: str
    frame: str
    counts: dict[int, int] = field(default_factory=dict)
    """Part of time -> occurrences."""
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    first_at: float | None = None
    last_at: float | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Tallies:
    """The errors of one source. Not for several threads at once."""

    def __init__(self, source: str, window: float, *, most: int = MOST_KINDS) -> None:
        """`window` is the seconds that counts are of."""
        self.source = source
        self.window = window
        self._width = window / _PARTS
        self._most = most
        self._kinds: dict[str, _Tally] = {}

    def add(self, one: Occurrence, count: int = 1, *, sampled: bool = True) -> None:
        """Count it, `count` times at its moment; it is a sample where it says more than its kind does."""
        message = normal_message(one)
        key = fingerprint(self.source, one, message)
        tally = self._kinds.get(key)
        if tally is None:
            if len(self._kinds) >= self._most:
                self._make_room()
            tally = self._kinds[key] = _Tally(one.service, one.type, message, one.frame)
        self._count(tally, one.at, count)
        if sampled:
            _keep(tally.samples, Sample(one.at, one.message, one.trace, one.where, one.labels))

    def extend(self, several: Iterable[Occurrence]) -> None:
        """Count each."""
        for one in several:
            self.add(one)

    def forget(self, before: float) -> None:
        """Let go of what is older, and of kinds of which nothing is left."""
        first = int(before / self._width)
        for key, tally in list(self._kinds.items()):
            tally.counts = {part: count for part, count in tally.counts.items() if part >= first}
            if not tally.counts:
                del self._kinds[key]

    def kinds(self, now: float, covers_from: float | None) -> tuple[Kind, ...]:
        """What was counted until `now`.

        Args:
            covers_from: unix seconds from which on nothing is missing; None: only from now on.
        """
        self.forget(now - reach(self.window))
        whole = covers_from is not None and covers_from <= now - 2 * self.window
        return tuple(self._kind(key, tally, now, whole) for key, tally in self._kinds.items())

    def _kind(self, key: str, tally: _Tally, now: float, whole: bool) -> Kind:
        start = now - self.window
        within = {part: count for part, count in tally.counts.items() if (part + 1) * self._width > start}
        recent = max(RECENT, 2 * self._width)
        lately = sum(count for part, count in within.items() if (part + 1) * self._width > now - recent)
        count = sum(within.values())
        earlier = sum(count for part, count in tally.counts.items() if (part + 1) * self._width > start - self.window)
        return Kind(
            fingerprint=key,
            source=self.source,
            service=tally.service,
            type=tally.type,
            message=tally.message,
            count=count,
            before=earlier - count if whole else None,
            rate=lately / recent,
            first_at=tally.first_at,
            last_at=tally.last_at,
            trend=self._trend(within, start),
            samples=_latest_first(tally.samples),
            frame=tally.frame,
        )

    def _trend(self, within: dict[int, int], start: float) -> tuple[int, ...]:
        trend = [0] * TREND
        for part, count in within.items():
            middle = (part + 0.5) * self._width
            trend[min(TREND - 1, max(0, int((middle - start) / self.window * TREND)))] += count
        return tuple(trend)

    def _count(self, tally: _Tally, at: float, count: int) -> None:
        part = int(at / self._width)
        tally.counts[part] = tally.counts.get(part, 0) + count
        tally.first_at = at if tally.first_at is None else min(tally.first_at, at)
        tally.last_at = at if tally.last_at is None else max(tally.last_at, at)

    def _make_room(self) -> None:
        """Put the rarest tenth together: a flood of ever new messages costs no more than that."""
        rarest = sorted(self._kinds.items(), key=lambda item: (item[1].total, item[1].last_at or 0.0))
        others = _Tally("", "", OTHERS, "")
        if rarest and (kept := self._kinds.pop("others", None)):
            others = kept
        for key, tally in rarest[: max(2, self._most // 10)]:
            if self._kinds.pop(key, None) is None:
                continue
            for part, count in tally.counts.items():
                self._count(others, (part + 0.5) * self._width, count)
            for sample in tally.samples:
                _keep(others.samples, sample)
        self._kinds["others"] = others


def _keep(samples: deque[Sample], one: Sample) -> None:
    """The latest ones, whatever order they come in."""
    if len(samples) < SAMPLES:
        samples.append(one)
        return
    oldest = min(range(len(samples)), key=lambda at: samples[at].at)
    if one.at >= samples[oldest].at:
        samples[oldest] = one


def _latest_first(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Of two within one moment the one that was told later is the later one."""
    placed = sorted(enumerate(samples), key=lambda item: (-item[1].at, -item[0]))
    return tuple(one for _, one in placed)
