"""`heatmap`: how values are spread over time: one row for each bucket of a histogram (or series), darker is more."""

import math
from itertools import pairwise

from opsconsole.core.units import format_value
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.series import Cell
from opsconsole.ui.charts.lines import times_line
from opsconsole.ui.charts.scale import TimeAxis, finite, time_axis
from opsconsole.ui.charts.sparkline import resampled
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, fit, merged, width_of
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Looking, shown_items
from opsconsole.ui.panes.span_of_time import span_of_time

_LONGEST_NAME = 16


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body)


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """The buckets, largest on top, then the times and what the shades mean."""
    cells = [item.cell for item in shown_items(state, looking) if item.cell is not None]
    buckets = all("le" in cell.labels for cell in cells)
    name = min(_LONGEST_NAME, max((width_of(_name(state, cell)) for cell in cells), default=0), max(0, width // 3))
    start, end = span_of_time(state, now, looking)
    axis = time_axis(end, end - start, max(1, width - name - 2))
    rows = [resampled(cell.points, end, end - start, axis.cells) for cell in cells]
    if buckets:
        rows = _apart(rows)
    feet = _feet(state, rows, axis, name + 2, glyphs, height)
    room = height - len(feet)
    top = max((value for row in rows for value in finite(row)), default=0.0)
    named = list(zip([_name(state, cell) for cell in cells], rows, strict=True))
    shown = named[::-1] if buckets else named
    if len(shown) > room:
        shown = _fullest(shown, room)
    return (*(_row(text, row, name, top, glyphs) for text, row in shown), *feet)


def _apart(rows: list[list[float]]) -> list[list[float]]:
    """Buckets of a Prometheus histogram count everything below their bound; this takes them apart."""
    apart = rows[:1]
    for below, row in pairwise(rows):
        apart.append([max(0.0, value - less) for less, value in zip(below, row, strict=True)])
    return apart


def _fullest(rows: list[tuple[str, list[float]]], room: int) -> list[tuple[str, list[float]]]:
    """The stretch of neighbouring rows in which the most is counted."""
    sums = [math.fsum(finite(row)) for _, row in rows]
    first = max(range(len(rows) - room + 1), key=lambda start: (math.fsum(finite(sums[start : start + room])), -start))
    return rows[first : first + room]


def _row(text: str, row: list[float], name: int, top: float, glyphs: Glyphs) -> Line:
    shades = glyphs.shades
    marks = []
    for value in row:
        if not math.isfinite(value) or value <= 0 or not 0 < top < math.inf:
            marks.append(shades[0])
        else:
            marks.append(shades[max(1, min(len(shades) - 1, math.ceil(min(1.0, value / top) * (len(shades) - 1))))])
    return merged([Span(fit(text, name, "right", glyphs.ellipsis) + "  ", "axis"), Span("".join(marks), "series-0")])


def _feet(
    state: PaneState, rows: list[list[float]], axis: TimeAxis, margin: int, glyphs: Glyphs, height: int
) -> tuple[Line, ...]:
    if height < 4:
        return ()
    times = times_line(axis, margin)
    top = max((value for row in rows for value in finite(row)), default=0.0)
    if height < 6 or top <= 0:
        return (times,)
    unit = "short" if all("le" in cell.labels for cell in state.cells) else state.pane.unit
    key = f"{glyphs.shades[1]} little   {glyphs.shades[-1]} {format_value(top, unit)}"
    return times, (Span(" " * margin + key, "dim"),)


def _name(state: PaneState, cell: Cell) -> str:
    bound = cell.labels.get("le")
    if bound is None:
        return cell.legend
    try:
        number = float(bound)
    except ValueError:
        return bound
    return "more" if math.isinf(number) else f"{format_value(number, state.pane.unit, state.pane.decimals)}"
