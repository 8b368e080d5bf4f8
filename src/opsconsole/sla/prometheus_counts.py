"""Counts from Prometheus, one question for a span of slices: of events their increases over each, of a value how many
series were there and bad at each minute."""

import asyncio
import math
from collections.abc import Sequence

from opsconsole.core.reading import Answer
from opsconsole.core.values import Matrix, Vector
from opsconsole.sla.burn import HOUR, MINUTE
from opsconsole.sla.expressions import Counts
from opsconsole.sla.slices import Slice
from opsconsole.sources.increments import increments
from opsconsole.sources.prometheus import PrometheusSource


def prometheus_counts(source: PrometheusSource, counts: Counts) -> "Increases | Minutes":
    """The reader of `counts`."""
    return Minutes(source, counts) if counts.sampled else Increases(source, counts)


ROUGH = 10 * MINUTE
"""How often a value is looked at for a first look at old time."""


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

    async def rough(self, start: float, end: float) -> Slice | None:
        """The same: counters have the whole of it."""
        return await self.piece(start, end)

    @property
    def _part(self) -> str:
        return self._counts.bad_text or self._counts.good_text

    def _slice(self, start: float, end: float, whole: float, part: float) -> Slice | None:
        if whole != whole:
            return None
        counted = min(whole, max(0.0, part))
        return Slice(start, end, counted if self._counts.bad_text else whole - counted, whole)


class Minutes(_Asking):
    """A `Reader` of a value, looked at each minute.

    Hours are counted by the server, at which minutes anything was bad is told one by one (a good month is a short
    answer): a week in three questions, of a few hundred numbers. Shorter slices are made of these where the whole hour
    is known; else, and of the latest time, each minute is asked for.
    """

    def __init__(self, source: PrometheusSource, counts: Counts) -> None:
        super().__init__(source, counts)
        self._hours: dict[float, Slice] = {}
        """By their start."""
        self._told: list[tuple[float, float]] = []
        """Stretches of which it is known at which minutes anything was bad."""
        self._known: list[tuple[float, float]] = []
        """Stretches of which each minute is known."""
        self._total: dict[float, float] = {}
        self._bad: dict[float, float] = {}

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        """Slices of `step` seconds; each holds the minutes after its start, up to its end."""
        begins = [start + number * step for number in range(math.ceil((end - start) / step))]
        if step == HOUR:
            await self._count_hours(start, end)
            return [self._hours[at] for at in begins if at in self._hours]
        whole = [self._hours.get(at) for at in _hours_of(start, end)]
        if all(hour is not None and hour.known == 1.0 for hour in whole):
            return [self._part(at, min(end, at + step)) for at in begins]
        await self._learn(start, end)
        made = [self._slice(at, min(end, at + step)) for at in begins]
        return [one for one in made if one is not None]

    async def piece(self, start: float, end: float) -> Slice | None:
        """One slice of any length."""
        await self._learn(start, end)
        return self._slice(start, end)

    async def rough(self, start: float, end: float) -> Slice | None:
        """One slice, of every tenth minute."""
        span, step = f"{round(end - start) - 1}s", f"{ROUGH:.0f}s"

        async def over(function: str, text: str) -> float | None:
            answer = await self._source.instant(f"{function}(({text})[{span}:{step}])", at=end)
            return next(iter(self._points(answer).values()), None)

        total, known, bad = await asyncio.gather(
            over("sum_over_time", self._counts.total_now_text),
            over("count_over_time", self._counts.total_now_text),
            over("sum_over_time", self._counts.bad_now_text),
        )
        if not total or not known:
            return None
        minutes = ROUGH / MINUTE
        return Slice(
            start, end, min(total, bad or 0.0) * minutes, total * minutes, min(1.0, known * ROUGH / (end - start))
        )

    async def _count_hours(self, start: float, end: float) -> None:
        async def over(function: str) -> dict[float, float]:
            # A second less than the hour: older servers count both ends of a subquery.
            text = f"{function}(({self._counts.total_now_text})[{HOUR - 1:.0f}s:{MINUTE:.0f}s])"
            return self._points(await self._source.range(text, start=start + HOUR, end=end, step=HOUR))

        total, known, _ = await asyncio.gather(
            over("sum_over_time"), over("count_over_time"), self._learn_bad(start, end)
        )
        for at, whole in total.items():
            begin, minutes = at - HOUR, known.get(at, 0.0)
            bad = min(whole, self._bad_within(begin, at))
            self._hours[begin] = Slice(begin, at, bad, whole, min(1.0, minutes * MINUTE / HOUR))

    async def _learn(self, start: float, end: float) -> None:
        if _covers(self._known, start, end):
            return
        total, _ = await asyncio.gather(
            self._at_each(self._counts.total_now_text, start, end), self._learn_bad(start, end)
        )
        self._total |= total
        self._known.append((start, end))

    async def _learn_bad(self, start: float, end: float) -> None:
        if _covers(self._told, start, end):
            return
        self._bad |= await self._at_each(self._counts.bad_now_text, start, end)
        self._told.append((start, end))

    async def _at_each(self, text: str, start: float, end: float) -> dict[float, float]:
        return self._points(await self._source.range(text, start=start + MINUTE, end=end, step=MINUTE))

    def _part(self, start: float, end: float) -> Slice:
        """A part of an hour of which all is known: as many series as in the hour on average."""
        total = self._hours[start // HOUR * HOUR].total * (end - start) / HOUR
        return Slice(start, end, min(total, self._bad_within(start, end)), total)

    def _slice(self, start: float, end: float) -> Slice | None:
        minutes = [at for at in _minutes_of(start, end) if at in self._total]
        if not minutes:
            return None
        total = sum(self._total[at] for at in minutes)
        return Slice(
            start,
            end,
            min(total, self._bad_within(start, end)),
            total,
            min(1.0, len(minutes) * MINUTE / (end - start)),
        )

    def _bad_within(self, start: float, end: float) -> float:
        return sum(self._bad.get(at, 0.0) for at in _minutes_of(start, end)) if self._bad else 0.0


def _minutes_of(start: float, end: float) -> list[float]:
    """The whole minutes after `start`, up to `end`."""
    return [number * MINUTE for number in range(math.floor(start / MINUTE) + 1, math.floor(end / MINUTE) + 1)]


def _hours_of(start: float, end: float) -> list[float]:
    """The starts of the hours that any of `start` to `end` lies in."""
    return [number * HOUR for number in range(math.floor(start / HOUR), math.ceil(end / HOUR))]


def _covers(stretches: Sequence[tuple[float, float]], start: float, end: float) -> bool:
    return any(begin <= start and end <= until for begin, until in stretches)
