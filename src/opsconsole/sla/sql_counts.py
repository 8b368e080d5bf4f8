"""Counts from PostgreSQL: rows of what happened when, read only, put into slices here."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from opsconsole.config.slas import Sla
from opsconsole.core.reading import Query, Source, SourceError
from opsconsole.core.values import Cell, Table
from opsconsole.sla.burn import HOUR
from opsconsole.sla.slices import Slice

MOST_ROWS = 50_000


class SqlCounts:
    """A `Reader` of one SQL indicator."""

    def __init__(self, source: Source, sla: Sla) -> None:
        assert sla.sql is not None
        self._source, self._sla, self._query = source, sla, sla.sql.query
        self.partial = self.goes_on = False
        self.notes: set[str] = set()

    async def grid(self, start: float, end: float, step: float) -> list[Slice]:
        """Slices of `step` seconds. What was asked for and is not in the answer did not happen; a value that is not
        there is unknown."""
        rows = await self._rows(start, end)
        # Rows by the hour say nothing of a part of an hour.
        wide = HOUR if rows and all(at % HOUR == 0 for at, *_ in rows) else step
        width = max(step, wide)
        found: dict[float, list[tuple[float, float]]] = {}
        for at, bad, total in rows:
            found.setdefault(at // width * width, []).append((bad, total))
        begins = [start + width * number for number in range(math.ceil((end - start) / width))]
        return [
            _slice(at, min(at + width, end), found.get(at, [])) for at in begins if at in found or not self._sampled
        ]

    async def piece(self, start: float, end: float) -> Slice | None:
        """One slice of any length."""
        rows = await self._rows(start, end)
        if not rows and self._sampled:
            return None
        return _slice(start, end, [(bad, total) for _, bad, total in rows])

    _sampled = False
    """Whether the answer has values; known after the first one."""

    async def _rows(self, start: float, end: float) -> list[tuple[float, float, float]]:
        """(unix seconds, bad, total)."""
        binds = (("FROM", _moment(start)), ("TO", _moment(end)))
        answer = await self._source.read(Query(self._source.name, self._query, binds=binds, max_rows=MOST_ROWS))
        table = answer.value
        assert isinstance(table, Table)
        if table.truncated:
            self.partial = True
            self.notes.add(f"more than {MOST_ROWS:,} rows: group by a longer time")
        rows = [self._counted(table.columns, row) for row in table.rows] if self._shape(table.columns) else []
        return [one for one in rows if one is not None and start <= one[0] < end]

    def _shape(self, columns: tuple[str, ...]) -> bool:
        """Learn what the answer has.

        Raises:
            SourceError: not what is needed.
        """
        given = set(columns)
        self._sampled = "value" in given
        counts = "total" in given and len({"good", "bad"} & given) == 1
        if "at" in given and self._sampled != counts:
            return True
        said, expected = ", ".join(columns) or "nothing", "at, and good and total, bad and total, or value"
        message = f"SLA {self._sla.name}: the SQL returns {said}; expected {expected}"
        raise SourceError(self._source.name, "bad-query", message)

    def _counted(self, columns: tuple[str, ...], row: tuple[Cell, ...]) -> tuple[float, float, float] | None:
        """(unix seconds, bad, total); None where there is no value."""
        cells = dict(zip(columns, row, strict=True))
        moment = self._at(cells["at"])
        if self._sampled:
            value = cells["value"]
            return None if value is None else (moment, 0.0 if self._holds(self._number(value)) else 1.0, 1.0)
        total = self._number(cells["total"])
        bad = self._number(cells["bad"]) if "bad" in cells else total - self._number(cells["good"])
        return moment, bad, total

    def _holds(self, value: float) -> bool:
        match self._sla.kind:
            case "availability":
                return value > 0
            case "freshness":
                return value < self._sla.target
        return value <= self._sla.target

    def _at(self, cell: Cell) -> float:
        if not isinstance(cell, datetime):
            raise self._wrong("at", cell, "a timestamp with time zone")
        return cell.timestamp()

    def _number(self, cell: Cell) -> float:
        if cell is None:
            return 0.0
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            raise self._wrong("a count or value", cell, "a number")
        return float(cell)

    def _wrong(self, what: str, cell: Cell, expected: str) -> SourceError:
        message = f"SLA {self._sla.name}: {what} is {str(cell)[:60]!r}; expected {expected}"
        return SourceError(self._source.name, "bad-query", message)


def _slice(start: float, end: float, counts: Sequence[tuple[float, float]]) -> Slice:
    return Slice(start, end, sum(bad for bad, _ in counts), sum(total for _, total in counts))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
