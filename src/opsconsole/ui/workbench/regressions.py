"""Queries against the newest baseline: what became slower since, what is new."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from opsconsole.core.duration import age_text
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.captures import CaptureError, latest_baseline, save_baseline
from opsconsole.database.comparison import Change, Comparison, Verdict, beyond, compare
from opsconsole.database.statement_usage import Span, Usage, since_reset
from opsconsole.database.statements import read_statements, read_texts
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

COLUMNS = (
    Column("verdict", "SINCE", least=8),
    Column("factor", "FACTOR", align="right"),
    Column("before", "BEFORE", align="right"),
    Column("after", "NOW", align="right"),
    Column("calls", "CALLS", align="right", priority=1),
    Column("total", "TOTAL", align="right", priority=2),
    Column("role", "ROLE", priority=9, widest=16),
    Column("database", "DATABASE", priority=9, widest=16),
    Column("text", "STATEMENT", grows=True, least=40),
)
_ROLES = {Verdict.SLOWER: "crit", Verdict.FASTER: "ok", Verdict.NEW: "warn", Verdict.UNSURE: "dim", Verdict.GONE: "dim"}
SAVE = ":baseline NAME keeps one"


async def keep_baseline(database: Database, name: str) -> int:
    """Keep what all statements cost until now as baseline `name`; how many they are.

    Raises:
        SourceError: the database cannot be asked.
        CaptureError: there is nothing to keep, or no such name can be given.
        OSError: it cannot be written.
    """
    now = await read_statements(database)
    if not now.available:
        raise CaptureError("; ".join(now.coverage.notes) or "no statement is counted")
    span = await asyncio.to_thread(since_reset, now)
    texts = await read_texts(database, [usage.key for usage in span.usages])
    named = tuple(replace(one, text=texts.get(one.key[:3], "")) for one in span.usages)
    await asyncio.to_thread(save_baseline, name, replace(span, usages=named))
    return len(named)


def against_latest(whole: Span) -> tuple[Comparison | None, str]:
    """What became of each statement since the newest baseline of this cluster, and that baseline's name.

    Without one: None, and why. Reads files.
    """
    try:
        found = latest_baseline(whole.system)
    except CaptureError as error:
        return None, str(error)
    if found is None:
        return None, f"no baseline of this server is kept: {SAVE}"
    name, before = found
    return compare(before, beyond(before, whole)), name


def sheet_of(
    comparison: Comparison | None, name: str, key: Callable[[Usage], str], text: Callable[[Usage], str], most: int
) -> Sheet:
    """The changes, what matters most first; what did not change is left out."""
    if comparison is None:
        return Sheet(COLUMNS, [], f"against baseline: {name}")
    changed = [one for one in comparison.changes if one.verdict is not Verdict.SAME]
    rows = [_row(one, key(one.usage), text(one.usage)) for one in changed[:most]]
    counts = "   ".join(f"{comparison.count(verdict)} {verdict.value}" for verdict in Verdict)
    age = age_text(max(0.0, comparison.after.ended_at - comparison.before.ended_at))
    return Sheet(COLUMNS, rows, f"since baseline {name}, {age} ago   {counts}", notes=comparison.notes)


def _row(change: Change, key: str, text: str) -> Row:
    usage, after = change.usage, change.after
    return Row(
        key,
        (
            Cell(change.verdict.value, _ROLES.get(change.verdict, "text")),
            _factor(change.factor),
            _mean(change.before),
            _mean(change.after),
            cells.count(after.counters.calls if after is not None else None),
            cells.number(after.counters.total if after is not None else None, "s"),
            cells.words(usage.user, "dim", 63),
            cells.words(usage.database, "dim", 63),
            cells.words(text),
        ),
    )


def _factor(factor: float | None) -> Cell:
    if factor is None:
        return Cell("")
    return Cell(f"{factor:,.0f}x" if factor >= 10 else f"{factor:.2f}x")


def _mean(usage: Usage | None) -> Cell:
    return Cell(format_value(usage.mean, "s")) if usage is not None else Cell("")
