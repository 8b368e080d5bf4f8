"""Tables: how large, how dirty, how read, and what autovacuum will do with them next.

Ranking costs no lock and touches no file; exact sizes are asked for the rows that are shown, and left out where
somebody holds the table or waits for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from opsconsole.core.reading import SourceError
from opsconsole.core.state import State
from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.row import Row

Sort = Literal["size", "dead", "dead-share", "age", "seq", "modified", "due"]
SORTS: tuple[Sort, ...] = get_args(Sort)

LOCKED = "[55P03]"
"""How the message of an error ends that a lock is the reason for."""

WRAPAROUND_STOP = 2_147_483_648 - 3_000_000
"""Age in transactions at which the server takes no more writes (source: PostgreSQL documentation, 25.1.5)."""
WRAPAROUND_WARN = 1_000_000_000
WRAPAROUND_CRIT = 1_600_000_000
"""Where the fail-safe of 14 and later begins (vacuum_failsafe_age)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a table, exact or by the pages that the last vacuum or analyze counted."""

    heap: float
    toast: float
    indexes: float
    total: float
    exact: bool = False
    locked: bool = False
    """Not asked exactly: somebody has the table in an exclusive lock, or waits for that."""


@dataclass(frozen=True, slots=True)
class Autovacuum:
    """What autovacuum reckons with. A share of 1 or more is due."""

    enabled: bool
    vacuum_after: float | None
    """Dead rows; above that the table is vacuumed."""
    vacuum_due: float | None
    insert_due: float | None
    analyze_due: float | None
    freeze_due: float | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table, or a partitioned one with the sums of its partitions. What nobody counted is None."""

    oid: str
    schema: str
    name: str
    kind: Literal["table", "partitioned", "materialized view"]
    persistence: Literal["permanent", "unlogged", "temporary"]
    owner: str
    options: str
    partitions: int
    sizes: Sizes
    indexes: int
    rows: float | None
    """As the planner reckons; None where neither vacuum nor analyze ever counted."""
    live: int
    dead: int
    modified: int
    """Rows changed since the last analyze."""
    inserted: int
    updated: int
    hot: int
    """Updates that needed no new index entries."""
    deleted: int
    seq_scans: int
    seq_rows: int
    index_scans: int
    vacuum_at: float | None
    autovacuum_at: float | None
    analyze_at: float | None
    autoanalyze_at: float | None
    vacuums: int
    autovacuums: int
    analyzes: int
    autoanalyzes: int
    xid_age: int | None
    mxid_age: int | None
    autovacuum: Autovacuum

    @property
    def title(self) -> str:
        """`schema.name`, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def dead_share(self) -> float | None:
        """Of all rows, 0 to 1; None for an empty table."""
        return self.dead / (self.live + self.dead) if self.live + self.dead else None

    @property
    def hot_share(self) -> float | None:
        """Of the updates, 0 to 1; None where nothing was updated."""
        return self.hot / self.updated if self.updated else None

    @property
    def vacuumed_at(self) -> float | None:
        """The last vacuum of either kind, unix seconds."""
        return max(filter(None, (self.vacuum_at, self.autovacuum_at)), default=None)

    @property
    def analyzed_at(self) -> float | None:
        """The last analyze of either kind, unix seconds."""
        return max(filter(None, (self.analyze_at, self.autoanalyze_at)), default=None)

    @property
    def state(self) -> State:
        """By the distance to wraparound, which is what stops a server."""
        age = self.xid_age or 0
        return State.CRIT if age >= WRAPAROUND_CRIT else State.WARN if age >= WRAPAROUND_WARN else State.OK


@dataclass(frozen=True, slots=True)
class Tables:
    """The first of the tables by some order."""

    tables: tuple[Table, ...]
    taken_at: float
    more: bool
    """There are more than were asked for."""
    coverage: Coverage = field(default_factory=Coverage)


async def read_tables(
    database: Database,
    *,
    sort: Sort = "size",
    limit: int = 50,
    schema: str = "",
    oid: str = "",
    apart: bool = False,
    exact: bool = True,
) -> Tables:
    """The first `limit` tables by `sort`; of `schema` alone, or the one with `oid`. `apart`: partitions one by one.

    Raises:
        SourceError: it cannot be asked.
    """
    binds = {"sort": sort, "limit": str(limit + 1), "schema": schema, "table": oid, "apart": str(apart).lower()}
    found = await database.rows("tables", binds, most=limit + 1)
    tables = tuple(map(table_of, found.rows[:limit]))
    notes = _notes(tables)
    if exact:
        try:
            tables = await _with_sizes(database, tables)
        except SourceError as error:
            if not error.message.endswith(LOCKED):
                raise
            notes += ("sizes are by the pages last counted: a table was locked while they were asked for",)
    return Tables(tables, found.taken_at, len(found) > limit, Coverage(notes))


def table_of(row: Row) -> Table:
    """From a row of `sql/tables.sql`."""
    block = row.number("block_size") or 8192.0
    heap, toast, indexes = (block * (row.number(f"{part}pages") or 0.0) for part in ("", "toast_", "index_"))
    kinds: Mapping[str, Literal["table", "partitioned", "materialized view"]] = {
        "p": "partitioned",
        "m": "materialized view",
    }
    lasting: Mapping[str, Literal["unlogged", "temporary"]] = {"u": "unlogged", "t": "temporary"}
    counts = {name: row.count(name) for name in _COUNTS}
    auto = Autovacuum(
        row.flag("autovacuum"),
        *map(row.number, ("vacuum_after", "vacuum_due", "insert_due", "analyze_due", "freeze_due")),
    )
    return Table(
        oid=row.text("oid"),
        schema=row.text("schema"),
        name=row.text("name"),
        kind=kinds.get(row.text("kind"), "table"),
        persistence=lasting.get(row.text("persistence"), "permanent"),
        owner=row.text("owner"),
        options=row.text("options"),
        sizes=Sizes(heap, toast, indexes, heap + toast + indexes),
        rows=None if row.flag("never_counted") else row.number("reltuples"),
        xid_age=row.whole("xid_age"),
        mxid_age=row.whole("mxid_age"),
        autovacuum=auto,
        vacuum_at=row.moment("vacuum_at"),
        autovacuum_at=row.moment("autovacuum_at"),
        analyze_at=row.moment("analyze_at"),
        autoanalyze_at=row.moment("autoanalyze_at"),
        **counts,
    )


_COUNTS = (
    "partitions", "indexes", "live", "dead", "modified", "inserted", "updated", "hot", "deleted", "seq_scans",
    "seq_rows", "index_scans", "vacuums", "autovacuums", "analyzes", "autoanalyzes",
)  # fmt: skip


async def read_sizes(database: Database, oids: Iterable[str]) -> dict[str, Sizes | None]:
    """Exact bytes by oid; None for one that is locked. A table that is gone, or holds nothing itself, is left out.

    Raises:
        SourceError: it cannot be asked, or a lock came in between.
    """
    asked = tuple(oids)
    if not asked:
        return {}
    found = await database.rows("table_sizes", {"oids": ",".join(asked)}, most=len(asked))
    return {row.text("oid"): _sizes_of(row) for row in found}


def next_of(table: Table) -> str:
    """What autovacuum does with the table next, and why, in words."""
    auto = table.autovacuum
    if auto.freeze_due is not None and auto.freeze_due >= 1:
        return "vacuum to freeze: due now, whatever else is set"
    if not auto.enabled:
        return "nothing: autovacuum is off for it"
    due = []
    if auto.vacuum_due is not None and auto.vacuum_due > 1:
        due.append(f"vacuum: {table.dead} dead rows, its limit is {auto.vacuum_after or 0:.0f}")
    elif auto.insert_due is not None and auto.insert_due > 1:
        due.append("vacuum: rows inserted")
    if auto.analyze_due is not None and auto.analyze_due > 1:
        due.append(f"analyze: {table.modified} rows changed")
    return "; ".join(due) or "nothing yet"


async def _with_sizes(database: Database, tables: tuple[Table, ...]) -> tuple[Table, ...]:
    sizes = await read_sizes(database, (table.oid for table in tables if table.kind != "partitioned"))
    return tuple(_sized(table, sizes.get(table.oid), asked=table.oid in sizes) for table in tables)


def _sized(table: Table, sizes: Sizes | None, *, asked: bool) -> Table:
    if sizes is not None:
        return replace(table, sizes=sizes)
    return replace(table, sizes=replace(table.sizes, locked=True)) if asked else table


def _sizes_of(row: Row) -> Sizes | None:
    heap, toast, indexes, total = (row.number(f"{part}_bytes") for part in ("heap", "toast", "index", "total"))
    if row.flag("locked") or heap is None or total is None:
        return None
    return Sizes(heap, toast or 0.0, indexes or 0.0, total, exact=True)


def _notes(tables: Iterable[Table]) -> tuple[str, ...]:
    uncounted = sum(table.rows is None for table in tables)
    if not uncounted:
        return ()
    return (f"{uncounted} of the tables shown were never vacuumed or analyzed: rank and rows are guesses; ANALYZE",)
