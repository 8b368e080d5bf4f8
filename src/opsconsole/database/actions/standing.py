"""How a table stands before and after maintenance, and why it may not be touched."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from opsconsole.config.settings import PostgresSettings
from opsconsole.database.asking import Database
from opsconsole.database.row import Row

MOST_PARTITIONS = 20_000
_WITHOUT_ROWS = {
    "v": "a view",
    "f": "a foreign table",
    "i": "an index",
    "I": "a partitioned index",
    "S": "a sequence",
    "c": "a type",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One table at one moment."""

    oid: str
    kind: str
    """As pg_class.relkind has it."""
    system: bool
    standby: bool
    may: bool
    """The role owns it, or may maintain it."""
    owner: str
    role: str
    vacuums: int
    analyzes: int
    dead: int
    """Rows, as the statistics reckon."""
    live: int
    pages: int
    file: str
    """The number of its file, which a rewrite changes."""
    xid_age: int | None
    vacuum_at: float | None = None
    """Unix seconds of the last VACUUM that somebody asked for, as it ended; autovacuum's are counted apart."""
    analyze_at: float | None = None
    server_at: float = 0.0
    """Now, by the server's clock."""
    bytes: float = 0.0
    """With its indexes, as of the last vacuum."""
    own_bytes: float = 0.0
    """Without them."""

    @property
    def refusal(self) -> str:
        """Why maintenance would do nothing here or must not be tried; empty where nothing speaks against it."""
        if self.standby:
            return "this is a standby: maintenance is done on the primary, and arrives here by itself"
        if self.kind in _WITHOUT_ROWS:
            return f"it is {_WITHOUT_ROWS[self.kind]}, which has no rows of its own"
        if not self.may:
            return (
                f"{self.role} may not maintain it, and the server would skip it and call that a success: "
                f"it is {self.owner}'s; act as {self.owner}, or grant {self.owner} to {self.role}"
            )
        return ""


@dataclass(frozen=True, slots=True)
class Part:
    """What is counted of one table with rows of its own: the table, or a partition of it."""

    oid: str
    title: str
    """`schema.name`."""
    vacuums: int
    analyzes: int
    vacuum_at: float | None
    analyze_at: float | None
    file: str
    dead: int = 0
    live: int = 0
    pages: int = 0


@asynccontextmanager
async def looking_at(settings: PostgresSettings) -> AsyncIterator[Database]:
    """The database of `settings`, for reading, over a connection that is closed afterwards."""
    from opsconsole.sources.postgres import PostgresSource

    source = PostgresSource(settings)
    try:
        yield Database(f"postgres/{settings.name}", source.read, settings)
    finally:
        await source.close()


async def read_standing(database: Database, schema: str, table: str) -> Standing | None:
    """How the table stands; None where there is none of that name.

    Raises:
        SourceError: the database cannot be asked.
    """
    rows = await database.rows("table_standing", {"schema": schema, "table": table})
    role = (await database.catalog()).role
    return _standing(rows.one, role) if len(rows) else None


async def read_parts(database: Database, schema: str, table: str) -> tuple[Standing, tuple[Part, ...]] | None:
    """How the table stands, and what counts of it: itself, or of a partitioned table its partitions, whose sums it has
    then. None where there is none of that name.

    Raises:
        SourceError: the database cannot be asked.
    """
    standing = await read_standing(database, schema, table)
    if standing is None:
        return None
    if standing.kind != "p":
        return standing, (
            Part(
                standing.oid, f"{schema}.{table}", standing.vacuums, standing.analyzes, standing.vacuum_at,
                standing.analyze_at, standing.file,
            ),
        )  # fmt: skip
    rows = await database.rows("partition_standing", {"table": standing.oid}, most=MOST_PARTITIONS)
    parts = tuple(map(_part, rows))
    summed = replace(
        standing,
        dead=sum(one.dead for one in parts),
        live=sum(one.live for one in parts),
        pages=sum(one.pages for one in parts),
    )
    return summed, parts


def _part(row: Row) -> Part:
    return Part(
        oid=row.text("oid"),
        title=f"{row.text('schema')}.{row.text('name')}",
        vacuums=row.count("vacuums"),
        analyzes=row.count("analyzes"),
        vacuum_at=row.moment("vacuum_at"),
        analyze_at=row.moment("analyze_at"),
        file=row.text("file"),
        dead=row.count("dead"),
        live=row.count("live"),
        pages=row.count("pages"),
    )


def _standing(row: Row, role: str) -> Standing:
    return Standing(
        oid=row.text("oid"),
        kind=row.text("kind"),
        system=row.flag("system"),
        standby=row.flag("standby"),
        may=row.flag("may"),
        owner=row.text("owner"),
        role=role,
        vacuums=row.count("vacuums"),
        analyzes=row.count("analyzes"),
        dead=row.count("dead"),
        live=row.count("live"),
        pages=row.count("pages"),
        file=row.text("file"),
        xid_age=row.whole("xid_age"),
        vacuum_at=row.moment("vacuum_at"),
        analyze_at=row.moment("analyze_at"),
        server_at=row.moment("server_at") or 0.0,
        bytes=row.number("bytes") or 0.0,
        own_bytes=row.number("own_bytes") or 0.0,
    )
