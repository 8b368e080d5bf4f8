"""A course of values in one line of text."""

import math
from collections.abc import Sequence

from opsconsole.ui.charts.scale import finite, gap_after, time_axis
from opsconsole.ui.glyphs import Glyphs

Points = Sequence[tuple[float, float]]


def sparkline(values: Sequence[float], glyphs: Glyphs, *, low: float | None = None, high: float | None = None) -> str:
    """One character for each value, from `low` (by default zero or the least) to `high`; blank where there is none."""
    numbers = finite(values)
    bottom = low if low is not None and math.isfinite(low) else min([0.0, *numbers])
    top = high if high is not None and math.isfinite(high) else max(numbers, default=0.0)
    levels = glyphs.sparks
    reach = top - bottom
    characters = []
    for value in values:
        if not math.isfinite(value):
            characters.append(" ")
        elif reach <= 0 or not math.isfinite(reach):
            characters.append(levels[0])
        else:
            part = max(0.0, min(1.0, (value - bottom) / reach))
            characters.append(levels[min(len(levels) - 1, math.ceil(part * (len(levels) - 1)))])
    return "".join(characters)


def shape_floor(values: Sequence[float]) -> float | None:
    """Where to begin so that the shape of values far from zero is seen, without making a mountain of noise."""
    numbers = finite(values)
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    return low - (high - low) if low > high * 0.6 and high > low * 1.02 else None


def resampled(points: Points, end: float, window: float, cells: int) -> list[float]:
    """`points` as one value for each of `cells` equal spans of time up to `end`: the one farthest from zero.

    A peak must not vanish by being drawn small. A span without a point takes the value before it, unless
    there is a hole in the series; then it is NaN.
    """
    axis = time_axis(end, window, cells)
    longest = max(gap_after(points), axis.per_cell * 1.5)
    found = [math.nan] * axis.cells
    last_at, last_value = -math.inf, math.nan
    at_column = [-math.inf] * axis.cells
    for at, value in points:
        column = axis.column(at)
        if 0 <= column < axis.cells and math.isfinite(value):
            if math.isnan(found[column]) or abs(value) > abs(found[column]):
                found[column] = value
            at_column[column] = at
        elif column < 0:
            last_at, last_value = at, value
    for column in range(axis.cells):
        if not math.isnan(found[column]):
            last_at, last_value = at_column[column], found[column]
        elif axis.start + column * axis.per_cell - last_at <= longest and axis.moment(column) <= end:
            found[column] = last_value
    return found
