"""What has to be done to take back what a run did. Pure."""

from collections.abc import Callable

from opsconsole.runbooks.model import Runbook, Step
from opsconsole.runbooks.states import StepState
from opsconsole.runbooks.told import StepReport

_TRIED = frozenset(
    {
        StepState.OK,
        StepState.WARN,
        StepState.FAILED,
        StepState.TIMED_OUT,
        StepState.CANCELLED,
        StepState.UNKNOWN,
    }
)
"""Something may have been done that can be undone."""


def undo_plan(book: Runbook, report: Callable[[Step], StepReport]) -> list[Step]:
    """The undo steps of what was tried, the latest first; without those that ran since.

    Args:
        book: what is being walked.
        report: how a step of it stands.
    """
    plan: list[Step] = []
    tried = [report(step) for step in book.steps if step.undo]
    for one in sorted(tried, key=lambda each: each.started_at or 0.0, reverse=True):
        undo = book.step(one.step.undo)
        if undo is None or undo in plan or one.state not in _TRIED:
            continue
        done = report(undo)
        if not done.state.good or (done.started_at or 0.0) < (one.started_at or 0.0):
            plan.append(undo)
    return plan
