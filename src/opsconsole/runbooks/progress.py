"""Where a run stands: the states of its steps and the place of the walk. Pure; whoever changes it records it."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.runbooks.model import Condition, Runbook, Step
from opsconsole.runbooks.scopes import values_in
from opsconsole.runbooks.states import (
    IllegalTransitionError,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    next_run_state,
    next_step_state,
)


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that the walk left out, and why."""

    step: Step
    reason: str


class Progress:
    """The walk over one runbook."""

    def __init__(self, runbook: Runbook) -> None:
        self.runbook = runbook
        self.state = RunState.WAITING
        self.states: dict[str, StepState] = {step.name: StepState.PENDING for step in runbook.steps}
        self._route = runbook.route
        self._cursor = 0

    @property
    def current(self) -> Step | None:
        """The step it is at; None at the end of the walk."""
        return self._route[self._cursor] if self._cursor < len(self._route) else None

    def move(self, step: Step, event: StepEvent) -> StepState:
        """What `event` makes of `step`.

        Raises:
            IllegalTransitionError: nothing.
        """
        try:
            state = next_step_state(self.states[step.name], event)
        except IllegalTransitionError as error:
            raise IllegalTransitionError(f"{step.name}: {error}") from None
        self.states[step.name] = state
        return state

    def turn(self, event: RunEvent) -> RunState:
        """What `event` makes of the run.

        Raises:
            IllegalTransitionError: nothing.
        """
        self.state = next_run_state(self.state, event)
        return self.state

    def jump(self, step: Step) -> None:
        """Go on at `step`, wherever it is.

        Raises:
            IllegalTransitionError: the run is over, or the step is none of the walk.
        """
        if self.state is not RunState.WAITING:
            raise IllegalTransitionError(f"a run that is {self.state} goes nowhere")
        if step not in self._route:
            raise IllegalTransitionError(f"{step.name} only undoes another step; it is no part of the walk")
        self._cursor = self._route.index(step)

    def advance(self, values: Mapping[str, str]) -> list[Passed]:
        """Go past what is settled, up to the next step that needs something. Returns what was left out on the way.

        A step that failed holds the walk, unless its `onFail` leads on: what to do then is the operator's to say.
        """
        passed: list[Passed] = []
        while (step := self.current) is not None:
            state = self.states[step.name]
            if state is StepState.PENDING:
                unmet = next((term for term in step.when if not self._holds(term, values)), None)
                if unmet is None:
                    break
                self.move(step, StepEvent.EXCLUDE)
                passed.append(Passed(step, f"not applicable: {_in_words(unmet)} does not hold"))
            elif state in (StepState.RUNNING, StepState.UNKNOWN):
                break
            elif state.bad:
                target = self._after_failure(step)
                if target is None:
                    break
                passed += self._leave_out(target, step)
                continue
            self._cursor += 1
        return passed

    def ending(self) -> RunEvent:
        """How the run would end now."""
        tried = [(step, self.states[step.name]) for step in self._route]
        if any(state.bad and step.critical for step, state in tried):
            return RunEvent.FINISH_FAILED
        if all(state in (StepState.OK, StepState.DONE, StepState.NOT_APPLICABLE) for _, state in tried):
            return RunEvent.FINISH_OK
        return RunEvent.FINISH_WARN

    def _after_failure(self, step: Step) -> int | None:
        """Where in the route a failed step leads by itself; None: nowhere."""
        if step.on_fail == "continue":
            return self._cursor + 1
        kind, _, name = step.on_fail.partition(":")
        if kind != "goto":
            return None
        return next((at for at, other in enumerate(self._route) if other.name == name and at > self._cursor), None)

    def _leave_out(self, target: int, failed: Step) -> list[Passed]:
        passed = []
        for step in self._route[self._cursor + 1 : target]:
            if self.states[step.name] is StepState.PENDING:
                self.move(step, StepEvent.EXCLUDE)
                passed.append(
                    Passed(step, f"left out: {failed.name} failed, and leads on to {self._route[target].name}")
                )
        self._cursor = target
        return passed

    def _holds(self, condition: Condition, values: Mapping[str, str]) -> bool:
        if condition.is_step:
            return self._step_is(condition.subject, condition.value) is condition.equal
        own = values_in(self.runbook, condition.scope, values)
        return (own.get(condition.subject, "") == condition.value) is condition.equal

    def _step_is(self, name: str, word: str) -> bool:
        """Whether a step counts as `word`. An include is `failed` if one of its steps is, else what all of them are."""
        if name in self.states:
            return _counts_as(self.states[name], word)
        states = [self.states[step.name] for step in self._route if f"{step.scope}.".startswith(f"{name}.")]
        if word == "failed":
            return any(_counts_as(state, word) for state in states)
        allowed = (StepState.NOT_APPLICABLE,) if word == "ok" else ()
        return bool(states) and all(state in allowed or _counts_as(state, word) for state in states)


def _counts_as(state: StepState, word: str) -> bool:
    """Whether a step in `state` is `word`: `ok`, `failed` and `skipped` each stand for several states."""
    if not state.ended:
        return False
    if word == "ok":
        return state in (StepState.OK, StepState.WARN, StepState.DONE)
    if word == "failed":
        return state.bad
    return state == word


def _in_words(condition: Condition) -> str:
    subject = f"step:{condition.subject}" if condition.is_step else condition.subject
    return f"{subject}{'=' if condition.equal else '!='}{condition.value}"
