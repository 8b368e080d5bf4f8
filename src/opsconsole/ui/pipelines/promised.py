"""SLA: which DAGs keep what was promised of them, what is broken first."""

import asyncio
from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.pipelines.measured import MeasuredPromise, measured_promises
from opsconsole.pipelines.metrics import ByMetrics
from opsconsole.pipelines.model import Survey, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.pipelines.promises import Judged, Promise, promises
from opsconsole.pipelines.rare import unseen_note
from opsconsole.ui.lines import state_role
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks, measured
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("state", "STATE", least=7),
    Column("dag", "DAG", widest=36, least=16),
    Column("verdict", "NOW", widest=14),
    Column("target", "WITHIN", align="right"),
    Column("left", "LEFT", align="right"),
    Column("kept", "KEPT", align="right", priority=2),
    Column("of", "OF", align="right", priority=3),
    Column("owner", "OWNER", widest=20, priority=4),
    Column("name", "PROMISE", grows=True, least=16, priority=1),
)
_NEAR = 0.2
"""Part of the target below which what is left is worth a look."""


@dataclass(frozen=True, slots=True)
class PromisedReading:
    """What was promised, and how it is kept."""

    told: Told[Survey]
    promises: tuple[Promise, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasuredReading:
    """What metrics tell of promises, while Airflow cannot be asked."""

    told: ByMetrics
    promises: tuple[MeasuredPromise, ...]
    notes: tuple[str, ...]


Reading = PromisedReading | MeasuredReading


class PromisedPage(Page[Pipelines, Reading]):
    """Completion of DAGs within their targets; while Airflow cannot be asked, those that metrics tell to be broken."""

    id = "sla"
    title = "SLA"
    period = 5.0
    thrift = 100.0
    sorts = ("broken", "left")

    async def take(self, source: Pipelines, before: Reading | None, order: Order) -> Reading:
        told = await source.or_measured(source.survey())
        none = "" if source.slas else "nothing is promised: slas: in the configuration names no file"
        if isinstance(told, ByMetrics):
            measured_ones = tuple(measured_promises(source.slas, told.value))
            return MeasuredReading(told, measured_ones, (*source.notes, *filter(None, (none,))))
        found = tuple(await asyncio.to_thread(promises, source.slas, told.value, told.now))
        more = tuple(filter(None, (none, unseen_note(told.value.unseen))))
        return PromisedReading(told, found, (*source.notes, *marks.notes_of(told), *more))

    def forget(self, source: Pipelines) -> None:
        """The survey is shared for seconds."""
        source.forget()

    def sheet(self, reading: Reading, order: Order) -> Sheet:
        """One row a promise."""
        if isinstance(reading, MeasuredReading):
            return measured.promises_sheet(reading.told, reading.promises, reading.notes)
        found = list(reading.promises)
        if order.sort == "left":
            found.sort(key=_left)
        kept, broken = sum(one.kept for one in found), sum(one.broken for one in found)
        share = f"{kept / (kept + broken):.1%}".replace("%", " %") if kept + broken else "nothing decided yet"
        bad = sum(one.state.severity > 1 for one in found)
        summary = f"{len(found)} promises   {bad} in trouble   {share} of {kept + broken:,} latest runs kept"
        return Sheet(_COLUMNS, [_row(one) for one in found], summary, "left" if order.sort == "left" else "", False,
                     reading.notes)  # fmt: skip

    def detail(self, reading: Reading, key: str) -> Detail | None:
        """The promise, and its latest runs against it."""
        if isinstance(reading, MeasuredReading):
            return measured.dag_detail(reading.told, key)
        one = next((promise for promise in reading.promises if promise.dag_id == key), None)
        if one is None:
            return None
        facts = (
            ("promise", one.sla.title or one.sla.name),
            ("target", f"{duration_text(one.sla.target)} from when a run may begin"),
            ("owner", one.sla.owner),
            ("runbook", one.sla.runbook),
            ("kept", f"{one.kept} of {one.kept + one.broken}"),
        )
        runs = "\n".join(_judged_line(judged) for judged in one.judged)
        return Detail(
            f"SLA of {clean_line(key)}",
            tuple((name, clean_line(value)) for name, value in facts if value),
            (("latest runs", runs or "none"),),
        )


def _left(one: Promise) -> float:
    current = _current(one)
    return current.left_seconds if current is not None and current.left_seconds is not None else float("inf")


def _current(one: Promise) -> Judged | None:
    return next((judged for judged in one.judged if judged.verdict is one.verdict), None)


def _judged_line(judged: Judged) -> str:
    took = f" after {duration_text(judged.seconds)}" if judged.seconds is not None else ""
    return f"{judged.verdict.value:<12} {clean_line(judged.run_id or '(not there)')}{took}"


def _row(one: Promise) -> Row:
    current = _current(one)
    decided = one.kept + one.broken
    return Row(
        one.dag_id,
        (
            marks.judged(one.state),
            cells.words(one.dag_id, limit=100),
            Cell(one.verdict.value if one.verdict is not None else "unknown", state_role(one.state)),
            cells.lasting(one.sla.target),
            _left_cell(current, one.sla.target),
            Cell(f"{one.compliance:.1%}".replace("%", " %") if one.compliance is not None else ""),
            cells.count(decided),
            cells.words(one.sla.owner, "dim", 63),
            cells.words(one.sla.title or one.sla.name, "dim"),
        ),
        {"dag_id": one.dag_id, "dag": one.dag_id},
    )


def _left_cell(current: Judged | None, target: float) -> Cell:
    if current is None or current.left_seconds is None:
        return Cell("")
    left = current.left_seconds
    if left < 0:
        return Cell(f"-{duration_text(-left)}", "crit")
    return Cell(duration_text(left), "warn" if left < target * _NEAR else "text")
