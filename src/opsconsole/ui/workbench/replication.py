"""Replication: how far each standby is behind, and what slots keep of the log."""

from opsconsole.core.clean import clean_line
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.replication import LogPosition, Replication, Slot, Standby, read_replication
from opsconsole.ui.lines import state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", width=5),
    Column("kind", "KIND", widest=14),
    Column("name", "NAME", widest=36, least=10),
    Column("does", "DOES", widest=16),
    Column("mode", "MODE", widest=12, priority=2),
    Column("lag", "LAG", align="right"),
    Column("behind", "BEHIND", align="right"),
    Column("unflushed", "UNFLUSHED", align="right", priority=4),
    Column("unsent", "UNSENT", align="right", priority=4),
    Column("retained", "KEEPS", align="right", priority=1),
    Column("room", "ROOM", align="right", priority=3),
    Column("client", "CLIENT", grows=True, priority=5),
)


class ReplicationPage(Page[Database, Replication]):
    """pg_stat_replication, the slots, and the server's own place in the log."""

    id = "replication"
    title = "Replication"
    period = 5.0
    sorts = ("kind",)

    async def take(self, database: Database, before: Replication | None, order: Order) -> Replication:
        return await read_replication(database, before)

    def sheet(self, reading: Replication, order: Order) -> Sheet:
        """Standbys, then slots."""
        rows = [*map(_standby_row, reading.standbys), *map(_slot_row, reading.slots)]
        return Sheet(_COLUMNS, rows, _summary(reading), notes=reading.coverage.notes)


def _summary(reading: Replication) -> str:
    log = reading.log
    rate = f"   {format_value(reading.wal_rate, 'Bps')} of log" if reading.wal_rate is not None else ""
    archive = f"   archiving FAILS at {clean_line(log.failed_file)}" if log.archive_failing else ""
    if log.standby:
        return f"standby at {log.position}{rate}   {_standing(log)}{archive}"
    standbys, slots = len(reading.standbys), len(reading.slots)
    what = f"{standbys} standby{'' if standbys == 1 else 's'}, {slots} slot{'' if slots == 1 else 's'}"
    return f"primary at {log.position}{rate}   {what}{archive}"


def _standing(log: LogPosition) -> str:
    receiver = f"receiver {log.receiver}" if log.receiver else "receives nothing"
    behind = format_value(log.unreplayed_bytes, "bytes") if log.unreplayed_bytes is not None else "?"
    lag = format_value(log.replay_lag_seconds, "s") if log.replay_lag_seconds is not None else "?"
    return f"{receiver}   {behind} and {lag} behind{'   replay is PAUSED' if log.paused else ''}"


def _standby_row(one: Standby) -> Row:
    return Row(
        f"standby {one.pid}",
        (
            Cell(one.health.value, state_role(one.health)),
            Cell("standby"),
            cells.words(one.name, limit=63),
            cells.words(one.state),
            cells.words(one.mode),
            cells.lasting(one.lag_seconds),
            cells.size(one.behind_bytes),
            cells.size(one.unflushed_bytes, "dim"),
            cells.size(one.unsent_bytes, "dim"),
            cells.NOTHING,
            cells.NOTHING,
            cells.words(one.client, "dim"),
        ),
    )


def _slot_row(one: Slot) -> Row:
    role = "text" if one.health is State.OK else state_role(one.health)
    return Row(
        f"slot {one.name}",
        (
            Cell(one.health.value, state_role(one.health)),
            Cell(f"{one.kind} slot"),
            cells.words(one.name, limit=63),
            Cell("active" if one.active else "inactive", "text" if one.active else "warn"),
            cells.words(one.status),
            cells.NOTHING,
            cells.NOTHING,
            cells.NOTHING,
            cells.NOTHING,
            cells.size(one.retained_bytes, role),
            cells.size(one.room_bytes),
            cells.words(one.plugin, "dim"),
        ),
    )
