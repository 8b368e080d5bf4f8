"""Connections: of how many that may be, who has them, how large a pool would do, and the pools that there are."""

from collections.abc import Iterable

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import age_text, duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.connections import Connections, pool_advice, read_connections
from opsconsole.database.finding import NOTHING_HIDDEN
from opsconsole.database.pooler import CRIT_WAIT, WARN_WAIT, Pool, Pooler
from opsconsole.database.pooler_findings import pooler_findings, reach
from opsconsole.database.sessions import Group, Key, grouped
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


_POOLER = "pooler"


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
        clients = [one for one in reading.activity.sessions if one.of_client]
        rows = [_row(one, limits.get(one.name)) for one in grouped(clients, key)]
        if reading.pooler is not None:
            rows += [
                _pooler_row(reading, reading.pooler),
                *(_pool_row(one, reading.pooler) for one in reading.pooler.pools),
            ]
        advice = pool_advice(reading)
        used = f"{reading.used} of {reading.limits.usable} ({format_value(reading.share, 'percentunit')})"
        summary = f"{used}   {reading.busy} busy now   a pool of {advice.size} would do   {advice.arithmetic}"
        notes = reading.coverage + (reading.pooler.coverage if reading.pooler is not None else NOTHING_HIDDEN)
        return Sheet(_COLUMNS, rows, clean_line(summary), "used", notes=notes.notes)

    def detail(self, reading: Connections, key: str) -> Detail | None:
        """The limits, and how the pool was reckoned; of the pooler's rows, all that it tells."""
        pooler = reading.pooler
        if pooler is not None and key == _POOLER:
            return _pooler_detail(reading, pooler)
        if pooler is not None and key.startswith("pool "):
            pool = next((one for one in pooler.pools if _key(one) == key), None)
            return _pool_detail(reading, pooler, pool) if pool is not None else None
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


def _key(pool: Pool) -> str:
    return f"pool {pool.database}\n{pool.user}"


def _pooler_row(reading: Connections, pooler: Pooler) -> Row:
    """The pooler as a whole: its sums, or why there are none."""
    named = Cell(clean_line(f"PgBouncer {pooler.version}".strip()), "title")
    if pooler.failed:
        age = "" if pooler.taken_at is None else f" {age_text(max(0.0, reading.taken_at - pooler.taken_at))}"
        said = cells.words(f"{pooler.state}{age}: {pooler.failed}; trying again", "crit")
        return Row(_POOLER, (named, *[cells.NOTHING] * 6, said))
    clients = "" if pooler.clients is None else f"{pooler.clients} of {_told(pooler.most_clients)} clients"
    return Row(
        _POOLER,
        (
            named,
            cells.count(pooler.servers),
            cells.NOTHING,
            cells.count(sum(one.busy for one in pooler.pools), "ok"),
            cells.count(pooler.waiting, "crit" if pooler.state is State.CRIT else "warn"),
            cells.NOTHING,
            cells.NOTHING,
            cells.words(clients, "dim"),
        ),
    )


def _pool_row(pool: Pool, pooler: Pooler) -> Row:
    """One pool: its server connections against its size, and the clients that wait for them."""
    reserve = f"+ {pool.reserve} reserve" if pool.reserve else ""
    count = pool.clients_active
    clients = "" if count is None else "1 client" if count == 1 else f"{count} clients"
    stopped = "PAUSED" if pool.paused else "DISABLED" if pool.disabled else ""
    told = "  ".join(filter(None, (stopped, clients, pool.mode, reserve)))
    row = (
        Cell(f"  {clean_line(pool.name, limit=63)}"),
        cells.count(pool.servers, "warn" if pool.full else "text"),
        Cell("?", "dim") if pool.size is None else Cell(str(pool.size), "warn" if pool.reserve_used else "text"),
        cells.count(pool.busy, "ok"),
        cells.count(pool.clients_waiting, "crit" if pool.state is State.CRIT else "warn"),
        cells.NOTHING,
        cells.lasting(pool.longest_wait or None, WARN_WAIT, CRIT_WAIT),
        cells.words(told, "warn" if stopped else "dim"),
    )
    return Row(_key(pool), tuple(cell._replace(role="dim") for cell in row) if pooler.failed else row)


def _pooler_detail(reading: Connections, pooler: Pooler) -> Detail:
    """What all pools may take of the server, and everything that was found."""
    found = reach(pooler, reading.database)
    facts = (
        ("version", pooler.version),
        ("does not answer", pooler.failed),
        ("clients", f"{_told(pooler.clients)} of max_client_conn {_told(pooler.most_clients)}"),
        ("clients that wait", str(pooler.waiting)),
        ("server connections", str(pooler.servers)),
        ("query_wait_timeout", _lasting(pooler.wait_timeout, "not told, or none")),
        ("of this server, now", found.unknown or f"{found.now} of {reading.limits.usable} usable by anybody"),
        ("of this server, at most", "" if found.unknown else found.arithmetic),
    )
    return Detail("PgBouncer", _clean(facts), _remarks(reading, None))


def _pool_detail(reading: Connections, pooler: Pooler, pool: Pool) -> Detail:
    """All that the pooler tells about one pool."""
    facts = (
        ("pool", pool.name),
        ("does not answer", pooler.failed),
        ("state", str(pool.state) + (", paused" if pool.paused else "") + (", disabled" if pool.disabled else "")),
        ("mode", pool.mode),
        ("clients active, waiting", f"{_told(pool.clients_active)}, {_told(pool.clients_waiting)}"),
        ("the first waits for", _lasting(pool.longest_wait, "not told")),
        ("servers active", _told(pool.servers_active)),
        ("servers idle", _told(pool.servers_idle)),
        ("servers used (idle, unchecked)", _told(pool.servers_used)),
        ("servers tested", _told(pool.servers_tested)),
        ("servers being opened", _told(pool.servers_login)),
        ("servers cancelling", _told(pool.servers_cancelling)),
        ("pool_size", _told(pool.size)),
        ("reserve", f"{_told(pool.reserve)}, in use {pool.reserve_used}"),
    )
    return Detail("Pool", _clean(facts), _remarks(reading, (pool.name, pool.database)))


def _remarks(reading: Connections, subjects: tuple[str, ...] | None) -> tuple[tuple[str, str], ...]:
    """What was found, of those subjects or of all."""
    return tuple(
        (
            clean_line(f"{one.state} {one.subject}: {one.title}"),
            clean("\n".join(filter(None, (one.why, one.advice, *one.caveats)))),
        )
        for one in pooler_findings(reading)
        if subjects is None or one.subject in subjects
    )


def _clean(facts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, clean_line(value)) for name, value in facts if value)


def _told(value: int | None) -> str:
    return "not told" if value is None else str(value)


def _lasting(seconds: float | None, none: str) -> str:
    return none if seconds is None else duration_text(seconds)
