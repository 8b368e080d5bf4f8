"""Scales: round numbers for the y axis, round times for the x axis, and ranges that do not twitch.

A range is widened to whole steps, and the time axis advances by whole cells. Between two such moments a chart
changes in its last column only, and that is all that is written to the terminal.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_SIXTIES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DURATIONS = frozenset({"s", "dtdurations", "clocks"})
_BINARY = frozenset(
    {"bytes", "bits", "kbytes", "mbytes", "gbytes", "tbytes", "binBps", "binbps", "KiBs", "MiBs", "GiBs"}
)
_ZOOM = 0.6
"""Where all values lie above this part of the largest, the axis does not have to start at zero."""
_HUGE, _TINY = 1e300, 1e-250
"""Beyond the one the difference of two values is no longer a number; below the other, dividing by it is not."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A y axis: its ends, and where its ticks are."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def position(self, value: float, steps: int) -> int:
        """Which of `steps` steps, 0 at the bottom, `value` is nearest to; what is outside is at the edge."""
        if steps <= 1 or self.high <= self.low:
            return 0
        part = max(0.0, min(1.0, (value - self.low) / (self.high - self.low)))
        return round(part * (steps - 1))

    def inside(self, value: float) -> bool:
        """Whether `value` lies between the ends."""
        return self.low <= value <= self.high


def finite(values: Iterable[float]) -> list[float]:
    """The numbers among `values` that can be drawn."""
    return [value for value in values if math.isfinite(value) and abs(value) < _HUGE]


def step_for(span: float, count: int, unit: str = "short") -> float:
    """The smallest round step that covers `span` in at most `count` steps; round in what the unit counts in."""
    rough = span / max(1, count)
    if unit in _DURATIONS and rough > 1:
        days = math.ceil(rough / 86400)
        return float(next((step for step in _SIXTIES if step >= rough), days * 86400))
    base = 1.0
    if unit in _BINARY and rough >= 1:
        base = 1024.0 ** math.floor(math.log(rough, 1024))
    size = base * 10.0 ** math.floor(math.log10(rough / base))
    return next((nice * size for nice in _NICE if nice * size >= rough * 0.999999), 10 * size)


def y_scale(
    values: Iterable[float],
    rows: int,
    *,
    unit: str = "short",
    minimum: float | None = None,
    maximum: float | None = None,
    bounds: Sequence[float] = (),
) -> Scale:
    """A y axis for `values` on `rows` rows.

    `minimum` and `maximum` are kept as given. `bounds` are thresholds: one that is not too far
    from the values is brought into view.
    """
    numbers = finite(values)
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    if (low >= 0 and low < high * _ZOOM) or low == high:
        low = min(low, 0.0)
        high = max(high, 0.0)
    near = [bound for bound in finite(bounds) if 0 < bound <= 2 * high or 2 * low <= bound < 0]
    high = max([high, *near])
    if minimum is not None and math.isfinite(minimum):
        low = minimum
    if maximum is not None and math.isfinite(maximum):
        high = maximum
    if not high - low > _TINY or not math.isfinite(high - low):
        high = low + max(1.0, abs(low) * 0.1)
    step = step_for(high - low, max(2, rows // 3), unit)
    first = low if minimum is not None else math.floor(low / step + 1e-9) * step
    last = high if maximum is not None else math.ceil(high / step - 1e-9) * step
    if not last > first:
        last = first + step
    return Scale(first, last, _ticks(first, last, step))


def _ticks(low: float, high: float, step: float) -> tuple[float, ...]:
    start = math.ceil(low / step - 1e-9)
    count = min(50, int((high - low) / step + 1e-9) + 1)
    # Multiplied, not added up: 0.1 + 0.2 is not 0.3. Minus zero reads badly.
    ticks = (
        round((start + place) * step, 12) + 0.0 if step >= 1e-9 else (start + place) * step for place in range(count)
    )
    return tuple(tick for tick in ticks if tick <= high * (1 + 1e-9) or tick <= high)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """An x axis of `cells` cells, each of which stands for the same whole span of time."""

    start: float
    per_cell: float
    cells: int

    @property
    def end(self) -> float:
        """Unix seconds at the right edge."""
        return self.start + self.per_cell * self.cells

    def column(self, at: float, per_cell: int = 1) -> int:
        """The column of a moment, `per_cell` of them in a cell; outside of the axis negative or too large."""
        return math.floor((at - self.start) / self.per_cell * per_cell + 1e-6)

    def moment(self, cell: int) -> float:
        """The middle of a cell."""
        return self.start + (cell + 0.5) * self.per_cell


def time_axis(end: float, window: float, cells: int) -> TimeAxis:
    """The axis of the `window` seconds up to `end`.

    It is aligned to multiples of a cell's time, so it stands still until a whole cell has gone by.
    """
    cells = max(1, cells)
    per_cell = max(window, 1.0) / cells
    last = math.ceil(end / per_cell - 1e-6) * per_cell
    return TimeAxis(last - per_cell * cells, per_cell, cells)


_TIME_STEPS = (
    1,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    259200,
    604800,
)


def time_ticks(axis: TimeAxis, zone: tzinfo = UTC) -> tuple[tuple[int, str], ...]:
    """(cell, text) of the round times on an axis, far enough apart to be read: `13:30`, `21 Nov` for days."""
    span = axis.per_cell * axis.cells
    room = max(2, axis.cells // 12)
    step = next((step for step in _TIME_STEPS if span / step <= room), 30 * 86400)
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
    at = math.ceil(axis.start / step) * step
    found: list[tuple[int, str]] = []
    while at < axis.end and len(found) < 100:
        try:
            found.append((axis.column(at), datetime.fromtimestamp(at, zone).strftime(form)))
        except (ValueError, OverflowError, OSError):
            break
        at += step
    return tuple(found)


def gap_after(points: Sequence[tuple[float, float]]) -> float:
    """Seconds between two points from which on there is a hole in the line: two and a half usual steps."""
    steps = sorted(later[0] - earlier[0] for earlier, later in pairwise(points[:400]))
    return 2.5 * steps[len(steps) // 2] if steps else math.inf
