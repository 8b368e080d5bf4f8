"""`status`: one state with its word and value for each series, worst first, in as many columns as there is room for."""

from opsconsole.core.state import State
from opsconsole.core.units import NO_VALUE
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, fit, fit_line, fit_name, in_role, merged, state_role, width_of
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of, shown_items

_BADGE = 9
"""Cells of `? UNKNOWN`, the longest state."""
_GAP = 3
_NARROWEST = 24
_LONGEST_NAME = 40


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body, places)


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """The states, read downwards column by column."""
    items = shown_items(state, looking)
    columns = _columns(len(items), width, height)
    badge = max((width_of(glyphs.badge(item.state)) for item in items), default=_BADGE)
    name = min(_LONGEST_NAME, max((width_of(_name(item)) for item in items), default=0))
    value = max((width_of(_value(item)) for item in items), default=0)
    asked = badge + 1 + name + (2 + value if value else 0)
    size = (width - _GAP * (columns - 1)) // columns if columns > 1 else min(width, max(asked, 60))
    _, page = page_of(items, looking.key, columns * height)
    rows = min(height, len(page))
    return tuple(
        _row([page[at] for at in range(row, len(page), rows)], size, badge, glyphs, looking) for row in range(rows)
    )


def places(state: PaneState, width: int, height: int, looking: Looking) -> int:
    """How many states are in view at once."""
    return height * _columns(len(shown_items(state, looking)), width, height)


def _columns(count: int, width: int, height: int) -> int:
    """As many columns as bring all into view, but none too narrow to be read: names rather give way."""
    needed = -(-count // max(1, height))
    return max(1, min(needed, (width + _GAP) // (_NARROWEST + _GAP)))


def _row(items: list[Item], size: int, badge: int, glyphs: Glyphs, looking: Looking) -> Line:
    spans: list[Span] = []
    for place, item in enumerate(items):
        if place:
            spans.append(Span(" " * _GAP))
        spans += _entry(item, size, badge, glyphs, looking)
    return merged(spans)


def _entry(item: Item, size: int, badge: int, glyphs: Glyphs, looking: Looking) -> Line:
    value = _value(item)
    room = max(0, size - badge - 1 - (width_of(value) + 2 if value else 0))
    entry = fit_line(
        (
            Span(fit(glyphs.badge(item.state), badge) + " ", state_role(item.state)),
            Span(fit_name(_name(item), room, glyphs.ellipsis), "text"),
            Span(f"  {value}" if value else "", "dim" if item.state is State.OK else "text"),
        ),
        size,
        glyphs.ellipsis,
    )
    if item.key == looking.key:
        return in_role(entry, "cursor" if looking.focused else "selected")
    return in_role(entry, "dim") if item.gone else entry


def _name(item: Item) -> str:
    if item.cell is None:
        return item.text
    return item.cell.legend or ", ".join(item.labels.values())


def _value(item: Item) -> str:
    """What the state does not say already: for what is OK a number, but no word such as `up`, and no bare 1 or 0."""
    if item.cell is None or item.cell.text in ("0", "1", NO_VALUE):
        return ""
    telling = item.state is not State.OK or any(character.isdigit() for character in item.cell.text)
    return item.cell.text if telling else ""
