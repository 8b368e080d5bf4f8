"""What a `table` pane shows: rows of formatted cells, from SQL rows or from series joined by their labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsconsole.core import values
from opsconsole.core.clean import clean_line
from opsconsole.core.state import State, worst
from opsconsole.core.threshold import evaluate
from opsconsole.core.units import NO_VALUE
from opsconsole.screens.definition import Column, Pane
from opsconsole.screens.series import as_label, as_number, reduced, shown
from opsconsole.screens.variables import natural

_HIDDEN = frozenset({"__name__"})


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column as it is shown."""

    title: str
    numeric: bool
    """Numbers align right."""
    width: int = 0
    """In cells; 0: as wide as the content asks for."""


@dataclass(frozen=True, slots=True)
class TableCell:
    """One formatted cell."""

    text: str
    state: State | None = None
    """None where no threshold applies."""
    value: float | None = None
    """For sorting; None for text."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row."""

    cells: tuple[TableCell, ...]
    labels: Mapping[str, str]
    """Every column of the answer by name, also those that are not shown: for drill-downs and runbooks."""
    state: State


@dataclass(frozen=True, slots=True)
class TableView:
    """A whole table. `rows` stand in the order of the answer for SQL, by their labels for series."""

    columns: tuple[TableColumn, ...] = ()
    rows: tuple[TableRow, ...] = ()
    truncated: bool = False

    @property
    def state(self) -> State:
        """The worst of the rows; OK for a table without thresholds, UNKNOWN without rows."""
        return worst(row.state for row in self.rows)


def table_of(pane: Pane, answers: Sequence[values.Value | None]) -> TableView:
    """The table of a pane whose targets were answered with `answers`, in their order.

    One SQL answer is shown as it is. Several, or series, are joined: each target is a column, named by its
    legend, and rows with equal labels are one row.
    """
    tables = [answer for answer in answers if isinstance(answer, values.Table)]
    if len(answers) == 1 and tables:
        return _sql_view(pane, tables[0])
    return _joined_view(pane, answers)


def _sql_view(pane: Pane, table: values.Table) -> TableView:
    positions = {name: index for index, name in enumerate(table.columns)}
    columns = pane.columns or tuple(Column(name, unit="none") for name in table.columns)
    rows = []
    for row in table.rows:
        items = [row[positions[column.name]] if column.name in positions else None for column in columns]
        labels = {name: as_label(row[index]) for name, index in positions.items()}
        rows.append(_row(pane, columns, items, labels))
    numeric = [_numeric(table, positions.get(column.name)) for column in columns]
    return TableView(_heads(columns, numeric), tuple(rows), table.truncated)


def _numeric(table: values.Table, position: int | None) -> bool:
    if position is None:
        return False
    items = [row[position] for row in table.rows if row[position] is not None]
    return bool(items) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in items)


def _joined_view(pane: Pane, answers: Sequence[values.Value | None]) -> TableView:
    names = [
        target.legend or ("value" if index == 0 else f"value {index + 1}") for index, target in enumerate(pane.targets)
    ]
    joined: dict[tuple[tuple[str, str], ...], dict[str, float | None]] = {}
    for name, answer in zip(names, answers, strict=False):
        for labels, number in _numbers(pane, answer):
            key = tuple(sorted((label, text) for label, text in labels.items() if label not in _HIDDEN))
            joined.setdefault(key, {})[name] = number
    label_names = list(dict.fromkeys(label for key in joined for label, _ in key))
    columns = pane.columns or tuple(
        [Column(label, unit="none") for label in label_names]
        + [Column(name, unit=pane.unit, decimals=pane.decimals, thresholds=pane.thresholds) for name in names]
    )
    rows = []
    for key in sorted(joined, key=lambda key: tuple(natural(text) for _, text in key)):
        labels, numbers = dict(key), joined[key]
        items = [numbers.get(column.name) if column.name in names else labels.get(column.name) for column in columns]
        rows.append(_row(pane, columns, items, labels))
    return TableView(_heads(columns, [column.name in names for column in columns]), tuple(rows))


def _numbers(pane: Pane, answer: values.Value | None) -> list[tuple[Mapping[str, str], float | None]]:
    match answer:
        case values.Vector(samples):
            return [(one.labels, one.value) for one in samples]
        case values.Matrix(series):
            return [(one.labels, reduced(one.points, pane.reduce)) for one in series]
        case values.Scalar(number, _):
            return [({}, number)]
        case _:
            return []


def _row(pane: Pane, columns: Sequence[Column], items: Sequence[values.Cell], labels: Mapping[str, str]) -> TableRow:
    cells = tuple(_cell(column, item) for column, item in zip(columns, items, strict=True))
    judged = [cell.state for cell in cells if cell.state is not None]
    return TableRow(cells, labels, worst(judged) if judged else State.OK)


def _cell(column: Column, item: values.Cell) -> TableCell:
    number = as_number(item)
    if item is None:
        return TableCell(NO_VALUE)
    if number is None or (isinstance(item, bool) and not column.mappings):
        text = f"{item:%Y-%m-%d %H:%M:%S}" if isinstance(item, datetime) else clean_line(as_label(item))
        return TableCell(text)
    state = evaluate(number, column.thresholds) if column.thresholds else None
    return TableCell(shown(number, column.unit, column.decimals, column.mappings), state, number)


def _heads(columns: Sequence[Column], numeric: Sequence[bool]) -> tuple[TableColumn, ...]:
    return tuple(
        TableColumn(clean_line(column.title or column.name), is_number and not column.mappings, column.width)
        for column, is_number in zip(columns, numeric, strict=True)
    )
