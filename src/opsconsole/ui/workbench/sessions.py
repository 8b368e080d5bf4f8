"""Sessions: what everybody does, for how long, and what he waits for."""

from collections.abc import Iterable

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.database.asking import Database
from opsconsole.database.sessions import (
    CLIENT,
    Activity,
    Filter,
    Group,
    Key,
    Session,
    grouped,
    most_telling_first,
    read_sessions,
)
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.lines import Role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("pid", "PID", align="right", least=6),
    Column("state", "STATE", widest=22),
    Column("wait", "WAIT", priority=2, widest=28),
    Column("transaction", "TX", align="right", priority=1),
    Column("query", "QUERY", align="right"),
    Column("role", "ROLE", priority=4, widest=16),
    Column("database", "DATABASE", priority=5, widest=16),
    Column("application", "APPLICATION", priority=3, widest=16),
    Column("client", "CLIENT", priority=6, widest=15),
    Column("text", "STATEMENT", grows=True, least=24),
)
_GROUP_COLUMNS = (
    Column("name", "NAME", widest=40),
    Column("sessions", "SESSIONS", align="right"),
    Column("active", "ACTIVE", align="right"),
    Column("waiting", "WAITING", align="right"),
    Column("idle", "IDLE IN TX", align="right"),
    Column("longest", "LONGEST", align="right"),
    Column("rest", "", grows=True),
)
_LONG = (10.0, 60.0)
"""Seconds of a statement from which it stands out, and from which it alarms."""
_LONG_TRANSACTION = (60.0, 600.0)
_GROUP_KEYS: dict[str, Key] = {
    "state": "state",
    "user": "role",
    "application": "application",
    "database": "database",
    "client": "client",
}


class SessionsPage(Page[Database, Activity]):
    """The clients' sessions; the server's own processes and the console's stay out."""

    id = "sessions"
    title = "Sessions"
    period = 2.0
    sorts = ("attention", "query", "transaction", "pid")
    groupings = tuple(_GROUP_KEYS)

    async def take(self, database: Database, before: Activity | None, order: Order) -> Activity:
        return await read_sessions(database)

    def sheet(self, reading: Activity, order: Order) -> Sheet:
        """One row a session, or one for each group."""
        sessions = [one for one in reading.sessions if Filter().admits(one)]
        summary = _summary(sessions)
        if order.grouping:
            groups = grouped(sessions, _GROUP_KEYS[order.grouping])
            return Sheet(
                _GROUP_COLUMNS, [_group_row(one) for one in groups], summary, "sessions", notes=reading.coverage.notes
            )
        rows = [session_row(one) for one in _sorted(sessions, order.sort)]
        shown = {"query": "query", "transaction": "transaction", "pid": "pid"}.get(order.sort, "")
        return Sheet(_COLUMNS, rows, summary, shown, shown != "pid", reading.coverage.notes)

    def detail(self, reading: Activity, key: str) -> Detail | None:
        """Everything about one session, its whole statement included."""
        session = _of(reading, key)
        return session_detail(session) if session is not None else None

    def statement(self, reading: Activity, key: str) -> str:
        """What it does, or did last."""
        session = _of(reading, key)
        return session.query if session is not None else ""

    def choices(self, reading: Activity, key: str) -> list[Choice]:
        """Cancel what it does, or end it."""
        session = _of(reading, key)
        return session_choices(session) if session is not None else []


def session_detail(session: Session) -> Detail:
    """One session in full."""
    xmin = f"{session.xmin_age:,} transactions old" if session.xmin_age else ""
    facts = (
        ("state", session.doing),
        ("waits for", ": ".join(filter(None, (session.wait_type, session.wait)))),
        ("statement for", _lasting(session.query_seconds if session.active else None)),
        ("transaction for", _lasting(session.transaction_seconds)),
        ("in this state for", _lasting(session.state_seconds)),
        ("snapshot", xmin),
        ("role", session.role),
        ("database", session.database),
        ("application", session.application),
        ("client", session.client or ("" if session.hidden else "local socket")),
        ("connected since", session.backend_start),
        ("parallel workers", ", ".join(str(one.pid) for one in session.workers)),
        ("query id", session.query_id),
    )
    what = "statement" if session.active else "last statement"
    return Detail(
        f"Session {session.pid}",
        tuple((name, clean_line(value)) for name, value in facts if value),
        ((what, clean(session.query.strip())),) if session.query.strip() else (),
    )


def session_choices(session: Session) -> list[Choice]:
    """What can be done about a session. Whether it may be is asked again when it is done."""
    if session.kind not in (CLIENT, "autovacuum worker", "parallel worker"):
        return []
    named = {"pid": str(session.pid), "backend_start": session.backend_start}
    who = clean_line(f"{session.pid} ({session.role or session.kind} {session.application})".replace(" )", ")"))
    why = clean_line(
        f"it is {session.doing}"
        + (f", in its transaction for {_lasting(session.transaction_seconds)}" if session.transaction_seconds else "")
        + (f", waiting for {session.wait_type} {session.wait}" if session.wait_type == "Lock" else "")
        + (f"; {' '.join(session.query.split())}" if session.query else ""),
        limit=300,
    )
    cancel = Choice("cancel", Repair("postgres.cancel", named, f"Cancel the statement of {who}", why))
    end = Choice("terminate", Repair("postgres.terminate", named, f"End session {who}", why))
    return [cancel, end] if session.active else [end]


def session_row(session: Session) -> Row:
    """One session as a row; the key is that of this session and no later one."""
    state, role = _state(session)
    workers = f" +{len(session.workers)}" if session.workers else ""
    waiting = ": ".join(filter(None, (session.wait_type, session.wait)))
    # What an idle session waits for is its client, which its state says already.
    told = "" if session.wait_type == "Client" and not session.active else waiting
    return Row(
        key_of(session),
        (
            Cell(str(session.pid), "dim" if not session.active and not session.idle_in_transaction else "text"),
            Cell(state + workers, role),
            cells.words(told, "crit" if session.wait_type == "Lock" else "text"),
            cells.lasting(_transaction(session), *_LONG_TRANSACTION),
            cells.lasting(session.query_seconds if session.active else None, *_LONG),
            cells.words(session.role, limit=63),
            cells.words(session.database, limit=63),
            cells.words(session.application, limit=63),
            cells.words(session.origin, "dim"),
            cells.words(session.query, "text" if session.active else "dim"),
        ),
    )


def _transaction(session: Session) -> float | None:
    """Seconds; for the server an aborted transaction has ended, and for whoever waits for its client it has not."""
    return session.seconds if session.idle_in_transaction else session.transaction_seconds


def key_of(session: Session) -> str:
    """What names the session among all that ever were."""
    return f"{session.pid} {session.backend_start}"


def _state(session: Session) -> tuple[str, Role]:
    if session.idle_in_transaction:
        return session.state.replace("transaction", "tx"), "warn"
    if session.active:
        # The column that says so has no room on a narrow terminal, and colour alone says nothing to everybody.
        return ("waits for lock", "crit") if session.wait_type == "Lock" else (session.state, "ok")
    return session.doing, "dim"


def _sorted(sessions: Iterable[Session], sort: str) -> list[Session]:
    match sort:
        case "query":
            return sorted(sessions, key=lambda one: (not one.active, -(one.query_seconds or 0.0), one.pid))
        case "transaction":
            return sorted(sessions, key=lambda one: (-(one.transaction_seconds or -1.0), one.pid))
        case "pid":
            return sorted(sessions, key=lambda one: one.pid)
    return most_telling_first(sessions)


def _summary(sessions: list[Session]) -> str:
    active = sum(one.active for one in sessions)
    waiting = sum(one.wait_type == "Lock" for one in sessions)
    idle = sum(one.idle_in_transaction for one in sessions)
    return f"{len(sessions)} sessions   {active} active   {waiting} waiting for locks   {idle} idle in transaction"


def _group_row(group: Group) -> Row:
    return Row(
        f"group {group.name}",
        (
            cells.words(group.name or "(none)"),
            cells.count(group.count),
            cells.count(group.active, "ok"),
            cells.count(group.waiting, "crit"),
            cells.count(group.idle_in_transaction, "warn"),
            cells.lasting(group.longest_seconds or None),
            cells.NOTHING,
        ),
    )


def _of(reading: Activity, key: str) -> Session | None:
    return next((one for one in reading.by_pid().values() if key_of(one) == key), None)


def _lasting(seconds: float | None) -> str:
    return "" if seconds is None else duration_text(seconds)
