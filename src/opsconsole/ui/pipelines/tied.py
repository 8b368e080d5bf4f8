"""Dependencies: who feeds whom, as a tree of DAGs and the assets between them, and what waits for what now."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import age_text
from opsconsole.pipelines.dependencies import Branch, Waiting, around, feeds, starts, tree, waiting
from opsconsole.pipelines.model import Lineage, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.ui.pages import cells
from opsconsole.ui.pages.page import Detail, Order, Page, Sheet
from opsconsole.ui.pipelines import marks
from opsconsole.ui.table_layout import Cell, Column, Row

_COLUMNS = (
    Column("name", "WHO FEEDS WHOM", widest=70, least=24),
    Column("kind", "", width=5, priority=3),
    Column("updated", "UPDATED", align="right", priority=1),
    Column("waits", "WAITS FOR", grows=True, least=20),
)


@dataclass(frozen=True, slots=True)
class TiedReading:
    """What ties DAGs, as a tree."""

    told: Told[Lineage]
    lineage: Lineage
    """Of the DAG that the page is about, else of all."""
    branches: tuple[Branch, ...]
    waiting: Mapping[str, Waiting]
    """DAG id -> what it waits for."""


class TiedPage(Page[Pipelines, TiedReading]):
    """All assets, or those around one DAG."""

    id = "dependencies"
    title = "Dependencies"
    period = 10.0
    sorts = ("tree",)

    def __init__(self, dag_id: str = "") -> None:
        self.dag_id = dag_id

    async def take(self, source: Pipelines, before: TiedReading | None, order: Order) -> TiedReading:
        told = await source.airflow.lineage()
        lineage = around(told.value, self.dag_id) if self.dag_id else told.value
        branches = tuple(tree(lineage))
        shown = {one.dag_id for one in branches}
        waits = {one.dag_id: one for one in waiting(told.value) if one.dag_id in shown}
        return TiedReading(told, lineage, branches, waits)

    def sheet(self, reading: TiedReading, order: Order) -> Sheet:
        """One row a DAG or an asset, what it feeds below it."""
        assets = len(reading.lineage.assets)
        about = f" around {clean_line(self.dag_id, limit=60)}" if self.dag_id else ""
        summary = f"{assets} assets{about}   {len(reading.waiting)} DAGs wait for the rest of theirs"
        if not assets:
            summary = f"no assets{about}: nothing starts a DAG here but time and people"
        now = reading.told.now
        rows = [_row(one, reading, now, self.dag_id) for one in reading.branches]
        more = "there are more assets, or more DAGs that may wait, than were asked for"
        return Sheet(_COLUMNS, rows, summary, notes=marks.notes_of(reading.told, more))

    def branch(self, reading: TiedReading, key: str) -> Branch | None:
        """The line of that row."""
        return next((one for one in reading.branches if _key(one) == key), None)

    def detail(self, reading: TiedReading, key: str) -> Detail | None:
        """Of an asset its URI, who updates it and whom it starts; of a DAG who feeds it, and whom it feeds."""
        one = self.branch(reading, key)
        if one is None:
            return None
        if one.asset is not None:
            asset, now = one.asset, reading.told.now
            facts = [
                ("URI", asset.uri),
                ("updated", f"{age_text(max(0.0, now - asset.updated_at))} ago" if asset.updated_at else "not known"),
                (
                    "updated by",
                    ", ".join(f"{dag}.{task}" for dag, task in asset.producers) or "nothing in this Airflow",
                ),
                ("starts", ", ".join(asset.consumers) or "nothing"),
            ]
            return Detail(f"Asset {clean_line(asset.name)}", tuple((name, clean_line(value)) for name, value in facts))
        tied = feeds(reading.lineage)
        wait = reading.waiting.get(one.dag_id)
        facts = [
            (
                "fed by",
                ", ".join(sorted({f"{two.producer} ({two.asset})" for two in tied if two.consumer == one.dag_id})),
            ),
            (
                "feeds",
                ", ".join(sorted({f"{two.consumer} ({two.asset})" for two in tied if two.producer == one.dag_id})),
            ),
            ("started by", starts(reading.told.value, one.dag_id)),
            ("waits", wait.reason if wait is not None else "for nothing that has begun to arrive"),
        ]
        shown = tuple((name, clean_line(value)) for name, value in facts if value)
        return Detail(f"DAG {clean_line(one.dag_id)}", shown)


def _said(one: Branch, wait: Waiting | None, started_by: str) -> str:
    if one.again:
        return "what follows stands above"
    return wait.reason if wait is not None else f"started by {started_by}" if started_by else ""


def _key(one: Branch) -> str:
    return "\n".join(one.key)


def _row(one: Branch, reading: TiedReading, now: float, about: str) -> Row:
    name = one.asset.name if one.asset is not None else one.dag_id
    indent = "  " * one.depth + ("└ " if one.depth else "")
    wait = reading.waiting.get(one.dag_id) if one.dag_id else None
    said = _said(one, wait, starts(reading.told.value, one.dag_id) if one.dag_id else "")
    role = "strong" if one.dag_id and one.dag_id == about else "text" if one.dag_id else "dim"
    shown = cells.words(name, role, 120)
    labels = {"dag_id": one.dag_id, "dag": one.dag_id} if one.dag_id else {"asset": name}
    return Row(
        _key(one),
        (
            Cell(f"{indent}{shown.text}", role),
            Cell("DAG" if one.dag_id else "asset", "dim"),
            cells.ago(one.asset.updated_at, now) if one.asset is not None else Cell(""),
            cells.words(said, "warn" if wait is not None and not one.again else "dim"),
        ),
        labels,
    )
