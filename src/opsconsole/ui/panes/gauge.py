"""`gauge`: how much of a limited thing is used, as a bar between its ends, with the value."""

import math

from opsconsole.core.state import State
from opsconsole.screens.definition import Pane
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.charts.bar import bar
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Role, Span, fit, fit_name, in_role, line, state_role, width_of
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of, shown_items
from opsconsole.ui.panes.stat import value_role
from opsconsole.ui.theme import mark_role

_FULL = {"percent": 100.0, "percentunit": 1.0}
_LEAST_BAR = 6
_LONGEST_NAME = 24


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body, places)


def places(state: PaneState, width: int, height: int, looking: Looking) -> int:
    """How many bars are in view at once."""
    return height


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """One bar for each series, on one scale."""
    items = shown_items(state, looking)
    low, high = ends(state.pane, [item.cell.value for item in items if item.cell])
    _, page = page_of(items, looking.key, height)
    value = max((width_of(item.cell.text) for item in page if item.cell), default=0)
    name = 0 if len(items) == 1 else min(_LONGEST_NAME, max((width_of(_name(item)) for item in page), default=0))
    name = max(0, min(name, width - value - 6 - _LEAST_BAR))
    return tuple(_entry(item, name, value, width, (low, high), glyphs, looking) for item in page)


def ends(pane: Pane, numbers: list[float | None]) -> tuple[float, float]:
    """Where the bars of a pane begin and end."""
    low = pane.minimum if pane.minimum is not None else 0.0
    if pane.maximum is not None:
        return low, pane.maximum
    if pane.unit in _FULL:
        return low, _FULL[pane.unit]
    bounds = [bound for threshold in pane.thresholds for bound in threshold.bounds]
    known = [number for number in [*numbers, *bounds] if number is not None and math.isfinite(number)]
    return low, max(known, default=low + 1.0)


def bar_role(state: State) -> Role:
    """A bar is calm while all is well."""
    return "series-0" if state is State.OK else mark_role(state_role(state))


def _entry(
    item: Item, name: int, value: int, width: int, scale: tuple[float, float], glyphs: Glyphs, looking: Looking
) -> Line:
    number = item.cell.value if item.cell else None
    text = item.cell.text if item.cell else ""
    symbol = f"{glyphs.symbol(item.state)} " if item.state is not State.OK else "  "
    room = width - value - 2 - len(symbol) - (name + 2 if name else 0)
    filled, rest = bar(number, *scale, room, glyphs) if room >= _LEAST_BAR else ("", "")
    spans = line(
        Span(fit_name(_name(item), name, glyphs.ellipsis) + "  " if name else "", "text"),
        Span(filled, bar_role(item.state)),
        Span(rest, "faint"),
        Span(f"  {symbol}" if filled or rest else symbol, state_role(item.state)),
        Span(fit(text, value, "right"), value_role(item.state)),
    )
    if item.key == looking.key:
        return in_role(spans, "cursor" if looking.focused else "selected")
    return in_role(spans, "dim") if item.gone else spans


def _name(item: Item) -> str:
    return item.cell.legend or ", ".join(item.labels.values()) if item.cell else item.text
