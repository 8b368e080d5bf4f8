"""What the pages of SLAs say of readings made by hand."""

from dataclasses import replace
from typing import Any, cast

import pytest

from opsconsole.sla.asking import Slas
from opsconsole.ui.pages.page import Order, Page, PageSpec, Sheet
from opsconsole.ui.sla.pages import PAGES
from tests.screens.sla_readings import ByHand

SPECS = {spec.id: spec for spec in PAGES}


async def read(page: Page[Any, Any], sort: str = "") -> tuple[Any, Sheet]:
    wanted = Order(sort or page.sorts[0])
    reading = await page.take(cast(Slas, ByHand()), None, wanted)
    return reading, page.sheet(reading, wanted)


def cells(sheet: Sheet, key: str) -> dict[str, str]:
    (row,) = [one for one in sheet.rows if one.key == key]
    return {column.id: cell.text for column, cell in zip(sheet.columns, row.cells, strict=True)}


@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.id)
async def test_every_order_gives_a_sheet_whose_keys_are_unique_and_lead_further(spec: PageSpec) -> None:
    page = spec.make()
    for sort in page.sorts:
        reading, sheet = await read(page, sort)
        assert sheet.summary
        assert sheet.rows
        assert len({row.key for row in sheet.rows}) == len(sheet.rows)
        for row in sheet.rows:
            assert len(row.cells) == len(sheet.columns)
            assert all("\u202e" not in cell.text and "\x1b" not in cell.text for cell in row.cells)
            detail = page.detail(reading, row.key)
            assert detail is not None
            said = [detail.title, *(value for _, value in detail.facts), *(text for _, text in detail.parts)]
            assert not [text for text in said if "\x1b" in text or "\u202e" in text]


async def test_what_is_broken_stands_first_and_unknown_before_what_is_kept() -> None:
    _, sheet = await read(SPECS["objectives"].make())
    assert [row.key for row in sheet.rows] == ["spent", "burning", "approaching", "dead", "kept", "loads", "waiting"]
    assert [row.cells[0].text for row in sheet.rows] == ["CRIT", "CRIT", "WARN", "UNKNOWN", "OK", "OK", "UNKNOWN"]
    assert sheet.summary == "4 of 6 kept   1 broken   1 unknown   1 not read yet   1 violation goes on"
    assert sheet.notes == ("dead: prometheus: connection refused", "loads: of 3 DAGs only the latest runs are known")


async def test_budget_burn_and_trend_of_a_row() -> None:
    _, sheet = await read(SPECS["objectives"].make())
    spent, burning, dead = (cells(sheet, key) for key in ("spent", "burning", "dead"))
    assert [spent[one] for one in ("good", "promised", "budget", "left")] == ["98.6 %", "99.5 %", "░" * 8, "-179 %"]
    assert burning["gone"] == "1d"
    assert burning["burn"].split() == ["18×", "3.2×", "0.8×", "0.3×"]
    assert len(burning["trend"]) == 14
    assert burning["trend"][-1] == "▅"
    assert (dead["good"], dead["left"], dead["burn"]) == ("–", "–", "prometheus: connection refused")


async def test_the_detail_says_how_it_is_counted_and_what_is_excluded() -> None:
    page = SPECS["objectives"].make()
    reading, _ = await read(page)
    detail = page.detail(reading, "spent")
    assert detail is not None
    facts, parts = dict(detail.facts), dict(detail.parts)
    assert facts["state"] == "CRIT  the budget is spent"
    assert facts["budget left"] == "-179 %"
    assert "bigger disks" in parts["excluded as maintenance"]
    assert "told above 14.4×" in parts["burn rates"]
    assert parts["how it is counted"].startswith("good: sum(sum_over_time(((up) > bool 0)[$window:1m]))")
    assert len(parts["days"].splitlines()) == 6


async def test_the_detail_says_whose_what_was_bad_is() -> None:
    page = SPECS["objectives"].make()
    reading, _ = await read(page)
    detail = page.detail(reading, "approaching")
    assert detail is not None
    worst, other = dict(detail.parts)["whose what was bad is"].splitlines()
    assert worst == " 75 %       135 bad  route=/users"
    assert other.startswith(" 25 %        45 bad  route=")


async def test_what_was_not_read_yet_is_said_and_looked_for_soon() -> None:
    for spec in PAGES:
        page = spec.make()
        reading, sheet = await read(page)
        assert "1 not read yet" in sheet.summary
        assert page.again(reading) < 1.0
        known = tuple(one for one in reading.standings if not one.waiting)
        assert page.again(replace(reading, standings=known)) == page.period


async def test_violations_lead_to_the_dag_they_are_about() -> None:
    _, sheet = await read(SPECS["violations"].make())
    assert sheet.rows[0].labels == {"sla": "burning", "runbook": "service-restart-procedures"}
    assert sheet.rows[0].cells[0].text == "open"
    (row,) = [one for one in sheet.rows if one.labels["sla"] == "loads"]
    assert row.labels["dag_id"] == "load_tariffs"
    assert row.cells[5].text == "1h"


async def test_of_what_was_not_read_nothing_is_said_to_be_none() -> None:
    page = SPECS["objectives"].make()
    reading, _ = await read(page)
    for key in ("waiting", "dead"):
        detail = page.detail(reading, key)
        assert detail is not None
        assert dict(detail.parts)["violations"] == "not known"
        assert not {"good", "budget left"} & {name for name, _ in detail.facts}
