"""A step that a person does: no process; the outcome is what the operator says."""

from dataclasses import dataclass
from enum import StrEnum

from opsconsole.actions.action import Outcome, Result, Sink


class Answer(StrEnum):
    """What the operator can say of a manual step."""

    DONE = "done"
    NOT_DONE = "not done"
    NOT_APPLICABLE = "n/a"


_OUTCOMES = {Answer.DONE: Outcome.OK, Answer.NOT_DONE: Outcome.FAILED, Answer.NOT_APPLICABLE: Outcome.OK}


@dataclass(frozen=True, slots=True)
class ManualRunner:
    """Records `answer` and `note`. Not applicable is as good as done: the step is behind us."""

    answer: Answer
    note: str = ""

    async def run(self, sink: Sink) -> Result:
        """What the operator said."""
        detail = f"{self.answer.value}: {self.note}" if self.note else self.answer.value
        return Result(_OUTCOMES[self.answer], detail=detail)
