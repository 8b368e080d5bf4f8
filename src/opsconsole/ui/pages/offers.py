"""What can be done about several rows of a page at once: what each of them offers, put together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opsconsole.runbooks.repair import Repair
from opsconsole.ui.pages.page import Page


@dataclass(frozen=True, slots=True)
class Offer:
    """One action, and the repairs that it is: one for each row that it applies to."""

    label: str
    repairs: tuple[Repair, ...]
    asked_for: int
    """How many rows were asked."""

    @property
    def title(self) -> str:
        """What would be done, in the operator's words."""
        if len(self.repairs) == 1:
            return self.repairs[0].title
        return f"{self.label}: all {len(self.repairs)}"

    @property
    def about(self) -> str:
        """The title, with what it leaves out."""
        left = self.asked_for - len(self.repairs)
        return f"{self.title}; does not apply to {left} of the {self.asked_for}" if left else self.title


def offers(page: Page[Any, Any], reading: Any, keys: Sequence[str]) -> list[Offer]:
    """What the rows with these keys offer, by label, in the order in which the rows name them."""
    found: dict[str, list[Repair]] = {}
    for key in keys:
        for choice in page.choices(reading, key):
            found.setdefault(choice.label, []).append(choice.repair)
    return [Offer(label, tuple(repairs), len(keys)) for label, repairs in found.items()]
