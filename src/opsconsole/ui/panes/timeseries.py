"""`timeseries`: lines over time with axes, thresholds, a legend, and a cursor that reads values out."""

from datetime import UTC, datetime

from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.series import Cell
from opsconsole.ui.charts.lines import Bound, Chart, chart_axis, draw, value_at
from opsconsole.ui.charts.raster import ASCII_MARKS
from opsconsole.ui.charts.scale import TimeAxis, finite, gap_after
from opsconsole.ui.charts.sparkline import resampled, sparkline
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, clip_line, line, line_width, state_role, truncate
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Looking, shown_items
from opsconsole.ui.panes.span_of_time import span_of_time
from opsconsole.ui.theme import SERIES_COUNT, series_role

_DRAWN = 2 * SERIES_COUNT
"""Lines beyond this many cannot be told apart; the rest is counted in the legend."""
_LEAST_CHART = 4


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body)


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """The chart and its legend; where there is no room for a chart, a sparkline for each series."""
    cells = _cells(state, looking)
    if height < _LEAST_CHART:
        return tuple(
            _small(state, cell, owner, width, glyphs, now, looking) for owner, cell in enumerate(cells[:height])
        )
    chart = _chart(state, cells, now, looking)
    legend = _readout(state, cells, width, glyphs, looking) or _legend(state, cells, width, glyphs, now, looking)
    return (*draw(chart, width, height - 1, glyphs), legend)


def axis_of(state: PaneState, width: int, height: int, now: float, looking: Looking) -> TimeAxis:
    """The time axis of the chart that `render` draws in the same room, for moving the cursor."""
    chart = _chart(state, _cells(state, looking), now, looking)
    return chart_axis(chart, width, max(2, height - 2))


def _cells(state: PaneState, looking: Looking) -> list[Cell]:
    return [item.cell for item in shown_items(state, looking) if item.cell is not None][:_DRAWN]


def _chart(state: PaneState, cells: list[Cell], now: float, looking: Looking) -> Chart:
    pane = state.pane
    start, end = span_of_time(state, now, looking)
    bounds = [
        Bound(bound, "crit-line" if threshold.state is State.CRIT else "warn-line")
        for threshold in pane.thresholds
        for bound in threshold.bounds
    ]
    return Chart(
        series=[cell.points for cell in cells],
        end=end,
        window=end - start,
        unit=pane.unit,
        decimals=pane.decimals,
        minimum=pane.minimum,
        maximum=pane.maximum,
        bounds=bounds,
        cursor=looking.at,
    )


def _legend(state: PaneState, cells: list[Cell], width: int, glyphs: Glyphs, now: float, looking: Looking) -> Line:
    """Each series with its last and its largest value, as many as fit whole, and how many did not."""
    start, _ = span_of_time(state, now, looking)
    full: list[Line] = []
    short: list[Line] = []
    for owner, cell in enumerate(cells):
        peak = max(finite(value for at, value in cell.points if at >= start), default=None)
        top = f"  max {format_value(peak, state.pane.unit, state.pane.decimals)}" if peak is not None else ""
        name = _name(state, cell, owner, glyphs)
        full.append((*name, Span(f"{cell.text}{top}", "dim")))
        short.append((*name, Span(cell.text, "dim")))
    # Which line is which matters more than how high it once was.
    fits = sum(line_width(entry) + 3 for entry in full) <= width + 3
    return _joined(full if fits else short, len(shown_items(state, looking)), width, glyphs)


def _readout(state: PaneState, cells: list[Cell], width: int, glyphs: Glyphs, looking: Looking) -> Line:
    """The values at the cursor, with the moment."""
    if looking.at is None:
        return ()
    moment = datetime.fromtimestamp(looking.at, UTC)
    entries: list[Line] = [(Span(f"{moment:%H:%M:%S} UTC", "accent"),)]
    for owner, cell in enumerate(cells):
        value = value_at(cell.points, looking.at, gap_after(cell.points))
        text = format_value(value, state.pane.unit, state.pane.decimals)
        entries.append((*_name(state, cell, owner, glyphs), Span(text, "strong")))
    return _joined(entries, len(shown_items(state, looking)) + 1, width, glyphs)


def _name(state: PaneState, cell: Cell, owner: int, glyphs: Glyphs) -> Line:
    mark = ASCII_MARKS[owner % len(ASCII_MARKS)] if glyphs.chart == "ascii" else glyphs.horizontal * 2
    name = truncate(cell.legend, 30, glyphs.ellipsis)
    # Without a name of its own the single series is what the title says.
    return (Span(f"{mark} {name} " if name and name != state.pane.title else f"{mark} ", series_role(owner)),)


def _joined(entries: list[Line], total: int, width: int, glyphs: Glyphs) -> Line:
    shown: list[Span] = []
    used = 0
    for place, entry in enumerate(entries):
        left = total - place - 1
        more = len(f"   +{left} more") if left else 0
        size = line_width(entry) + (3 if place else 0)
        if place and used + size + more > width:
            shown.append(Span(f"   +{left + 1} more", "dim"))
            break
        shown += [Span("   " if place else ""), *entry]
        used += size
    else:
        if total > len(entries):
            shown.append(Span(f"   +{total - len(entries)} more", "dim"))
    return clip_line(line(*shown), width, glyphs.ellipsis)


def _small(state: PaneState, cell: Cell, owner: int, width: int, glyphs: Glyphs, now: float, looking: Looking) -> Line:
    start, end = span_of_time(state, now, looking)
    role = "strong" if cell.state is State.OK else state_role(cell.state)
    text = f"{cell.text}  {truncate(cell.legend, 20, glyphs.ellipsis)}".rstrip()
    room = max(0, min(60, width - len(text) - 2))
    course = sparkline(resampled(cell.points, end, end - start, room), glyphs) if room else ""
    return clip_line(line((course, series_role(owner)), "  " if course else "", (text, role)), width, glyphs.ellipsis)
