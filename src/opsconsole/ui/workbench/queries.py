"""Queries: what the statements cost, since the counters were reset or since the page was opened."""

import asyncio
from dataclasses import dataclass, replace

from opsconsole.core.clean import clean
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.comparison import Comparison, Verdict
from opsconsole.database.finding import Coverage
from opsconsole.database.statement import own
from opsconsole.database.statement_usage import Span, Usage, between, ranked, since_reset
from opsconsole.database.statements import Key, Snapshot, read_statements, read_texts
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row
from opsconsole.ui.workbench import regressions

MOST_SHOWN = 200
"""Statements of a page, the dearest by its order; `opsconsole db queries --limit 0` has all."""

AGAINST = "against baseline"
_COLUMNS = (
    Column("share", "SHARE", align="right"),
    Column("calls", "CALLS", align="right"),
    Column("rate", "CALLS/S", align="right", priority=4),
    Column("total", "TOTAL", align="right", priority=1),
    Column("mean", "MEAN", align="right"),
    Column("stddev", "STDDEV", align="right", priority=8),
    Column("most", "MAX", align="right", priority=3),
    Column("rows", "ROWS", align="right", priority=5),
    Column("blocks", "BLOCKS", align="right", priority=6),
    Column("temp", "TEMP", align="right", priority=7),
    Column("wal", "WAL", align="right", priority=7),
    Column("role", "ROLE", priority=9, widest=16),
    Column("database", "DATABASE", priority=9, widest=16),
    Column("marks", "", priority=2, widest=20),
    Column("text", "STATEMENT", grows=True, least=40),
)
_SHOWN_SORT = {"total": "share", "mean": "mean", "calls": "calls", "rows": "rows", "temp": "temp", "wal": "wal"}


@dataclass(frozen=True, slots=True)
class QueriesReading:
    """What the statements did, over both spans; a span without statements where they cannot be read."""

    first: Snapshot
    """When the page was opened, or when the counters began anew."""
    whole: Span
    recent: Span | None
    """Since `first`; None for the very first reading."""
    comparison: Comparison | None = None
    """With the newest baseline, where that is wanted and there is one."""
    baseline: str = ""
    """Its name, or why there is none."""


class QueriesPage(Page[Database, QueriesReading]):
    """pg_stat_statements."""

    id = "queries"
    title = "Queries"
    period = 10.0
    sorts = ("total", "mean", "calls", "rows", "temp", "wal")
    groupings = ("since opened", AGAINST)

    def __init__(self) -> None:
        self._texts: dict[tuple[int, int, int], str] = {}

    async def take(self, database: Database, before: QueriesReading | None, order: Order) -> QueriesReading:
        now = await read_statements(database)
        first = now if before is None or not now.available or _restarted(before.first, now) else before.first
        # The arithmetic on thousands of statements is done beside the event loop: no key waits for it.
        whole = await asyncio.to_thread(since_reset, now) if now.available else _nothing(now)
        recent = await asyncio.to_thread(between, first, now) if first is not now else None
        reading = QueriesReading(first, whole, recent)
        if order.grouping == AGAINST and now.available:
            comparison, baseline = await asyncio.to_thread(regressions.against_latest, whole)
            reading = replace(reading, comparison=comparison, baseline=baseline)
        return await self._with_texts(database, reading, order)

    async def _with_texts(self, database: Database, reading: QueriesReading, order: Order) -> QueriesReading:
        """The texts of what is shown. A text stays what it is, so each is asked for once."""
        shown = await asyncio.to_thread(_shown, reading, order)
        wanted: list[Key] = [one.key for one in shown if one.key[:3] not in self._texts]
        if not wanted:
            return reading
        try:
            self._texts.update(await read_texts(database, wanted))
        except SourceError as error:
            lacking = Coverage((f"the texts of the statements cannot be read: {error.message}",))
            return replace(reading, whole=replace(reading.whole, coverage=reading.whole.coverage + lacking))
        return reading

    def sheet(self, reading: QueriesReading, order: Order) -> Sheet:
        """The dearest first; against a baseline, what became slower first."""
        if order.grouping == AGAINST:
            return regressions.sheet_of(reading.comparison, reading.baseline, _key, self._text, MOST_SHOWN)
        span = _span(reading, order)
        chosen = ranked(span, order.sort)[:MOST_SHOWN]
        notes = tuple(dict.fromkeys((*span.coverage.notes, *reading.whole.coverage.notes)))
        rows = [self._row(one, span.block_size) for one in chosen]
        return Sheet(_COLUMNS, rows, _summary(span, len(chosen)), _SHOWN_SORT[order.sort], notes=notes)

    def detail(self, reading: QueriesReading, key: str) -> Detail | None:
        """All counters of one statement, and its text."""
        span = reading.whole
        usage = next((one for one in span.usages if _key(one) == key), None)
        if usage is None:
            return None
        counters = usage.counters
        facts = (
            ("query id", str(usage.key.queryid)),
            ("role", usage.user),
            ("database", usage.database),
            ("share of all time", format_value(usage.share, "percentunit")),
            ("calls", f"{counters.calls:,.0f}"),
            ("total", format_value(counters.total, "s")),
            ("mean", format_value(usage.mean, "s")),
            ("standard deviation", format_value(usage.stddev, "s")),
            ("slowest call", format_value(usage.most, "s")),
            ("rows a call", format_value(usage.rows_per_call)),
            ("blocks a call", format_value(usage.blocks_per_call)),
            ("temporary files", format_value(counters.temp * span.block_size, "bytes")),
            ("WAL", format_value(counters.wal_bytes, "bytes") if counters.wal_bytes is not None else ""),
            ("worth a look", _marks(usage)),
            ("plan", f"e, or opsconsole db explain --queryid {usage.key.queryid}"),
        )
        return Detail(
            f"Query {usage.key.queryid}",
            tuple((name, value) for name, value in facts if value),
            (("statement", clean(self._text(usage))),),
        )

    def statement(self, reading: QueriesReading, key: str) -> str:
        """With `$1` for its values: it has a plan that holds for any of them."""
        usage = next((one for one in reading.whole.usages if _key(one) == key), None)
        return self._texts.get(usage.key[:3], usage.text) if usage is not None else ""

    def _text(self, usage: Usage) -> str:
        return self._texts.get(usage.key[:3], usage.text).strip() or "(text not there any more)"

    def _row(self, usage: Usage, block_size: int) -> Row:
        counters = usage.counters
        slow = "crit" if usage.slow and not usage.slow_at_worst else "text"
        return Row(
            _key(usage),
            (
                cells.share(usage.share, 0.25, 0.5),
                cells.count(counters.calls),
                cells.number(usage.rate, "ops"),
                cells.number(counters.total, "s"),
                cells.number(usage.mean, "s", slow),
                cells.number(usage.stddev, "s", "dim"),
                cells.number(usage.most, "s", "warn" if usage.slow else "text"),
                cells.number(usage.rows_per_call),
                cells.number(usage.blocks_per_call),
                cells.size(counters.temp * block_size or None, "warn"),
                cells.size(counters.wal_bytes or None),
                cells.words(usage.user, "dim", 63),
                cells.words(usage.database, "dim", 63),
                Cell("console", "dim") if own(self._text(usage)) else Cell(_marks(usage), "warn"),
                cells.words(self._text(usage)),
            ),
        )


def _key(usage: Usage) -> str:
    return " ".join(map(str, usage.key))


def _span(reading: QueriesReading, order: Order) -> Span:
    return reading.recent or reading.whole if order.grouping else reading.whole


def _shown(reading: QueriesReading, order: Order) -> list[Usage]:
    """The statements of which the page shows the text."""
    if order.grouping == AGAINST:
        changes = reading.comparison.changes if reading.comparison is not None else ()
        return [one.after for one in changes if one.after is not None and one.verdict is not Verdict.SAME][:MOST_SHOWN]
    return ranked(_span(reading, order), order.sort)[:MOST_SHOWN]


def _restarted(before: Snapshot, now: Snapshot) -> bool:
    """Whether the counters are others than they were: nothing can be subtracted from before."""
    return (before.system, before.reset_at) != (now.system, now.reset_at)


def _nothing(snapshot: Snapshot) -> Span:
    return Span(None, snapshot.taken_at, (), 0.0, coverage=snapshot.coverage)


def _summary(span: Span, shown: int) -> str:
    if not span.usages:
        return "no statement is counted"
    length = f" in {duration_text(span.seconds)}" if span.seconds is not None else ""
    first = f"the first {shown} of " if shown < len(span.usages) else ""
    return f"{first}{len(span.usages):,} statements   {format_value(span.total, 's')} of execution{length}"


def _marks(usage: Usage) -> str:
    marks = (("slow", usage.slow and not usage.slow_at_worst), ("slow at worst", usage.slow_at_worst))
    return " ".join(name for name, there in (*marks, ("n+1?", usage.n_plus_one)) if there)
