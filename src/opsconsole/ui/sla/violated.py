"""Violations: when less was good than was promised, for how long, and what that took of the budget."""

from collections.abc import Sequence

from opsconsole.core.duration import duration_text
from opsconsole.sla.asking import Slas, Survey
from opsconsole.sla.standing import Standing
from opsconsole.sla.violations import Violation, mean_seconds_to_recovery
from opsconsole.sla.wording import moment_text, share_text, spent_text
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.sla.objectives import PATIENCE, again, labels_of
from opsconsole.ui.sla.telling import detail_of
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=5),
    Column("sla", "SLA", grows=True, least=14),
    Column("subject", "OF", widest=24, priority=1),
    Column("start", "START", priority=3),
    Column("ago", "AGO", align="right"),
    Column("lasted", "RECOVERED IN", align="right"),
    Column("bad", "BAD", align="right", priority=2),
    Column("spent", "OF BUDGET", align="right"),
)


class ViolatedPage(Page[Slas, Survey]):
    """The violations of every SLA in its window."""

    id = "violations"
    title = "Violations"
    period = 10.0
    sorts = ("newest", "budget", "longest")

    async def take(self, source: Slas, before: Survey | None, order: Order) -> Survey:
        return await source.told(PATIENCE)

    def again(self, reading: Survey) -> float:
        return again(reading, self.period)

    def sheet(self, reading: Survey, order: Order) -> Sheet:
        """One row a violation."""
        found = [(one, violation) for one in reading.standings for violation in one.violations]
        match order.sort:
            case "budget":
                found.sort(key=lambda row: -row[1].spent)
            case "longest":
                found.sort(key=lambda row: -(row[1].seconds or float("inf")))
            case _:
                found.sort(key=lambda row: -row[1].start)
        rows = [_row(one, violation, reading.taken_at) for one, violation in found]
        columns = {"budget": "spent", "longest": "lasted"}
        return Sheet(
            _COLUMNS, rows, _summary([one for _, one in found], reading.standings), columns.get(order.sort, "ago")
        )

    def detail(self, reading: Survey, key: str) -> Detail | None:
        """Everything about its SLA."""
        name = key.partition("/")[0]
        found = next((one for one in reading.standings if one.sla.name == name), None)
        return None if found is None else detail_of(found)


def _summary(found: list[Violation], standings: Sequence[Standing]) -> str:
    """What was found, and of how many SLAs nothing is known: those may have more."""
    goes_on = sum(one.end is None for one in found)
    mttr = mean_seconds_to_recovery(found)
    recovery = f"   {duration_text(mttr)} to recovery on average" if mttr is not None else ""
    waiting = sum(one.waiting for one in standings)
    silent = sum(one.tally.seconds <= 0 for one in standings) - waiting
    unknown = f"   {silent} unknown" if silent else ""
    unread = f"   {waiting} not read yet" if waiting else ""
    return f"{len(found)} violations   {goes_on} go on{recovery}{unknown}{unread}"


def _row(one: Standing, found: Violation, now: float) -> Row:
    goes_on = found.end is None
    lasted = f"± {duration_text(found.grain)}" if found.grain > 60 else ""
    text = "goes on" if found.seconds is None else f"{duration_text(found.seconds)} {lasted}".rstrip()
    return Row(
        f"{one.sla.name}/{found.start:.0f}/{found.subject}",
        (
            Cell("open", "crit") if goes_on else Cell("over", "dim"),
            cells.words(one.sla.label, limit=100),
            cells.words(found.subject, "dim", 100),
            Cell(moment_text(found.start), "dim"),
            cells.ago(found.start, now),
            Cell(text, "crit" if goes_on else "text"),
            Cell(share_text(found.bad_share)),
            Cell(spent_text(found.spent), "crit" if found.spent >= 1 else "warn" if found.spent >= 0.25 else "text"),
        ),
        labels_of(one, found.subject),
    )
