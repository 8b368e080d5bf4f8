"""Reading all that the findings about a database rest on."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from opsconsole.core.reading import SourceError
from opsconsole.database import (
    bloat,
    connections,
    indexes,
    instance,
    sequences,
    settings,
    tables,
    vacuum,
    workload_reading,
)
from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.findings import Readings
from opsconsole.database.pooler import pooler_coverage

T = TypeVar("T")
EACH = 200
"""Tables that are looked at by each order: findings are about the worst."""


async def examine(database: Database) -> Readings:
    """Everything. What fails on its own (a time-out, a privilege) is a note, and the rest is there.

    Raises:
        SourceError: the database cannot be asked at all.
    """
    catalog = await database.catalog()
    notes: list[str] = []

    async def part(what: str, read: Callable[[Database], Awaitable[T]]) -> T | None:
        try:
            return await read(database)
        except SourceError as error:
            if error.kind in ("unreachable", "gone"):
                raise
            notes.append(f"{what} could not be read: {error}")
            return None

    found = await part("tables", _worst_tables) or ()
    held = await part("what holds vacuum back", vacuum.read_vacuum)
    wasted = await part("bloat", bloat.estimate)
    indexed = await part("indexes", indexes.read_indexes)
    lacking = await part("what the workload lacks", partial(workload_reading.read_workload, scans=False))
    drawn = await part("sequences", sequences.read_sequences)
    settled = await part("settings", settings.read_settings)
    counted = await part("counters", instance.read_instance)
    pooled = await part("the pooler", connections.read_connections) if database.pooler else None
    coverage = Coverage(tuple(notes)) + (pooler_coverage(pooled.pooler) if pooled and pooled.pooler else Coverage())
    for reading in (held, wasted, indexed, lacking, drawn, settled, counted):
        coverage += reading.coverage if reading else Coverage()
    if indexed and indexed.statistics_age < indexes.YOUNG:
        coverage += Coverage(("unused indexes are not judged: the statistics reach back less than seven days",))
    at = max((one.taken_at for one in (held, indexed, counted) if one), default=0.0)
    return Readings(
        found,
        held,
        wasted,
        indexed,
        lacking,
        drawn,
        settled,
        counted,
        pooled,
        extensions=frozenset(catalog.extensions),
        available=frozenset(catalog.available),
        conn=database.name,
        database=catalog.database,
        version=catalog.version,
        taken_at=at,
        coverage=coverage,
    )


async def _worst_tables(database: Database) -> tuple[tables.Table, ...]:
    orders: tuple[tables.Sort, ...] = ("size", "dead", "age", "seq", "modified")
    found: dict[str, tables.Table] = {}
    for order in orders:
        reading = await tables.read_tables(database, sort=order, limit=EACH, exact=False)
        found |= {one.oid: one for one in reading.tables}
    return tuple(found.values())
