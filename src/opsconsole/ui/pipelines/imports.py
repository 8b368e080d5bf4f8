"""Import errors: files of DAGs that Airflow cannot read; what runs of them is an earlier version, or nothing."""

from opsconsole.core.clean import clean, clean_line
from opsconsole.pipelines.metrics import ByMetrics
from opsconsole.pipelines.model import BrokenFile, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks, measured
from opsconsole.ui.table_layout import Column, Row

_COLUMNS = (
    Column("file", "FILE", widest=50, least=16),
    Column("seen", "SEEN", align="right"),
    Column("reason", "REASON", grows=True, least=30),
)

Reading = Told[tuple[BrokenFile, ...]] | ByMetrics


class ImportsPage(Page[Pipelines, Reading]):
    """Files that cannot be imported."""

    id = "imports"
    title = "Import errors"
    period = 15.0
    sorts = ("file",)

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        return await source.or_measured(source.airflow.broken_files())

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a file."""
        if isinstance(reading, ByMetrics):
            return measured.imports_sheet(reading)
        files = f"{len(reading.value)} file{'' if len(reading.value) == 1 else 's'}"
        summary = f"{files} cannot be imported" if reading.value else "every file can be imported"
        rows = [_row(one, reading.now) for one in reading.value]
        return Sheet(_COLUMNS, rows, summary, notes=marks.notes_of(reading))

    def detail(self, reading: Reading, key: str) -> Detail | None:
        """The whole trace."""
        if isinstance(reading, ByMetrics):
            return None
        one = next((file for file in reading.value if file.file == key), None)
        if one is None:
            return None
        return Detail("Import error", (("file", clean_line(one.file)),), (("trace", clean(one.trace)),))


def _row(one: BrokenFile, now: float) -> Row:
    return Row(
        one.file, (cells.words(one.file, limit=200), marks.moment(one.seen_at, now), cells.words(one.reason, "crit"))
    )
