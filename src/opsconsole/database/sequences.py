"""Sequences, and how near their end they are; the end of the column they fill counts where that comes first."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from opsconsole.core.state import State
from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row

WARN, CRIT = 0.75, 0.9
"""Shares of the numbers that are used up (source: pghero warns at 90 %; a quarter left is time to change a column)."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence. Nobody drew from it, or it may not be read: `last` and `used` are None."""

    oid: str
    schema: str
    name: str
    type: str
    last: int | None
    increment: int
    cycles: bool
    """Begins again at its end: no error, but numbers that were there before."""
    used: float | None
    """Share of the numbers between 0 (or the minimum) and the end, 0 to 1."""
    remaining: float | None
    """Numbers left."""
    table: str
    column: str
    column_type: str
    column_ends_first: bool
    readable: bool
    locked: bool

    @property
    def title(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def state(self) -> State:
        """By what is used up. One that begins again fails no INSERT, unless its column ends before it does."""
        if self.used is None:
            return State.OK if self.readable and not self.locked else State.UNKNOWN
        if self.cycles and not self.column_ends_first:
            return State.OK
        return State.CRIT if self.used >= CRIT else State.WARN if self.used >= WARN else State.OK


@dataclass(frozen=True, slots=True)
class Sequences:
    """The most used ones first."""

    sequences: tuple[Sequence, ...]
    taken_at: float
    coverage: Coverage = field(default_factory=Coverage)


async def read_sequences(database: Database, *, limit: int = 200) -> Sequences:
    """The `limit` sequences that are nearest their end.

    Raises:
        SourceError: it cannot be asked.
    """
    found = await database.rows("sequences", {"limit": str(limit)}, most=limit)
    sequences = tuple(map(sequence_of, found))
    return Sequences(sequences, found.taken_at, Coverage(tuple(_notes(sequences))))


def sequence_of(row: Row) -> Sequence:
    """From a row of `sql/sequences.sql`."""
    return Sequence(
        oid=row.text("oid"),
        schema=row.text("schema"),
        name=row.text("name"),
        type=row.text("type"),
        last=row.whole("last"),
        increment=row.count("increment"),
        cycles=row.flag("cycles"),
        used=row.number("used"),
        remaining=row.number("remaining"),
        table=row.text("table_name"),
        column=row.text("column_name"),
        column_type=row.text("column_type"),
        column_ends_first=row.flag("column_ends_first"),
        readable=row.flag("readable"),
        locked=row.flag("locked"),
    )


def _notes(sequences: Iterable[Sequence]) -> Iterable[str]:
    found = tuple(sequences)
    if hidden := sum(not one.readable for one in found):
        yield f"{hidden} of {len(found)} sequences may not be read; GRANT SELECT on them, or pg_read_all_data"
    if locked := sum(one.locked for one in found):
        yield f"{locked} sequences are locked by somebody and were not read"
