"""Columns, rows, and how wide each column is: pure, shared by the live table and the table pane."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from opsconsole.ui.lines import Align, Line, Role, Span, fit, fit_line, merged, width_of

GAP = 2
"""Blank cells between columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    id: str
    title: str
    align: Align = "left"
    priority: int = 0
    """Where there is no room, the column with the highest number goes first; 0 never goes."""
    widest: int = 40
    """Cells that it takes at most."""
    grows: bool = False
    """Takes what the others leave."""
    least: int = 0
    """Cells below which other columns rather go."""
    width: int = 0
    """Fixed cells; 0: as its content asks for."""
    stands_for: str = ""
    """The id of a wider column that says the same: it is shown only where that one, and those before it that stand for
    it, find no room."""


class Cell(NamedTuple):
    """What stands in one column of one row."""

    text: str
    role: Role = "text"
    spans: Line = ()
    """The text in several roles; empty: all of it is in `role`."""


_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a key that stays the same while the row is the same thing, and a cell for each column."""

    key: str
    cells: tuple[Cell, ...]
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    """What the row is about, for runbooks and drill-down."""

    @property
    def text(self) -> str:
        """What a filter looks at."""
        return " ".join(cell.text for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns are shown, and how wide."""

    shown: tuple[tuple[int, int, Align], ...]
    """(index of the column, cells, alignment), from left to right."""
    hidden: int = 0
    """How many columns found no room."""


def asked_widths(
    columns: Sequence[Column], rows: Iterable[Row], known: Sequence[int] = (), sort: str = ""
) -> tuple[int, ...]:
    """Cells that each column asks for, by its title (that of column `sort` has a mark) and by `rows`.

    Never fewer than `known`: a width that only grows keeps the table still while its numbers change.
    """
    widths = [
        max(
            column.width
            or min(max(column.least, width_of(column.title) + (2 if sort == column.id else 0)), column.widest),
            known[index] if index < len(known) else 0,
        )
        for index, column in enumerate(columns)
    ]
    free = [(index, column.widest) for index, column in enumerate(columns) if not column.width and not column.grows]
    for row in rows:
        cells = row.cells
        for index, widest in free:
            if index < len(cells):
                size = width_of(cells[index].text)
                if size > widths[index]:
                    widths[index] = min(size, widest)
    return tuple(widths)


def lay_out(columns: Sequence[Column], widths: Sequence[int], width: int) -> Layout:
    """Choose the columns that fit into `width` cells, and give the rest to those that grow.

    A column in which nothing stands, not even a title, takes no room and hides no other.
    """
    filled = [
        index for index, column in enumerate(columns) if (widths[index] or column.grows) and not column.stands_for
    ]
    kept = list(filled)

    def taken() -> int:
        return sum(widths[index] for index in kept) + GAP * max(0, len(kept) - 1)

    while taken() > width:
        droppable = [index for index in kept if columns[index].priority > 0]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda index: (columns[index].priority, index)))
    for index, column in enumerate(columns):
        told = any(column.stands_for in (columns[other].id, columns[other].stands_for) for other in kept)
        if column.stands_for and not told and taken() + GAP + widths[index] <= width:
            kept = sorted([*kept, index])
    spare = max(0, width - taken())
    growing = [index for index in kept if columns[index].grows]
    share, extra = divmod(spare, len(growing)) if growing else (0, 0)
    shown: list[tuple[int, int, Align]] = []
    room = width
    for index in kept:
        size = widths[index]
        if index in growing:
            size += share + (extra if index == growing[-1] else 0)
        size = min(size, room)
        if size <= 0:
            break
        shown.append((index, size, columns[index].align))
        room -= size + GAP
    return Layout(tuple(shown), len(filled) - len(shown))


def heading(columns: Sequence[Column], layout: Layout, sort: str = "", mark: str = "") -> Line:
    """The line with the titles; the column `sort` carries `mark`."""
    parts = [
        fit(
            f"{columns[index].title} {mark}" if mark and columns[index].id == sort else columns[index].title,
            size,
            align,
        )
        for index, size, align in layout.shown
    ]
    return (Span((" " * GAP).join(parts), "heading"),) if parts else ()


def row_line(row: Row, layout: Layout, ellipsis: str = "…") -> Line:
    """One row."""
    spans: list[Span] = []
    for place, (index, size, align) in enumerate(layout.shown):
        if place:
            spans.append(Span(" " * GAP))
        cell = row.cells[index] if index < len(row.cells) else _EMPTY
        if cell.spans:
            spans += fit_line(cell.spans, size, ellipsis)
        else:
            spans.append(Span(fit(cell.text, size, align, ellipsis), cell.role))
    return merged(spans)


_EMPTY = Cell("")
