"""`bars`: which of many is the largest."""

from opsconsole.core.state import State
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.charts.bar import bar
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, fit, fit_name, in_role, line, state_role, width_of
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.gauge import bar_role, ends
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of, shown_items
from opsconsole.ui.panes.stat import value_role

_LEAST_BAR = 4


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body, places)


def places(state: PaneState, width: int, height: int, looking: Looking) -> int:
    """How many bars are in view at once."""
    return height


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """Name, value, bar; the bars begin at one place and share a scale."""
    items = shown_items(state, looking)
    low, high = ends(state.pane, [item.cell.value for item in items if item.cell])
    _, page = page_of(items, looking.key, height)
    # The widths of all, not of the page, so that a page does not look different from the next.
    value = max((width_of(item.cell.text) for item in items if item.cell), default=0)
    longest = max((width_of(_name(item)) for item in items), default=0)
    name = max(0, min(longest, width // 2, width - value - 6))
    return tuple(_entry(item, name, value, width, (low, high), glyphs, looking) for item in page)


def _entry(
    item: Item, name: int, value: int, width: int, scale: tuple[float, float], glyphs: Glyphs, looking: Looking
) -> Line:
    symbol = f"{glyphs.symbol(item.state)} " if item.state is not State.OK else "  "
    text = item.cell.text if item.cell else ""
    room = width - name - value - 6
    filled, _ = bar(item.cell.value if item.cell else None, *scale, room, glyphs) if room >= _LEAST_BAR else ("", "")
    spans = line(
        Span(symbol, state_role(item.state)),
        Span(fit_name(_name(item), name, glyphs.ellipsis), "text"),
        Span("  " + fit(text, value, "right") + "  ", value_role(item.state)),
        Span(filled, bar_role(item.state)),
    )
    if item.key == looking.key:
        return in_role(spans, "cursor" if looking.focused else "selected")
    return in_role(spans, "dim") if item.gone else spans


def _name(item: Item) -> str:
    return item.cell.legend or ", ".join(item.labels.values()) if item.cell else item.text
