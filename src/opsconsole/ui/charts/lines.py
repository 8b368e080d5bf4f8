"""A line chart: y axis with units, x axis with times, thresholds, gaps where there is no value, a cursor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.core.units import format_value
from opsconsole.ui.charts.raster import EMPTY, Raster
from opsconsole.ui.charts.scale import Scale, TimeAxis, gap_after, time_axis, time_ticks, y_scale
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Role, Span, fit, merged, width_of
from opsconsole.ui.theme import series_role

Points = Sequence[tuple[float, float]]

_LEAST_WIDTH = 8
"""Cells of drawing below which the y axis is left out."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold's line."""

    value: float
    role: Role


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw."""

    series: Sequence[Points]
    end: float
    """Unix seconds at the right edge."""
    window: float
    """Seconds from the left edge to the right one."""
    unit: str = "short"
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    bounds: Sequence[Bound] = ()
    cursor: float | None = None
    """The moment that is read out."""


def draw(chart: Chart, width: int, height: int, glyphs: Glyphs) -> Lines:
    """The chart in exactly `height` lines, none wider than `width`. The x axis goes first when there is little room."""
    if width <= 0 or height <= 0:
        return ()
    has_times = height >= 4
    rows = height - (1 if has_times else 0)
    scale = _scale(chart, rows)
    labels = _labels(scale, rows, chart)
    margin = max((width_of(text) for text in labels.values()), default=0) + 2
    if width - margin < _LEAST_WIDTH or rows < 2:
        margin, labels = 0, {}
    axis = time_axis(chart.end, chart.window, width - margin)
    raster = _drawn(chart, scale, axis, rows, glyphs)
    lines = [_row(row, rows, chart, raster, scale, axis, labels, margin, glyphs) for row in range(rows)]
    if has_times:
        lines.append(times_line(axis, margin))
    return tuple(lines)


def chart_axis(chart: Chart, width: int, height: int) -> TimeAxis:
    """The time axis that `draw` uses in the same room, for moving the cursor by cells."""
    rows = height - (1 if height >= 4 else 0)
    labels = _labels(_scale(chart, rows), rows, chart)
    margin = max((width_of(text) for text in labels.values()), default=0) + 2
    if width - margin < _LEAST_WIDTH or rows < 2:
        margin = 0
    return time_axis(chart.end, chart.window, max(1, width - margin))


def value_at(points: Points, at: float, tolerance: float) -> float | None:
    """The value of the point nearest to a moment, none farther than `tolerance` seconds; None where there is none."""
    near = min(points, key=lambda point: abs(point[0] - at), default=None)
    if near is None or abs(near[0] - at) > tolerance or math.isnan(near[1]):
        return None
    return near[1]


def _scale(chart: Chart, rows: int) -> Scale:
    start = chart.end - chart.window
    values = [value for points in chart.series for at, value in points if at >= start]
    return y_scale(
        values,
        rows,
        unit=chart.unit,
        minimum=chart.minimum,
        maximum=chart.maximum,
        bounds=[bound.value for bound in chart.bounds],
    )


def _labels(scale: Scale, rows: int, chart: Chart) -> dict[int, str]:
    """Row (0 at the top) -> text of the tick that lies on it."""
    found: dict[int, str] = {}
    for tick in scale.ticks:
        found.setdefault(rows - 1 - scale.position(tick, rows), format_value(tick, chart.unit, chart.decimals))
    return found


def _drawn(chart: Chart, scale: Scale, axis: TimeAxis, rows: int, glyphs: Glyphs) -> Raster:
    raster = Raster(axis.cells, rows, glyphs.chart)
    # The first series is the most important one, so it is drawn last, on top.
    for owner in range(len(chart.series) - 1, -1, -1):
        _draw_series(chart.series[owner], owner, raster, scale, axis)
    return raster


def _draw_series(points: Points, owner: int, raster: Raster, scale: Scale, axis: TimeAxis) -> None:
    across, down = raster.style.across, raster.dots_down
    longest = gap_after(points)
    before: tuple[int, int] | None = None
    before_at = -math.inf
    for at, value in points:
        if not math.isfinite(value):
            before = None
            continue
        here = (axis.column(at, across), down - 1 - scale.position(value, down))
        joined = before is not None and at - before_at <= longest and here[0] >= 0
        if joined and before is not None:
            raster.line(_on_surface(before, here), here, owner)
        else:
            raster.dot(*here, owner)
        before, before_at = here, at


def _on_surface(before: tuple[int, int], here: tuple[int, int]) -> tuple[int, int]:
    """Where the line between two points enters the surface from the left."""
    if before[0] >= 0 or here[0] <= before[0]:
        return before
    part = -before[0] / (here[0] - before[0])
    return 0, round(before[1] + part * (here[1] - before[1]))


def _row(
    row: int,
    rows: int,
    chart: Chart,
    raster: Raster,
    scale: Scale,
    axis: TimeAxis,
    labels: dict[int, str],
    margin: int,
    glyphs: Glyphs,
) -> Line:
    spans: list[Span] = []
    if margin:
        tick = glyphs.tick if row in labels else glyphs.vertical
        spans.append(Span(f"{fit(labels.get(row, ''), margin - 2, 'right', glyphs.ellipsis)} {tick}", "axis"))
    bound = next(
        (
            bound
            for bound in chart.bounds
            if scale.inside(bound.value) and rows - 1 - scale.position(bound.value, rows) == row
        ),
        None,
    )
    cursor = axis.column(chart.cursor) if chart.cursor is not None else -1
    for column, (character, owner) in enumerate(raster.row(row)):
        if owner != EMPTY:
            spans.append(Span(character, "readout" if column == cursor else series_role(owner)))
        elif column == cursor:
            spans.append(Span(glyphs.cursor, "accent"))
        elif bound is not None:
            spans.append(Span(glyphs.threshold, bound.role))
        else:
            spans.append(Span(" "))
    return merged(spans)


def times_line(axis: TimeAxis, margin: int) -> Line:
    """Times below the chart, each beginning at its moment; what would not fit or touch its neighbour is left out."""
    text = " " * margin
    for cell, label in time_ticks(axis):
        place = margin + cell
        if place < len(text) + (2 if len(text) > margin else 0) or place + len(label) > margin + axis.cells:
            continue
        text = f"{text:<{place}}{label}"
    return (Span(text, "axis"),) if text.strip() else ()
