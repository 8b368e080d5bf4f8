"""What is due about acknowledgements, on surveys made by hand."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from opsconsole.actions.door import Door
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.keeping import Due, Keeper, due, mine
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import Silence, Survey
from opsconsole.config.settings import Environment
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side, silence

ACK = replace(silence(comment="ACK! on it"), starts_at=NOW - 720, ends_at=NOW + 180)


def survey(one: Silence, *, fires: bool = True, failed: bool = False, error: str = "") -> Survey:
    alerts = (rule_alert(),) if fires else ()
    held = (delivered(state="suppressed", silenced=(one.id,)),) if fires else ()
    sides = (replace(side(*held, error=error), silences=(one,)),)
    rules = rule_side(*alerts)
    return Survey(NOW, merged([rules], sides, NOW), {one.id: one}, (rules,), sides, failed=failed)


def found(read: Survey, idle: dict[str, float] | None = None, actor: str = "alice") -> list[Due]:
    return list(due(read, actor, {} if idle is None else idle))


def test_one_that_ends_soon_is_prolonged_while_its_alert_fires() -> None:
    (one,) = found(survey(ACK))
    assert (one.silence.id, one.seconds, one.alertmanager) == ("s1", 900.0, "alertmanager")
    assert found(survey(replace(ACK, ends_at=NOW + 301))) == []


def test_it_is_prolonged_to_what_it_was_for_within_an_hour() -> None:
    (short,) = found(survey(replace(ACK, starts_at=NOW - 60, ends_at=NOW + 60)))
    (long,) = found(survey(replace(ACK, starts_at=NOW - 1620, ends_at=NOW + 180)))
    assert (short.seconds, long.seconds) == (900.0, 1800.0)


def test_it_ends_when_nothing_matches_for_a_minute() -> None:
    idle: dict[str, float] = {}
    gone = survey(ACK, fires=False)
    assert found(gone, idle) == []
    (one,) = found(replace(gone, taken_at=NOW + 60), idle)
    assert one.seconds is None


def test_an_alert_that_flaps_is_not_told_anew() -> None:
    idle: dict[str, float] = {}
    assert found(survey(ACK, fires=False), idle) == []
    assert [one.seconds for one in found(survey(ACK), idle)] == [900.0]
    assert found(replace(survey(ACK, fires=False), taken_at=NOW + 65), idle) == []


@pytest.mark.parametrize(
    "one",
    [
        replace(ACK, created_by="bob"),
        replace(ACK, comment="work"),
        replace(ACK, state="expired"),
        replace(ACK, state="pending"),
    ],
)
def test_others_are_left_alone(one: Silence) -> None:
    assert not mine(one, "alice")
    assert found(survey(one)) == []


def test_what_cannot_be_seen_is_not_over() -> None:
    idle = {"s1": NOW - 600}
    assert found(survey(ACK, fires=False, failed=True), idle) == []
    assert found(survey(ACK, fires=False, error="refused"), idle) == []


class Breaking:
    """Alerts whose survey raises something that nobody thought of, then works, then ends the test."""

    def __init__(self, *answers: Exception | Survey) -> None:
        self.answers = list(answers)

    async def acknowledged_survey(self, actor: str) -> Survey:
        if not self.answers:
            raise asyncio.CancelledError
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def kept(monkeypatch: pytest.MonkeyPatch, alerts: Breaking, only: frozenset[str] = frozenset()) -> list[str]:
    """What a keeper says; it does not wait between two looks."""
    monkeypatch.setattr("opsconsole.alerts.keeping.PERIOD", 0.0)
    told: list[str] = []
    keeper = Keeper(
        cast("Alerts", alerts), cast("Door", None), cast("Environment", None), "alice", only=only,
        told=lambda text, failed: told.append(f"{failed} {text}"),
    )  # fmt: skip
    if only:
        await keeper.keep_only()
    else:
        with pytest.raises(asyncio.CancelledError):
            await keeper.keep()
    return told


async def test_what_nobody_thought_of_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = survey(replace(ACK, ends_at=NOW + 600))
    alerts = Breaking(ZeroDivisionError("division by zero"), quiet, KeyError("x"))
    told = await kept(monkeypatch, alerts)
    assert [line.partition(":")[0] for line in told] == ["True acknowledgements are not prolonged"] * 2
    assert "ZeroDivisionError: division by zero; tried again" in told[0]
    assert alerts.answers == []


async def test_the_command_goes_on_after_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    over = survey(replace(ACK, state="expired"), fires=False)
    told = await kept(monkeypatch, Breaking(OSError("disk full"), over), frozenset({"s1"}))
    assert len(told) == 1
