"""Connections: of how many that may be, who has them, and how large a pool would do."""

from opsconsole.core.clean import clean_line
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.connections import Connections, pool_advice, read_connections
from opsconsole.database.sessions import CLIENT, Group, Key, grouped
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("name", "NAME", widest=40, least=12),
    Column("used", "CONNECTIONS", align="right"),
    Column("limit", "LIMIT", align="right", priority=3),
    Column("active", "ACTIVE", align="right"),
    Column("waiting", "WAITING", align="right", priority=1),
    Column("idle", "IDLE IN TX", align="right", priority=1),
    Column("longest", "LONGEST", align="right", priority=2),
    Column("rest", "", grows=True),
)
_KEYS: dict[str, Key] = {
    "by user": "role",
    "by state": "state",
    "by application": "application",
    "by database": "database",
    "by client": "client",
}


class ConnectionsPage(Page[Database, Connections]):
    """The clients' connections, by who has them."""

    id = "connections"
    title = "Connections"
    period = 5.0
    sorts = ("connections",)
    groupings = tuple(_KEYS)[1:]

    async def take(self, database: Database, before: Connections | None, order: Order) -> Connections:
        return await read_connections(database, before)

    def sheet(self, reading: Connections, order: Order) -> Sheet:
        """One row for each group, and above them the whole."""
        key = _KEYS.get(order.grouping, "role")
        limits = {"role": reading.limits.roles, "database": reading.limits.databases}.get(key, {})
        clients = [one for one in reading.activity.sessions if one.kind == CLIENT]
        rows = [_row(one, limits.get(one.name)) for one in grouped(clients, key)]
        advice = pool_advice(reading)
        used = f"{reading.used} of {reading.limits.usable} ({format_value(reading.share, 'percentunit')})"
        summary = f"{used}   {reading.busy} busy now   a pool of {advice.size} would do   {advice.arithmetic}"
        return Sheet(_COLUMNS, rows, clean_line(summary), "used", notes=reading.coverage.notes)

    def detail(self, reading: Connections, key: str) -> Detail | None:
        """The limits, and how the pool was reckoned."""
        limits, advice = reading.limits, pool_advice(reading)
        mean = reading.busy_mean
        facts = (
            ("max_connections", str(limits.most)),
            ("reserved", f"{limits.reserved}, for superusers and the roles that may use them"),
            ("usable by anybody", str(limits.usable)),
            ("used", f"{reading.used} ({format_value(reading.share, 'percentunit')})"),
            ("busy now, at most", f"{reading.busy}, {reading.busy_peak}"),
            ("busy on average", f"{mean:.2f}" if mean is not None else "not counted before PostgreSQL 14"),
            ("a session lasts", format_value(reading.session_mean, "s") if reading.session_mean is not None else ""),
            *((f"limit of role {name}", str(most)) for name, most in limits.roles.items()),
            *((f"limit of database {name}", str(most)) for name, most in limits.databases.items()),
        )
        text = f"{advice.size} server connections: {advice.arithmetic}"
        shown = tuple((clean_line(name), clean_line(value)) for name, value in facts if value)
        return Detail("Connections", shown, (("size of a pool", text),))


def _row(group: Group, limit: int | None) -> Row:
    full = limit is not None and group.count >= limit
    return Row(
        f"group {group.name}",
        (
            cells.words(group.name or "(none)", limit=63),
            cells.count(group.count, "crit" if full else "text"),
            Cell(str(limit), "crit" if full else "text") if limit is not None else cells.NOTHING,
            cells.count(group.active, "ok"),
            cells.count(group.waiting, "crit"),
            cells.count(group.idle_in_transaction, "warn"),
            cells.lasting(group.longest_seconds or None),
            cells.NOTHING,
        ),
    )
