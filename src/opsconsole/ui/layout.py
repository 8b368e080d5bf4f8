"""Where panes go: a pure function from a screen's panes and a size to regions.

A screen is a grid of equal columns. Panes fill it row by row; one that does not fit into the rest of its row
starts the next, and the last of a row takes what is left. On a narrow terminal there are fewer columns,
never narrower panes than can be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from opsconsole.screens.definition import Kind, Pane

NARROWEST = 26
"""Cells below which a column cannot show a value with its name."""
GAP = 2
"""Blank cells between columns; between rows of panes there is one blank line."""

_NOTHING: Mapping[str, int] = MappingProxyType({})
_HEIGHTS = {
    Kind.STAT: 4,
    Kind.GAUGE: 4,
    Kind.TIMESERIES: 10,
    Kind.BARS: 8,
    Kind.TABLE: 10,
    Kind.STATUS: 6,
    Kind.TIMELINE: 6,
    Kind.HEATMAP: 8,
    Kind.TEXT: 5,
    Kind.VIEW: 12,
    Kind.SECTION: 1,
}
"""Lines of a pane, title included, where its file says nothing."""
_GROW = frozenset({Kind.TIMESERIES, Kind.TABLE, Kind.HEATMAP, Kind.VIEW, Kind.BARS})
"""The kinds that gain from more height."""


@dataclass(frozen=True, slots=True)
class Place:
    """One pane's region in cells, from the top left of the screen's body."""

    x: int
    y: int
    width: int
    height: int


def columns_for(wanted: int, width: int) -> int:
    """How many columns there is room for: 4 on a wide terminal become 2 on a narrow one, then 1."""
    columns = max(1, wanted)
    while columns > 1 and (width - GAP * (columns - 1)) // columns < NARROWEST:
        columns = columns // 2 if columns % 2 == 0 else columns - 1
    return columns


def place_panes(
    panes: Sequence[Pane], columns: int, width: int, height: int, wanted: Mapping[str, int] = _NOTHING
) -> tuple[Place, ...]:
    """A region for each pane, in their order. All are `width` wide together; they may be higher than `height`.

    Where they are not, charts and tables share the lines that are left. `wanted` has the height, by id, of panes
    that know theirs; those do not grow.
    """
    fitting = columns_for(columns, width)
    rows = _rows(panes, columns, fitting)
    heights = [max(wanted.get(panes[index].id) or _height(panes[index]) for index, _ in row) for row in rows]
    growing = [pane.kind in _GROW and pane.id not in wanted for pane in panes]
    _share(heights, rows, growing, height - sum(heights) - max(0, len(rows) - 1))
    places: dict[int, Place] = {}
    y = 0
    for row, row_height in zip(rows, heights, strict=True):
        places.update(_across(row, fitting, width, y, row_height))
        y += row_height + 1
    return tuple(places[index] for index in range(len(panes)))


def _rows(panes: Sequence[Pane], wanted: int, columns: int) -> list[list[tuple[int, int]]]:
    """(pane, span) row by row, spans scaled to the columns that there are."""
    rows: list[list[tuple[int, int]]] = [[]]
    used = 0
    for index, pane in enumerate(panes):
        span = min(columns, max(1, -(-pane.span * columns // max(1, wanted))))
        if pane.kind is Kind.SECTION:
            span = columns
        if used + span > columns:
            rows.append([])
            used = 0
        rows[-1].append((index, span))
        used += span
    return [row for row in rows if row]


def _height(pane: Pane) -> int:
    return pane.rows or _HEIGHTS[pane.kind]


def _share(heights: list[int], rows: list[list[tuple[int, int]]], grows: Sequence[bool], spare: int) -> None:
    growing = [at for at, row in enumerate(rows) if any(grows[index] for index, _ in row)]
    if spare <= 0 or not growing:
        return
    for nth, at in enumerate(growing):
        heights[at] += spare // len(growing) + (1 if nth < spare % len(growing) else 0)


def _across(row: list[tuple[int, int]], columns: int, width: int, y: int, height: int) -> list[tuple[int, Place]]:
    """The panes of one row side by side; the last takes what is left, gaps of missing columns included."""
    cell = (width - GAP * (columns - 1)) / columns
    placed = []
    start = 0
    for nth, (index, span) in enumerate(row):
        x = round(start * (cell + GAP))
        last = nth == len(row) - 1
        right = width if last else round((start + span) * (cell + GAP)) - GAP
        placed.append((index, Place(x, y, right - x, height)))
        start += span
    return placed
