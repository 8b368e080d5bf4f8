"""From a number to a state: which values each kind of bound holds for."""

import math

import pytest

from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold, evaluate


@pytest.mark.parametrize(
    ("threshold", "holds", "fails"),
    [
        (Threshold(State.CRIT, above=1), (1.1, math.inf), (1, 0, -math.inf, math.nan)),
        (Threshold(State.CRIT, at_least=1), (1, 1.1), (0.99, math.nan)),
        (Threshold(State.CRIT, below=1), (0.99, -5), (1, 2)),
        (Threshold(State.CRIT, equals=1), (1,), (1.1, 0.9)),
        (Threshold(State.CRIT, above=1, below=3), (2,), (1, 3)),
        (Threshold(State.CRIT, at_least=1, below=3), (1, 2.9), (0.9, 3)),
        (Threshold(State.CRIT), (), (0, 1)),
    ],
)
def test_a_threshold_holds_within_its_bounds(
    threshold: Threshold, holds: tuple[float, ...], fails: tuple[float, ...]
) -> None:
    assert all(threshold.holds(value) for value in holds)
    assert not any(threshold.holds(value) for value in fails)


def test_a_band_is_drawn_at_both_ends() -> None:
    assert Threshold(State.WARN, at_least=1, below=3).bounds == (1, 3)


def test_the_worst_that_holds_counts() -> None:
    steps = (Threshold(State.WARN, at_least=1, below=2), Threshold(State.CRIT, at_least=2))
    assert [evaluate(value, steps) for value in (0, 1, 2)] == [State.OK, State.WARN, State.CRIT]
