"""Thresholds: from a number to a state."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.core.state import State


@dataclass(frozen=True, slots=True)
class Threshold:
    """`state` holds where the value is above `above`, `at_least` that, below `below`, or equal to `equals`.

    With two bounds the value has to be outside of neither: `above: 1, below: 3` means between.
    """

    state: State
    above: float | None = None
    below: float | None = None
    equals: float | None = None
    at_least: float | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` meets this threshold. NaN meets none."""
        if math.isnan(value):
            return False
        if self.equals is not None:
            return value == self.equals
        if self.above is not None and not value > self.above:
            return False
        if self.at_least is not None and not value >= self.at_least:
            return False
        if self.below is not None and not value < self.below:
            return False
        return any(bound is not None for bound in (self.above, self.at_least, self.below))

    @property
    def lowest(self) -> float | None:
        """Where it begins, whether that value itself counts or not; None: it has no lower end."""
        return self.at_least if self.above is None else self.above

    @property
    def bounds(self) -> tuple[float, ...]:
        """The numbers at which a chart draws a line."""
        return tuple(bound for bound in (self.lowest, self.below, self.equals) if bound is not None)


def evaluate(value: float, thresholds: Sequence[Threshold]) -> State:
    """The worst state whose threshold holds; OK where none does; UNKNOWN for NaN, which is no number."""
    if math.isnan(value):
        return State.UNKNOWN
    met = [threshold.state for threshold in thresholds if threshold.holds(value)]
    return max(met, key=lambda state: state.severity, default=State.OK)
