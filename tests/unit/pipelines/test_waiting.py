"""Waiting for the effect of a change: what holds it up is said at once, and what is left when the time is over."""

from typing import Any

import pytest

from opsconsole.actions.action import Outcome, Result
from opsconsole.core.reading import SourceError
from opsconsole.pipelines.actions import waiting
from opsconsole.pipelines.actions.waiting import Patience, awaited
from opsconsole.pipelines.holding import Cause, Hold
from tests.screens.pipeline_readings import Rehearsing

SILENT = Hold(Cause.SCHEDULER, "the run r is queued; no scheduler", "health")
QUEUED = Hold(Cause.RUNS, "the run r is queued; 1 of 1 run")
RUNS = Hold(Cause.GOING_ON, "r is running still")


class Scripted:
    """A change whose effect comes after some looks; None: never. Each look into what holds it up is the next hold."""

    def __init__(self, *holds: Hold | None, effect_after: int | None = None, error: SourceError | None = None) -> None:
        self.holds = list(holds)
        self.left = effect_after
        self.error = error

    async def effect(self, way: object, client: object) -> Result | None:
        if self.error is not None:
            raise self.error
        if self.left is None:
            return None
        self.left -= 1
        return Result(Outcome.OK, detail="it is running") if self.left < 0 else None

    async def held(self, way: object, client: object) -> Hold | None:
        return self.holds.pop(0) if len(self.holds) > 1 else self.holds[0]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_FIRST", 0.0)
    monkeypatch.setattr(waiting, "_LATEST", 0.0)
    monkeypatch.setattr(waiting, "_PERIOD", 0.001)


async def waited(change: Scripted, patience: Patience) -> tuple[Result, str]:
    said: list[bytes] = []
    client: Any = Rehearsing()
    result = await awaited(change, client, patience, said.append)
    return result, b"".join(said).decode()


async def test_the_effect_ends_it_and_what_held_it_up_was_said_once() -> None:
    result, said = await waited(Scripted(SILENT, effect_after=5), Patience(60.0, 30.0))
    assert (result.outcome, result.detail, result.to_come) == (Outcome.OK, "it is running", False)
    assert said == "waiting: the run r is queued; no scheduler; see health\n"


async def test_when_the_time_is_over_what_holds_it_up_is_what_is_left_and_it_is_no_failure() -> None:
    result, said = await waited(Scripted(QUEUED), Patience(0.05))
    assert (result.outcome, result.detail, result.to_come) == (Outcome.TIMED_OUT, QUEUED.said, True)
    assert said == f"waiting: {QUEUED.said}\n"


async def test_something_else_in_the_way_is_said_anew_and_a_run_that_runs_is_none() -> None:
    change = Scripted(SILENT, SILENT, QUEUED, RUNS, effect_after=6)
    _, said = await waited(change, Patience(60.0, 30.0))
    assert said.splitlines() == [f"waiting: {SILENT}", f"waiting: {QUEUED}"]


async def test_what_does_not_pass_by_itself_is_not_waited_for_to_the_end_unless_that_is_wanted() -> None:
    result, _ = await waited(Scripted(SILENT), Patience(60.0, 0.0))
    assert (result.outcome, result.detail) == (Outcome.TIMED_OUT, str(SILENT))
    result, _ = await waited(Scripted(SILENT, effect_after=20), Patience(60.0))
    assert result.outcome is Outcome.OK
    result, _ = await waited(Scripted(QUEUED, effect_after=20), Patience(60.0, 0.0))
    assert result.outcome is Outcome.OK


async def test_an_airflow_that_does_not_answer_leaves_it_open_and_one_that_refuses_fails() -> None:
    away = SourceError("airflow", "unreachable", "connection refused")
    result, _ = await waited(Scripted(None, error=away), Patience(0.05))
    assert (result.outcome, result.to_come) == (Outcome.TIMED_OUT, True)
    assert "does not answer: " in result.detail
    assert "connection refused" in result.detail
    result, _ = await waited(Scripted(None, error=SourceError("airflow", "refused", "403: no")), Patience(60.0))
    assert (result.outcome, result.to_come) == (Outcome.FAILED, False)


async def test_where_nothing_can_be_said_of_it_the_effect_is_not_there() -> None:
    result, _ = await waited(Scripted(None), Patience(0.05))
    assert (result.outcome, result.detail, result.to_come) == (Outcome.FAILED, "not within 50 ms", False)
