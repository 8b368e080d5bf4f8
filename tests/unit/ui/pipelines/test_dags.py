"""The page of DAGs from reading to reading: rows about which nothing changed are the same, and never out of date."""

from collections.abc import Sequence
from dataclasses import replace

from opsconsole.cli.pipeline.list import _coming
from opsconsole.pipelines.history import Standing, standings
from opsconsole.pipelines.model import Origin, Survey, Told, Way
from opsconsole.pipelines.run_list import RunList
from opsconsole.ui.pages.page import Order
from opsconsole.ui.pipelines.dags import DagsPage, DagsReading
from opsconsole.ui.table_layout import Row
from tests.unit.pipelines.made import at, dag, run

RUNS = {"load": RunList.of([run(start=-3600.0 * hour) for hour in range(1, 6)])}
"""The DAG that never ran is not in it, as of a survey."""
DAGS = (dag("load", next_run_at=at(5400.0)), dag("wait"))


def read(survey: Survey, now: float, before: Sequence[Standing] = ()) -> DagsReading:
    told = Told(survey, at(now), Origin(Way.METADATA, "3"))
    return DagsReading(told, tuple(standings(survey, at(now), before)), {}, ())


def rows(page: DagsPage, reading: DagsReading) -> dict[str, Row]:
    return {row.key: row for row in page.sheet(reading, Order("trouble")).rows}


def test_only_the_cell_that_changed_is_another() -> None:
    page = DagsPage()
    first = read(Survey(DAGS, RUNS), 0.0)
    before = rows(page, first)
    later = read(Survey(DAGS, RUNS), 3600.0, first.standings)
    after = rows(page, later)
    assert all(old is new for old, new in zip(first.standings, later.standings, strict=True)), "nothing changed"
    assert after["wait"] is before["wait"]
    changed = [place for place, cell in enumerate(after["load"].cells) if cell != before["load"].cells[place]]
    assert [after["load"].cells[place].text for place in changed] == ["in 30m"]
    assert after == rows(DagsPage(), later), "as a page that has never seen it shows it"
    again = rows(page, read(Survey(DAGS, RUNS), 3600.0, later.standings))
    assert all(again[key] is after[key] for key in after)


def test_what_was_changed_and_what_is_gone_is_not_shown_as_it_was() -> None:
    page = DagsPage()
    first = read(Survey(DAGS, RUNS), 0.0)
    rows(page, first)
    paused = (replace(DAGS[0], paused=True),)
    later = read(Survey(paused, {"load": RUNS["load"]}), 0.0, first.standings)
    assert rows(page, later) == rows(DagsPage(), later)
    assert rows(page, later)["load"].cells[0].text == "paused"


def test_what_was_due_and_did_not_come_is_not_taken_for_what_is_to_come() -> None:
    reading = read(Survey(DAGS, RUNS), 5700.0)
    assert "5m ago" in [cell.text for cell in rows(DagsPage(), reading)["load"].cells]
    assert [_coming(then, at(5700.0)) for then in (None, at(5400.0), at(6000.0))] == [None, "5m ago", "in 5m"]
