"""`stat`: one number that matters, with its course where there is one; several as a list."""

from opsconsole.core.state import State
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.series import Cell
from opsconsole.ui.charts.sparkline import resampled, shape_floor, sparkline
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Role, Span, fit, fit_name, in_role, line, state_role, truncate, width_of
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of, shown_items
from opsconsole.ui.panes.span_of_time import span_of_time


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body, places)


def places(state: PaneState, width: int, height: int, looking: Looking) -> int:
    """How many numbers are in view at once."""
    return height


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """A single value and its course, or a line for each of several."""
    items = shown_items(state, looking)
    if len(items) == 1 and items[0].cell is not None:
        return _single(state, items[0], width, height, glyphs, now, looking)
    _, page = page_of(items, looking.key, height)
    value = max((width_of(item.cell.text) for item in page if item.cell), default=0)
    name = min(max((width_of(_name(item)) for item in page), default=0), max(0, width - value - 4))
    return tuple(_entry(item, name, value, glyphs, looking) for item in page)


def value_role(state: State) -> Role:
    """How a number is written: strong when all is well, in the colour of its state when not."""
    return "strong" if state is State.OK else state_role(state)


def _single(
    state: PaneState, item: Item, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking
) -> Lines:
    cell = item.cell
    assert cell is not None
    text = Span(truncate(cell.text, width, glyphs.ellipsis), value_role(item.state))
    # The title says what it is; the name of a metric that nobody asked for says it once more.
    untold = cell.legend in (state.pane.title, cell.labels.get("__name__"))
    legend = "" if untold else cell.legend
    first: Line = line(text, Span(f"  {legend}" if legend else "", "dim"))
    if looking.focused and looking.key == item.key:
        first = in_role(first, "cursor")
    course = _course(state, cell, width, glyphs, now, looking)
    if not course:
        return (first,)
    if height == 1:
        return (line(*first, "  ", (course[: max(0, width - width_of(cell.text) - 2)], "spark")),)
    return (first, (Span(course, "spark"),))


def _course(state: PaneState, cell: Cell, width: int, glyphs: Glyphs, now: float, looking: Looking) -> str:
    if len(cell.points) < 2:
        return ""
    start, end = span_of_time(state, now, looking)
    values = resampled(cell.points, end, end - start, min(width, 60))
    return sparkline(values, glyphs, low=shape_floor(values))


def _entry(item: Item, name: int, value: int, glyphs: Glyphs, looking: Looking) -> Line:
    symbol = f"{glyphs.symbol(item.state)} " if item.state is not State.OK else "  "
    spans = line(
        Span(symbol, state_role(item.state)),
        Span(fit_name(_name(item), name, glyphs.ellipsis), "text"),
        Span("  " + fit(item.cell.text if item.cell else "", value, "right"), value_role(item.state)),
    )
    if item.key == looking.key:
        return in_role(spans, "cursor" if looking.focused else "selected")
    return in_role(spans, "dim") if item.gone else spans


def _name(item: Item) -> str:
    return item.cell.legend or ", ".join(item.labels.values()) if item.cell else item.text
