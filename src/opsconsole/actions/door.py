"""The one door. Whatever changes the outside world is judged, confirmed, recorded, done, verified and recorded here."""

import asyncio
import logging
import os
import time
import traceback
import uuid
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from opsconsole import __version__
from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.confirmation import Confirmation, Demand, Requirement, required, shortfall
from opsconsole.actions.guard import Context, refusal
from opsconsole.actions.masking import StreamMasker
from opsconsole.config.secrets import known_secrets
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text
from opsconsole.core.secret import Secret, mask
from opsconsole.store.entry import Conclusion, Intent
from opsconsole.store.journal import Journal, JournalError

_log = logging.getLogger(__name__)
_SUCCESS = frozenset({Outcome.OK, Outcome.WARN})
_DETAIL_LIMIT = 2000


class Door:
    """Performs actions in one context, with one journal."""

    def __init__(
        self,
        context: Context,
        journal: Journal,
        *,
        secrets: Callable[[], Iterable[Secret]] = known_secrets,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.context = context
        self._journal = journal
        self._secrets = secrets
        self._clock = clock

    def refusal(self, action: Action) -> str | None:
        """Why the guard would refuse `action`, for saying so beforehand; None where it would not."""
        return refusal(action, self.context)

    def required(self, action: Action) -> Requirement:
        """What confirmation `action` takes here."""
        return required(action, self.context.mode)

    async def perform(self, action: Action, confirmation: Confirmation, *, sink: Sink, dry_run: bool = False) -> Result:
        """Do `action`, if it may be done, and say how it ended. Output goes to `sink`, secrets masked.

        A dry run writes the exact command to `sink` and does nothing else: no process, no connection, no record.
        Every other attempt is in the journal afterwards, refused and declined ones too. What could not be recorded
        beforehand is not done, unless it only reads. A failure of any kind is a Result, never an exception.

        Raises:
            asyncio.CancelledError: the calling task was cancelled; what ran has been ended and that is recorded;
                `reached` has what became of it.
        """
        if dry_run:
            return self._rehearse(action, sink)
        attempt = _Attempt(action, cancelled=False)
        result = await self._judge_record_and_run(attempt, confirmation, sink)
        if attempt.cancelled:
            raise asyncio.CancelledError(result)
        return result

    def _rehearse(self, action: Action, sink: Sink) -> Result:
        sink(self._masked(action, action.command).encode("utf-8", "replace") + b"\n")
        if refused := self.refusal(action):
            return Result(Outcome.DRY_RUN, detail=f"would be refused: {refused}")
        requirement = self.required(action)
        asks = {
            Demand.NONE: "would run without asking",
            Demand.YES: "would ask for a yes",
            Demand.TYPED: f"would ask for {self._masked(action, requirement.text)} to be typed",
        }
        approval = f", and want {action.approval.in_words()}" if action.approval is not None else ""
        return Result(Outcome.DRY_RUN, detail=asks[requirement.demand] + approval)

    async def _judge_record_and_run(self, attempt: "_Attempt", confirmation: Confirmation, sink: Sink) -> Result:
        action = attempt.action
        stopped = self._stopped(action, confirmation)
        unrecorded = await _recorded(attempt, partial(self._journal.begin, self._intent(attempt, confirmation)))
        if stopped is not None:
            result = stopped
        elif attempt.cancelled:
            result = Result(Outcome.CANCELLED, detail="cancelled before it began")
        elif unrecorded and action.risk is not Risk.READ:
            return Result(Outcome.REFUSED, detail=f"no record, no action: {unrecorded}")
        else:
            result = await self._run_and_verify(attempt, sink)
        result = replace(result, detail=self._masked(action, clean_line(result.detail, limit=_DETAIL_LIMIT)))
        if not unrecorded:
            unrecorded = await _recorded(attempt, partial(self._journal.conclude, self._conclusion(attempt, result)))
        if unrecorded:
            result = replace(result, detail=_joined(result.detail, f"not recorded: {unrecorded}"))
        return result

    def _stopped(self, action: Action, confirmation: Confirmation) -> Result | None:
        if refused := self.refusal(action):
            return Result(Outcome.REFUSED, detail=refused)
        try:
            requirement = self.required(action)
        except ValueError as error:
            return Result(Outcome.REFUSED, detail=str(error))
        if missing := shortfall(requirement, confirmation):
            return Result(Outcome.DECLINED, detail=missing)
        if action.approval is not None and (wanting := action.approval.missing()):
            return Result(Outcome.UNAPPROVED, detail=wanting)
        return None

    async def _run_and_verify(self, attempt: "_Attempt", sink: Sink) -> Result:
        action = attempt.action
        output = _Output(sink, (*self._secrets(), *action.secrets))
        started = time.monotonic()
        result = await _carried_out(attempt, action.runner.run(output.take), action.timeout)
        output.end()
        if action.verify is not None and result.outcome in _SUCCESS:
            result = await self._verified(attempt, result)
            output.end()
        output_bytes = result.output_bytes or output.taken
        return replace(result, output_bytes=output_bytes, duration=time.monotonic() - started)

    async def _verified(self, attempt: "_Attempt", result: Result) -> Result:
        assert attempt.action.verify is not None
        verify = attempt.action.verify
        found = await _carried_out(attempt, _called(verify), attempt.action.verify_timeout)
        if found.outcome in _SUCCESS:
            # The worse of the two counts: a warning stays a warning.
            outcome = result.outcome if found.outcome is Outcome.OK else found.outcome
            return replace(result, outcome=outcome, detail=_joined(result.detail, found.detail))
        if found.outcome is Outcome.CANCELLED:
            detail = _joined(result.detail, "it ran; its verification was cancelled")
            return replace(result, outcome=Outcome.CANCELLED, detail=detail)
        why = found.detail or found.outcome
        if found.to_come:
            detail = _joined(result.detail, f"done, and its effect is still to come: {why}")
            return replace(result, outcome=Outcome.TIMED_OUT, detail=detail)
        return replace(result, outcome=Outcome.FAILED, detail=f"it ran, but the effect could not be verified: {why}")

    def _intent(self, attempt: "_Attempt", confirmation: Confirmation) -> Intent:
        action, context = attempt.action, self.context
        details = {
            "approved_by": ", ".join(action.approval.granted_by()) if action.approval is not None else "",
            "confirmed": "no" if confirmation.declined else confirmation.given.name.lower(),
            "login": context.login,
            "mode": context.mode.value,
            "pid": os.getpid(),
            "read_only": context.read_only,
            "role": context.role.value,
            "ssh_connection": context.ssh_connection,
            "timeout": action.timeout,
            "undo": self._masked(action, action.undo),
            "version": __version__,
            **{name: self._masked(action, value) for name, value in action.details},
        }
        return Intent(
            attempt=attempt.id,
            at=self._clock(),
            actor=context.actor,
            host=context.host,
            environment=context.environment,
            action=action.id,
            title=self._masked(action, action.title),
            target=self._masked(action, action.target),
            risk=action.risk.value,
            command=self._masked(action, action.command),
            run=action.run,
            incident=action.incident,
            details={name: value for name, value in details.items() if value not in ("", False)},
        )

    def _conclusion(self, attempt: "_Attempt", result: Result) -> Conclusion:
        return Conclusion(
            attempt=attempt.id,
            at=self._clock(),
            outcome=result.outcome.value,
            exit_code=result.exit_code,
            detail=result.detail,
            duration=round(result.duration, 3),
        )

    def _masked(self, action: Action, text: str) -> str:
        return mask(text, (*self._secrets(), *action.secrets))


def reached(error: asyncio.CancelledError) -> Result | None:
    """What became of the action whose asker was cancelled, as the journal has it; None where no action was under way.

    It is an argument, and the error no class of its own: `asyncio.timeout` would not know that for its own.
    """
    return next((one for one in error.args if isinstance(one, Result)), None)


@dataclass(slots=True)
class _Attempt:
    """One pass through the door."""

    action: Action
    cancelled: bool
    """The calling task was cancelled; it learns so when everything is ended and recorded."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class _Output:
    """Counts and masks what a runner says. A listener that fails is left out; the action goes on."""

    def __init__(self, sink: Sink, secrets: Iterable[Secret]) -> None:
        self.taken = 0
        self._sink: Sink | None = sink
        self._masker = StreamMasker(secrets)

    def take(self, piece: bytes) -> None:
        self.taken += len(piece)
        self._pass_on(self._masker.feed(piece))

    def end(self) -> None:
        self._pass_on(self._masker.flush())

    def _pass_on(self, piece: bytes) -> None:
        if not piece or self._sink is None:
            return
        try:
            self._sink(piece)
        except Exception:
            _log.exception("output is no longer shown: its listener failed")
            self._sink = None


async def _recorded(attempt: _Attempt, write: Callable[[], None]) -> str:
    """Write off the event loop, and to the end even if this task is cancelled. Why it failed, or nothing."""
    task = asyncio.ensure_future(asyncio.to_thread(write))
    await _outlast(attempt, task)
    error = task.exception()
    if error is None:
        return ""
    if not isinstance(error, JournalError):
        _log.error("the journal failed unexpectedly: %s", _where(error))
    return clean_line(error)


async def _called(verify: Callable[[], Any]) -> Result:
    result: Result = await verify()
    return result


async def _carried_out(attempt: _Attempt, work: Coroutine[Any, Any, Result], timeout: float) -> Result:
    """The result of `work`, which is ended when its time is over or the attempt is cancelled."""
    task = asyncio.ensure_future(work)
    timed_out = False
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout)
        timed_out = not done
    except asyncio.CancelledError:
        attempt.cancelled = True
    if not task.done():
        task.cancel()
        await _outlast(attempt, task, pass_on=True)
    return _ended(task, f"it did not end within {duration_text(timeout)}" if timed_out else "")


async def _outlast(attempt: _Attempt, task: "asyncio.Future[Any]", *, pass_on: bool = False) -> None:
    """Wait for the end of `task`, whoever cancels this one meanwhile."""
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            attempt.cancelled = True
            if pass_on:
                task.cancel()


def _ended(task: "asyncio.Future[Result]", timed_out: str) -> Result:
    if task.cancelled():
        result = Result(Outcome.CANCELLED)
    elif (error := task.exception()) is not None:
        _log.error("a runner failed unexpectedly: %s", _where(error))
        return Result(Outcome.FAILED, detail=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    else:
        result = task.result()
    if timed_out and result.outcome is Outcome.CANCELLED:
        return replace(result, outcome=Outcome.TIMED_OUT, detail=_joined(timed_out, result.detail))
    return result


def _where(error: BaseException) -> str:
    """Type and place of an error. Not its message, and no values: they may hold a secret."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
