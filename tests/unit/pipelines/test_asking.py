"""Asking Airflow: whose clock what goes on is reckoned by."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from opsconsole.config.settings import HttpSettings
from opsconsole.core.reading import Answer, Query
from opsconsole.core.state import State
from opsconsole.core.values import Table
from opsconsole.pipelines.history import standing
from opsconsole.pipelines.metadata import Metadata
from opsconsole.pipelines.promises import Verdict, promise
from opsconsole.sources.http_client import HttpClient
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


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        (datetime.fromtimestamp(1000.0, UTC), 0.0),
        (datetime.fromtimestamp(998.0, UTC), 0.0),
        (datetime.fromtimestamp(1060.0, UTC), 60.0),
        (datetime.fromtimestamp(880.0, UTC), -120.0),
    ],
)
def test_the_clock_of_a_server_is_told_by_its_answers(
    date: datetime, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsconsole.sources.http_client.time.time", lambda: 1000.5)
    client = HttpClient("airflow", HttpSettings(url="http://127.0.0.1:9"))
    client._look_at_the_clock(format_datetime(date, usegmt=True), 1000.5)
    assert client.clock_ahead == pytest.approx(ahead)
    client._look_at_the_clock("no date", 1000.5)
    assert client.clock_ahead == pytest.approx(ahead)


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
