"""Components: whether scheduler, DAG processor, triggerer, workers and API live."""

from opsconsole.pipelines.model import Component, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.pipelines.vitality import component_state, vitality
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Order, Page, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Column, Row

_COLUMNS = (
    Column("state", "STATE", least=7),
    Column("name", "COMPONENT", least=14),
    Column("seen", "LAST SEEN", align="right"),
    Column("host", "HOST", widest=30, priority=2),
    Column("why", "", grows=True, least=16, priority=1),
)

Reading = Told[tuple[Component, ...]]


class PartsPage(Page[Pipelines, Reading]):
    """The parts of Airflow."""

    id = "parts"
    title = "Components"
    period = 5.0
    sorts = ("name",)

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        return await source.health()

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a part."""
        rows = [_row(one, reading.now, place) for place, one in enumerate(reading.value)]
        summary = f"{marks.origin(reading)}   {vitality(reading.value).value}"
        return Sheet(_COLUMNS, rows, summary, notes=marks.notes_of(reading))


def _row(one: Component, now: float, place: int) -> Row:
    state, why = component_state(one)
    return Row(
        f"{one.name} {one.host} {place}",
        (
            marks.judged(state),
            cells.words(one.name),
            marks.moment(one.seen_at, now),
            cells.words(one.host, "dim", 63),
            cells.words(why, "dim"),
        ),
        {"component": one.name, "host": one.host},
    )
