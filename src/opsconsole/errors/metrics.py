"""Errors that metrics count: how many there were within each part of the window, and lately."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from opsconsole.config.errors import MetricErrors
from opsconsole.config.errors_format import STEP
from opsconsole.core.legend import legend_text
from opsconsole.core.reading import SourceError
from opsconsole.core.values import Matrix, Vector
from opsconsole.errors.model import Heard, Occurrence
from opsconsole.errors.occurring import fingerprint, normal_message
from opsconsole.errors.tallying import RECENT, Tallies, reach
from opsconsole.sources.prometheus import PrometheusSource

_PARTS = 96
"""Of a window: quarters of an hour of a day."""
_LOOK_BACK = "count(up)"
"""Every Prometheus that scrapes has it: from when on it was there, errors would have been."""


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

    async def hear(self) -> Heard:
        """What is known now.

        Raises:
            SourceError: Prometheus does not answer, or not with what counts.
        """
        now, step = self._clock(), self._window / _PARTS
        start = now - reach(self._window)
        # The last part is not over: its end is to come.
        parts, lately, present = await asyncio.gather(
            self._prometheus.range(self._query(step), start=start, end=now + step, step=step),
            self._prometheus.instant(self._query(RECENT), at=now),
            self._prometheus.range(_LOOK_BACK, start=start, end=now, step=max(step, 900.0)),
        )
        if not isinstance(parts.value, Matrix) or not isinstance(lately.value, Vector):
            raise SourceError(self.source, "bad-query", "the query brings no series; a number for each kind is needed")
        tallies = Tallies(self.source, self._window)
        for series in parts.value.series:
            self._count(tallies, series.labels, series.points, step, now)
        rates = {self._print(one.labels): one.value / RECENT for one in lately.value.samples if one.value > 0}
        known = present.value.series if isinstance(present.value, Matrix) else ()
        covers = min((one.points[0][0] for one in known if one.points), default=None)
        kinds = tallies.kinds(now, None if covers is None else covers - 900.0)
        return Heard(
            self.source, tuple(replace(one, rate=rates.get(one.fingerprint, 0.0)) for one in kinds), covers,
            tuple(f"{self.source}: {warning}" for warning in parts.warnings[:2]),
        )  # fmt: skip

    async def close(self) -> None:
        """Whoever opened the sources closes them."""

    def _query(self, seconds: float) -> str:
        return self._settings.query.replace(STEP, f"{max(1, round(seconds))}s")

    def _count(
        self, tallies: Tallies, labels: Mapping[str, str], points: tuple[tuple[float, float], ...], step: float,
        now: float,
    ) -> None:  # fmt: skip
        """An increase is extrapolated, so it has fractions: what is left of one part is counted with the next."""
        left = 0.0
        for end, value in points:
            if not value > 0:  # NaN, too
                continue
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
