"""A run: one runbook, walked by one operator or by none, from the first step to the report.

The driver knows no screen and no terminal. Its fronts (the console, `opsconsole runbook run`) call it and listen to
what it tells; everything it does goes through the one door, and everything that happens is in the journal of the
run's folder before anybody hears of it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from opsconsole import __version__
from opsconsole.actions.action import Action, Outcome, Result, Risk, Runner, Sink
from opsconsole.actions.confirmation import Confirmation, Requirement, shortfall
from opsconsole.actions.door import Door
from opsconsole.config.secrets import known_secrets
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError
from opsconsole.core.secret import Secret, mask
from opsconsole.runbooks.execution import DEFAULT_TIMEOUT, Surroundings, action_for, step_command
from opsconsole.runbooks.library import UnreadableError, read_content
from opsconsole.runbooks.lint import errors, lint
from opsconsole.runbooks.lock import RunLock, lock_key
from opsconsole.runbooks.model import Kind, Runbook, Step
from opsconsole.runbooks.parameters import check, fill
from opsconsole.runbooks.progress import Passed, Progress
from opsconsole.runbooks.provenance import provenance_of
from opsconsole.runbooks.record import Header, OutputFile, RunFolder, timestamp
from opsconsole.runbooks.report import render_report
from opsconsole.runbooks.states import (
    EVENT_OF_OUTCOME,
    IllegalTransitionError,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
)

_log = logging.getLogger(__name__)
_AGAIN = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})


class Verdict(StrEnum):
    """What an operator says of a manual step (or of one whose end is not known)."""

    DONE = "done"
    NOT_DONE = "not-done"
    NOT_APPLICABLE = "not-applicable"


_EVENT_OF_VERDICT = {
    Verdict.DONE: StepEvent.COMPLETE,
    Verdict.NOT_DONE: StepEvent.LEAVE_UNDONE,
    Verdict.NOT_APPLICABLE: StepEvent.EXCLUDE,
}


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


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened in a run, told after it was recorded."""

    kind: Literal["step", "run", "note", "file-changed"]
    step: str = ""
    state: str = ""
    """The new state of the step or of the run."""
    detail: str = ""


class Run:
    """One run, being carried by this process."""

    def __init__(
        self,
        runbook: Runbook,
        values: Mapping[str, str],
        *,
        door: Door,
        surroundings: Surroundings,
        folder: RunFolder,
        mode: Literal["guided", "auto"],
        incident: str = "",
        lock: RunLock | None = None,
    ) -> None:
        """For `create`; use that."""
        self.runbook = runbook
        self.door = door
        self.folder = folder
        self.mode = mode
        self.incident = incident
        self.params: Mapping[str, str] = MappingProxyType(dict(values))
        self.attempts: dict[str, int] = {}
        """Step -> how often it was started."""
        self.started: dict[str, float] = {}
        """Step -> unix seconds at which it was started last."""
        self.results: dict[str, Result] = {}
        """Step -> how it ended last."""
        self.outputs: dict[str, OutputFile] = {}
        """Step -> its latest output."""
        self.file_changed = False
        """The file on disk is not what was opened any more; what is executed is what was opened."""
        self._captured: dict[str, str] = {}
        self._surroundings = surroundings
        self._lock = lock
        self._progress = Progress(runbook)
        self._listeners: list[Callable[[Change], None]] = []
        self._record_passed(self._progress.advance(self.values))

    @classmethod
    def create(
        cls,
        runbook: Runbook,
        values: Mapping[str, str],
        *,
        door: Door,
        environment: Environment,
        secrets: Mapping[str, Secret] | None = None,
        mode: Literal["guided", "auto"] = "guided",
        incident: str = "",
        root: Path | None = None,
        locks: Path | None = None,
    ) -> "Run":
        """Begin a run. What will be executed is its content as it was parsed, whatever becomes of the file.

        Asks Git and resolves secrets, which can take some seconds.

        Args:
            runbook: as the library gave it.
            values: parameter -> value; what is left out gets its default.
            door: through which every step goes; its context says who acts.
            environment: where.
            secrets: the runbook's secrets by name.
            mode: `guided` with an operator, `auto` without.
            incident: the incident this belongs to.
            root: the folder for run folders; None: the state folder's.
            locks: the folder for locks; None: the state folder's.

        Raises:
            ContentError: the runbook has errors.
            ValueError: a parameter or a secret is missing or wrong; the message names all of them.
            LockHeldError: another run has the runbook's lock.
            SecretError: the configuration's `env:` refers to what is not there.
            OSError: the run's folder cannot be written.
        """
        secrets = secrets or {}
        found = errors(lint(runbook))
        if found and runbook.executable_steps:
            raise ContentError(found)
        filled = fill(runbook.params, values)
        lacking = [f"{name}: the secret is not set" for name in _wanted_secrets(runbook) if name not in secrets]
        if filled.complaints or lacking:
            raise ValueError("; ".join([*map(str, filled.complaints), *lacking]))
        runbook = replace(runbook, provenance=provenance_of(Path(runbook.path), runbook.source))
        surroundings = Surroundings.of(environment, runbook, secrets)
        header = _header(runbook, filled.values, door, mode, incident, (*secrets.values(), *known_secrets()))
        folder = RunFolder.create(header, runbook.source, root=root)
        try:
            lock = _locked(runbook, filled.values, folder, header, locks)
            folder.append("begin", by=header.actor, mode=mode)
        except BaseException:
            folder.discard()
            raise
        return cls(
            runbook,
            filled.values,
            door=door,
            surroundings=surroundings,
            folder=folder,
            mode=mode,
            incident=incident,
            lock=lock,
        )

    # -- what there is to see -----------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The run's id, which is its folder's name."""
        return self.folder.id

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return self._progress.state

    @property
    def states(self) -> Mapping[str, StepState]:
        """Where each step stands."""
        return MappingProxyType(self._progress.states)

    @property
    def current(self) -> Step | None:
        """The step that is next; None when the walk is at its end and the run waits to be finished."""
        return self._progress.current

    @property
    def values(self) -> Mapping[str, str]:
        """Parameters, and what steps captured."""
        return {**self.params, **self._captured}

    @property
    def actor(self) -> str:
        """Who acts."""
        return self.door.context.actor

    def command(self, step: Step) -> str:
        """The exact text that `step` would run now."""
        return step_command(step, self._surroundings, self.values)

    def requirement(self, step: Step) -> Requirement:
        """What confirmation `step` takes."""
        return self.door.required(self._action(step))

    def refusal(self, step: Step) -> str | None:
        """Why the guard would refuse `step`; None where it would not."""
        return self.door.refusal(self._action(step))

    def reports(self) -> list[StepReport]:
        """How each step of the walk stands, and any other that was run, in the order of the runbook."""
        route = self.runbook.route
        return [self._report(step) for step in self.runbook.steps if step in route or self.attempts.get(step.name)]

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Have `listener` told of every change. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # -- what can be done ---------------------------------------------------------------------------------------

    async def execute(self, step: Step, confirmation: Confirmation, sink: Sink, *, again: bool = False) -> Result:
        """Run `step` through the door, its retries and its verification included. Output goes to `sink`.

        Args:
            step: usually `current`.
            confirmation: what the operator said; where it is not enough, nothing is started and nothing changes.
            sink: gets the output, secrets masked.
            again: the operator wants it although it was run before.

        Raises:
            IllegalTransitionError: a manual step, one that was run before without `again`, a run that is over.
            asyncio.CancelledError: the calling task was cancelled; the step has been ended and that is recorded.
        """
        if step.kind is Kind.MANUAL:
            raise IllegalTransitionError(f"{step.name} is for the operator to do")
        state = self.states[step.name]
        if state is not StepState.PENDING and not again:
            raise IllegalTransitionError(f"{step.name} is {state}; running it again has to be asked for")
        self._notice_change()
        action = self._action(step)
        missing = shortfall(self.door.required(action), confirmation)
        if missing and not self.door.refusal(action):
            self._append("declined", step=step.name, reason=missing)
            return await self.door.perform(action, confirmation, sink=sink)
        self._turn(RunEvent.BEGIN_STEP)
        try:
            return await self._attempt_all(step, confirmation, sink)
        finally:
            self._turn(RunEvent.END_STEP)
            self._go_on(step)

    async def retry(self, step: Step, confirmation: Confirmation, sink: Sink) -> Result:
        """`execute` once more, whatever came of it before."""
        return await self.execute(step, confirmation, sink, again=True)

    def skip(self, step: Step, reason: str) -> None:
        """Go on without `step`. It is not executed, and the record says who left it out and why.

        Raises:
            IllegalTransitionError: it was done already, or is running.
            ValueError: no reason is given.
        """
        reason = reason.strip()
        if not reason:
            raise ValueError("a reason is needed to skip a step")
        self._settle(step, StepEvent.SKIP, "skip", reason)

    def exclude(self, step: Step, reason: str) -> None:
        """Say that `step` is no part of this run.

        Raises:
            IllegalTransitionError: it was run.
        """
        self._settle(step, StepEvent.EXCLUDE, "exclude", reason)

    def complete_manual(self, step: Step, verdict: Verdict, note: str = "") -> None:
        """Record what the operator says of a manual step, or of one whose end is not known.

        Raises:
            IllegalTransitionError: a step that the console runs itself.
        """
        if step.kind is not Kind.MANUAL and self.states[step.name] is not StepState.UNKNOWN:
            raise IllegalTransitionError(f"{step.name} is run by the console; skip it, or run it")
        if self.states[step.name] != _STATE_OF_VERDICT[verdict]:
            self._settle(step, _EVENT_OF_VERDICT[verdict], "manual", note.strip(), verdict=verdict.value)

    def jump(self, step: Step) -> None:
        """Go on at `step`, forward or back; steps left out stay pending.

        Raises:
            IllegalTransitionError: a step is running, or the run is over.
        """
        self._progress.jump(step)
        self._append("jump", step="", to=step.name)
        self._tell(Change("run", step.name, self.state))

    def note(self, text: str) -> None:
        """Write `text` to the record."""
        if text := text.strip():
            current = self.current
            self._append("note", at=current.name if current else "", text=clean_line(text, limit=4000))
            self._tell(Change("note", detail=text))

    def leave(self) -> None:
        """Stop here; the run is not over, and everything that happened is kept.

        Raises:
            IllegalTransitionError: a step is running, or the run is over.
        """
        self._turn(RunEvent.LEAVE, record="leave")
        self.close()

    def abort(self, reason: str = "") -> None:
        """End the run here.

        Raises:
            IllegalTransitionError: a step is running (cancel it first), or the run is over.
        """
        self._end(RunEvent.ABORT, clean_line(reason.strip(), limit=500))

    def finish(self) -> RunState:
        """End the run; how it ended follows from its steps. Returns that.

        Raises:
            IllegalTransitionError: a step is running, or the run is over.
        """
        self._end(self._progress.ending(), "")
        return self.state

    def close(self) -> None:
        """Let go of the lock and the journal. A run that is not over stays as it is."""
        if self._lock is not None:
            self._lock.release()
        self.folder.close()

    # -- inside -------------------------------------------------------------------------------------------------

    async def _attempt_all(self, step: Step, confirmation: Confirmation, sink: Sink) -> Result:
        repeatable = step.risk is Risk.READ or step.idempotent
        for attempt in range(step.retries + 1):
            result = await self._attempt(step, confirmation, sink)
            if result.outcome not in _AGAIN or not repeatable or attempt == step.retries:
                break
            await asyncio.sleep(step.retry_delay)
        return result

    async def _attempt(self, step: Step, confirmation: Confirmation, sink: Sink) -> Result:
        event = StepEvent.START if self.states[step.name] is StepState.PENDING else StepEvent.RERUN
        number = self.attempts.get(step.name, 0) + 1
        action = self._action(step, sink, number)
        try:
            self._append(
                "intent", step=step.name, attempt=number, kind=step.kind, risk=step.risk, command=action.command
            )
            output = self.folder.open_output(step.name)
        except OSError as error:
            return Result(Outcome.REFUSED, detail=f"no record, no action: {error.strerror or error}")
        self.attempts[step.name] = number
        self.started[step.name] = time.time()
        self.outputs[step.name] = output
        self._move(step, event)
        result = Result(Outcome.CANCELLED, detail="cancelled")
        try:
            result = await self.door.perform(action, confirmation, sink=_both(output, sink))
        finally:
            output.close()
            self._record_result(step, number, result, output)
        return result

    def _record_result(self, step: Step, number: int, result: Result, output: OutputFile) -> None:
        self.results[step.name] = result
        event = EVENT_OF_OUTCOME[result.outcome]
        state = self._progress.move(step, event)
        fields: dict[str, Any] = {
            "step": step.name,
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
        try:
            self._append("result", **fields)
        except OSError:
            _log.exception("the end of a step could not be recorded")
        self._tell(Change("step", step.name, state, result.detail))

    def _with_captured(self, result: Result) -> Result:
        """`result`, failed where what was captured does not suit the parameter of that name."""
        if result.outcome not in (Outcome.OK, Outcome.WARN):
            return result
        for name, value in result.captured:
            param = self.runbook.param(name)
            wrong = check(param, value) if param else None
            if wrong:
                return replace(result, outcome=Outcome.FAILED, detail=f"captured {name}: {wrong}", captured=())
        self._captured.update(result.captured)
        return result

    def _action(self, step: Step, sink: Sink | None = None, attempt: int = 1) -> Action:
        verifying = self.runbook.step(step.verify) if step.verify else None

        async def verify() -> Result:
            assert verifying is not None
            return await self._attempt_all(verifying, Confirmation.none(), sink or _nowhere)

        one = (verifying.timeout or DEFAULT_TIMEOUT) + verifying.retry_delay if verifying else 0.0
        action = action_for(
            step,
            self.runbook,
            self._surroundings,
            self.values,
            run=self.id,
            attempt=attempt,
            incident=self.incident,
            verify=verify if verifying else None,
            # more than it can take: the verification's own timeout is the one that counts, and says so
            verify_timeout=30.0 + one * (1 + verifying.retries) if verifying else 60.0,
        )
        return replace(action, runner=_Keeping(action.runner, self._with_captured))

    def _notice_change(self) -> None:
        if self.file_changed:
            return
        try:
            same = read_content(Path(self.runbook.path)) == self.runbook.source
            what = "the file was changed since it was opened; what runs is what was opened"
        except UnreadableError:
            same, what = False, "the file is gone; what runs is what was opened"
        if not same:
            self.file_changed = True
            self._append("file-changed", detail=what)
            self._tell(Change("file-changed", detail=what))

    def _settle(self, step: Step, event: StepEvent, record: str, reason: str, **fields: str) -> None:
        if self.state is not RunState.WAITING:
            raise IllegalTransitionError(f"a run that is {self.state} takes no decisions")
        state = self._progress.move(step, event)
        reason = clean_line(reason, limit=1000)
        self._append(record, step=step.name, state=state.value, reason=reason, **fields)
        self._tell(Change("step", step.name, state, reason))
        self._go_on(step)

    def _go_on(self, step: Step) -> None:
        """After `step` was settled: the walk moves on, if it is at this step or at one that was done meanwhile."""
        if self.state is RunState.WAITING:
            self._record_passed(self._progress.advance(self.values))

    def _record_passed(self, passed: list[Passed]) -> None:
        for one in passed:
            self._append("exclude", step=one.step.name, state=StepState.NOT_APPLICABLE.value, reason=one.reason)
            self._tell(Change("step", one.step.name, StepState.NOT_APPLICABLE, one.reason))

    def _move(self, step: Step, event: StepEvent) -> None:
        state = self._progress.move(step, event)
        self._tell(Change("step", step.name, state))

    def _turn(self, event: RunEvent, *, record: str = "", **fields: str) -> None:
        state = self._progress.turn(event)
        if record:
            self._append(record, state=state.value, **fields)
        self._tell(Change("run", state=state, detail=fields.get("reason", "")))

    def _end(self, event: RunEvent, reason: str) -> None:
        self._turn(event, record="end", reason=reason)
        try:
            self.folder.write_report(render_report(self.folder.path))
        except OSError:
            _log.exception("the report could not be written")
        self.close()

    def _report(self, step: Step) -> StepReport:
        result = self.results.get(step.name)
        return StepReport(
            step=step,
            state=self.states[step.name],
            exit_code=result.exit_code if result else None,
            started_at=self.started.get(step.name),
            duration=result.duration if result else None,
            output_bytes=result.output_bytes if result else 0,
            detail=result.detail if result else "",
            attempts=self.attempts.get(step.name, 0),
        )

    def _append(self, event: str, **fields: Any) -> None:
        self.folder.append(event, by=self.actor, **fields)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                _log.exception("a listener of a run failed")


_STATE_OF_VERDICT = {
    Verdict.DONE: StepState.DONE,
    Verdict.NOT_DONE: StepState.NOT_DONE,
    Verdict.NOT_APPLICABLE: StepState.NOT_APPLICABLE,
}


@dataclass(frozen=True, slots=True)
class _Keeping:
    """Keeps what a step captured as soon as it has run: its verification, which comes next, may want it."""

    inner: Runner
    keep: Callable[[Result], Result]

    async def run(self, sink: Sink) -> Result:
        return self.keep(await self.inner.run(sink))


def _wanted_secrets(runbook: Runbook) -> list[str]:
    """The secrets that some step sees."""
    listed = {name for step in runbook.steps for name in step.env or ()}
    return [name for name in runbook.secrets if name in listed]


def _header(
    runbook: Runbook,
    values: Mapping[str, str],
    door: Door,
    mode: str,
    incident: str,
    secrets: tuple[Secret, ...],
) -> Header:
    context = door.context
    return Header(
        runbook=runbook.id,
        title=runbook.title,
        path=runbook.path,
        sha256=runbook.provenance.sha256,
        commit=runbook.provenance.commit,
        dirty=runbook.provenance.dirty,
        params={name: mask(value, secrets) for name, value in values.items()},
        actor=context.actor,
        login=context.login,
        ssh_connection=context.ssh_connection,
        host=context.host,
        environment=context.environment,
        mode=mode,
        version=__version__,
        incident=incident,
    )


def _locked(
    runbook: Runbook, values: Mapping[str, str], folder: RunFolder, header: Header, root: Path | None
) -> RunLock | None:
    if not runbook.lock:
        return None
    started = timestamp(folder.path.stat().st_mtime)
    about = {"run": folder.id, "actor": header.actor, "host": header.host, "since": started}
    return RunLock.acquire(lock_key(runbook.lock, values), about, root=root)


def _both(output: OutputFile, sink: Sink) -> Sink:
    def take(piece: bytes) -> None:
        output.write(piece)
        sink(piece)

    return take


def _nowhere(piece: bytes) -> None:
    """The sink of what nobody listens to."""
