"""What would make a run shorter, with the numbers that speak for it."""

from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.advice import Advice, advice
from opsconsole.pipelines.model import RunDetail, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.pipelines.timing import timing
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Column, Row

_COLUMNS = (
    Column("seconds", "COSTS", align="right"),
    Column("subject", "WHAT", widest=30, least=12),
    Column("why", "WHY", widest=70, priority=1),
    Column("advice", "WHAT TO DO", grows=True, least=24),
)


@dataclass(frozen=True, slots=True)
class AdvisedReading:
    """One run, and what made it longer than it had to be."""

    told: Told[RunDetail | None]
    advice: tuple[Advice, ...]


class AdvisedPage(Page[Pipelines, AdvisedReading]):
    """One run."""

    id = "advice"
    title = "Advice"
    period = 10.0
    sorts = ("cost",)

    def __init__(self, dag_id: str, run_id: str) -> None:
        self.dag_id = dag_id
        self.run_id = run_id

    async def take(self, source: Pipelines, before: AdvisedReading | None, order: Order) -> AdvisedReading:
        told = await source.airflow.run(self.dag_id, self.run_id)
        if told.value is None:
            raise SourceError("airflow", "gone", f"{self.dag_id} has no run {self.run_id} any more")
        pools = await source.airflow.pools()
        found = advice(told.value, timing(told.value, told.now), pools.value)
        return AdvisedReading(told, tuple(found))

    def sheet(self, reading: AdvisedReading, order: Order) -> Sheet:
        """One row a piece of advice, what costs most first."""
        found = reading.advice
        summary = (
            f"{len(found)} things cost it time" if found else "nothing that is worth a person's time made it longer"
        )
        return Sheet(_COLUMNS, [_row(one) for one in found], summary, notes=marks.notes_of(reading.told))

    def detail(self, reading: AdvisedReading, key: str) -> Detail | None:
        """In full."""
        one = next((advised for advised in reading.advice if _key(advised) == key), None)
        if one is None:
            return None
        facts = (("costs", duration_text(one.seconds)), ("what", clean_line(one.subject)))
        return Detail("Advice", facts, (("why", clean_line(one.why)), ("what to do", clean_line(one.advice))))


def _key(one: Advice) -> str:
    return f"{one.kind} {one.subject}"


def _row(one: Advice) -> Row:
    return Row(
        _key(one),
        (
            cells.lasting(one.seconds),
            cells.words(one.subject),
            cells.words(one.why, "dim"),
            cells.words(one.advice),
        ),
    )
