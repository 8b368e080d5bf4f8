"""One step at a time through the door: its attempts, its verification, and what is written down of them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Risk, Runner, Sink
from opsconsole.actions.confirmation import Confirmation
from opsconsole.actions.door import Door, reached
from opsconsole.actions.runners.terminal import Terminal
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.background import Background, BackgroundRunner
from opsconsole.runbooks.execution import DEFAULT_TIMEOUT, action_for, step_command
from opsconsole.runbooks.lock import LockHeldError, StepLocks
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.opening import Opened
from opsconsole.runbooks.parameters import check
from opsconsole.runbooks.progress import Progress
from opsconsole.runbooks.record import OutputFile
from opsconsole.runbooks.resuming import Records, recorded_result
from opsconsole.runbooks.scopes import named_in, param_in, values_in, with_arguments
from opsconsole.runbooks.states import EVENT_OF_OUTCOME, StepEvent, StepState
from opsconsole.runbooks.told import Change, StepReport

_log = logging.getLogger(__name__)
_GOOD = frozenset({Outcome.OK, Outcome.WARN})
_AGAIN = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})
_MARGIN = 30.0
"""Seconds that a verification may take beyond its own time limit, which is the one that counts and says so."""


class Attempts:
    """Runs the steps of one run, and remembers how they went."""

    def __init__(
        self, opened: Opened, progress: Progress, door: Door, tell: Callable[[Change], None], incident: str
    ) -> None:
        self.counts: dict[str, int] = {}
        """Step -> how often it was started."""
        self.results: dict[str, Result] = {}
        """Step -> how it ended last."""
        self._started: dict[str, float] = {}
        self._outputs: dict[str, str] = {}
        self._captured: dict[str, str] = {}
        self._runbook = opened.runbook
        self._params = opened.values
        self._folder = opened.folder
        self._surroundings = opened.surroundings
        self._progress = progress
        self._door = door
        self._tell = tell
        self._incident = incident
        self.background = Background(self._ended_in_background)
        context = door.context
        about = {"run": opened.folder.id, "actor": context.actor, "host": context.host}
        self._locks = StepLocks(about, opened.lock.keys if opened.lock else frozenset(), opened.locks)

    @property
    def values(self) -> Mapping[str, str]:
        """Parameters, and what steps captured."""
        return {**self._params, **self._captured}

    def restore(self, records: Records) -> None:
        """Remember what is recorded of earlier attempts."""
        for record in records:
            name = str(record.get("step") or "")
            if record.get("ev") == "intent":
                self.counts[name] = int(record.get("attempt") or 0)
                with contextlib.suppress(ValueError):
                    self._started[name] = datetime.fromisoformat(str(record.get("t"))).timestamp()
            elif record.get("ev") == "result" and (result := recorded_result(record)):
                self.results[name] = result
                self._outputs[name] = Path(str(record.get("out", ""))).name
                self.keep(dict(result.captured))
            elif record.get("ev") == "choice":
                self.keep({str(one): str(value) for one, value in dict(record.get("captured") or {}).items()})

    def command(self, step: Step) -> str:
        """The exact text that `step` would run now."""
        return step_command(step, self._surroundings, self.values)

    def report(self, step: Step) -> StepReport:
        """How `step` stands."""
        result = self.results.get(step.name)
        return StepReport(
            step=step,
            state=self._progress.states[step.name],
            exit_code=result.exit_code if result else None,
            started_at=self._started.get(step.name),
            duration=result.duration if result else None,
            output_bytes=result.output_bytes if result else 0,
            detail=result.detail if result else "",
            attempts=self.counts.get(step.name, 0),
            output=self._outputs.get(step.name, ""),
        )

    def lock_key(self, step: Step) -> str:
        """The key under which only one live step may be; empty: none."""
        return with_arguments(step.lock, values_in(self._runbook, step.scope, self.values)) if step.lock else ""

    def action(
        self, step: Step, sink: Sink | None = None, attempt: int = 1, terminal: Terminal | None = None
    ) -> Action:
        """The action that `step` is now; what its verification says goes to `sink`."""
        verifying = self._runbook.step(step.verify) if step.verify else None

        async def verify() -> Result:
            assert verifying is not None
            try:
                return await self.run(verifying, Confirmation.none(), sink or _nowhere)
            except LockHeldError as error:
                return Result(Outcome.REFUSED, detail=str(error))

        one = (verifying.timeout or DEFAULT_TIMEOUT) + verifying.retry_delay if verifying else 0.0
        action = action_for(
            step,
            self._runbook,
            self._surroundings,
            self.values,
            run=self._folder.id,
            attempt=attempt,
            incident=self._incident,
            verify=verify if verifying else None,
            verify_timeout=_MARGIN + one * (1 + verifying.retries) if verifying else 60.0,
            terminal=terminal,
        )
        if isinstance(action.runner, BackgroundRunner):
            return action
        return replace(action, runner=_Keeping(action.runner, partial(self._with_captured, step.scope)))

    async def run(self, step: Step, confirmation: Confirmation, sink: Sink, terminal: Terminal | None = None) -> Result:
        """Run `step` until it succeeds or its `retries` are used up. The last attempt's result.

        Raises:
            LockHeldError: another live step has its lock; nothing was started.
            asyncio.CancelledError: the calling task was cancelled; the attempt has been ended and recorded.
        """
        await self.background.end(step.name)  # it begins anew
        release = self._locks.take(self.lock_key(step), step.name)
        try:
            return await self._until_good(step, confirmation, sink, terminal)
        finally:
            self.background.afterwards(step.name, release)

    async def _until_good(
        self, step: Step, confirmation: Confirmation, sink: Sink, terminal: Terminal | None
    ) -> Result:
        repeatable = step.risk is Risk.READ or step.idempotent
        for attempt in range(step.retries + 1):
            result = await self._attempt(step, confirmation, sink, terminal)
            if result.outcome not in _AGAIN or not repeatable or attempt == step.retries:
                break
            await asyncio.sleep(step.retry_delay)
        return result

    async def _attempt(self, step: Step, confirmation: Confirmation, sink: Sink, terminal: Terminal | None) -> Result:
        event = StepEvent.START if self._progress.states[step.name] is StepState.PENDING else StepEvent.RERUN
        number = self.counts.get(step.name, 0) + 1
        action = self.action(step, sink, number, terminal)
        intent = {"attempt": number, "kind": step.kind, "risk": step.risk, "command": action.command}
        try:
            self._append("intent", step=step.name, **intent)
            output = self._folder.open_output(step.name)
        except OSError as error:
            return Result(Outcome.REFUSED, detail=f"no record, no action: {error.strerror or error}")
        self.counts[step.name] = number
        self._started[step.name] = time.time()
        self._outputs[step.name] = output.path.name
        self._tell(Change("step", step.name, self._progress.move(step, event)))
        result = Result(Outcome.CANCELLED, detail="cancelled")
        if isinstance(action.runner, BackgroundRunner):
            runner = action.runner.into(output, sink, partial(self.background.keep, step.name, output=output))
            action = replace(action, runner=runner)
        try:
            result = await self._door.perform(action, confirmation, sink=_both(output, sink))
        except asyncio.CancelledError as error:
            known = reached(error) or result
            duration = time.time() - self._started[step.name]
            result = replace(known, detail=known.detail or result.detail, duration=duration)
            raise
        finally:
            if result.outcome not in _GOOD:
                await self.background.end(step.name)  # one that was started, and whose verification failed
            if step.name not in self.background.names:
                output.close()
            self._conclude(step, number, result, output)
        return result

    def _conclude(self, step: Step, number: int, result: Result, output: OutputFile) -> None:
        self.results[step.name] = result
        state = self._progress.move(step, EVENT_OF_OUTCOME[result.outcome])
        fields = {
            "attempt": number,
            "state": state.value,
            "rc": result.exit_code,
            "detail": result.detail,
            "ms": round(result.duration * 1000),
            "bytes": result.output_bytes or output.ends.size,
            "out": output.path.name,
            "trunc": bool(output.error),
            "captured": dict(result.captured),
        }
        if step.name in self.background.names:
            fields["background"] = True
        try:
            self._append("result", step=step.name, **fields)
        except OSError:
            _log.exception("the end of a step could not be recorded")
        self._tell(Change("step", step.name, state, result.detail))

    def _ended_in_background(self, name: str, result: Result, output: OutputFile) -> None:
        asked = result.outcome is Outcome.CANCELLED
        how = result.detail or (
            f"exit code {result.exit_code}" if result.exit_code is not None else str(result.outcome)
        )
        detail = clean_line(f"{'ended' if asked else 'ended by itself'}: {how}", limit=500)
        fields = {"rc": result.exit_code, "detail": detail, "ms": round(result.duration * 1000)}
        try:
            self._append("background-ended", step=name, **fields, bytes=output.ends.size, out=output.path.name)
        except OSError:
            _log.exception("the end of a step in the background could not be recorded")
        self._tell(Change("background", name, "" if asked else result.outcome.value, detail))

    def _with_captured(self, scope: str, result: Result) -> Result:
        """`result`, failed where what was captured does not suit the parameter of that name."""
        if result.outcome not in _GOOD:
            return result
        for name, value in result.captured:
            param = param_in(self._runbook, scope, name)
            wrong = check(param, value) if param else None
            if wrong:
                return replace(result, outcome=Outcome.FAILED, detail=f"captured {name}: {wrong}", captured=())
        pairs = tuple((named_in(scope, name), value) for name, value in result.captured)
        self.keep(dict(pairs))
        return replace(result, captured=pairs)

    def record_lost_in_background(self, records: Records) -> None:
        """Steps that went on beside the walk have ended with the process that carried it: say so."""
        going: dict[str, None] = {}
        for record in records:
            if record.get("background"):
                going[str(record.get("step"))] = None
            elif record.get("ev") == "background-ended":
                going.pop(str(record.get("step")), None)
        for name in going:
            self._append("background-ended", step=name, detail="ended with the process that carried the run")

    def keep(self, captured: Mapping[str, str]) -> None:
        """Take values over for later steps, by the names they have in the run's values."""
        self._captured.update(captured)

    def _append(self, event: str, **fields: Any) -> None:
        self._folder.append(event, by=self._door.context.actor, **fields)


@dataclass(frozen=True, slots=True)
class _Keeping:
    """Keeps what a step captured as soon as it has run: its verification, which comes next, may want it."""

    inner: Runner
    keep: Callable[[Result], Result]

    async def run(self, sink: Sink) -> Result:
        return self.keep(await self.inner.run(sink))


def _both(output: OutputFile, sink: Sink) -> Sink:
    def take(piece: bytes) -> None:
        output.write(piece)
        sink(piece)

    return take


def _nowhere(piece: bytes) -> None:
    """The sink of what nobody listens to."""
