"""What an operator has to say before something is done, and whether that was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from opsconsole.actions.action import Action, Risk
from opsconsole.config.settings import Mode


class Demand(IntEnum):
    """How much of a confirmation it takes, least first."""

    NONE = 0
    YES = 1
    TYPED = 2


_TABLE: Mapping[tuple[Mode, Risk], Demand] = MappingProxyType(
    {
        (Mode.GUARDED, Risk.READ): Demand.NONE,
        (Mode.GUARDED, Risk.WRITE): Demand.YES,
        (Mode.GUARDED, Risk.DESTRUCTIVE): Demand.TYPED,
        (Mode.OPEN, Risk.READ): Demand.NONE,
        (Mode.OPEN, Risk.WRITE): Demand.NONE,
        (Mode.OPEN, Risk.DESTRUCTIVE): Demand.TYPED,  # what is lost is lost in an open environment, too
        # The guard refuses these two before anybody is asked; were it not there, they would ask for the most.
        (Mode.READ_ONLY, Risk.READ): Demand.NONE,
        (Mode.READ_ONLY, Risk.WRITE): Demand.TYPED,
        (Mode.READ_ONLY, Risk.DESTRUCTIVE): Demand.TYPED,
    }
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What it takes; `text` is what has to be typed, for TYPED."""

    demand: Demand
    text: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the operator said."""

    given: Demand = Demand.NONE
    text: str = ""
    """What was typed, or for a declined one the reason."""
    declined: bool = False

    @classmethod
    def none(cls) -> "Confirmation":
        """Nobody was asked."""
        return cls()

    @classmethod
    def yes(cls) -> "Confirmation":
        """Yes."""
        return cls(Demand.YES)

    @classmethod
    def typed(cls, text: str) -> "Confirmation":
        """`text`, typed by hand; given on a command line it is as good."""
        return cls(Demand.TYPED, text)

    @classmethod
    def no(cls, reason: str = "") -> "Confirmation":
        """No."""
        return cls(text=reason, declined=True)


def required(action: Action, mode: Mode) -> Requirement:
    """What it takes for `action`: what mode and risk ask for, or what the action itself does, if that is more.

    Raises:
        ValueError: `action.confirm` is none of empty, `yes`, `type:TEXT`.
    """
    asked, text = _asked(action.confirm)
    demand = max(asked, _TABLE[mode, action.risk])
    # An action without a target has a title at least; an empty text would be typed by a careless Enter.
    return Requirement(demand, (text or action.target or action.title) if demand is Demand.TYPED else "")


def shortfall(requirement: Requirement, confirmation: Confirmation) -> str | None:
    """What is missing for `confirmation` to be enough; None where it is. A typed text has to be right in any case."""
    if confirmation.declined:
        return confirmation.text or "the operator said no"
    if requirement.demand is Demand.NONE:
        return None
    if requirement.demand is Demand.YES:
        return None if confirmation.given is not Demand.NONE else "it has to be confirmed"
    if confirmation.given is not Demand.TYPED:
        return f"it has to be confirmed by typing {requirement.text}"
    if confirmation.text.strip() != requirement.text.strip():
        return f"{confirmation.text.strip()!r} was typed instead of {requirement.text}"
    return None


def _asked(confirm: str) -> tuple[Demand, str]:
    if confirm in ("", "yes"):
        return (Demand.YES if confirm else Demand.NONE), ""
    kind, colon, text = confirm.partition(":")
    if kind != "type" or not colon:
        raise ValueError(f"{confirm!r} is not a confirmation; yes, or type:TEXT")
    return Demand.TYPED, text
