"""The states of a step and of a run, the events that move them, and the only moves there are."""

from enum import StrEnum

from opsconsole.actions.action import Outcome


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    OK = "ok"
    WARN = "warn"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The guard does not allow it; nothing was started."""
    UNKNOWN = "unknown"
    """It was started, and no end was recorded. Nobody runs it again but an operator who says so."""
    SKIPPED = "skipped"
    DONE = "done"
    """A manual step: the operator did it."""
    NOT_DONE = "not-done"
    NOT_APPLICABLE = "not-applicable"
    """Its `when` does not hold, or the operator says it does not apply."""

    @property
    def ended(self) -> bool:
        """Whether the walk can go on past it."""
        return self not in (StepState.PENDING, StepState.RUNNING, StepState.UNKNOWN)

    @property
    def good(self) -> bool:
        """Whether what it was for is achieved, or does not matter."""
        return self in _GOOD

    @property
    def bad(self) -> bool:
        """Whether it was tried and did not work, or nobody knows."""
        return self in _BAD


_GOOD = frozenset({StepState.OK, StepState.WARN, StepState.DONE, StepState.NOT_APPLICABLE})
_BAD = frozenset(
    {
        StepState.FAILED,
        StepState.TIMED_OUT,
        StepState.CANCELLED,
        StepState.REFUSED,
        StepState.UNKNOWN,
    }
)


class StepEvent(StrEnum):
    """What happens to a step."""

    START = "start"
    RERUN = "rerun"
    """Started although it was started before: only ever by an operator, or by its own `retries`."""
    SUCCEED = "succeed"
    WARN = "warn"
    FAIL = "fail"
    TIME_OUT = "time-out"
    CANCEL = "cancel"
    REFUSE = "refuse"
    DECLINE = "decline"
    """The operator did not confirm; nothing was started."""
    LOSE = "lose"
    """Whoever ran it is gone without a word."""
    SKIP = "skip"
    EXCLUDE = "exclude"
    COMPLETE = "complete"
    """The operator did it, or (for `unknown`) knows that it is done."""
    LEAVE_UNDONE = "leave-undone"


class RunState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    """For its operator, or for its next step."""
    RUNNING = "running"
    """A step is under way."""
    LEFT = "left"
    """Its operator left; it can be taken up again."""
    OK = "ok"
    WARN = "warn"
    """Done; something was skipped, warned, or failed without being critical."""
    FAILED = "failed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"
    """A step was started, and no end was recorded."""

    @property
    def over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self in (RunState.OK, RunState.WARN, RunState.FAILED, RunState.ABORTED)


class RunEvent(StrEnum):
    """What happens to a run."""

    BEGIN_STEP = "begin-step"
    END_STEP = "end-step"
    LOSE = "lose"
    LEAVE = "leave"
    RESUME = "resume"
    FINISH_OK = "finish-ok"
    FINISH_WARN = "finish-warn"
    FINISH_FAILED = "finish-failed"
    ABORT = "abort"


class IllegalTransitionError(Exception):
    """What was asked for makes no sense in this state; the message says why."""


_S, _E = StepState, StepEvent
_SETTLED = (_S.OK, _S.WARN, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.REFUSED, _S.SKIPPED, _S.DONE, _S.NOT_DONE)

STEP_TRANSITIONS: dict[tuple[StepState, StepEvent], StepState] = {
    (_S.PENDING, _E.START): _S.RUNNING,
    (_S.PENDING, _E.SKIP): _S.SKIPPED,
    (_S.PENDING, _E.EXCLUDE): _S.NOT_APPLICABLE,
    (_S.PENDING, _E.COMPLETE): _S.DONE,
    (_S.PENDING, _E.LEAVE_UNDONE): _S.NOT_DONE,
    (_S.RUNNING, _E.SUCCEED): _S.OK,
    (_S.RUNNING, _E.WARN): _S.WARN,
    (_S.RUNNING, _E.FAIL): _S.FAILED,
    (_S.RUNNING, _E.TIME_OUT): _S.TIMED_OUT,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.REFUSE): _S.REFUSED,
    (_S.RUNNING, _E.DECLINE): _S.PENDING,
    (_S.RUNNING, _E.LOSE): _S.UNKNOWN,
    # Back to a step that has ended, or skipping past one that failed: recorded like everything else.
    **{(state, _E.RERUN): _S.RUNNING for state in (*_SETTLED, _S.NOT_APPLICABLE, _S.UNKNOWN)},
    **{(state, _E.SKIP): _S.SKIPPED for state in (_S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.REFUSED, _S.UNKNOWN)},
    **{(state, _E.COMPLETE): _S.DONE for state in (_S.SKIPPED, _S.NOT_DONE, _S.NOT_APPLICABLE, _S.UNKNOWN)},
    **{(state, _E.LEAVE_UNDONE): _S.NOT_DONE for state in (_S.DONE, _S.SKIPPED, _S.NOT_APPLICABLE)},
    **{(state, _E.EXCLUDE): _S.NOT_APPLICABLE for state in (_S.DONE, _S.SKIPPED, _S.NOT_DONE)},
}

_R, _V = RunState, RunEvent
RUN_TRANSITIONS: dict[tuple[RunState, RunEvent], RunState] = {
    (_R.WAITING, _V.BEGIN_STEP): _R.RUNNING,
    (_R.WAITING, _V.LEAVE): _R.LEFT,
    (_R.WAITING, _V.FINISH_OK): _R.OK,
    (_R.WAITING, _V.FINISH_WARN): _R.WARN,
    (_R.WAITING, _V.FINISH_FAILED): _R.FAILED,
    (_R.WAITING, _V.ABORT): _R.ABORTED,
    (_R.RUNNING, _V.END_STEP): _R.WAITING,
    (_R.RUNNING, _V.LOSE): _R.UNKNOWN,
    (_R.LEFT, _V.RESUME): _R.WAITING,
    (_R.LEFT, _V.ABORT): _R.ABORTED,
    (_R.UNKNOWN, _V.RESUME): _R.WAITING,
    (_R.UNKNOWN, _V.ABORT): _R.ABORTED,
}

EVENT_OF_OUTCOME: dict[Outcome, StepEvent] = {
    Outcome.OK: StepEvent.SUCCEED,
    Outcome.WARN: StepEvent.WARN,
    Outcome.FAILED: StepEvent.FAIL,
    Outcome.TIMED_OUT: StepEvent.TIME_OUT,
    Outcome.CANCELLED: StepEvent.CANCEL,
    Outcome.REFUSED: StepEvent.REFUSE,
    Outcome.DECLINED: StepEvent.DECLINE,
    Outcome.UNAPPROVED: StepEvent.DECLINE,
    Outcome.UNKNOWN: StepEvent.LOSE,
    Outcome.DRY_RUN: StepEvent.DECLINE,
}


class Verdict(StrEnum):
    """What an operator says of a manual step (or of one whose end is not known): the state that it then has."""

    DONE = StepState.DONE.value
    NOT_DONE = StepState.NOT_DONE.value
    NOT_APPLICABLE = StepState.NOT_APPLICABLE.value


EVENT_OF_VERDICT: dict[Verdict, StepEvent] = {
    Verdict.DONE: StepEvent.COMPLETE,
    Verdict.NOT_DONE: StepEvent.LEAVE_UNDONE,
    Verdict.NOT_APPLICABLE: StepEvent.EXCLUDE,
}


def next_step_state(state: StepState, event: StepEvent) -> StepState:
    """Where `event` takes a step that is in `state`.

    Raises:
        IllegalTransitionError: nowhere.
    """
    try:
        return STEP_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(f"a step that is {state} cannot {event}") from None


def next_run_state(state: RunState, event: RunEvent) -> RunState:
    """Where `event` takes a run that is in `state`.

    Raises:
        IllegalTransitionError: nowhere.
    """
    try:
        return RUN_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(f"a run that is {state} cannot {event}") from None
