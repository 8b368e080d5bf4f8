"""SLAs as a source for panes: what is unknown is no number, and what was not read is not there."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from opsconsole.config.settings import Environment
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Vector
from opsconsole.sla.source import SlaSource
from opsconsole.sources.registry import Sources
from tests.screens.sla_readings import ByHand

NOWHERE = Path("nowhere")
ENVIRONMENT = Environment("test", screens=NOWHERE, runbooks=NOWHERE)


def source(slas: Any) -> SlaSource:
    made = SlaSource(ENVIRONMENT, Sources(ENVIRONMENT))
    made._slas = slas
    return made


async def asked(text: str) -> dict[str, float]:
    answer = await source(ByHand()).read(Query("sla", text))
    return {sample.labels["sla"]: sample.value for sample in cast(Vector, answer.value).samples}


async def test_a_standing_is_a_number_but_for_the_unknown() -> None:
    found = await asked("standing")
    assert math.isnan(found.pop("dead"))
    assert found == {"kept": 0, "loads": 0, "approaching": 1, "spent": 2, "burning": 2}


async def test_one_that_is_unknown_for_want_of_an_answer_says_whose() -> None:
    answer = await source(ByHand()).read(Query("sla", "standing"))
    samples = cast(Vector, answer.value).samples
    told = {one.labels["sla"]: one.labels["unanswered"] for one in samples if "unanswered" in one.labels}
    assert told == {"dead": "prometheus: connection refused"}


async def test_a_budget_is_a_share() -> None:
    found = await asked("budget")
    assert found["kept"] == pytest.approx(1 - 30 / (0.005 * 721 * 60), abs=0.01)
    assert found["spent"] < 0


async def test_another_question_is_refused_and_an_environment_without_a_file_says_so() -> None:
    with pytest.raises(SourceError, match="expected standing or budget"):
        await source(ByHand()).read(Query("sla", "up"))
    with pytest.raises(SourceError, match="names no file"):
        await source(None).read(Query("sla", "budget"))


async def test_while_nothing_was_read_there_is_no_answer() -> None:
    slas = ByHand()
    slas.standings = [one for one in slas.standings if one.waiting]
    with pytest.raises(SourceError, match="still being read"):
        await source(slas).read(Query("sla", "standing"))


def test_it_is_offered_beside_what_is_configured() -> None:
    sources = Sources(ENVIRONMENT)
    offered = SimpleNamespace(name="sla")
    sources.offer("sla", lambda: cast(Any, offered))
    assert sources.get("sla") is sources.get("sla") is offered
    assert "sla" not in sources.names()
