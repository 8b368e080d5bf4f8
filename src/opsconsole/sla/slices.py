"""What was counted, in slices of time; every share is a sum by a sum over slices, never a mean of shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from opsconsole.sla.periods import seconds_of


@dataclass(frozen=True, slots=True)
class Slice:
    """What happened from `start` to `end`, unix seconds."""

    start: float
    end: float
    bad: float
    total: float
    """Events, or minutes of series."""
    known: float = 1.0
    """The share of its time of which anything is known, 0 to 1; known and nothing counted is `total` 0."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start

    @property
    def bad_share(self) -> float | None:
        """None where nothing was counted: 0 of 0 is no share."""
        return self.bad / self.total if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over slices."""

    bad: float
    total: float
    known_seconds: float
    seconds: float
    """Of what was asked about, without what is excluded."""

    @property
    def sli(self) -> float | None:
        """The share that was good; None where nothing was counted."""
        return 1.0 - self.bad / self.total if self.total > 0 else None

    @property
    def coverage(self) -> float | None:
        """The share of the time of which anything is known; None where there was no time."""
        return min(1.0, self.known_seconds / self.seconds) if self.seconds > 0 else None

    def burn(self, budget: float) -> float | None:
        """How many times as fast as allowed the budget is spent; None where nothing was counted."""
        return self.bad / self.total / budget if self.total > 0 else None


def tally(slices: Iterable[Slice], start: float, end: float, spans: Sequence[tuple[float, float]] = ()) -> Tally:
    """The sums from `start` to `end`, without the excluded `spans` (which do not overlap).

    A slice that lies only partly in it counts by that part: what it holds is taken to be spread evenly.
    """
    bad = total = known = 0.0
    for one in slices:
        begin, until = max(start, one.start), min(end, one.end)
        if until <= begin or one.end <= one.start:
            continue
        part = (until - begin - seconds_of(spans, begin, until)) / one.seconds
        bad += one.bad * part
        total += one.total * part
        known += one.seconds * part * one.known
    length = max(0.0, end - start - seconds_of(spans, start, end))
    return Tally(bad, total, known, length)


def counted(slices: Iterable[Slice], spans: Sequence[tuple[float, float]]) -> list[Slice]:
    """The slices as they count: those that lie in excluded time count nothing, and are not unknown either."""
    kept = []
    for one in slices:
        outside = 1.0 - seconds_of(spans, one.start, one.end) / one.seconds
        if outside > 0.0:
            kept.append(one if outside == 1.0 else replace(one, bad=one.bad * outside, total=one.total * outside))
    return kept


def overlaid(coarse: Iterable[Slice], fine: Sequence[Slice]) -> list[Slice]:
    """`coarse` with `fine` in its place where there is any, by time. `fine` lies on borders of `coarse`."""
    if not fine:
        return list(coarse)
    spans = _joined(fine)
    kept = [one for one in coarse if not any(one.start < end and one.end > start for start, end in spans)]
    return sorted((*kept, *fine), key=lambda one: one.start)


def _joined(slices: Iterable[Slice]) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for one in sorted(slices, key=lambda one: one.start):
        if spans and one.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], one.end))
        else:
            spans.append((one.start, one.end))
    return spans
