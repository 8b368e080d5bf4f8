"""What a run tells those who follow it: how a step stands, and what has just happened."""

from dataclasses import dataclass
from typing import Literal

from opsconsole.runbooks.model import Step
from opsconsole.runbooks.states import StepState


@dataclass(frozen=True, slots=True)
class StepReport:
    """What there is to say of one step at the end, or in between."""

    step: Step
    state: StepState
    exit_code: int | None = None
    started_at: float | None = None
    """Unix seconds, of the latest attempt."""
    duration: float | None = None
    output_bytes: int = 0
    detail: str = ""
    attempts: int = 0
    output: str = ""
    """The name of the file, in `steps/`, that has the output of the latest attempt."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened in a run, told after it was recorded."""

    kind: Literal["step", "run", "note", "file-changed", "background"]
    step: str = ""
    state: str = ""
    """The new state of the step or of the run."""
    detail: str = ""
