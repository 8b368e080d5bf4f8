"""Asking Airflow: whose clock what goes on is reckoned by."""

import pytest

from opsconsole.core.reading import Answer, Query
from opsconsole.core.state import State
from opsconsole.core.values import Table
from opsconsole.pipelines.history import standing
from opsconsole.pipelines.metadata import Metadata
from opsconsole.pipelines.promises import Verdict, promise
from tests.screens.fake_session import NOW
from tests.screens.pipeline_readings import ByHand, dag, pipelines, run
from tests.unit.pipelines.made import sla


@pytest.mark.parametrize("skew", [0.0, -7200.0, 7200.0])
async def test_no_skew_of_clocks_makes_a_run_late(skew: float) -> None:
    way = ByHand()
    way.skew = skew
    way.ran = {"load_tariffs": [run("load_tariffs", 600.0 - skew, "running")]}  # began ten minutes ago, by its clock
    told = await pipelines(way).airflow.survey()
    assert (told.taken_at, told.now) == (NOW, NOW + skew)
    mine = told.value.runs["load_tariffs"]
    assert standing(dag("load_tariffs"), mine, told.now).running_for == 600.0
    found = promise(sla(3600.0), dag("load_tariffs", next_run_at=NOW + skew), mine, told.now)
    assert (found.verdict, found.state) == (Verdict.RUNNING, State.OK)


async def test_failures_are_asked_for_since_a_moment_by_airflows_clock() -> None:
    way = ByHand()
    way.skew = -300.0
    await pipelines(way).airflow.failures(NOW - 3600.0)
    assert way.since == [NOW - 3900.0]


@pytest.mark.parametrize(("now", "took", "ahead"), [(1000.3, 0.2, 0.0), (1060.1, 0.2, 60.0), (1004.0, 10.0, 0.0)])
async def test_the_clock_of_a_database_is_asked_for_once_a_minute(now: float, took: float, ahead: float) -> None:
    asked = []

    async def ask(query: Query) -> Answer:
        asked.append(query)
        return Answer(Table(("now",), ((now,),)), 1000.0, took)

    metadata = Metadata("postgres/airflow", ask)
    assert await metadata.ahead() == pytest.approx(ahead)
    assert await metadata.ahead() == pytest.approx(ahead)
    assert len(asked) == 1
