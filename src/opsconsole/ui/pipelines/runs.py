"""The runs of one DAG: the newest first, with how long each took against the others."""

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.pipelines.history import success_rate, usual_seconds
from opsconsole.pipelines.model import Run, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.lines import Role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=8),
    Column("run", "RUN", widest=44, least=20),
    Column("kind", "KIND", widest=16, priority=3),
    Column("after", "DUE", align="right", priority=2),
    Column("started", "STARTED", align="right"),
    Column("took", "TOOK", align="right"),
    Column("length", "", width=20, priority=1),
    Column("note", "CONF OR NOTE", grows=True, least=12, priority=4),
)
MOST = 100

Reading = Told[tuple[Run, ...]]


class RunsPage(Page[Pipelines, Reading]):
    """One DAG."""

    id = "runs"
    title = "Runs"
    period = 5.0
    sorts = ("newest", "longest")

    def __init__(self, dag_id: str) -> None:
        self.dag_id = dag_id

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        return await source.airflow.runs(self.dag_id, MOST)

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a run."""
        runs, now = list(reading.value), reading.now
        longest = max((taken for one in runs if (taken := _took(one, now)) is not None), default=0.0)
        usual = usual_seconds(runs)
        if order.sort == "longest":
            runs.sort(key=lambda one: -(_took(one, now) or 0.0))
        rows = [_row(one, now, longest, usual) for one in runs]
        shown = "took" if order.sort == "longest" else ""
        return Sheet(_COLUMNS, rows, _summary(reading.value, usual), shown, notes=marks.notes_of(reading, _more()))

    def detail(self, reading: Reading, key: str) -> Detail | None:
        """The run's configuration and note."""
        one = _of(reading, key)
        if one is None:
            return None
        facts = (("state", one.state), ("kind", one.kind), ("cleared", f"{one.cleared} times" if one.cleared else ""))
        parts = [(name, clean(text)) for name, text in (("configuration", one.conf), ("note", one.note)) if text]
        return Detail(f"Run {clean_line(key)}", tuple((name, value) for name, value in facts if value), tuple(parts))

    def choices(self, reading: Reading, key: str) -> list[Choice]:
        """Run it again, in part or whole; call it what it is."""
        one = _of(reading, key)
        if one is None:
            return []
        given = {"dag": self.dag_id, "run": key}
        name = f"{clean_line(key, limit=60)} of {clean_line(self.dag_id, limit=40)}"
        found = [Choice("retry failed", Repair("airflow.retry", given, f"Retry what failed in {name}"))]
        found.append(Choice("clear all", Repair("airflow.clear", given, f"Run all tasks again of {name}")))
        for state in ("success", "failed"):
            repair = Repair("airflow.mark", {**given, "state": state}, f"Call it a {state}: {name}")
            found.append(Choice(f"mark {state}", repair))
        return found if one.state == "failed" else found[1:]


def _more() -> str:
    return f"only the newest {MOST} are shown"


def _of(reading: Reading, key: str) -> Run | None:
    return next((one for one in reading.value if one.run_id == key), None)


def _took(one: Run, now: float) -> float | None:
    return one.seconds if one.ended else one.running_for(now)


def _summary(runs: tuple[Run, ...], usual: float | None) -> str:
    rate = success_rate(runs)
    succeeded = f"{rate:.0%} succeeded".replace("%", " %") if rate is not None else "none has ended"
    usually = f"   usually {duration_text(usual)}" if usual is not None else ""
    return f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}   {succeeded}{usually}"


def _row(one: Run, now: float, longest: float, usual: float | None) -> Row:
    took = _took(one, now)
    slow = took is not None and usual is not None and took > max(usual * 2, usual + 60)
    role: Role = "crit" if one.state == "failed" else "warn" if slow else "accent" if not one.ended else "ok"
    return Row(
        one.run_id,
        (
            marks.run_state(one.state),
            cells.words(one.run_id, limit=200),
            cells.words(one.kind, "dim", 40),
            marks.moment(one.run_after_at, now),
            marks.moment(one.started_at, now),
            Cell(duration_text(took), "warn" if slow else "text") if took is not None else Cell(""),
            marks.length(took, longest, role),
            cells.words(one.note or (one.conf if one.conf != "{}" else ""), "dim"),
        ),
        {"dag_id": one.dag_id, "dag": one.dag_id, "run_id": one.run_id},
    )
