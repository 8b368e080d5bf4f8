"""A name that is none: which one may be meant, whichever way was asked."""

import asyncio
from collections.abc import Awaitable

import pytest

from opsconsole.cli.pipeline.opening import chosen_run, of_dag
from opsconsole.cli.wiring import UsageError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.model import Run, Told
from opsconsole.sources.airflow.client import AirflowError
from tests.screens.pipeline_readings import ByHand, pipelines

LOST = AirflowError("airflow", "bad-query", "404: could not list runs", status=404)


@pytest.fixture
def airflow() -> Airflow:
    return pipelines(ByHand()).airflow


async def lost() -> Told[tuple[Run, ...]]:
    raise LOST


def test_of_a_dag_that_is_not_there_a_near_one_is_named(airflow: Airflow) -> None:
    for asked in (airflow.runs("load_tarifs"), lost()):  # nothing, as the database says it, and the API's 404
        with pytest.raises(UsageError) as refused:
            asyncio.run(told_of(airflow, "load_tarifs", asked))
        assert str(refused.value) == "there is no DAG load_tarifs; did you mean 'load_tariffs'?"
    with pytest.raises(UsageError, match=r"^there is no DAG zzz; opsconsole pipeline list shows them$"):
        asyncio.run(told_of(airflow, "zzz", lost()))


def test_what_else_is_not_there_is_said_as_airflow_says_it_and_nothing_is_an_answer(airflow: Airflow) -> None:
    with pytest.raises(AirflowError, match="could not list runs"):
        asyncio.run(told_of(airflow, "load_tariffs", lost()))
    assert asyncio.run(told_of(airflow, "export_billing", airflow.runs("export_billing"))).value == ()


def test_a_dag_that_has_not_run_is_not_taken_for_none(airflow: Airflow) -> None:
    with pytest.raises(UsageError, match="DAG export_billing has not run yet; opsconsole pipeline trigger"):
        asyncio.run(chosen(airflow, "export_billing"))
    with pytest.raises(UsageError, match="there is no DAG export_biling; did you mean 'export_billing'"):
        asyncio.run(chosen(airflow, "export_biling"))


async def told_of(airflow: Airflow, dag_id: str, asked: Awaitable[Told[tuple[Run, ...]]]) -> Told[tuple[Run, ...]]:
    return await of_dag(airflow, dag_id, asked)


async def chosen(airflow: Airflow, dag_id: str) -> None:
    await chosen_run(airflow, dag_id, "")
