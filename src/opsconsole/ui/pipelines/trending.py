"""Trends of one DAG: how long it and its tasks take against their own past, and what makes its runs long."""

import asyncio
from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.model import DagHistory, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.pipelines.trends import DagTrends, Habit, Trend, dag_trends
from opsconsole.ui.charts.sparkline import sparkline
from opsconsole.ui.glyphs import UNICODE
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("name", "WHAT", widest=34, least=14),
    Column("count", "RUNS", align="right", priority=4),
    Column("median", "MEDIAN", align="right"),
    Column("p95", "P95", align="right", priority=2),
    Column("today", "24 H", align="right", priority=1),
    Column("latest", "LAST", align="right", priority=3),
    Column("line", "", width=24, priority=2),
    Column("words", "TREND", grows=True, least=24),
)
MOST = 100
"""Runs that are looked at."""


@dataclass(frozen=True, slots=True)
class TrendsReading:
    """What they say."""

    told: Told[DagHistory]
    trends: DagTrends


class TrendsPage(Page[Pipelines, TrendsReading]):
    """One DAG."""

    id = "trends"
    title = "Trends"
    period = 60.0
    sorts = ("slower", "longest", "name")

    def __init__(self, dag_id: str) -> None:
        self.dag_id = dag_id

    async def take(self, source: Pipelines, before: TrendsReading | None, order: Order) -> TrendsReading:
        told = await source.airflow.history(self.dag_id, MOST)
        try:
            pools = (await source.airflow.pools()).value
        except SourceError:  # who sees runs need not see pools
            pools = ()
        trends = await asyncio.to_thread(dag_trends, told.value, told.now, pools)
        return TrendsReading(told, trends)

    def sheet(self, reading: TrendsReading, order: Order) -> Sheet:
        """The DAG, its tasks, and below them what costs its runs time again and again."""
        found = reading.trends
        tasks = list(found.tasks)
        if order.sort == "longest":
            tasks.sort(key=lambda one: -(one.median or 0.0))
        elif order.sort == "name":
            tasks.sort(key=lambda one: one.name)
        rows = [_row(found.dag), *(_row(one) for one in tasks), *(_habit(one) for one in found.habits)]
        more = "of so many tasks only those of the newest runs are looked at"
        return Sheet(_COLUMNS, rows, _summary(found), notes=marks.notes_of(reading.told, more))

    def detail(self, reading: TrendsReading, key: str) -> Detail | None:
        """The numbers in full; of a habit, what to do about it."""
        habit = next((one for one in reading.trends.habits if _habit_key(one) == key), None)
        if habit is not None:
            said = (("in", f"{habit.runs} of {habit.of} runs"), ("costs", f"{duration_text(habit.seconds)} at most"))
            parts = (("in the latest of them", clean_line(habit.why)), ("what to do", clean_line(habit.advice)))
            return Detail(clean_line(f"{habit.kind}: {habit.subject}"), said, parts)
        one = next((one for one in (reading.trends.dag, *reading.trends.tasks) if _key(one) == key), None)
        if one is None:
            return None
        given = (
            ("median", one.median), ("95 % within", one.p95), ("last 24 hours", one.today), ("before", one.earlier),
            ("the latest", one.latest),
        )  # fmt: skip
        facts = [
            ("runs", str(one.count)),
            *((name, duration_text(value)) for name, value in given if value is not None),
        ]
        facts.append(("trend", one.words))
        if one.step is not None:
            facts.append(("how sure", f"by chance once in {1 / max(one.step.chance, 1e-9):,.0f}"))
        return Detail(f"Trend of {clean_line(one.name) or 'the DAG'}", tuple(facts))


def _key(one: Trend) -> str:
    return f"task {one.name}" if one.name else "dag"


def _habit_key(one: Habit) -> str:
    return f"habit {one.kind} {one.subject}"


def _summary(found: DagTrends) -> str:
    slower = sum(one.slower for one in found.tasks)
    efficiency = f"   efficiency {found.efficiency:.0%}".replace("%", " %") if found.efficiency is not None else ""
    return f"{found.dag.count} successful runs   {slower} of {len(found.tasks)} tasks became slower{efficiency}"


def _row(one: Trend) -> Row:
    role = "warn" if one.slower else "ok" if one.step is not None or one.drift is not None else "dim"
    return Row(
        _key(one),
        (
            cells.words(one.name, limit=120) if one.name else Cell("the DAG", "strong"),
            cells.count(one.count),
            cells.lasting(one.median),
            cells.lasting(one.p95),
            cells.lasting(one.today),
            cells.lasting(one.latest),
            Cell(_line(one.values), role if role != "dim" else "text"),
            cells.words(one.words, role),
        ),
        {"task_id": one.name} if one.name else {},
    )


def _habit(one: Habit) -> Row:
    said = f"in {one.runs} of {one.of} runs, {duration_text(one.seconds)} each: {one.advice}"
    nothing = Cell("")
    return Row(
        _habit_key(one),
        (cells.words(f"{one.kind}: {one.subject}", "accent", 120), *(nothing,) * 6, cells.words(said, "warn")),
    )


def _line(values: tuple[float, ...]) -> str:
    """The latest durations as a line of blocks."""
    return sparkline(values[-24:], UNICODE)
