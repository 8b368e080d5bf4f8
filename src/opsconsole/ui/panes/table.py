"""`table`: rows of an SQL answer, or of series joined by their labels."""

from collections.abc import Sequence
from functools import lru_cache

from opsconsole.core.state import State
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.tabular import TableCell, TableColumn
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, fit_line, in_role, state_role
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Item, Looking, page_of, shown_items
from opsconsole.ui.table_layout import Cell, Column, Layout, Row, asked_widths, heading, lay_out, row_line

_FIRM_COLUMNS = 2
"""Columns from the left that stay in view however narrow the pane is."""


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body, places)


def places(state: PaneState, width: int, height: int, looking: Looking) -> int:
    """How many rows are in view at once."""
    return height - 1


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """Column titles, and the page of rows with the cursor."""
    if state.table is None:
        return ()
    items = shown_items(state, looking)
    columns = _columns(state.table.columns)
    rows = [_row(item, glyphs) for item in items]
    # The widths of all rows, so that nothing moves when the cursor turns the page.
    layout = lay_out(columns, asked_widths(columns, rows), width)
    _, page = page_of(items, looking.key, height - 1)
    lines: list[Line] = [heading(columns, layout)]
    lines += [_line(item, _row(item, glyphs), layout, width, glyphs, looking) for item in page]
    return tuple(lines)


@lru_cache(maxsize=64)
def _columns(columns: Sequence[TableColumn]) -> tuple[Column, ...]:
    texts = [place for place, column in enumerate(columns) if not column.numeric and not column.width]
    return tuple(
        Column(
            id=str(place),
            title=column.title,
            align="right" if column.numeric else "left",
            priority=0 if place < _FIRM_COLUMNS else place,
            widest=60,
            width=column.width,
            grows=bool(texts) and place == texts[-1] and place == len(columns) - 1,
            least=16 if texts and place == texts[-1] else 0,
        )
        for place, column in enumerate(columns)
    )


def _row(item: Item, glyphs: Glyphs) -> Row:
    cells = item.row.cells if item.row is not None else ()
    return Row(item.key, tuple(_cell(cell, glyphs) for cell in cells), item.labels)


def _cell(cell: TableCell, glyphs: Glyphs) -> Cell:
    """A judged value carries its symbol: the colour alone would say nothing without colours."""
    if cell.state is None or cell.state is State.OK:
        return Cell(cell.text)
    return Cell(f"{glyphs.symbol(cell.state)} {cell.text}", state_role(cell.state))


def _line(item: Item, row: Row, layout: Layout, width: int, glyphs: Glyphs, looking: Looking) -> Line:
    shown = row_line(row, layout, glyphs.ellipsis)
    if item.key == looking.key:
        return in_role(fit_line(shown, width), "cursor" if looking.focused else "selected")
    return in_role(shown, "dim") if item.gone else shown
