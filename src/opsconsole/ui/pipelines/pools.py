"""Pools: slots that tasks share, and who waits for one."""

from opsconsole.pipelines.metrics import ByMetrics
from opsconsole.pipelines.model import Pool, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Order, Page, Sheet
from opsconsole.ui.pipelines import marks, measured
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("name", "POOL", widest=40, least=12),
    Column("slots", "SLOTS", align="right"),
    Column("running", "RUNNING", align="right"),
    Column("queued", "QUEUED", align="right"),
    Column("scheduled", "SCHEDULED", align="right", priority=2),
    Column("deferred", "DEFERRED", align="right", priority=3),
    Column("open", "OPEN", align="right"),
    Column("why", "", grows=True, least=16, priority=1),
)

Reading = Told[tuple[Pool, ...]] | ByMetrics


class PoolsPage(Page[Pipelines, Reading]):
    """The pools of Airflow."""

    id = "pools"
    title = "Pools"
    period = 5.0
    sorts = ("name",)

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        return await source.or_measured(source.airflow.pools())

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a pool; those in which something waits first."""
        if isinstance(reading, ByMetrics):
            return measured.pools_sheet(reading)
        found = sorted(reading.value, key=lambda one: (not one.starving, one.name))
        starving = sum(one.starving for one in found)
        starved = f"   {starving} with nothing free and tasks that wait" if starving else ""
        summary = f"{len(found)} pool{'' if len(found) == 1 else 's'}{starved}"
        return Sheet(_COLUMNS, [_row(one) for one in found], summary, notes=marks.notes_of(reading))


def _row(one: Pool) -> Row:
    why = "nothing is free, and tasks wait: more slots, or fewer tasks at once" if one.starving else one.description
    return Row(
        one.name,
        (
            cells.words(one.name, limit=100),
            Cell("no limit", "dim") if one.slots < 0 else cells.count(one.slots),
            cells.count(one.running),
            cells.count(one.queued, "warn" if one.starving else "text"),
            cells.count(one.scheduled),
            cells.count(one.deferred),
            cells.count(one.open, "warn" if one.starving else "text"),
            cells.words(why, "warn" if one.starving else "dim"),
        ),
        {"pool": one.name},
    )
