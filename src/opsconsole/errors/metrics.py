"""Errors that metrics count: how many there were within each part of the window, and lately.

Parts that are over are asked for once; of a reading that follows another only what came since.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from opsconsole.config.errors import MetricErrors
from opsconsole.core.legend import legend_text
from opsconsole.core.reading import SourceError
from opsconsole.core.values import Matrix, Vector
from opsconsole.errors.model import Heard, Occurrence
from opsconsole.errors.occurring import fingerprint, normal_message
from opsconsole.errors.tallying import RECENT, Tallies, reach
from opsconsole.sources.increments import HOUR, increments_and_births
from opsconsole.sources.prometheus import PrometheusSource

_PARTS = 96
"""Of a window, where they are not longer than an hour: quarters of an hour of a day."""
_LATE = 2
"""Parts that are over and asked for again: samples may arrive late."""
_LOOK_BACK = "count(up)"
"""Every Prometheus that scrapes has it: from when on it was there, errors would have been."""
_NO_SERIES = "the query brings no series; a number for each kind is needed"

Labels = tuple[tuple[str, str], ...]


class MetricErrorsOf:
    """The errors of one entry of the configuration."""

    def __init__(
        self, settings: MetricErrors, prometheus: PrometheusSource, window: float,
        *, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.source = f"metrics/{settings.name}"
        self._settings = settings
        self._prometheus = prometheus
        self._window = window
        self._clock = clock
        self._parts: dict[Labels, dict[float, float]] = {}
        """Of each kind: the end of a part -> how many there were in it, where there were any."""
        self._known_until = 0.0
        """The end of the latest part of which nothing can come any more."""
        self._at_once = 100_000
        """Parts in one question, at most."""
        self._covers: float | None = None

    async def hear(self) -> Heard:
        """What is known now.

        Raises:
            SourceError: Prometheus does not answer, or not with what counts.
        """
        now, step = self._clock(), _part_of(self._window)
        lately, warnings, _ = await asyncio.gather(
            self._prometheus.instant(self._query(RECENT), at=now), self._learn(now, step), self._look_back(now, step)
        )
        if not isinstance(lately.value, Vector):
            raise SourceError(self.source, "bad-query", _NO_SERIES)
        tallies = Tallies(self.source, self._window)
        for labels, points in self._parts.items():
            self._count(tallies, dict(labels), points, step, now)
        rates = {self._print(one.labels): one.value / RECENT for one in lately.value.samples if one.value > 0}
        covers = self._covers
        kinds = tallies.kinds(now, None if covers is None else covers - 900.0)
        return Heard(
            self.source, tuple(replace(one, rate=rates.get(one.fingerprint, 0.0)) for one in kinds), covers,
            tuple(f"{self.source}: {warning}" for warning in warnings[:2]),
        )  # fmt: skip

    async def _learn(self, now: float, step: float) -> tuple[str, ...]:
        """Ask for the parts that are not known yet, the one that is not over with them; what the server said of it.

        What takes a server too long is asked for in pieces, from then on.
        """
        warnings: tuple[str, ...] = ()
        oldest, end = now - reach(self._window), now + step
        begin = max(oldest, self._known_until)
        while begin + step <= end:
            until = min(end, begin + self._at_once * step)
            try:
                answer = await self._prometheus.range(self._query(step), start=begin + step, end=until, step=step)
            except SourceError as error:
                if error.kind != "timeout" or self._at_once <= _LATE or until - begin <= step:
                    raise
                self._at_once = max(_LATE, min(self._at_once, round((until - begin) / step)) // 4)
                continue
            self._keep(answer.value, begin, oldest)
            warnings += answer.warnings
            if not warnings:  # a part of a cluster that is silent may be there the next time
                self._known_until = min(until // step, now // step - _LATE) * step
            begin = until
        return warnings

    def _keep(self, value: object, begin: float, oldest: float) -> None:
        """What was told of the parts after `begin`, in place of what was known of these."""
        if not isinstance(value, Matrix):
            raise SourceError(self.source, "bad-query", _NO_SERIES)
        kept = {
            labels: {end: count for end, count in points.items() if oldest < end <= begin}
            for labels, points in self._parts.items()
        }
        for series in value.series:
            points = kept.setdefault(tuple(sorted(series.labels.items())), {})
            points.update((end, count) for end, count in series.points if count > 0)  # NaN is not, either
        self._parts = {labels: points for labels, points in kept.items() if points}

    async def _look_back(self, now: float, step: float) -> None:
        """Since when there is anything; asked until it is known."""
        if self._covers is not None:
            return
        start = now - reach(self._window)
        present = await self._prometheus.range(_LOOK_BACK, start=start, end=now, step=max(step, 900.0))
        known = present.value.series if isinstance(present.value, Matrix) else ()
        self._covers = min((one.points[0][0] for one in known if one.points), default=None)

    async def close(self) -> None:
        """Whoever opened the sources closes them."""

    def _query(self, seconds: float) -> str:
        return increments_and_births(self._settings.query, seconds)

    def _count(
        self, tallies: Tallies, labels: Mapping[str, str], points: Mapping[float, float], step: float, now: float
    ) -> None:
        """What `increase` has to reckon has fractions: what is left of one part is counted with the next."""
        left = 0.0
        for end, value in sorted(points.items()):
            left += value
            count = round(left)
            left -= count
            if count > 0:
                tallies.add(self._occurrence(labels, min(end - step / 2, now)), count, sampled=False)

    def _occurrence(self, labels: Mapping[str, str], at: float) -> Occurrence:
        settings = self._settings
        told = {name: value for name, value in labels.items() if name not in ("__name__", settings.service)}
        message = legend_text(settings.message, labels) or ", ".join(f"{name}={value}" for name, value in told.items())
        kind = legend_text(settings.type, labels)
        # Numbers in labels say what it is; nothing is taken out of the message by whoever wrote the template.
        return Occurrence(at, labels.get(settings.service, ""), kind, message or settings.name, labels=dict(labels))

    def _print(self, labels: Mapping[str, str]) -> str:
        one = self._occurrence(labels, 0.0)
        return fingerprint(self.source, one, normal_message(one))


def _part_of(window: float) -> float:
    """Seconds of a part: whole ones, as a query has it, so that none is counted twice; an hour at most, for so long a
    counter's last sample is its value."""
    return float(min(HOUR, math.ceil(window / _PARTS)))
