"""The tables of transitions, walked over every pair."""

from itertools import product

import pytest

from opsconsole.actions.action import Outcome
from opsconsole.runbooks.states import (
    EVENT_OF_OUTCOME,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    IllegalTransitionError,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    next_run_state,
    next_step_state,
)


@pytest.mark.parametrize(("state", "event"), list(product(StepState, StepEvent)))
def test_every_step_state_and_event(state: StepState, event: StepEvent) -> None:
    if (state, event) not in STEP_TRANSITIONS:
        with pytest.raises(IllegalTransitionError, match=f"{state} cannot {event}"):
            next_step_state(state, event)
        return
    after = next_step_state(state, event)
    if event in (StepEvent.START, StepEvent.RERUN):
        assert after is StepState.RUNNING
        assert (event is StepEvent.START) is (state is StepState.PENDING)
    elif event is StepEvent.SKIP:
        assert after is StepState.SKIPPED
        assert state not in (StepState.OK, StepState.WARN, StepState.RUNNING)
    else:
        assert after is not StepState.RUNNING
    if after is StepState.UNKNOWN:
        assert (state, event) == (StepState.RUNNING, StepEvent.LOSE)


@pytest.mark.parametrize(("state", "event"), list(product(RunState, RunEvent)))
def test_every_run_state_and_event(state: RunState, event: RunEvent) -> None:
    if (state, event) in RUN_TRANSITIONS:
        assert next_run_state(state, event) is RUN_TRANSITIONS[state, event]
        assert not state.over
    else:
        with pytest.raises(IllegalTransitionError):
            next_run_state(state, event)


def test_what_is_over_stays_over() -> None:
    assert not [state for state, _ in RUN_TRANSITIONS if state.over]


def test_every_state_can_be_reached() -> None:
    assert {StepState.PENDING, *STEP_TRANSITIONS.values()} == set(StepState)
    assert {RunState.WAITING, *RUN_TRANSITIONS.values()} == set(RunState)


def test_every_outcome_ends_a_running_step() -> None:
    for outcome in Outcome:
        assert (StepState.RUNNING, EVENT_OF_OUTCOME[outcome]) in STEP_TRANSITIONS
