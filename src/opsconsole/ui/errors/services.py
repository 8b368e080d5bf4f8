"""Services: what each does wrong, against yesterday."""

from opsconsole.errors.asking import Errors
from opsconsole.errors.merging import by_service
from opsconsole.errors.model import ServiceErrors
from opsconsole.ui.errors import reading as readings
from opsconsole.ui.errors.reading import ErrorsReading
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("service", "SERVICE", widest=30, least=12),
    Column("rate", "RATE", align="right"),
    Column("count", "TIMES", align="right"),
    Column("before", "YESTERDAY", align="right", priority=2),
    Column("change", "CHANGE", align="right"),
    Column("trend", "LAST DAY", width=24, priority=3),
    Column("kinds", "KINDS", align="right", priority=1),
    Column("new", "NEW", align="right"),
    Column("last", "LAST", align="right"),
    Column("by", "COUNTED BY", priority=4, grows=True),
)
_SORTS = {"rate": "rate", "count": "count", "new": "new", "last": "last_at"}


class ServicesPage(Page[Errors, ErrorsReading]):
    """Rates by service."""

    id = "services"
    title = "Services"
    period = readings.PERIOD
    sorts = ("rate", "count", "new", "last")

    async def take(self, source: Errors, before: ErrorsReading | None, order: Order) -> ErrorsReading:
        return await readings.take(source)

    def sheet(self, reading: ErrorsReading, order: Order) -> Sheet:
        """One row a service."""
        services = list(by_service(one for one in reading.survey.kinds if one.mute is None))
        if order.sort != "rate":
            services.sort(key=lambda one: -(getattr(one, _SORTS[order.sort]) or 0.0))
        rows = [_row(one, reading.survey.taken_at) for one in services]
        erring = sum(one.count > 0 for one in services)
        summary = f"{erring} services with errors in the last day" if erring else "no error in the last day"
        return Sheet(_COLUMNS, rows, summary, order.sort, notes=reading.notes)

    def detail(self, reading: ErrorsReading, key: str) -> Detail | None:
        """Its kinds of errors."""
        kinds = [one for one in reading.survey.kinds if one.service == key]
        lines = [f"{one.count:>7,}  {one.type or one.source}  {one.example}" for one in kinds if one.count]
        return Detail(key or "no service named", (), (("kinds of errors in the last day", "\n".join(lines)),))


def change(count: int, before: int | None) -> Cell:
    """Against as long before: `x2.0`, `-40 %`."""
    if before is None:
        return Cell("?", "dim")
    if not before:
        return Cell("from 0", "warn") if count else Cell("")
    ratio = count / before
    if ratio >= 2:
        return Cell(f"x{ratio:.1f}", "crit")
    return Cell(f"{(ratio - 1) * 100:+.0f} %", "warn" if ratio >= 1.25 else "dim")


def _row(one: ServiceErrors, now: float) -> Row:
    return Row(
        one.service,
        (
            cells.words(one.service or "(none named)", limit=100),
            readings.rate(one.rate),
            cells.count(one.count),
            Cell("?", "dim") if one.before is None else cells.count(one.before, "dim"),
            change(one.count, one.before),
            readings.trend(one.trend),
            cells.count(one.kinds),
            cells.count(one.new, "crit"),
            cells.ago(one.last_at, now),
            Cell("metrics" if one.metered else "what was logged", "dim"),
        ),
        {"service": one.service, "job": one.service},
    )
