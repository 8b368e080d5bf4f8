"""Asking one database: from the name of a statement to typed rows, whatever the server's version."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from opsconsole.config.settings import PostgresSettings
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.values import Cell, Table
from opsconsole.database.catalog import Catalog
from opsconsole.database.row import Row
from opsconsole.database.statement import statement

Ask = Callable[[Query], Awaitable[Answer]]
"""Asks a source once. Raises SourceError where that fails."""

MOST_ROWS = 1000
"""Rows that a question may bring, where it does not say otherwise."""

MOST_POOLS = 10_000
"""Rows that a pooler may bring; it has one for each database and user."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a statement brought."""

    rows: tuple[Row, ...]
    taken_at: float
    """Unix seconds."""
    took: float
    """Seconds, as the client saw it."""
    truncated: bool = False
    """There were more than was asked for."""
    notices: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def one(self) -> Row:
        """The only row of a statement that always brings one."""
        return self.rows[0]


class Database:
    """One database of an environment, as the subjects of this package ask it."""

    def __init__(self, source: str, ask: Ask, settings: PostgresSettings | None = None, *, pooler: str = "") -> None:
        """One database.

        Args:
            source: as content names it: `postgres/app`.
            settings: for what takes several statements over one connection, which `ask` does not promise; without
                them that is not done.
            pooler: the source that is the console of the PgBouncer before it, `pgbouncer/app`; empty where none is
                configured.
        """
        self.source = source
        self.settings = settings
        self.pooler = pooler
        self._ask = ask
        self._catalog: Catalog | None = None

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.source.partition("/")[2]

    async def catalog(self) -> Catalog:
        """What this server has and what the role may see; read once, and again after any failure.

        Raises:
            SourceError: it cannot be asked.
        """
        if self._catalog is None:
            self._catalog = Catalog.of(await self._rows("catalog", {}, MOST_ROWS))
        return self._catalog

    async def rows(self, name: str, binds: Mapping[str, str] | None = None, *, most: int = MOST_ROWS) -> Rows:
        """The rows of `sql/NAME.sql`, in the form that this server understands.

        `binds` are for its `:'NAME'` as values and `:"NAME"` as identifiers.

        Raises:
            SourceError: no connection, no privilege, a time-out. What is known of the server is forgotten then: it
                may be another one when it comes back.
        """
        catalog = await self.catalog()
        try:
            return await self._rows(name, binds or {}, most, catalog)
        except SourceError:
            self._catalog = None
            raise

    async def ask_pooler(self, command: str) -> tuple[tuple[dict[str, Cell], ...], float]:
        """What the pooler's console answers to `command`: each row by the names of its columns, and when (unix
        seconds).

        Raises:
            SourceError: it does not answer, or will not.
        """
        answer = await self._ask(Query(self.pooler, command, max_rows=MOST_POOLS))
        table = answer.value
        if not isinstance(table, Table):
            raise SourceError(self.pooler, "garbage", f"{command}: the answer is no table")
        return tuple(dict(zip(table.columns, cells, strict=True)) for cells in table.rows), answer.taken_at

    async def _rows(self, name: str, binds: Mapping[str, str], most: int, catalog: Catalog | None = None) -> Rows:
        text = statement(name, catalog.columns if catalog is not None else {})
        answer = await self._ask(Query(self.source, text, binds=tuple(sorted(binds.items())), max_rows=most))
        table = answer.value
        if not isinstance(table, Table):
            raise SourceError(self.source, "garbage", f"{name}: the answer is no table")
        rows = tuple(Row(dict(zip(table.columns, cells, strict=True))) for cells in table.rows)
        return Rows(rows, answer.taken_at, answer.took, table.truncated, table.notices)
