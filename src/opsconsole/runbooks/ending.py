"""How a run ended, in a few words."""

from collections import Counter
from collections.abc import Iterable

from opsconsole.runbooks.states import RunState, StepState


def ending(state: str, steps: Iterable[str]) -> str:
    """`state` of a run and, where it is `failed` by more than failures, what its `steps` came to instead.

    A run has no word of its own for a step that timed out, was refused, or whose end nobody knows: it is `failed
    (timed-out)`, of several `failed (2 timed-out, 1 failed)`. Words that are no state of a step count for nothing.
    """
    known = frozenset(StepState)
    bad = Counter(StepState(one) for one in steps if one in known and StepState(one).bad)
    if state != RunState.FAILED or not set(bad) - {StepState.FAILED}:
        return state
    if bad.total() == 1:
        return f"{state} ({next(iter(bad))})"
    return f"{state} ({', '.join(f'{count} {one}' for one, count in bad.most_common())})"
