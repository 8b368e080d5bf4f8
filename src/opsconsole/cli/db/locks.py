"""Who blocks whom, as a tree: at its root the one whose end frees the others.

Also idle sessions that hold a lock, prepared transactions, and deadlocks that are forming.
"""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import narrate_notes
from opsconsole.cli.output import print_json, print_text, rfc3339
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opsconsole.database.blocking import BlockingGraph, Member

EXAMPLE = """\
opsconsole db locks --conn app
  opsconsole db locks --format json"""

_UNICODE = ("│ ", "├ ", "└ ")
_ASCII = ("|  ", "|- ", "`- ")
"""What goes past a node, what branches to it, and to the last one."""
_LONGEST = 400
"""Characters of a line; a statement can be megabytes long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db locks`."""
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Show who waits for whom."""
    from opsconsole.database.blocking import read_blocking

    graph = ask(args, read_blocking)
    if args.format == "json":
        print_json(_fields(graph))
    else:
        print_text("\n".join(lines(graph, ascii_only=_is_ascii())))
        narrate_notes(graph.coverage.notes)
    return Exit.DONE


def _is_ascii() -> bool:
    """Whether the tree is drawn in ASCII: as `OPSCONSOLE_GLYPHS` says, else where stdout or the terminal cannot show
    more."""
    from opsconsole.cli.wiring import UsageError
    from opsconsole.ui.glyphs import ASCII, glyphs_for

    try:
        chosen = glyphs_for(os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if os.environ.get("OPSCONSOLE_GLYPHS"):
        return chosen is ASCII
    if sys.stdout.isatty() and chosen is ASCII:
        return True
    try:
        "".join(_UNICODE).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def lines(graph: "BlockingGraph", *, ascii_only: bool = False) -> "Iterator[str]":
    """The tree as people read it, without colour; with `ascii_only` its lines are of ASCII."""
    rails = _ASCII if ascii_only else _UNICODE
    if not graph.waiters:
        yield "nobody waits for a lock"
    for cycle in graph.cycles:
        yield f"deadlock: {' waits for '.join((*cycle, cycle[0]))}; the server ends one of them in deadlock_timeout"
    for waiter in graph.behind_cycles:
        yield f"{waiter.pid} waits for {', '.join(waiter.blocked_by)}, behind that deadlock"
    for root in graph.roots:
        for member in root.members:
            yield f"{_drawn(member.goes_on, rails)}{_line(member)}"
        yield f"  {root.effect}"


def _drawn(goes_on: tuple[bool, ...], rails: tuple[str, str, str]) -> str:
    """The lines of the tree before a node."""
    if not goes_on:
        return ""
    past, branch, last = rails
    above = "".join(past if more else " " * len(past) for more in goes_on[:-1])
    return above + (branch if goes_on[-1] else last)


def _line(member: "Member") -> str:
    session, waiter = member.session, member.waiter
    waiting = ""
    if waiter is not None:
        since = f" for {duration_text(waiter.seconds)}" if waiter.seconds is not None else ""
        waiting = f"waits{since} for {waiter.wanted}"
    if session is None:
        gone = "" if member.node.startswith("2PC ") else "gone, or not visible"
        return "  ".join(filter(None, (member.node, gone, waiting)))
    taken = f"transaction {duration_text(session.transaction_seconds)}" if session.transaction_seconds else ""
    who = " ".join(filter(None, (session.role, session.application)))
    parts = (member.node, session.doing, taken, waiting, who, " ".join(session.query.split()))
    return "  ".join(filter(None, parts))[:_LONGEST]


def _fields(graph: "BlockingGraph") -> dict[str, Any]:
    return {
        "taken_at": rfc3339(graph.taken_at),
        "roots": [
            {
                "frees": root.frees,
                "longest_seconds": root.longest_seconds,
                "effect": root.effect,
                "node": root.top.node,
                "members": [_member_fields(one) for one in root.members],
            }
            for root in graph.roots
        ],
        "cycles": graph.cycles,
        "edges": [
            {"waiter": str(one.pid), "blocked_by": one.blocked_by, "seconds": one.seconds, "wanted": one.wanted}
            for one in graph.waiters
        ],
        "notes": graph.coverage.notes,
    }


def _member_fields(member: "Member") -> dict[str, Any]:
    from opsconsole.cli.db.activity import session_fields

    return {
        "node": member.node,
        "under": member.under or None,
        "depth": member.depth,
        "session": session_fields(member.session) if member.session is not None else None,
    }
