"""What an operator has to say, walked over every mode, risk and answer."""

from dataclasses import replace
from itertools import product

import pytest

from opsconsole.actions.action import Risk
from opsconsole.actions.confirmation import Confirmation, Demand, Requirement, required, shortfall
from opsconsole.config.settings import Mode
from tests.unit.actions.test_guard import action

EXPECTED = {
    (Mode.GUARDED, Risk.READ): Requirement(Demand.NONE),
    (Mode.GUARDED, Risk.WRITE): Requirement(Demand.YES),
    (Mode.GUARDED, Risk.DESTRUCTIVE): Requirement(Demand.TYPED, "thing"),
    (Mode.OPEN, Risk.READ): Requirement(Demand.NONE),
    (Mode.OPEN, Risk.WRITE): Requirement(Demand.NONE),
    (Mode.OPEN, Risk.DESTRUCTIVE): Requirement(Demand.TYPED, "thing"),
    (Mode.READ_ONLY, Risk.READ): Requirement(Demand.NONE),
    (Mode.READ_ONLY, Risk.WRITE): Requirement(Demand.TYPED, "thing"),
    (Mode.READ_ONLY, Risk.DESTRUCTIVE): Requirement(Demand.TYPED, "thing"),
}


@pytest.mark.parametrize(("mode", "risk"), product(Mode, Risk))
def test_mode_and_risk_decide(mode: Mode, risk: Risk) -> None:
    assert required(action(risk), mode) == EXPECTED[mode, risk]


@pytest.mark.parametrize(("mode", "risk", "asked"), product(Mode, Risk, ("", "yes", "type:alpha")))
def test_an_action_can_ask_for_more_and_never_for_less(mode: Mode, risk: Risk, asked: str) -> None:
    demanded = required(replace(action(risk), confirm=asked), mode)
    own = {"": Demand.NONE, "yes": Demand.YES, "type:alpha": Demand.TYPED}[asked]
    assert demanded.demand is max(own, EXPECTED[mode, risk].demand)
    if asked == "type:alpha":
        assert demanded.text == "alpha"


def test_there_is_always_something_to_type() -> None:
    untargeted = replace(action(Risk.DESTRUCTIVE), target="")
    assert required(untargeted, Mode.OPEN).text == "Act"
    assert required(replace(untargeted, confirm="type:"), Mode.OPEN).text == "Act"


@pytest.mark.parametrize("nonsense", ["no", "type", "approve:2", "YES"])
def test_a_demand_nobody_knows_is_an_error(nonsense: str) -> None:
    with pytest.raises(ValueError, match="not a confirmation"):
        required(replace(action(Risk.READ), confirm=nonsense), Mode.GUARDED)


NONE, YES, TYPED = Requirement(Demand.NONE), Requirement(Demand.YES), Requirement(Demand.TYPED, "app-db")


@pytest.mark.parametrize(
    ("requirement", "confirmation", "enough"),
    [
        (NONE, Confirmation.none(), True),
        (NONE, Confirmation.yes(), True),
        (NONE, Confirmation.typed("x"), True),
        (NONE, Confirmation.no(), False),
        (YES, Confirmation.none(), False),
        (YES, Confirmation.yes(), True),
        (YES, Confirmation.typed("app-db"), True),
        (YES, Confirmation.no("not now"), False),
        (TYPED, Confirmation.none(), False),
        (TYPED, Confirmation.yes(), False),
        (TYPED, Confirmation.typed("app-db"), True),
        (TYPED, Confirmation.typed(" app-db\n"), True),
        (TYPED, Confirmation.typed(""), False),
        (TYPED, Confirmation.typed("APP-DB"), False),
        (TYPED, Confirmation.typed("app-db2"), False),
        (TYPED, Confirmation.no(), False),
    ],
)
def test_every_demand_against_every_answer(requirement: Requirement, confirmation: Confirmation, enough: bool) -> None:
    missing = shortfall(requirement, confirmation)
    assert (missing is None) == enough
    assert missing != ""
