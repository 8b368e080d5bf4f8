"""A statement in the form that a server understands.

It is written for the newest server. A line that needs something of it says so at its end, and with what it is replaced
elsewhere; without a replacement the line is left out:

    a.leader_pid,        -- if pg_stat_activity.leader_pid else null::int as leader_pid,
    w.wal_sync,          -- unless pg_stat_wal.wal_sync

What exists is read from the catalog, never concluded from the version: a server that was upgraded keeps its old
extensions, and forks go their own ways.
"""

import re
from collections.abc import Mapping

Columns = Mapping[str, frozenset[str]]
"""View or table -> its columns."""

_CONDITION = re.compile(
    r"^(?P<line>.*?)\s*-- (?P<word>if|unless) (?P<view>\w+)(\.(?P<column>\w+))?( else (?P<otherwise>.*?))?\s*$"
)


def chosen(text: str, columns: Columns) -> str:
    """`text` for a server with these `columns`."""
    lines = (_chosen(line, columns) for line in text.splitlines())
    return "\n".join(line for line in lines if line is not None)


def conditions(text: str) -> set[tuple[str, str]]:
    """The (view, column) that `text` asks about; column empty: the view itself."""
    found = (_CONDITION.match(line) for line in text.splitlines())
    return {(one["view"], one["column"] or "") for one in found if one}


def _chosen(line: str, columns: Columns) -> str | None:
    condition = _CONDITION.match(line)
    if condition is None:
        return line
    known = columns.get(condition["view"])
    there = known is not None and (condition["column"] is None or condition["column"] in known)
    if there == (condition["word"] == "if"):
        return condition["line"]
    return condition["otherwise"]
