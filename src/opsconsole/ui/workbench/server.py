"""The server as a whole: cache hits, transactions, temporary files, checkpoints, the log; per interval and ever."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opsconsole.core.duration import duration_text
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.instance import Instance, Interval, between, lifetime, read_instance
from opsconsole.ui.pages.page import Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("what", "WHAT", widest=34, least=20),
    Column("now", "NOW", align="right", least=14),
    Column("ever", "SINCE RESET", align="right", least=14),
    Column("rest", "", grows=True),
)
_LOW_HITS = 0.9
"""Below that much of what is wanted comes from outside of shared_buffers; the usual rule of thumb for OLTP is 99 %."""
_FORCED = 0.5
"""Share of checkpoints that the log forced, from which max_wal_size is too small."""


@dataclass(frozen=True, slots=True)
class ServerReading:
    """The counters now, and what happened since the reading before."""

    instance: Instance
    recent: Interval | None


Told = tuple[str, Callable[[Interval], str], Callable[[Interval], bool]]


def _calm(interval: Interval) -> bool:
    """For what is no trouble, however much of it there is."""
    return False


def _rate(counter: str, unit: str) -> Callable[[Interval], str]:
    def told(interval: Interval) -> str:
        value = getattr(interval.grown, counter)
        return format_value(value / interval.seconds, unit) if value is not None and interval.seconds else ""

    return told


def _count(counter: str) -> Callable[[Interval], str]:
    def told(interval: Interval) -> str:
        value = getattr(interval.grown, counter)
        return f"{value:,}" if value is not None else ""

    return told


def _some(counter: str) -> Callable[[Interval], bool]:
    return lambda interval: bool(getattr(interval.grown, counter))


def _share(value: float | None) -> str:
    return format_value(value, "percentunit") if value is not None else ""


_LINES: Sequence[Told] = (
    ("cache hits", lambda one: _share(one.hit_share), lambda one: (one.hit_share or 1.0) < _LOW_HITS),
    ("blocks from outside the cache", _rate("read", "ops"), _calm),
    ("commits", _rate("commits", "ops"), _calm),
    ("rolled back", lambda one: _share(one.rollback_share), _calm),
    ("rows returned", _rate("rows_returned", "ops"), _calm),
    ("rows fetched", _rate("rows_fetched", "ops"), _calm),
    ("deadlocks", _count("deadlocks"), _some("deadlocks")),
    ("conflicts with replay", _count("conflicts"), _some("conflicts")),
    ("sessions lost", _count("sessions_lost"), _calm),
    ("checksum failures", _count("checksum_failures"), _some("checksum_failures")),
    ("temporary files", _count("temp_files"), _calm),
    ("written to temporary files", _rate("temp_bytes", "Bps"), _calm),
    ("log written", _rate("wal_bytes", "Bps"), _calm),
    ("full pages in the log", _rate("wal_fpi", "ops"), _calm),
    ("log buffers full", _count("wal_buffers_full"), _calm),
    ("checkpoints by time", _count("checkpoints_timed"), _calm),
    ("checkpoints forced", _count("checkpoints_requested"), lambda one: (one.requested_share or 0.0) > _FORCED),
    ("buffers written by checkpoints", _rate("buffers_checkpoint", "ops"), _calm),
    ("buffers written in advance", _rate("buffers_clean", "ops"), _calm),
    ("buffers taken", _rate("buffers_alloc", "ops"), _calm),
)


class ServerPage(Page[Database, ServerReading]):
    """pg_stat_database, pg_stat_bgwriter or pg_stat_checkpointer, pg_stat_wal."""

    id = "server"
    title = "Server"
    period = 5.0
    sorts = ("subject",)

    async def take(self, database: Database, before: ServerReading | None, order: Order) -> ServerReading:
        now = await read_instance(database)
        return ServerReading(now, between(before.instance, now) if before is not None else None)

    def sheet(self, reading: ServerReading, order: Order) -> Sheet:
        """One row for each thing that is counted."""
        instance, recent = reading.instance, reading.recent
        ever = lifetime(instance)
        rows = [_row(told, recent, ever) for told in _LINES]
        reset = "" if recent is None or not recent.reset else "   the counters were reset in between"
        summary = f"up for {duration_text(instance.uptime)}   {instance.backends} sessions{reset}"
        return Sheet(
            _COLUMNS, rows, f"{summary}   counted for {duration_text(ever.seconds)}", notes=instance.coverage.notes
        )


def _row(told: Told, recent: Interval | None, ever: Interval) -> Row:
    name, said, bad = told
    now = "" if recent is None else said(recent)
    alarming = recent is not None and bad(recent)
    return Row(
        name,
        (
            Cell(name, "warn" if alarming else "text"),
            Cell(now or "…", "warn" if alarming else "text" if now else "dim"),
            Cell(said(ever), "warn" if bad(ever) and not alarming else "dim"),
            Cell(""),
        ),
    )
