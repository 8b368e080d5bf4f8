"""How the operator looks at a pane: what is selected in it, what is filtered, which span of time is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.core.state import State
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.series import Cell
from opsconsole.screens.tabular import TableRow
from opsconsole.ui.filtering import Matcher
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Lines
from opsconsole.ui.widgets.cursor import held_order


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a pane that can be selected: a series' cell or a table's row."""

    key: str
    """Stays the same while it is the same thing."""
    labels: Mapping[str, str]
    state: State
    text: str
    """What a filter looks at."""
    cell: Cell | None = None
    row: TableRow | None = None
    subject: object = None
    """What else it stands for, in the panes of `view`s."""
    gone: bool = False
    """No longer there; kept in its place while the operator is among its neighbours."""


@dataclass(frozen=True, slots=True)
class Looking:
    """The operator's side of what a pane shows."""

    focused: bool = False
    key: str | None = None
    """The item under the cursor."""
    items: Sequence[Item] | None = None
    """The items to show, in the order to keep; None: those of the state."""
    filter: str = ""
    """For the title; the items are filtered already."""
    at: float | None = None
    """The moment that a chart reads out, in Unix seconds."""
    end: float | None = None
    """Where the time range ends; None: now."""
    window: float | None = None
    """Seconds of history; None: the pane's own."""
    runbook: str = ""
    """Title of the runbook that `b` leads to."""


AWAY = Looking()
"""Nobody has the pane in focus."""

Body = Callable[[PaneState, int, int, Glyphs, float, Looking], Lines]
"""What is under the title: from state, width, height, glyphs, time and looking to lines."""


def items_of(state: PaneState) -> tuple[Item, ...]:
    """The selectable things of a pane, in the order of the state."""
    if state.table is not None:
        return _keyed([_row_item(row) for row in state.table.rows])
    return _keyed([_cell_item(cell) for cell in state.cells])


def shown_items(state: PaneState, looking: Looking) -> Sequence[Item]:
    """The items that a pane's body draws."""
    return looking.items if looking.items is not None else items_of(state)


def arranged(
    items: Sequence[Item], standing: Sequence[Item], matches: Matcher | None, *, hold: bool
) -> tuple[Item, ...]:
    """The items to show: those that match, and while `hold`, in the places in which they stand."""
    fresh = items if matches is None else [item for item in items if matches(item.text)]
    if not hold:
        return tuple(fresh)
    by_key = {item.key: item for item in fresh}
    last = {item.key: item for item in standing}
    order = held_order([item.key for item in standing], by_key)
    return tuple(by_key.get(key) or replace(last[key], gone=True) for key in order)


def page_of(items: Sequence[Item], key: str | None, room: int) -> tuple[int, Sequence[Item]]:
    """The part of `items` that fits into `room` places and holds `key`: (index of its first, the part).

    Whole pages, so that nothing moves while the cursor walks within one.
    """
    if room <= 0:
        return 0, ()
    index = next((place for place, item in enumerate(items) if item.key == key), 0) if key is not None else 0
    first = index // room * room
    return first, items[first : first + room]


def _keyed(items: list[Item]) -> tuple[Item, ...]:
    """Rows that look alike in every label still need keys of their own."""
    seen: dict[str, int] = {}
    found = []
    for item in items:
        times = seen.get(item.key, 0)
        seen[item.key] = times + 1
        found.append(replace(item, key=f"{item.key}#{times}") if times else item)
    return tuple(found)


def _cell_item(cell: Cell) -> Item:
    key = f"{cell.legend}|" + ",".join(f"{name}={cell.labels[name]}" for name in sorted(cell.labels))
    text = f"{cell.legend} {cell.state.value} {cell.text} " + " ".join(cell.labels.values())
    return Item(key, cell.labels, cell.was or cell.state, text, cell=cell)


def _row_item(row: TableRow) -> Item:
    # Numbers change from one reading to the next; what names the row is its text.
    naming = [cell.text for cell in row.cells if cell.value is None]
    key = "|".join(naming or [cell.text for cell in row.cells])
    text = " ".join(cell.text for cell in row.cells)
    return Item(key, row.labels, row.state, text, row=row)
