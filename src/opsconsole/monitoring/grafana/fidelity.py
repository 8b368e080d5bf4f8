"""How much of a panel arrives on a screen, for the report of an import."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fidelity(StrEnum):
    """From best to worst."""

    FULL = "full"
    """It says the same."""
    CLOSE = "close"
    """It says the same in another form."""
    PARTIAL = "partial"
    """It says less, or one of its queries is not there."""
    LOST = "lost"
    """It is not on the screen."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one panel."""

    id: int
    title: str
    type: str
    section: str
    fidelity: Fidelity
    pane: str = ""
    """The id of the pane; empty where there is none."""
    kind: str = ""
    notes: tuple[str, ...] = ()
    """What is different or missing, each in a few words."""
    asks: bool = False
    """Whether it has a query for Prometheus that is shown."""
    screen: str = ""
    """The id of the screen that it is on, where the dashboard became several; else empty."""


@dataclass(slots=True)
class Losses:
    """What is gathered while a panel is converted."""

    close: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)

    def fidelity(self) -> Fidelity:
        """How much is left."""
        return Fidelity.PARTIAL if self.partial else Fidelity.CLOSE if self.close else Fidelity.FULL

    def notes(self) -> tuple[str, ...]:
        """The worse ones first, each once."""
        return tuple(dict.fromkeys((*self.partial, *self.close)))
