"""A change of a silence that is begun anew, on what somebody else made of it."""

from dataclasses import replace
from typing import cast

import pytest

from opsconsole.actions import registry
from opsconsole.alerts.asking import Alerts
from opsconsole.alerts.model import Silence, Survey
from opsconsole.runbooks.repair import Repair, runbook_for, unasked, with_values
from opsconsole.ui.alerts.choosing import silence_choices
from opsconsole.ui.alerts.renewing import renewable
from tests.unit.ui.alerts.surveys import NOW, SILENCES, survey

_, ONE, _ = SILENCES


class Asked:
    """Alerts, of which the next survey is said here."""

    def __init__(self, silence: Silence | None, error: str = "") -> None:
        told = (silence,) if silence is not None else ()
        now = survey()
        side = replace(now.sides[0], silences=told, error=error)
        self.now = replace(now, silences={one.id: one for one in told}, sides=(side,))

    def forget(self) -> None:
        """Nothing is remembered."""

    async def survey(self) -> Survey:
        return self.now


def edited(source: Asked, label: str = "edit", **values: str) -> Repair:
    """What was offered of the silence before, with what was typed since."""
    offered = next(one.repair for one in silence_choices(ONE, survey()) if one.label == label)
    return with_values(renewable(offered, cast(Alerts, source)), values)


async def renewed(repair: Repair) -> tuple[Repair, str]:
    assert repair.renew is not None
    return await repair.renew(repair)


async def test_what_was_typed_stays_and_the_rest_is_as_it_is_now() -> None:
    now = replace(ONE, ends_at=NOW + 3600, comment="theirs", created_by="bob")
    again, said = await renewed(edited(Asked(now), COMMENT="mine"))
    assert again.given["comment"] == "mine"
    assert again.given["duration"] == "1h"
    assert "by bob, was by alice" in said
    assert again.given["seen"] != edited(Asked(now)).given["seen"]
    assert again.renew is not None
    registration = registry.find(again.action)
    assert registration is not None
    assert registration.complaints(again.given) == []


async def test_what_was_only_prolonged_is_only_prolonged_again() -> None:
    again, _ = await renewed(edited(Asked(replace(ONE, comment="theirs")), "until 8h from now"))
    assert again.given.keys() == {"id", "seen", "duration"}


async def test_one_that_is_over_becomes_a_new_one() -> None:
    again, said = await renewed(edited(Asked(replace(ONE, state="expired", ends_at=NOW)), DURATION="3h"))
    assert again.action == "alert.silence"
    assert again.given == {"matchers": 'job="nobody"', "duration": "3h", "comment": "work"}
    assert said.startswith("it was ended at")
    gone, said = await renewed(edited(Asked(None)))
    assert (gone.action, said) == ("alert.silence", "it is not known any more. This makes a new one.")


async def test_who_does_not_answer_is_named_and_nothing_is_made() -> None:
    with pytest.raises(ValueError, match="refused"):
        await renewed(edited(Asked(ONE, "alertmanager: connection refused")))


def test_what_it_was_is_no_field_of_the_form() -> None:
    assert unasked(runbook_for(edited(Asked(ONE)))) == {"ID", "SEEN"}
