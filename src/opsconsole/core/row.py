"""One row of an answer, read by type. What the server had no value for is None, never zero."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsconsole.core.clean import clean
from opsconsole.core.values import Cell


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by the name of their column."""

    cells: Mapping[str, Cell]

    def text(self, column: str) -> str:
        """A text; empty where there is none."""
        value = self.cells[column]
        return "" if value is None else str(value)

    def whole(self, column: str) -> int | None:
        """A whole number."""
        value = self.cells[column]
        return int(value) if isinstance(value, int | float) else None

    def count(self, column: str) -> int:
        """A whole number that the statement always has."""
        return self.whole(column) or 0

    def number(self, column: str) -> float | None:
        """A number."""
        value = self.cells[column]
        return float(value) if isinstance(value, int | float) else None

    def flag(self, column: str) -> bool:
        """Whether the server says true."""
        return self.cells[column] is True

    def moment(self, column: str) -> float | None:
        """A time, in unix seconds."""
        value = self.cells[column]
        return value.timestamp() if isinstance(value, datetime) else None

    def list(self, column: str) -> tuple[Any, ...]:
        """What the statement made with `to_json` of an array; empty where there is none."""
        value = self.cells[column]
        return tuple(json.loads(str(value))) if value is not None else ()

    def encoded(self, column: str, codec: str) -> str:
        """A text that came as the hexadecimal digits of its bytes, which are of the encoding `codec`.

        How `pg_stat_activity` has to be read: it shows texts of databases with other encodings, and one byte that
        does not convert would lose the whole answer. `sessions.sql` says how the bytes are had.
        """
        value = self.cells[column]
        return clean(bytes.fromhex(str(value)).decode(codec, errors="replace")) if value is not None else ""
