"""Locks: who blocks whom, as a tree whose root is the one whose end frees the others."""

from collections.abc import Iterator

from opsconsole.core.duration import duration_text
from opsconsole.database.asking import Database
from opsconsole.database.blocking import HIDDEN_NAME, BlockingGraph, Member, Root, read_blocking
from opsconsole.database.naming import literal
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.workbench.sessions import session_choices, session_detail

_COLUMNS = (
    Column("node", "SESSION", widest=30, least=10),
    Column("state", "STATE", widest=20, priority=3),
    Column("for", "FOR", align="right"),
    Column("lock", "HOLDS UP OR WAITS FOR", widest=46),
    Column("role", "ROLE", priority=4, widest=16),
    Column("application", "APPLICATION", priority=5, widest=20),
    Column("text", "STATEMENT", grows=True, least=16, priority=1),
)


class LocksPage(Page[Database, BlockingGraph]):
    """The blocking graph."""

    id = "locks"
    title = "Locks"
    period = 2.0
    sorts = ("effect",)

    async def take(self, database: Database, before: BlockingGraph | None, order: Order) -> BlockingGraph:
        return await read_blocking(database)

    def sheet(self, reading: BlockingGraph, order: Order) -> Sheet:
        """The trees one below the other, the worst first; deadlocks above them."""
        rows = [*_deadlocks(reading), *(row for root in reading.roots for row in _tree(root))]
        waiting = len(reading.waiters)
        summary = "nobody waits for a lock"
        if reading.roots:
            summary = f"{waiting} waiting   {reading.roots[0].effect}"
        elif waiting:
            summary = f"{waiting} waiting in a deadlock that the server is about to break"
        return Sheet(_COLUMNS, rows, summary, notes=reading.coverage.notes)

    def detail(self, reading: BlockingGraph, key: str) -> Detail | None:
        """The session in full, with what its end would do."""
        found = _of(reading, key)
        if found is None:
            return None
        root, member = found
        facts = []
        if member.waiter is not None:
            facts += [("waits for the lock", member.waiter.wanted), ("behind", ", ".join(member.waiter.blocked_by))]
        if member is root.top:
            facts.append(("effect", root.effect))
        if member.session is None:
            hint = (("how", _ending(member)),) if _prepared(member) else ()
            return Detail(member.node, (*facts, *hint))
        known = session_detail(member.session)
        return Detail(known.title, (*facts, *known.facts), known.parts)

    def choices(self, reading: BlockingGraph, key: str) -> list[Choice]:
        """As for any session."""
        found = _of(reading, key)
        return session_choices(found[1].session) if found is not None and found[1].session is not None else []


def _deadlocks(graph: BlockingGraph) -> Iterator[Row]:
    for cycle in graph.cycles:
        way = " > ".join((*cycle, cycle[0]))
        text = "each waits for the next; the server ends one of them within deadlock_timeout"
        yield _row(f"deadlock {way}", Cell(way, "crit"), Cell("deadlock", "crit"), lock=text)
    for waiter in graph.behind_cycles:
        name = f"behind {waiter.pid}"
        yield _row(name, Cell(str(waiter.pid)), Cell("waits"), lock=f"behind that deadlock: {waiter.wanted}")


def _tree(root: Root) -> Iterator[Row]:
    for member in root.members:
        yield _member_row(root, member)


def _member_row(root: Root, member: Member) -> Row:
    session, waiter = member.session, member.waiter
    rails = "".join("│ " if more else "  " for more in member.goes_on[:-1])
    if member.goes_on:
        rails += "├ " if member.goes_on[-1] else "└ "
    state = session.doing if session is not None else "prepared" if _prepared(member) else "gone"
    if waiter is None:
        lock = Cell(_effect(root), "crit" if root.frees else "warn")
        seconds = session.transaction_seconds if session is not None else None
    else:
        lock = cells.words(waiter.wanted)
        seconds = waiter.seconds
    return Row(
        _key(root, member),
        (
            Cell(rails + member.node, "title" if waiter is None else "text"),
            Cell(state.replace("transaction", "tx"), "warn" if waiter is None else "text"),
            cells.lasting(seconds, 1.0, 30.0),
            lock,
            cells.words(session.role if session is not None else "", limit=63),
            cells.words(session.application if session is not None else "", limit=63),
            cells.words(session.query if session is not None else "", "dim" if waiter is None else "text"),
        ),
    )


def _effect(root: Root) -> str:
    if not root.frees:
        return "alone frees nobody: they wait for others, too"
    return f"frees {root.frees}, the longest waits {duration_text(root.longest_seconds)}"


def _row(key: str, node: Cell, state: Cell, lock: str) -> Row:
    nothing = cells.NOTHING
    return Row(key, (node, state, nothing, cells.words(lock), nothing, nothing, nothing))


def _prepared(member: Member) -> bool:
    return member.node.startswith("2PC ")


def _ending(member: Member) -> str:
    """How a prepared transaction is ended, where its name is known."""
    name = member.node.removeprefix("2PC ")
    if name == HIDDEN_NAME:
        return "its owner ends it: ROLLBACK PREPARED or COMMIT PREPARED, with its name"
    return (
        f"in its database, as its owner: ROLLBACK PREPARED {literal(name)}; or COMMIT PREPARED, as its manager decides"
    )


def _key(root: Root, member: Member) -> str:
    return f"{root.top.node} {member.node}"


def _of(graph: BlockingGraph, key: str) -> tuple[Root, Member] | None:
    return next(((root, one) for root in graph.roots for one in root.members if _key(root, one) == key), None)
