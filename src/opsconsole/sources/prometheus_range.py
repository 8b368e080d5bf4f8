"""Which points in time a range query asks for."""

import math
from dataclasses import dataclass

from opsconsole.core.reading import Query

MAX_POINTS = 11_000
"""Prometheus refuses more per series: "exceeded maximum resolution of 11,000 points"."""
USUAL_POINTS = 240
"""Points where the query leaves the step open: more than a terminal has columns is load for nothing."""
SMALLEST_STEP = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """Start and end, both multiples of step, all in (unix) seconds."""

    start: float
    end: float
    step: float

    @property
    def points(self) -> int:
        """How many points per series the server may answer with."""
        return round((self.end - self.start) / self.step) + 1


def span_of(query: Query, now: float, *, points: int = USUAL_POINTS) -> Span:
    """The span of a range query as it is asked at `now`."""
    end = now if query.end is None else query.end
    step = query.step or math.ceil(query.window / max(1, points))
    return aligned(end - query.window, end, step)


def aligned(start: float, end: float, step: float) -> Span:
    """The span on a grid of `step`, widened where the server would refuse it.

    On the grid a chart does not jitter from one refresh to the next, and caches in front of the server hit.
    The end is rounded down: a point in the future would only repeat the last one.
    """
    end = max(start, end)
    # One point less than allowed, for rounding to the grid can add one.
    step = max(SMALLEST_STEP, step, math.ceil((end - start) / (MAX_POINTS - 1)))
    return Span(math.floor(start / step) * step, math.floor(end / step) * step, step)
