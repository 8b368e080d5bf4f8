"""From a source's answer to the items that a pane shows: one cell per series, or per row."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType

from opsconsole.core import values
from opsconsole.core.clean import clean_line
from opsconsole.core.legend import legends
from opsconsole.core.state import State
from opsconsole.core.threshold import evaluate
from opsconsole.core.units import NO_VALUE, format_value
from opsconsole.screens.definition import Kind, Pane, Reduce, Target

Points = tuple[tuple[float, float], ...]
"""(unix seconds, value), ascending; a value may be NaN."""

# A series that has no sample for this many steps at the end of the range is over, not current.
_GRACE_STEPS = 5
_LOOKBACK = 300.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One item of a pane."""

    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    legend: str = ""
    value: float | None = None
    """None: no value now; never zero instead."""
    text: str = NO_VALUE
    """The value with its unit, or the word mapped to it."""
    state: State = State.UNKNOWN
    points: Points = ()
    at: float | None = None
    """Unix seconds at which the value was true."""
    current: bool = True
    """False for a series that ended within the range: drawn, but it says nothing about now."""
    was: State | None = None
    """While the reading is stale: the state that its last good value had."""


def shown(value: float | None, unit: str, decimals: int | None, mappings: Sequence[tuple[float, str]]) -> str:
    """A value as text: the word mapped to it, or the number with its unit."""
    for number, word in mappings:
        if value == number:
            return word
    return format_value(value, unit, decimals)


def cells_of(pane: Pane, target: Target, value: values.Value) -> list[Cell]:
    """The cells of one target's answer, in the order in which they should stand."""
    match value:
        case values.Vector(samples):
            names = legends(target.legend, [one.labels for one in samples])
            found = [
                cell(pane, one.labels, name, one.value, ((one.at, one.value),), at=one.at)
                for one, name in zip(samples, names, strict=True)
            ]
        case values.Matrix(series):
            found = _matrix_cells(pane, target, series)
        case values.Scalar(number, at):
            found = [cell(pane, {}, target.legend, number, ((at, number),), at=at)]
        case values.Text(text, at):
            return [Cell(legend=target.legend, text=clean_line(text), state=State.OK, at=at)]
        case values.Table():
            found = _table_cells(pane, target, value)
    return found


def cell(
    pane: Pane,
    labels: Mapping[str, str],
    legend: str,
    value: float | None,
    points: Points = (),
    *,
    at: float | None = None,
    current: bool = True,
) -> Cell:
    """One cell, judged by the pane's thresholds."""
    state = State.UNKNOWN if value is None else evaluate(value, pane.thresholds)
    text = shown(value, pane.unit, pane.decimals, pane.mappings)
    return Cell(labels, legend, value, text, state, points, at, current)


def reduced(points: Points, how: Reduce) -> float | None:
    """Many points as one number; NaN does not count, and nothing gives None."""
    numbers = [number for _, number in points if not math.isnan(number)]
    if not numbers:
        return None
    match how:
        case Reduce.LAST:
            return numbers[-1]
        case Reduce.MEAN:
            return math.fsum(numbers) / len(numbers)
        case Reduce.MAX:
            return max(numbers)
        case Reduce.MIN:
            return min(numbers)
        case Reduce.SUM:
            return math.fsum(numbers)


def _matrix_cells(pane: Pane, target: Target, series: Sequence[values.Series]) -> list[Cell]:
    names = legends(target.legend, [one.labels for one in series])
    last = max((one.points[-1][0] for one in series if one.points), default=0.0)
    grace = max((_spacing(one.points) for one in series), default=0.0) * _GRACE_STEPS
    found = []
    for one, name in zip(series, names, strict=True):
        real = [at for at, number in one.points if not math.isnan(number)]
        current = bool(real) and real[-1] >= last - max(grace, _LOOKBACK)
        # A maximum over the range includes a series that has ended; its "last" value is not the present one.
        value = reduced(one.points, pane.reduce) if current or pane.reduce is not Reduce.LAST else None
        at = real[-1] if real else None
        found.append(cell(pane, one.labels, name, value, one.points, at=at, current=current))
    return found


def _spacing(points: Points) -> float:
    return min((later[0] - earlier[0] for earlier, later in pairwise(points)), default=0.0)


def _table_cells(pane: Pane, target: Target, table: values.Table) -> list[Cell]:
    """A table as series: a column of times makes points, the `value` column (else the last number) the value, and
    all the other columns are labels."""
    time_column = _time_column(table) if pane.kind in (Kind.TIMESERIES, Kind.TIMELINE, Kind.HEATMAP) else None
    value_column = _value_column(table)
    if value_column is None:
        return []
    label_columns = [index for index, _ in enumerate(table.columns) if index not in (time_column, value_column)]
    rows = [({table.columns[index]: as_label(row[index]) for index in label_columns}, row) for row in table.rows]
    if time_column is None:
        names = legends(target.legend or _single(label_columns, table), [labels for labels, _ in rows])
        return [
            _row_cell(pane, labels, name, row[value_column]) for (labels, row), name in zip(rows, names, strict=True)
        ]
    groups: dict[tuple[str, ...], tuple[dict[str, str], list[tuple[float, float]]]] = {}
    for labels, row in rows:
        at, number = row[time_column], as_number(row[value_column])
        if isinstance(at, datetime):
            point = (at.timestamp(), math.nan if number is None else number)
            groups.setdefault(tuple(labels.values()), (labels, []))[1].append(point)
    names = legends(target.legend, [labels for labels, _ in groups.values()])
    found = []
    for (labels, points), name in zip(groups.values(), names, strict=True):
        ordered = tuple(sorted(points))
        found.append(cell(pane, labels, name, reduced(ordered, pane.reduce), ordered, at=ordered[-1][0]))
    return found


def _single(label_columns: Sequence[int], table: values.Table) -> str:
    """With one label column, its value is the name."""
    return f"{{{{{table.columns[label_columns[0]]}}}}}" if len(label_columns) == 1 else ""


def _row_cell(pane: Pane, labels: Mapping[str, str], name: str, raw: values.Cell) -> Cell:
    number = as_number(raw)
    if number is None and isinstance(raw, str):
        return Cell(labels, name, None, clean_line(raw), State.OK)
    return cell(pane, labels, name, number)


def _time_column(table: values.Table) -> int | None:
    first = table.rows[0] if table.rows else ()
    return next((index for index, item in enumerate(first) if isinstance(item, datetime)), None)


def _value_column(table: values.Table) -> int | None:
    if "value" in table.columns:
        return table.columns.index("value")
    for index in range(len(table.columns) - 1, -1, -1):
        if any(as_number(row[index]) is not None for row in table.rows):
            return index
    return 0 if len(table.columns) == 1 else None


def as_number(item: values.Cell) -> float | None:
    """A table cell as a number: booleans count as 1 and 0, text and times not at all."""
    try:
        return float(item) if isinstance(item, bool | int | float) else None
    except OverflowError:
        return math.inf


def as_label(item: values.Cell) -> str:
    """A table cell as a label: what a drill-down or a runbook parameter is filled with."""
    if item is None:
        return ""
    if isinstance(item, bool):
        return "true" if item else "false"
    return f"{item:%Y-%m-%dT%H:%M:%S%z}" if isinstance(item, datetime) else str(item)
