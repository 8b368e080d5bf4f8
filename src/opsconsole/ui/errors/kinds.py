"""Errors: one row a kind, what is new first, then by rate."""

from opsconsole.errors.asking import Errors
from opsconsole.errors.merging import shown
from opsconsole.errors.model import Kind
from opsconsole.ui.errors import reading as readings
from opsconsole.ui.errors.reading import ErrorsReading
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("new", "", least=4),
    Column("count", "TIMES", align="right"),
    Column("rate", "RATE", align="right", priority=1),
    Column("trend", "LAST DAY", width=24, priority=4),
    Column("first", "FIRST", align="right", priority=3),
    Column("last", "LAST", align="right"),
    Column("service", "SERVICE", widest=20),
    Column("type", "TYPE", widest=28, priority=2),
    Column("message", "MESSAGE", grows=True, least=24),
    Column("source", "SOURCE", widest=16, priority=5),
)
NEW_ONLY, MUTED_ONLY = "new only", "muted only"


class KindsPage(Page[Errors, ErrorsReading]):
    """Every kind of error."""

    id = "errors"
    title = "Errors"
    period = readings.PERIOD
    sorts = ("new", "rate", "count", "last", "first")
    groupings = (NEW_ONLY, MUTED_ONLY)

    async def take(self, source: Errors, before: ErrorsReading | None, order: Order) -> ErrorsReading:
        return await readings.take(source)

    def sheet(self, reading: ErrorsReading, order: Order) -> Sheet:
        """One row a kind."""
        now = reading.survey.taken_at
        every = shown(reading.survey.kinds)
        listed = _sorted([one for one in every if _wanted(one, order.grouping)], order.sort)
        rows = [_row(one, now, reading.runbook_of(one.source)) for one in listed]
        return Sheet(_COLUMNS, rows, summary_of(every), order.sort, order.sort != "first", notes=reading.notes)

    def detail(self, reading: ErrorsReading, key: str) -> Detail | None:
        """Samples with their traces, and since when."""
        kind = reading.kind(key)
        return None if kind is None else readings.detail_of(reading, kind)


def summary_of(kinds: tuple[Kind, ...]) -> str:
    """`12 kinds of errors, 2 new, 1,234 times in the last day; 1 muted`."""
    heard = [one for one in kinds if one.mute is None]
    muted = len(kinds) - len(heard)
    if not kinds:
        return "no error in the last day"
    new = sum(one.new is True for one in heard)
    text = f"{len(heard)} kinds of errors, {new} new, {sum(one.count for one in heard):,} times in the last day"
    return f"{text}; {muted} muted" if muted else text


def mark(kind: Kind) -> Cell:
    """Whether it is new, in a word."""
    if kind.mute is not None:
        return Cell("mute", "dim")
    return {True: Cell("NEW", "crit"), False: Cell(""), None: Cell("new?", "dim")}[kind.new]


def _wanted(kind: Kind, grouping: str) -> bool:
    if grouping == MUTED_ONLY:
        return kind.mute is not None
    return kind.mute is None and (grouping != NEW_ONLY or kind.new is True)


def _sorted(kinds: list[Kind], sort: str) -> list[Kind]:
    keys = {
        "rate": lambda one: -one.rate,
        "count": lambda one: -one.count,
        "last": lambda one: -(one.last_at or 0.0),
        "first": lambda one: -(one.first_at or 0.0),
    }
    return sorted(kinds, key=keys[sort]) if sort in keys else kinds


def _row(kind: Kind, now: float, runbook: str) -> Row:
    quiet = "dim" if kind.mute is not None else "text"
    return Row(
        kind.fingerprint,
        (
            mark(kind),
            cells.count(kind.count, quiet),
            readings.rate(kind.rate),
            readings.trend(kind.trend),
            cells.ago(kind.first_at, now),
            cells.ago(kind.last_at, now),
            cells.words(kind.service, limit=100),
            cells.words(kind.type, "dim", 200),
            cells.words(kind.example, quiet),
            cells.words(kind.source, "dim", 100),
        ),
        readings.labels_of(kind, runbook),
    )
