"""DAGs: how each stands, what failed first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.state import State
from opsconsole.core.units import format_value
from opsconsole.pipelines.history import NO_DAG, Standing, standings
from opsconsole.pipelines.metrics import ByMetrics
from opsconsole.pipelines.model import Survey, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.pipelines.promises import Promise, promises
from opsconsole.pipelines.rare import unseen_note
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.lines import state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Choice, Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks, measured
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=7),
    Column("dag", "DAG", widest=36, least=16),
    Column("strip", "LAST RUNS", width=14),
    Column("running", "RUNNING", align="right", priority=2),
    Column("next", "NEXT", align="right", priority=3),
    Column("rate", "OK", align="right", priority=4),
    Column("usual", "USUALLY", align="right", priority=5),
    Column("latest", "LAST", align="right", priority=5),
    Column("pace", "PACE", align="right", priority=6),
    Column("sla", "SLA", widest=12, priority=2),
    Column("why", "", grows=True, least=16, priority=1),
)
_NEXT = next(place for place, column in enumerate(_COLUMNS) if column.id == "next")
_PACE = (1.5, 2.0)
"""Times the usual from which a run stands out, and alarms."""


@dataclass(frozen=True, slots=True)
class DagsReading:
    """How all of them stand."""

    told: Told[Survey]
    standings: tuple[Standing, ...]
    promised: dict[str, Promise]
    """DAG id -> its promise."""
    notes: tuple[str, ...]


class _About(NamedTuple):
    """What a row says of a DAG besides how it stands."""

    next: Cell
    promise: Cell


Reading = DagsReading | ByMetrics


class DagsPage(Page[Pipelines, Reading]):
    """Every DAG of the Airflow; while it cannot be asked, those of which metrics tell."""

    id = "dags"
    title = "DAGs"
    period = 5.0
    thrift = 100.0
    sorts = ("trouble", "name", "duration", "next")

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Standing, _About, Row]] = {}

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        told = await source.or_measured(source.survey())
        if isinstance(told, ByMetrics):
            return told
        known = before.standings if isinstance(before, DagsReading) else ()
        return await asyncio.to_thread(_reading, source, told, known)  # thousands of DAGs: keys come first

    def forget(self, source: Pipelines) -> None:
        """The survey is shared for seconds."""
        source.forget()

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a DAG."""
        if isinstance(reading, ByMetrics):
            return measured.dags_sheet(reading)
        now = reading.told.now
        rows = [self._row(one, reading.promised.get(one.dag.dag_id), now) for one in _sorted(reading, order.sort)]
        if len(self._rows) > len(rows):
            self._rows = {row.key: kept for row in rows if (kept := self._rows.get(row.key)) is not None}
        shown = {"name": "dag", "duration": "usual", "next": "next"}.get(order.sort, "")
        return Sheet(_COLUMNS, rows, _summary(reading), shown, shown == "usual", reading.notes)

    def _row(self, one: Standing, promise: Promise | None, now: float) -> Row:
        """The same as before, where nothing changed about the DAG."""
        key = one.dag.dag_id
        about = _About(Cell("") if one.dag.paused else marks.coming(one.dag.next_run_at, now), _promise(promise))
        known = self._rows.get(key)
        if known is None or known[0] is not one or known[1].promise != about.promise:
            known = self._rows[key] = one, about, _row(one, about)
        elif known[1].next != about.next:  # which is so of thousands every minute
            cells, place = known[2].cells, _NEXT
            row = replace(known[2], cells=(*cells[:place], about.next, *cells[place + 1 :]))
            known = self._rows[key] = one, about, row
        return known[2]

    def detail(self, reading: Reading, key: str) -> Detail | None:
        """Everything that is known of the DAG itself."""
        if isinstance(reading, ByMetrics):
            return measured.dag_detail(reading, key)
        one = _of(reading, key)
        if one is None:
            return None
        dag, promise = one.dag, reading.promised.get(key)
        facts = (
            ("state", f"{one.state.value}  {one.reason}".strip()),
            ("schedule", dag.schedule or "none: something triggers it"),
            ("paused", "yes" if dag.paused else ""),
            ("succeeded", format_value(one.success_rate, "percentunit") if one.success_rate is not None else ""),
            ("usually takes", duration_text(one.usual_seconds) if one.usual_seconds is not None else ""),
            ("SLA", f"{promise.sla.title or promise.sla.name}: {promise.verdict or 'not known'}" if promise else ""),
            ("owners", ", ".join(dag.owners)),
            ("tags", ", ".join(dag.tags)),
            ("file", dag.file),
        )
        about = (("about", clean(dag.description)),) if dag.description else ()
        return Detail(
            f"DAG {clean_line(key)}", tuple((name, clean_line(value)) for name, value in facts if value), about
        )

    def choices(self, reading: Reading, key: str) -> list[Choice]:
        """Run what failed again, start a run, let it run or not; nothing while no Airflow is there to do it."""
        if isinstance(reading, ByMetrics):
            return []
        one = _of(reading, key)
        if one is None:
            return []
        found = []
        name = clean_line(key, limit=80)
        failed = next((run for run in reading.told.value.runs.get(key, ()) if run.ended), None)
        if failed is not None and failed.state == "failed":
            why = f"{one.reason}; the run is {failed.run_id}"
            arguments = {"dag": key, "run": failed.run_id}
            found.append(Choice("retry failed", Repair("airflow.retry", arguments, f"Retry {name}", why)))
        found.append(Choice("trigger", Repair("airflow.trigger", {"dag": key}, f"Start a run of {name}")))
        if one.dag.paused:
            found.append(Choice("unpause", Repair("airflow.unpause", {"dag": key}, f"Let {name} run again")))
        else:
            found.append(Choice("pause", Repair("airflow.pause", {"dag": key}, f"Let no run of {name} begin")))
        return found


def _reading(source: Pipelines, told: Told[Survey], known: Sequence[Standing]) -> DagsReading:
    promised = {one.dag_id: one for one in promises(source.slas, told.value, told.now)}
    none = "" if told.value.dags else NO_DAG
    notes = (*source.notes, *marks.notes_of(told), *filter(None, [none, unseen_note(told.value.unseen)]))
    return DagsReading(told, tuple(standings(told.value, told.now, known)), promised, notes)


def _of(reading: DagsReading, key: str) -> Standing | None:
    return next((one for one in reading.standings if one.dag.dag_id == key), None)


def _sorted(reading: DagsReading, sort: str) -> Sequence[Standing]:
    found = reading.standings
    match sort:
        case "name":
            return sorted(found, key=lambda one: one.dag.dag_id)
        case "duration":
            return sorted(found, key=lambda one: -(one.usual_seconds or 0.0))
        case "next":
            return sorted(found, key=lambda one: (one.dag.paused, one.dag.next_run_at or float("inf")))
    return found


def _summary(reading: DagsReading) -> str:
    def count(*states: State) -> int:
        return sum(one.state in states for one in reading.standings)

    running = sum(one.running_for is not None for one in reading.standings)
    paused = sum(one.dag.paused for one in reading.standings)
    bad = f"{count(State.CRIT)} failed   {count(State.WARN)} need a look   "
    return f"{len(reading.standings):,} DAGs   {bad}{running} running   {paused} paused   {marks.origin(reading.told)}"


def _row(one: Standing, about: _About) -> Row:
    dag = one.dag
    slow = one.pace is not None and one.pace >= _PACE[0] and (one.running_for or one.latest_seconds or 0.0) > 60
    state = marks.judged(one.state)
    return Row(
        dag.dag_id,
        (
            Cell("paused", "dim") if dag.paused and one.state in (State.OK, State.UNKNOWN) else state,
            cells.words(dag.title if dag.title == dag.dag_id else f"{dag.title} ({dag.dag_id})", limit=100),
            marks.strip(one.strip),
            cells.lasting(one.running_for),
            about.next,
            Cell(f"{one.success_rate:.0%}".replace("%", " %")) if one.success_rate is not None else Cell(""),
            cells.lasting(one.usual_seconds),
            cells.lasting(one.latest_seconds),
            Cell(f"×{one.pace:.1f}", "warn" if slow else "text") if one.pace is not None else Cell(""),
            about.promise,
            cells.words(one.reason, "text" if one.state is State.CRIT else "dim"),
        ),
        {"dag_id": dag.dag_id, "dag": dag.dag_id},
    )


def _promise(promise: Promise | None) -> Cell:
    if promise is None:
        return Cell("")
    if promise.verdict is None:
        return Cell("unknown", "dim")
    role = "dim" if promise.state is State.OK else state_role(promise.state)
    return Cell(promise.verdict.value, role)
