"""Counts from Prometheus, one question for a span of slices: of events their increases over each, of a value how many
series were there and bad at each minute."""

import asyncio
import math

from opsconsole.core.reading import Answer
from opsconsole.core.values import Matrix, Vector
from opsconsole.sla.burn import MINUTE
from opsconsole.sla.expressions import Counts
from opsconsole.sla.increments import increments
from opsconsole.sla.slices import Slice
from opsconsole.sources.prometheus import PrometheusSource


def prometheus_counts(source: PrometheusSource, counts: Counts) -> "Increases | Minutes":
    """The reader of `counts`."""
    return Minutes(source, counts) if counts.sampled else Increases(source, counts)


class _Asking:
    """What both ways share: points of an answer, and what it said."""

    def __init__(self, source: PrometheusSource, counts: Counts) -> None:
        self._source = source
        self._counts = counts
        self.partial = False
        self.notes: set[str] = set()
        """What the server said of its answers: a part of a cluster that is silent, …"""
        self.goes_on = not counts.sampled

    def _points(self, answer: Answer) -> dict[float, float]:
        if answer.warnings:
            self.partial = True
            self.notes.update(answer.warnings)
        match answer.value:
            case Matrix((series, *_)):
                return dict(series.points)
            case Vector((sample, *_)):
                return {sample.at: sample.value}
        return {}


class Increases(_Asking):
    """A `Reader` of events."""

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        """Slices of `step` seconds; each sample of the answer ends one."""

        async def over(text: str) -> dict[float, float]:
            filled = f"sum({increments(text, step)})"
            return self._points(await self._source.range(filled, start=start + step, end=end, step=step))

        total, part = await asyncio.gather(over(self._counts.total_text), over(self._part))
        made = [self._slice(at - step, at, total[at], part.get(at, 0.0)) for at in sorted(total)]
        # Those from before the data begin have no sample, and a counter that was just born has NaN.
        return [one for one in made if one is not None]

    async def piece(self, start: float, end: float) -> Slice | None:
        """One slice, as an instant query at its end."""

        async def over(text: str) -> list[float]:
            answer = await self._source.instant(f"sum({increments(text, end - start)})", at=end)
            return list(self._points(answer).values())

        total, part = await asyncio.gather(over(self._counts.total_text), over(self._part))
        return self._slice(start, end, total[0], part[0] if part else 0.0) if total else None

    @property
    def _part(self) -> str:
        return self._counts.bad_text or self._counts.good_text

    def _slice(self, start: float, end: float, whole: float, part: float) -> Slice | None:
        if whole != whole:
            return None
        counted = min(whole, max(0.0, part))
        return Slice(start, end, counted if self._counts.bad_text else whole - counted, whole)


class Minutes(_Asking):
    """A `Reader` of a value, looked at each minute. A week of that is an answer of 10,080 points and one of those at
    which any was bad; every slice is made of these, also those that are looked at more closely later."""

    def __init__(self, source: PrometheusSource, counts: Counts) -> None:
        super().__init__(source, counts)
        self._known: list[tuple[float, float]] = []
        self._total: dict[float, float] = {}
        self._bad: dict[float, float] = {}

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        """Slices of `step` seconds; each holds the minutes after its start, up to its end."""
        await self._learn(start, end)
        count = math.ceil((end - start) / step)
        made = [self._slice(start + number * step, min(end, start + (number + 1) * step)) for number in range(count)]
        return [one for one in made if one is not None]

    async def piece(self, start: float, end: float) -> Slice | None:
        """One slice of any length."""
        await self._learn(start, end)
        return self._slice(start, end)

    async def _learn(self, start: float, end: float) -> None:
        if any(begin <= start and end <= until for begin, until in self._known):
            return

        async def at_each(text: str) -> dict[float, float]:
            return self._points(await self._source.range(text, start=start + MINUTE, end=end, step=MINUTE))

        total, bad = await asyncio.gather(at_each(self._counts.total_now_text), at_each(self._counts.bad_now_text))
        self._total |= total
        self._bad |= bad
        self._known.append((start, end))

    def _slice(self, start: float, end: float) -> Slice | None:
        first, last = math.floor(start / MINUTE) + 1, math.floor(end / MINUTE)
        minutes = [at for at in (number * MINUTE for number in range(first, last + 1)) if at in self._total]
        if not minutes:
            return None
        total = sum(self._total[at] for at in minutes)
        bad = min(total, sum(self._bad.get(at, 0.0) for at in minutes)) if self._bad else 0.0
        return Slice(start, end, bad, total, min(1.0, len(minutes) * MINUTE / (end - start)))
