"""What the pages of pipelines say of an Airflow made by hand, and what they offer to do."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from opsconsole.actions import registry
from opsconsole.core.duration import duration_text
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.history import NO_DAG
from opsconsole.pipelines.model import Survey, Task, Told
from opsconsole.pipelines.opening import Pipelines
from opsconsole.runbooks.lint import lint
from opsconsole.runbooks.repair import runbook_for
from opsconsole.ui.pages.page import Order, Page, PageSpec, Sheet
from opsconsole.ui.pages.reading import PageReading
from opsconsole.ui.pipelines import failed, marks
from opsconsole.ui.pipelines.pages import PAGES, pages_of_dag, pages_of_run
from tests.screens.pipeline_readings import HOSTILE, ByHand, dag, pipelines, task

ALL = (*PAGES, *pages_of_dag("load_tariffs"), *pages_of_run("load_tariffs", "scheduled__900"))
SPECS = {spec.id: spec for spec in ALL}


async def read(page: Page[Any, Any], way: ByHand, order: Order | None = None) -> tuple[Any, Sheet]:
    wanted = order or Order(page.sorts[0])
    reading = await page.take(pipelines(way), None, wanted)
    return reading, page.sheet(reading, wanted)


def cells(sheet: Sheet, key: str) -> dict[str, str]:
    (row,) = [one for one in sheet.rows if one.key == key]
    return {column.id: cell.text for column, cell in zip(sheet.columns, row.cells, strict=True)}


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.id)
async def test_every_order_gives_a_sheet_whose_keys_are_unique_and_lead_further(spec: PageSpec) -> None:
    page = spec.make()
    for sort in page.sorts:
        for grouping in ("", *page.groupings):
            reading, sheet = await read(page, ByHand(), Order(sort, grouping))
            assert sheet.summary
            assert len({row.key for row in sheet.rows}) == len(sheet.rows)
            assert sheet.rows or spec.id == "advice"
            for row in sheet.rows:
                assert len(row.cells) == len(sheet.columns)
                assert all("\u202e" not in cell.text and "\x1b" not in cell.text for cell in row.cells)
                detail = page.detail(reading, row.key)
                assert detail is None or detail.title


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.id)
async def test_whatever_is_offered_is_a_runbook_that_can_run(spec: PageSpec) -> None:
    page = spec.make()
    reading, sheet = await read(page, ByHand())
    for row in sheet.rows:
        for choice in page.choices(reading, row.key):
            found = registry.find(choice.repair.action)
            assert found is not None
            if found.complaints(choice.repair.given):
                assert HOSTILE in choice.repair.arguments.values()  # no DAG of Airflow has such an id
                continue
            assert not [one for one in lint(runbook_for(choice.repair)) if one.severity == "error"]


async def test_what_failed_stands_first_with_its_strip_and_its_promise() -> None:
    _, sheet = await read(SPECS["dags"].make(), ByHand())
    assert sheet.rows[0].key == "load_tariffs"
    shown = cells(sheet, "load_tariffs")
    assert (shown["state"], shown["strip"], shown["sla"]) == ("CRIT", "●●●●●●●●✗", "failed")
    assert shown["why"] == "the last run failed"
    assert cells(sheet, "import_weather")["running"] == "6m 40s"
    assert cells(sheet, "export_billing")["state"] == "paused"
    assert "1 failed" in sheet.summary


async def test_an_installation_without_dags_says_so_and_one_dag_is_a_list_too() -> None:
    way, page = ByHand(), SPECS["dags"].make()
    way.listed = []
    _, sheet = await read(page, way)
    assert (sheet.rows, [one for one in sheet.notes if "tells of no DAG" in one]) == ([], [NO_DAG])
    way.listed = [dag("load_tariffs")]
    _, sheet = await read(page, way)
    assert ([row.key for row in sheet.rows], NO_DAG in sheet.notes) == (["load_tariffs"], False)


async def test_a_failed_dag_is_retried_by_its_run() -> None:
    page = SPECS["dags"].make()
    reading, _ = await read(page, ByHand())
    offered = {one.label: one.repair for one in page.choices(reading, "load_tariffs")}
    assert list(offered) == ["retry failed", "trigger", "pause"]
    assert offered["retry failed"].arguments == {"dag": "load_tariffs", "run": "scheduled__900"}
    assert [one.label for one in page.choices(reading, "export_billing")] == ["trigger", "unpause"]


async def test_tasks_stand_on_the_axis_of_time_and_the_decisive_ones_are_marked() -> None:
    _, sheet = await read(SPECS["tasks"].make(), ByHand())
    assert cells(sheet, "check")["task"] == "check *"
    assert cells(sheet, "check")["try"] == "2"
    assert "█" in cells(sheet, "check")["axis"]
    assert cells(sheet, "check")["axis"].index("█") > cells(sheet, "fetch")["axis"].index("█")
    assert not cells(sheet, "store")["axis"]


async def test_a_log_is_read_once_for_its_cause() -> None:
    way = ByHand()
    page = SPECS["failures"].make()
    _, sheet = await read(page, way)
    assert "ValueError" in sheet.rows[0].cells[-1].text
    before = way.asked
    await read(page, way)
    assert way.asked == before + 1  # the failures again, and no log


async def test_a_run_that_is_gone_is_said() -> None:
    for spec in pages_of_run("load_tariffs", "none"):
        with pytest.raises(SourceError, match="has no run none any more"):
            await read(spec.make(), ByHand())


async def test_a_task_that_failed_is_first_run_again_with_what_it_held_up() -> None:
    page = pages_of_run("load_tariffs", "scheduled__900")[0].make()
    reading, sheet = await read(page, ByHand())
    assert sheet.begin == "check"
    assert {row.key: page.choices(reading, row.key)[0].label for row in sheet.rows} == {
        "fetch": "clear", "check": "clear failed", "notify": "clear", "store": "clear",
    }  # fmt: skip
    assert page.choices(reading, "check")[0].repair.given == {
        "dag": "load_tariffs", "run": "scheduled__900", "tasks": "check", "only_failed": "yes", "downstream": "yes",
    }  # fmt: skip


async def test_one_survey_serves_all_that_ask_at_once() -> None:
    way = ByHand()
    source = pipelines(way)
    for name in ("dags", "sla"):
        page = SPECS[name].make()
        await page.take(source, None, Order(page.sorts[0]))
    assert way.asked == 1


async def test_a_source_that_hangs_is_said_to_be_silent_after_two_periods() -> None:
    page = SPECS["dags"].make()
    shown, now, hangs = PageReading(page, Order(page.sorts[0])), [100.0], asyncio.Event()
    await shown.read(pipelines(ByHand()), lambda: now[0], print)
    assert shown.trouble(1000.0) is None, "nothing is asked"

    class Hanging(Pipelines):
        async def survey(self) -> Told[Survey]:
            await hangs.wait()
            raise AssertionError("it never ends")

    hanging = Hanging(pipelines(ByHand()).airflow)

    now[0] = 105.0
    asking = asyncio.ensure_future(shown.read(hanging, lambda: now[0], print))
    await asyncio.sleep(0)
    assert shown.trouble(110.0) is None
    said = shown.trouble(111.0)
    assert said is not None
    assert said.text == "STALE 11s  no answer yet"
    asking.cancel()
    await asyncio.wait({asking})
    assert shown.trouble(1000.0) is None
    now[0] = 300.0  # nobody looked for a while
    asking = asyncio.ensure_future(shown.read(hanging, lambda: now[0], print))
    await asyncio.sleep(0)
    assert shown.trouble(301.0) is None, "an answer may be on its way"
    said = shown.trouble(301.5)
    assert said is not None
    assert said.text == "STALE 3m  no answer yet"
    asking.cancel()
    await asyncio.wait({asking})


async def test_whoever_comes_back_reads_again_what_is_old_or_of_before_a_change_and_nothing_else() -> None:
    page = SPECS["dags"].make()
    shown = PageReading(page, Order(page.sorts[0]))
    assert shown.rest(100.0, shown.pause, -math.inf) == 0.0, "it was never read"
    await shown.read(pipelines(ByHand()), lambda: 100.0, print)
    make_long(shown, 0.205)  # thousands of DAGs: every 21 s
    assert shown.rest(108.0, shown.pause, -math.inf) == 13.0
    assert shown.rest(121.0, shown.pause, -math.inf) == 0.0
    assert shown.rest(108.0, shown.pause, 104.0) == 0.0, "something was changed since"
    assert shown.rest(108.0, shown.pause, 99.0) == 13.0
    assert shown.rest(50.0, shown.pause, -math.inf) == 21.0, "a clock that was put back keeps nobody waiting"
    shown.failed = "refused"
    assert shown.rest(108.0, shown.pause, -math.inf) == 0.0


async def test_what_is_old_says_its_age_from_the_moment_that_it_is_asked_again() -> None:
    page = SPECS["dags"].make()
    shown = PageReading(page, Order(page.sorts[0]))
    await shown.read(pipelines(ByHand()), lambda: 100.0, print)
    assert shown.age(200.0) is None, "nothing is asked"
    shown.asked_at = 104.0
    assert shown.age(104.0) is None, "it is as fresh as ever"
    shown.asked_at = 220.0
    said = shown.age(220.0)
    assert said is not None
    assert said.text.strip() == "2m old, asking again…"


@pytest.mark.parametrize("name", ["dags", "sla"])
async def test_after_a_change_no_survey_of_before_is_shared(name: str) -> None:
    way = ByHand()
    source, page = pipelines(way), SPECS[name].make()
    shown = PageReading(page, Order(page.sorts[0]))
    for anew, asked in ((False, 1), (False, 1), (True, 2)):
        await shown.read(source, lambda: 100.0, print, anew=anew)
        assert way.asked == asked


async def test_a_long_list_that_is_dear_to_read_is_read_less_often() -> None:
    page = SPECS["dags"].make()
    shown = PageReading(page, Order(page.sorts[0]))
    await shown.read(pipelines(ByHand()), lambda: 100.0, print)
    assert shown.cost > 0
    shown.cost = 3.0
    assert shown.pause == 5.0, "a short one is dear only because something was imported"
    for cost, pause in ((0.04, 5.0), (0.205, 21.0), (3.0, 30.0)):
        make_long(shown, cost)
        assert shown.pause == pause


def make_long(shown: PageReading, cost: float) -> None:
    """Thousands of rows, the last reading of which took `cost` seconds of CPU."""
    assert shown.sheet is not None
    shown.sheet = replace(shown.sheet, rows=(*shown.sheet.rows[:1],) * 5_000)
    shown.cost = cost


async def test_what_makes_a_run_longer_is_said_with_its_numbers() -> None:
    way = ByHand()
    way.tasked = (task("fetch", 5.0, 20.0), task("check", 30.0, 600.0))
    reading, sheet = await read(SPECS["advice"].make(), way)
    assert "cost it time" in sheet.summary
    assert any(row.cells[1].text == "check" for row in sheet.rows)
    detail = SPECS["advice"].make().detail(reading, sheet.rows[0].key)
    assert detail is not None
    assert [name for name, _ in detail.parts] == ["why", "what to do"]


@pytest.mark.parametrize(
    ("wall", "axis", "said"),
    [
        (192.0, 20, "0 ─────────── 3m 12s"),
        (192.0, 12, "0 ─── 3m 12s"),
        (0.4, 12, "0 ─── 400 ms"),
        (9_000_000.0, 12, "0 ── 104d 4h"),
        (9_000_000.0, 8, "104d 4h"),
    ],
)
def test_an_axis_of_time_says_how_long_it_is(wall: float, axis: int, said: str) -> None:
    assert marks.scale(wall, axis) == said


async def test_the_axis_of_a_run_is_told_in_every_width() -> None:
    reading, sheet = await read(SPECS["tasks"].make(), ByHand())
    titles = {column.id: column.title for column in sheet.columns if column.id.startswith("axis")}
    wall = duration_text(reading.timing.wall_seconds)
    assert all(title.startswith("0 ─") and title.endswith(f" {wall}") for title in titles.values())
    (row, *_) = sheet.rows
    bars = [cell for column, cell in zip(sheet.columns, row.cells, strict=True) if column.id in titles]
    assert [len(title) for title in titles.values()] == [*marks.AXES]
    assert all(cell.text.strip() for cell in bars)


async def test_a_log_that_does_not_come_holds_up_no_list_of_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed, "_SOON", 0.0)
    way, come = ByHand(), asyncio.Event()
    at_once = way.raw_log

    async def late(one: Task, number: int) -> AsyncIterator[str]:
        await come.wait()
        async for line in at_once(one, number):
            yield line

    monkeypatch.setattr(way, "raw_log", late)
    page = failed.FailedPage()
    _, sheet = await read(page, way)
    assert [row.labels["dag_id"] for row in sheet.rows] == ["load_tariffs"]
    assert sheet.notes == ("logs are still being read: some causes are names of tasks until then",)
    monkeypatch.setattr(failed, "_SOON", 5.0)
    come.set()
    _, sheet = await read(page, way)
    assert ["ValueError: no tariff" in cells(sheet, row.key)["cause"] for row in sheet.rows] == [True]
    assert (sheet.notes, way.logs_asked) == ((), 1)
