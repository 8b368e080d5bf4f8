"""Replaying rules over what a Prometheus has of the past: in parts that it can answer, at each rule's own interval."""

import asyncio
import math
from dataclasses import replace

from opsconsole.alerts.replay import AlertRule, Replay, Replayer
from opsconsole.core.reading import SourceError
from opsconsole.core.values import Matrix
from opsconsole.sources.prometheus import PrometheusSource

PART = 4000
"""Evaluations of one question."""
_SMALLEST_PART = 100
_OLDEST = "count(up)"


async def replay(prometheus: PrometheusSource, rule: AlertRule, start: float, end: float) -> Replay:
    """What `rule` would have done from `start` to `end` (unix seconds). Why it cannot be said is part of the answer.

    Evaluations are on multiples of the interval; Prometheus's own are shifted by less than one.
    """
    step = max(1.0, rule.interval)
    rule = replace(rule, interval=step)
    first, last = math.ceil(start / step) * step, math.floor(end / step) * step
    replayer, at, part = Replayer(rule), first, PART
    while at <= last:
        until = min(last, at + (part - 1) * step)
        try:
            answer = await prometheus.range(rule.expr, start=at, end=until, step=step)
        except SourceError as error:
            # Too much for one answer, or too long: with less it may do.
            if (
                error.kind in ("timeout", "garbage", "overloaded", "bad-query")
                and _may_be_size(error)
                and part > _SMALLEST_PART
            ):
                part = max(_SMALLEST_PART, part // 4)
                continue
            return Replay(rule, start, end, error=str(error))
        if not isinstance(answer.value, Matrix):
            return Replay(rule, start, end, error="the expression brings no series")
        await asyncio.to_thread(_see, replayer, answer.value)
        at = until + step
    return replayer.end(start, end, last)


async def oldest(prometheus: PrometheusSource, start: float, end: float) -> float | None:
    """From when on it has values (unix seconds), between `start` and `end`; None where that cannot be said."""
    step = max(60.0, (end - start) / 500)
    try:
        answer = await prometheus.range(_OLDEST, start=start, end=end, step=step)
    except SourceError:
        return None
    series = answer.value.series if isinstance(answer.value, Matrix) else ()
    return min((one.points[0][0] for one in series if one.points), default=None)


def _see(replayer: Replayer, matrix: Matrix) -> None:
    for series in matrix.series:
        replayer.see(series.labels, series.points)


def _may_be_size(error: SourceError) -> bool:
    if error.kind == "bad-query":
        return any(sign in error.message for sign in ("too many", "maximum", "limit"))
    return error.kind in ("timeout", "garbage", "overloaded")
