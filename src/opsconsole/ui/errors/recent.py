"""Recent: the latest errors one by one, whatever their kind."""

from opsconsole.errors.asking import Errors
from opsconsole.errors.model import Kind, Sample
from opsconsole.ui.errors import reading as readings
from opsconsole.ui.errors.kinds import mark
from opsconsole.ui.errors.reading import ErrorsReading
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Column, Row

_COLUMNS = (
    Column("last", "AGE", align="right"),
    Column("new", "", least=4, priority=3),
    Column("service", "SERVICE", widest=20),
    Column("type", "TYPE", widest=28, priority=1),
    Column("message", "MESSAGE", grows=True, least=30),
    Column("where", "WHERE", widest=36, priority=2),
)
_MOST = 500


class RecentPage(Page[Errors, ErrorsReading]):
    """The latest of each kind, by time."""

    id = "recent"
    title = "Recent"
    period = readings.PERIOD
    sorts = ("last",)

    async def take(self, source: Errors, before: ErrorsReading | None, order: Order) -> ErrorsReading:
        return await readings.take(source)

    def sheet(self, reading: ErrorsReading, order: Order) -> Sheet:
        """One row a sample."""
        latest = _latest(reading)
        rows = [_row(kind, sample, place, reading) for kind, place, sample in latest]
        summary = f"the latest {len(rows)}, of each kind five at most; what is only counted is not here"
        return Sheet(_COLUMNS, rows, summary, order.sort, descending=False, notes=reading.notes)

    def detail(self, reading: ErrorsReading, key: str) -> Detail | None:
        """That one with its trace, then the others of its kind."""
        fingerprint, _, at = key.partition(" ")
        kind = reading.kind(fingerprint)
        if kind is None:
            return None
        sample = next((one for one in kind.samples if repr(one.at) == at.partition(" ")[0]), None)
        return readings.detail_of(reading, kind, sample)


def _latest(reading: ErrorsReading) -> list[tuple[Kind, int, Sample]]:
    kinds = (one for one in reading.survey.kinds if one.mute is None)
    found = [(kind, place, sample) for kind in kinds for place, sample in enumerate(kind.samples)]
    return sorted(found, key=lambda one: -one[2].at)[:_MOST]


def _row(kind: Kind, sample: Sample, place: int, reading: ErrorsReading) -> Row:
    return Row(
        f"{kind.fingerprint} {sample.at!r} {place}",
        (
            cells.ago(sample.at, reading.survey.taken_at),
            mark(kind),
            cells.words(kind.service, limit=100),
            cells.words(kind.type, "dim", 200),
            cells.words(sample.message),
            cells.words(sample.where, "dim", 200),
        ),
        {**readings.labels_of(kind, reading.runbook_of(kind.source)), **sample.labels},
    )
