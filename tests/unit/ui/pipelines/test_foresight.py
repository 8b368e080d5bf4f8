"""What would be cleared is asked of Airflow, and said, before anybody is asked to confirm it."""

import pytest

from opsconsole.core.reading import SourceError
from opsconsole.pipelines.asking import Airflow
from opsconsole.pipelines.metadata import Metadata
from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pipelines.foresight import foreseen
from tests.screens.pipeline_readings import ByHand, Rehearsing, pipelines

RETRY = Repair("airflow.retry", {"dag": "load_tariffs", "run": "r1"}, "Retry", "it failed")


async def test_a_clearing_says_what_it_would_clear_and_other_changes_stay_as_they_are() -> None:
    api = Rehearsing()
    pause = Repair("airflow.pause", {"dag": "a"}, "Pause a")
    retry, same = await foreseen(pipelines(ByHand(), api).airflow, [RETRY, pause])
    assert retry.why == "it failed; Airflow's dry run clears 2: check, store"
    assert same is pause
    assert [(body["dag_run_id"], body["only_failed"]) for body in api.asked] == [("r1", True)]


async def test_one_that_would_clear_nothing_is_refused_and_among_several_it_says_so() -> None:
    api = Rehearsing()
    api.clears = []
    with pytest.raises(ValueError, match="clears nothing: nothing would be run again"):
        await foreseen(pipelines(ByHand(), api).airflow, [RETRY])
    two = await foreseen(pipelines(ByHand(), api).airflow, [RETRY, RETRY])
    assert [one.why for one in two] == ["it failed; Airflow's dry run clears nothing"] * 2


async def test_of_many_tasks_some_are_named_and_none_of_them_moves_the_cursor() -> None:
    api = Rehearsing()
    api.clears = ["\x1b[2J", *(f"task_{n}" for n in range(20))]
    (one,) = await foreseen(pipelines(ByHand(), api).airflow, [RETRY])
    assert "clears 21: " in one.why
    assert one.why.endswith("task_10 and 9 more")
    assert "\x1b" not in one.why


async def test_without_an_api_it_is_said_what_is_missing() -> None:
    async def nobody(query: object) -> object:
        raise AssertionError

    airflow = Airflow(None, Metadata("postgres/airflow", nobody))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="no API is configured"):
        await foreseen(airflow, [RETRY])
