"""Objectives: what was promised, how much of the budget is left, and how fast it burns; the worst first."""

from collections import Counter

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text
from opsconsole.core.state import State
from opsconsole.sla.asking import Slas, Survey
from opsconsole.sla.standing import Standing, in_order
from opsconsole.sla.wording import budget_text, burn_text, share_text
from opsconsole.ui.lines import Role, Span, state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.sla.telling import detail_of
from opsconsole.ui.table_layout import Cell, Column, Row

BAR = 8
"""Cells of a whole budget."""
DAYS = 14
"""Days of the trend."""
_COLUMNS = (
    Column("state", "STATE", least=7),
    Column("sla", "SLA", grows=True, least=20),
    Column("good", "GOOD", align="right"),
    Column("promised", "PROMISED", align="right", priority=3),
    Column("budget", "BUDGET", width=BAR, priority=4),
    Column("left", "LEFT", align="right"),
    Column("gone", "GONE IN", align="right", priority=2),
    # How fast it goes, and of what is unknown why: the last to give way.
    Column("burn", "BURN 1h   6h   1d   3d", widest=22, priority=1),
    Column("trend", f"{DAYS} DAYS", width=DAYS, priority=5),
    Column("window", "WINDOW", priority=6),
)
PATIENCE = 0.8
"""Seconds after which what is there is shown, while a source takes its time."""
SOON = 0.1
"""Seconds until the next look while some were not read yet: each row comes when it is read."""
_LEVELS = "▁▂▃▄▅▆▇█"


class ObjectivesPage(Page[Slas, Survey]):
    """Every SLA in its window."""

    id = "objectives"
    title = "Objectives"
    period = 10.0
    sorts = ("worst", "left", "file")

    async def take(self, source: Slas, before: Survey | None, order: Order) -> Survey:
        return await source.told(PATIENCE)

    def again(self, reading: Survey) -> float:
        return again(reading, self.period)

    def sheet(self, reading: Survey, order: Order) -> Sheet:
        """One row an SLA."""
        rows = [_row(one) for one in in_order(reading.standings, order.sort)]
        told = [(one.sla.name, note) for one in reading.standings for note in (one.error, *one.notes) if note]
        notes = (*reading.notes, *(f"{name}: {note}" for name, note in told))
        sort = "left" if order.sort == "left" else ""
        return Sheet(_COLUMNS, rows, summary_of(reading), sort, False, tuple(map(clean_line, notes)))

    def detail(self, reading: Survey, key: str) -> Detail | None:
        """Everything about it."""
        found = next((one for one in reading.standings if one.sla.name == key), None)
        return None if found is None else detail_of(found)


def again(reading: Survey, period: float) -> float:
    """Seconds until the next look: soon, while the first reading goes on."""
    return SOON if any(one.waiting for one in reading.standings) else period


def summary_of(reading: Survey) -> str:
    """How many are kept."""
    states = Counter(one.state for one in reading.standings)
    met = Counter(one.met for one in reading.standings)
    waiting = sum(one.waiting for one in reading.standings)
    unknown = states[State.UNKNOWN] - waiting
    read = len(reading.standings) - waiting
    parts = [f"{met[True]} of {read} kept"] if read or not waiting else []
    parts += [f"{met[False]} broken"] if met[False] else []
    parts += [f"{unknown} unknown"] if unknown else []
    parts += [f"{waiting} not read yet"] if waiting else []
    open_ = sum(one.end is None for standing in reading.standings for one in standing.violations)
    parts += [f"{open_} violation{'s go' if open_ > 1 else ' goes'} on"] if open_ else []
    return "   ".join(parts)


def _row(one: Standing) -> Row:
    role = state_role(one.state)
    return Row(
        one.sla.name,
        (
            Cell(one.state.value, role),
            cells.words(one.sla.label, limit=100),
            Cell(share_text(one.sli), "crit" if one.met is False else "text"),
            Cell(share_text(one.sla.objective), "dim"),
            _bar(one.budget_left),
            Cell(budget_text(one.budget_left), _left_role(one)),
            Cell(age_text(one.exhausted_in) if one.exhausted_in is not None else "", "warn"),
            _burns(one),
            _trend(one),
            Cell(one.period.title, "dim"),
        ),
        labels_of(one),
    )


def labels_of(one: Standing, subject: str = "") -> dict[str, str]:
    """What the row is about, for runbooks."""
    labels = {"sla": one.sla.name, "runbook": one.sla.runbook}
    if subject or one.sla.dag:
        labels["dag_id"] = subject or one.sla.dag
    return labels


def _left_role(one: Standing) -> Role:
    if one.budget_left is None:
        return "dim"
    return "crit" if one.budget_left < 0 else "warn" if one.state is State.WARN else "text"


def _bar(left: float | None) -> Cell:
    """What is left of the budget; nothing where it is spent."""
    if left is None:
        return Cell("")
    share = max(0.0, min(1.0, left))
    filled = min(BAR, max(1, round(share * BAR))) if share > 0 else 0
    role: Role = "crit" if left <= 0 else "warn" if left < 0.25 else "ok"
    spans = (Span("█" * filled, role), Span("░" * (BAR - filled), role if not filled else "dim"))
    return Cell("".join(span.text for span in spans), spans=tuple(span for span in spans if span.text))


def _burns(one: Standing) -> Cell:
    """The rate over each long window; one at which somebody is told stands out. Of what is unknown, why."""
    if one.state in (State.UNKNOWN, State.STALE):
        return cells.words(one.because, state_role(one.state), 100)
    spans: list[Span] = []
    for burn in one.burns:
        role: Role = "dim"
        if burn.burning:
            role = "crit" if burn.window.severity == "page" else "warn"
        elif burn.long is not None and burn.long > 1.0:
            role = "text"
        spans.append(Span(f"{burn_text(burn.long):>{7 if not spans else 5}}", role))
    return Cell("".join(span.text for span in spans), spans=tuple(spans))


def _trend(one: Standing) -> Cell:
    """Each of the last days: full is all good, the lowest step twice the budget spent or more."""
    spans: list[Span] = []
    for _, sli in one.trend[-DAYS:]:
        if sli is None:
            spans.append(Span("·", "dim"))
            continue
        spent = min(2.0, (1.0 - sli) / one.sla.budget)
        level = _LEVELS[round((1.0 - spent / 2.0) * (len(_LEVELS) - 1))]
        spans.append(Span(level, "crit" if spent >= 2.0 else "warn" if spent > 1.0 else "dim"))
    return Cell("".join(span.text for span in spans), spans=tuple(spans))
