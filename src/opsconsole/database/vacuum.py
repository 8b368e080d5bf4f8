"""Why vacuum does not help: what still may look at dead rows, and which tables that shows in."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from opsconsole.core.duration import duration_text
from opsconsole.database.asking import Database
from opsconsole.database.finding import Coverage
from opsconsole.database.naming import literal
from opsconsole.database.row import Row
from opsconsole.database.tables import Table, read_tables
from opsconsole.sources.postgres_cells import codec_of

OLD_XIDS = 100_000
"""Age from which a holder is worth a word: below, every busy server has some."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Something for which dead rows have to be kept."""

    kind: str
    """session, prepared (a prepared transaction), slot, or standby (hot_standby_feedback)."""
    id: str
    """pid, gid, slot name or the standby's application name."""
    detail: str
    owner: str
    state: str
    age: int
    """In transactions: rows that died later than that long ago stay."""
    seconds: float | None
    """Since its transaction began."""
    started: str
    """Start of the session as the server writes it; with the pid it names the session."""
    catalogs_only: bool
    """Holds back system catalogs only (logical slots)."""


@dataclass(frozen=True, slots=True)
class VacuumReport:
    """The holders, oldest first, and the tables with most dead rows."""

    holders: tuple[Holder, ...]
    tables: tuple[Table, ...]
    taken_at: float
    coverage: Coverage = field(default_factory=Coverage)


async def read_holders(database: Database) -> tuple[Holder, ...]:
    """What holds vacuum back, oldest first.

    Raises:
        SourceError: it cannot be asked.
    """
    catalog = await database.catalog()
    codec = codec_of(catalog.settings.get("server_encoding", ""))
    return tuple(_holder(row, codec) for row in await database.rows("xmin_holders"))


async def read_vacuum(database: Database, *, limit: int = 20) -> VacuumReport:
    """What holds vacuum back, and the `limit` tables with most dead rows.

    Raises:
        SourceError: it cannot be asked.
    """
    catalog = await database.catalog()
    codec = codec_of(catalog.settings.get("server_encoding", ""))
    found = await database.rows("xmin_holders")
    dirty = await read_tables(database, sort="dead", limit=limit, exact=False)
    notes = (
        ()
        if catalog.sees_all
        else (f"sessions of other roles show neither their state nor what holds rows: {catalog.grant()}",)
    )
    tables = tuple(table for table in dirty.tables if table.dead)
    return VacuumReport(tuple(_holder(row, codec) for row in found), tables, found.taken_at, Coverage(notes))


def sentences(report: VacuumReport) -> list[str]:
    """Why vacuum does not help, one sentence each; empty where nothing is in its way."""
    held = [reason(holder) for holder in report.holders if not holder.catalogs_only and holder.age >= OLD_XIDS]
    held += [f"{one.title}: vacuumed, and {one.dead} dead rows are still there" for one in stuck_tables(report)]
    off = [table.title for table in report.tables if not table.autovacuum.enabled and _due(table)]
    return held + [f"{title}: autovacuum is off for it" for title in off]


def reason(holder: Holder) -> str:
    """What a holder does, in a sentence."""
    whose = f" of {holder.owner}" if holder.owner else ""
    since = f" for {duration_text(holder.seconds)}" if holder.seconds is not None else ""
    what = {
        "session": f"session {holder.id}{whose} ({holder.state}) has a snapshot open{since}",
        "prepared": f"prepared transaction {holder.id}{whose} waits{since} for COMMIT or ROLLBACK PREPARED",
        "slot": f"replication slot {holder.id} ({holder.state}) wants rows kept",
        "standby": f"standby {holder.id} has hot_standby_feedback on and a query running",
    }[holder.kind]
    kept = "rows of system catalogs" if holder.catalogs_only else "rows"
    return f"{what}: {kept} that died within the last {holder.age} transactions stay"


def remedy(holder: Holder) -> str:
    """What to do about it."""
    return {
        "session": f"end its transaction, or the session {holder.id}",
        "prepared": f"ROLLBACK PREPARED {literal(holder.id)}; or COMMIT PREPARED, as its transaction manager decides",
        "slot": "bring its consumer back, or where there is none: "
        f"SELECT pg_drop_replication_slot({literal(holder.id)});",
        "standby": "end the long query there, or set hot_standby_feedback = off there",
    }[holder.kind]


def stuck_tables(report: VacuumReport) -> list[Table]:
    """Tables above their limit of dead rows although they were vacuumed since the oldest holder began."""
    began = [
        report.taken_at - one.seconds for one in report.holders if one.seconds is not None and not one.catalogs_only
    ]
    if not report.holders or not began:
        return []
    first = min(began)
    return [table for table in report.tables if _due(table) and (table.vacuumed_at or 0.0) > first]


def oldest(holders: Iterable[Holder]) -> Holder | None:
    """The one that holds back most, catalogs aside."""
    return max((one for one in holders if not one.catalogs_only), key=lambda one: one.age, default=None)


def _due(table: Table) -> bool:
    return (table.autovacuum.vacuum_due or 0.0) > 1


def _holder(row: Row, codec: str) -> Holder:
    kind = row.text("kind")
    return Holder(
        kind=kind,
        id=row.encoded("id", codec) if kind == "prepared" else row.text("id"),
        detail=row.encoded("detail", codec) if kind == "session" else row.text("detail"),
        owner=row.text("owner"),
        state=row.text("state"),
        age=max(0, row.count("age")),
        seconds=row.number("seconds"),
        started=row.text("started"),
        catalogs_only=row.flag("catalogs_only"),
    )
