"""Counts from Prometheus: increases over slices, one question for a span of them."""

from collections.abc import Mapping

from opsconsole.core.reading import Answer
from opsconsole.core.values import Matrix, Vector
from opsconsole.sla.burn import MINUTE
from opsconsole.sla.expressions import Counts
from opsconsole.sla.slices import Slice
from opsconsole.sources.prometheus import PrometheusSource


class PrometheusCounts:
    """A `Reader` of one indicator."""

    def __init__(self, source: PrometheusSource, counts: Counts) -> None:
        self._source = source
        self._counts = counts
        self.partial = False
        self.notes: set[str] = set()
        """What the server said of its answers: a part of a cluster that is silent, …"""

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        """Slices of `step` seconds; each sample of the answer ends one."""
        window = self._window(step)

        async def over(text: str) -> dict[float, float]:
            filled = f"sum({text.replace('$window', window)})"
            return self._points(await self._source.range(filled, start=start + step, end=end, step=step))

        total = await over(self._counts.total_text)
        part = await over(self._counts.bad_text or self._counts.good_text) if total else {}
        slots = await over(self._counts.slots_text) if total and self._counts.slots_text else None
        made = [self._slice(at - step, at, total, part, slots) for at in sorted(total)]
        # Those from before the data begin have no sample, and a counter that was just born has NaN.
        return [one for one in made if one is not None]

    async def piece(self, start: float, end: float) -> Slice | None:
        """One slice, as an instant query at its end."""
        window = self._window(end - start)

        async def over(text: str) -> dict[float, float]:
            return self._points(await self._source.instant(f"sum({text.replace('$window', window)})", at=end))

        total = await over(self._counts.total_text)
        if not total:
            return None
        part = await over(self._counts.bad_text or self._counts.good_text)
        slots = await over(self._counts.slots_text) if self._counts.slots_text else None
        return self._slice(start, end, _at(end, total), _at(end, part), None if slots is None else _at(end, slots))

    def _window(self, seconds: float) -> str:
        # A second less than the slice: older servers count both ends of a subquery, and 61 samples in an hour.
        return f"{max(1, round(seconds) - 1 if self._counts.sampled else round(seconds))}s"

    def _slice(
        self,
        start: float,
        end: float,
        total: Mapping[float, float],
        part: Mapping[float, float],
        slots: Mapping[float, float] | None,
    ) -> Slice | None:
        whole = total[end]
        if whole != whole:
            return None
        counted = min(whole, max(0.0, part.get(end, 0.0)))
        bad = counted if self._counts.bad_text else whole - counted
        known = 1.0 if slots is None else min(1.0, slots.get(end, 0.0) * MINUTE / (end - start))
        return Slice(start, end, bad, whole, known)

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


def _at(end: float, points: Mapping[float, float]) -> dict[float, float]:
    """The sample of an instant answer, at the moment that was asked about, however the server rounds it."""
    return dict.fromkeys(points and [end], next(iter(points.values()), 0.0))
