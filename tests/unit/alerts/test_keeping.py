"""What is due about acknowledgements, on surveys made by hand."""

from dataclasses import replace

import pytest

from opsconsole.alerts.keeping import Due, due, mine
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import Silence, Survey
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
