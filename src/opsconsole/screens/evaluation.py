"""From readings to what a pane shows: pure, so that every state a screen can be in can be tested without one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Reading
from opsconsole.core.state import State, worst
from opsconsole.screens.definition import Kind, Pane
from opsconsole.screens.series import Cell, cells_of
from opsconsole.screens.tabular import TableView, table_of
from opsconsole.screens.variables import natural

MAX_CELLS = 500
"""Cells that one pane keeps; a query with more series should have been aggregated."""

_READ_NOTHING = frozenset({Kind.TEXT, Kind.VIEW, Kind.SECTION})
# Where the order carries the message: these show their worst first. Charts keep theirs, so that colours stay.
_WORST_FIRST = frozenset({Kind.STATUS, Kind.STAT, Kind.GAUGE})


@dataclass(frozen=True, slots=True)
class PaneState:
    """Everything there is to show of a pane at one moment."""

    pane: Pane
    state: State
    """The worst of the cells; STALE, ERROR or UNKNOWN where the readings are that."""
    cells: tuple[Cell, ...] = ()
    table: TableView | None = None
    """For a `table` pane."""
    source: str = ""
    taken_at: float | None = None
    """Unix seconds of the oldest reading that is shown."""
    age: float | None = None
    """Seconds, of the same."""
    error: str | None = None
    """Why there is no fresh value, in words."""
    failing_since: float | None = None
    retry_at: float | None = None
    took: float = 0.0
    """Seconds of the slowest of its queries."""
    warnings: tuple[str, ...] = ()
    truncated: int = 0
    """Cells left out beyond `MAX_CELLS`; for a table -1 where the source held back an unknown number of rows."""
    waiting: bool = False
    """Nothing was ever answered yet, nor failed."""
    empty: bool = False
    """Answered, with nothing; where it is STALE, when it last did."""


def evaluate_pane(
    pane: Pane, readings: Sequence[Reading | None], now: float, *, stale_after: float = 0.0, problem: str = ""
) -> PaneState:
    """What `pane` shows at `now`.

    Args:
        readings: one for each target, in their order; None where nothing was read yet.
        now: Unix seconds.
        stale_after: seconds after which a reading that nobody refreshed counts as stale; 0: never by itself.
        problem: why the pane's queries could not even be made (an unknown variable), or empty.
    """
    if pane.broken or problem:
        return PaneState(pane, State.ERROR, source=pane.source, error=pane.broken or problem)
    if pane.kind in _READ_NOTHING and not pane.targets:
        return PaneState(pane, State.OK)
    known = [_aged(reading, now, stale_after) for reading in readings if reading is not None]
    table = table_of(pane, [reading.value if reading else None for reading in readings]) if _tabular(pane) else None
    cells, left_out = _cells(pane, readings)
    if table is not None and table.truncated:
        left_out = -1
    taken = min((one.taken_at for one in known if one.taken_at is not None), default=None)
    failed = next((one for one in known if one.error), None)
    base = PaneState(
        pane,
        State.OK,
        cells,
        table,
        source=pane.source,
        taken_at=taken,
        age=None if taken is None else max(0.0, now - taken),
        error=clean_line(failed.error) if failed and failed.error else None,
        failing_since=failed.failing_since if failed else None,
        retry_at=failed.retry_at if failed else None,
        took=max((one.took for one in known), default=0.0),
        warnings=tuple(dict.fromkeys(warning for one in known for warning in one.warnings)),
        truncated=left_out,
    )
    return _judged(base, known, complete=len(known) == len(readings))


def _tabular(pane: Pane) -> bool:
    return pane.kind is Kind.TABLE


def _aged(reading: Reading, now: float, stale_after: float) -> Reading:
    return reading.aged(now, stale_after) if stale_after > 0 else reading


def _cells(pane: Pane, readings: Sequence[Reading | None]) -> tuple[tuple[Cell, ...], int]:
    if _tabular(pane):
        return (), 0
    found: list[Cell] = []
    for target, reading in zip(pane.targets, readings, strict=False):
        if reading is not None and reading.value is not None:
            # The order of a vector carries no meaning; that of the targets does.
            found += sorted(cells_of(pane, target, reading.value), key=_bucket if pane.kind is Kind.HEATMAP else _name)
    if pane.kind in _WORST_FIRST:
        found.sort(key=lambda cell: -cell.state.severity)
    elif pane.kind is Kind.BARS:
        found.sort(key=lambda cell: (cell.value is None, -(cell.value or 0.0)))
    return tuple(found[:MAX_CELLS]), max(0, len(found) - MAX_CELLS)


def _name(cell: Cell) -> tuple[float, Any]:
    return 0.0, natural(cell.legend)


def _bucket(cell: Cell) -> tuple[float, Any]:
    """Rows of a heatmap by the upper bound of their histogram bucket."""
    try:
        return float(cell.labels["le"]), natural(cell.legend)
    except (KeyError, ValueError):
        return _name(cell)


def _judged(base: PaneState, known: Sequence[Reading], *, complete: bool) -> PaneState:
    """The state of the whole, from the worst news down."""
    rows = base.table.rows if base.table else ()
    if any(reading.state is State.ERROR for reading in known):
        return replace(base, state=State.ERROR)
    if any(reading.state is State.STALE for reading in known):
        stale = tuple(replace(cell, state=State.STALE, was=cell.state) for cell in base.cells)
        return replace(base, state=State.STALE, cells=stale, empty=not stale and not rows)
    if not known or not complete:
        waiting = not base.cells and not rows
        return replace(base, state=State.UNKNOWN, waiting=waiting)
    if not base.cells and not rows:
        return replace(base, state=base.pane.no_data, empty=True)
    if base.table is not None:
        return replace(base, state=base.table.state)
    telling = [cell.state for cell in base.cells if cell.current] or [State.UNKNOWN]
    return replace(base, state=worst(telling))
