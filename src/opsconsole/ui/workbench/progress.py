"""Progress: work on whole tables that is under way, with its rate and when the present phase will end."""

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.units import format_value
from opsconsole.database.asking import Database
from opsconsole.database.progress import Progress, Work, read_progress
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("pid", "PID", align="right", least=6),
    Column("kind", "WORK", widest=28),
    Column("on", "ON", widest=40, least=12),
    Column("phase", "PHASE", widest=32, priority=1),
    Column("share", "DONE", align="right"),
    Column("left", "LEFT", align="right"),
    Column("rate", "RATE", align="right", priority=2),
    Column("for", "FOR", align="right", priority=3),
    Column("role", "ROLE", priority=4, widest=16),
    Column("detail", "", grows=True, priority=5),
)


class ProgressPage(Page[Database, Progress]):
    """pg_stat_progress_*."""

    id = "progress"
    title = "Progress"
    period = 2.0
    sorts = ("pid", "left")

    async def take(self, database: Database, before: Progress | None, order: Order) -> Progress:
        return await read_progress(database, before)

    def sheet(self, reading: Progress, order: Order) -> Sheet:
        """One row for each command."""
        works = sorted(reading.works, key=lambda one: -(one.left_seconds or 0.0) if order.sort == "left" else one.pid)
        summary = f"{len(works)} under way" if works else "no vacuum, analyze, index build, copy or backup is under way"
        return Sheet(_COLUMNS, [_row(one) for one in works], summary, order.sort, False, reading.coverage.notes)

    def detail(self, reading: Progress, key: str) -> Detail | None:
        """Everything about one command."""
        work = _of(reading, key)
        if work is None:
            return None
        facts = (
            ("on", work.relation),
            ("index", work.index),
            ("database", work.database),
            ("phase", work.phase),
            (
                "done",
                f"{work.done:,} of {work.total or '?':,} {work.unit}" if work.total else f"{work.done:,} {work.unit}",
            ),
            ("rate", _rate(work)),
            ("phase ends in", duration_text(work.left_seconds) if work.left_seconds is not None else ""),
            ("running for", duration_text(work.seconds) if work.seconds is not None else ""),
            ("role", work.role or ("autovacuum" if work.automatic else "")),
            (_DETAILS.get(work.kind, "detail"), work.detail),
        )
        return Detail(
            clean_line(f"{work.kind} {work.relation}"), tuple((name, clean_line(text)) for name, text in facts if text)
        )

    def choices(self, reading: Progress, key: str) -> list[Choice]:
        """It can be cancelled; what was done of a vacuum until then is done."""
        work = _of(reading, key)
        if work is None or not work.backend_start:
            return []
        named = {"pid": str(work.pid), "backend_start": work.backend_start}
        title = clean_line(f"Cancel {work.kind} of {work.relation}")
        why = clean_line(f"{work.phase}, {cells.share(work.share).text or 'unknown how much'} done")
        return [Choice("cancel", Repair("postgres.cancel", named, title, why))]


_DETAILS = {"vacuum": "index passes", "copy from": "rows", "copy to": "rows"}


def _row(work: Work) -> Row:
    where = work.relation if not work.index else f"{work.index} on {work.relation}"
    return Row(
        f"{work.pid} {work.backend_start}",
        (
            Cell(str(work.pid)),
            cells.words(f"auto{work.kind}" if work.automatic else work.kind),
            cells.words(where, limit=130),
            cells.words(work.phase),
            cells.share(work.share),
            cells.lasting(work.left_seconds),
            Cell(_rate(work), "dim"),
            cells.lasting(work.seconds),
            cells.words(work.role, "dim", 63),
            cells.words(f"{_DETAILS.get(work.kind, 'waits for')} {work.detail}" if work.detail else "", "dim"),
        ),
    )


def _rate(work: Work) -> str:
    if work.rate is None:
        return ""
    if work.unit == "bytes":
        return format_value(work.rate, "Bps")
    return f"{format_value(work.rate)} {work.unit}/s"


def _of(reading: Progress, key: str) -> Work | None:
    return next((one for one in reading.works if f"{one.pid} {one.backend_start}" == key), None)
