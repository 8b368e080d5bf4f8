"""`timeline`: the states of each series over time. The height of a mark tells the state, also without colours."""

import math

from opsconsole.core.state import State
from opsconsole.core.threshold import evaluate
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.series import Cell
from opsconsole.ui.charts.lines import times_line
from opsconsole.ui.charts.scale import TimeAxis, gap_after, time_axis
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, fit, fit_name, in_role, merged, state_role, width_of
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of, shown_items
from opsconsole.ui.panes.span_of_time import span_of_time
from opsconsole.ui.theme import mark_role

_LONGEST_NAME = 24


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body, places)


def places(state: PaneState, width: int, height: int, looking: Looking) -> int:
    """How many series are in view at once."""
    return height - 1 if height >= 3 else height


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """A row for each series, and the times below."""
    has_times = height >= 3
    items = shown_items(state, looking)
    _, page = page_of(items, looking.key, height - 1 if has_times else height)
    longest = max((width_of(_name(item)) for item in items), default=0)
    badge = max((width_of(glyphs.badge(item.state)) for item in items), default=0)
    name = min(_LONGEST_NAME, longest, max(0, width // 3))
    room = width - name - 2 - badge - 2
    if room < 4:
        name, room = min(name, max(0, width - badge - 2)), 0
    start, end = span_of_time(state, now, looking)
    axis = time_axis(end, end - start, max(1, room))
    lines = [_row(state, item, name, badge, axis if room else None, glyphs, looking) for item in page]
    if has_times and room:
        lines.append(times_line(axis, name + 2))
    return tuple(lines)


def states_over(state: PaneState, cell: Cell, axis: TimeAxis) -> list[State | None]:
    """The worst state in each cell of the axis; None where nothing is known."""
    found: list[State | None] = [None] * axis.cells
    longest = max(gap_after(cell.points), axis.per_cell * 1.5)
    last: tuple[float, State] | None = None
    seen = [-math.inf] * axis.cells
    for at, value in cell.points:
        column = axis.column(at)
        if math.isnan(value):
            continue
        judged = evaluate(value, state.pane.thresholds)
        if column < 0:
            last = (at, judged)
        elif column < axis.cells:
            known = found[column]
            found[column] = judged if known is None or judged.severity > known.severity else known
            seen[column] = at
    final = max((at for at, value in cell.points if not math.isnan(value)), default=-math.inf)
    for column in range(axis.cells):
        known = found[column]
        begins = axis.start + column * axis.per_cell
        if known is not None:
            last = (seen[column], known)
        elif last is not None and begins - last[0] <= longest and begins <= final + longest:
            found[column] = last[1]
    return found


def _row(
    state: PaneState, item: Item, name: int, badge: int, axis: TimeAxis | None, glyphs: Glyphs, looking: Looking
) -> Line:
    spans = [Span(fit_name(_name(item), name, glyphs.ellipsis) + "  ", "text")]
    if axis is not None and item.cell is not None:
        levels = glyphs.sparks
        for one in states_over(state, item.cell, axis):
            if one is None:
                spans.append(Span(" "))
            else:
                # OK lies on the ground, WARN stands half, CRIT full.
                mark = {State.OK: levels[0], State.CRIT: levels[-1]}.get(one, levels[len(levels) // 2])
                spans.append(Span(mark, mark_role(state_role(one))))
        spans.append(Span("  "))
    spans.append(Span(fit(glyphs.badge(item.state), badge), state_role(item.state)))
    row = merged(spans)
    if item.key == looking.key:
        return in_role(row, "cursor" if looking.focused else "selected")
    return in_role(row, "dim") if item.gone else row


def _name(item: Item) -> str:
    return item.cell.legend or ", ".join(item.labels.values()) if item.cell else item.text
