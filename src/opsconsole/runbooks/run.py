"""A run: one runbook, walked by one operator or by none, from the first step to the report.

The driver knows no screen and no terminal. Its fronts (the console, `opsconsole runbook run`) call it and listen to
what it tells; everything it does goes through the one door, and everything that happens is in the journal of the
run's folder before anybody hears of it.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Sink
from opsconsole.actions.confirmation import Confirmation, Requirement
from opsconsole.actions.door import Door
from opsconsole.actions.runners.terminal import Terminal
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.secret import Secret
from opsconsole.runbooks.admission import Admission
from opsconsole.runbooks.attempts import Attempts
from opsconsole.runbooks.library import UnreadableError, read_content
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.model import Kind, Runbook, Step
from opsconsole.runbooks.opening import Mode, Opened, open_run
from opsconsole.runbooks.preparing import NO_TERMINAL
from opsconsole.runbooks.progress import Passed, Progress
from opsconsole.runbooks.record import process_start
from opsconsole.runbooks.report import render_report
from opsconsole.runbooks.report_json import report_document
from opsconsole.runbooks.resuming import Records, read_header, reopen_run, restore, stands_where_it_jumped
from opsconsole.runbooks.scopes import named_in
from opsconsole.runbooks.states import (
    EVENT_OF_VERDICT,
    IllegalTransitionError,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    Verdict,
)
from opsconsole.runbooks.together import all_ended
from opsconsole.runbooks.told import Change, StepReport
from opsconsole.runbooks.undoing import undo_plan

_log = logging.getLogger(__name__)


class Run:
    """One run, being carried by this process."""

    def __init__(self, opened: Opened, *, door: Door, mode: Mode, incident: str = "", records: Records = ()) -> None:
        """For `create` and `resume`; use those."""
        self.runbook = opened.runbook
        self.door = door
        self.folder = opened.folder
        self.mode: Mode = mode
        self.params: Mapping[str, str] = MappingProxyType(dict(opened.values))
        self.file_changed = False
        """The file on disk is not what was opened any more; what is executed is what was opened."""
        self._lock = opened.lock
        self._progress = Progress(opened.runbook)
        self._listeners: list[Callable[[Change], None]] = []
        self._admission = Admission(door, self._append)
        self._attempts = Attempts(opened, self._progress, door, self._tell, incident)
        if records:
            self._take_up(records)
        else:
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
        mode: Mode = "guided",
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
        opened = open_run(
            runbook,
            values,
            context=door.context,
            environment=environment,
            secrets=secrets or {},
            mode=mode,
            incident=incident,
            root=root,
            locks=locks,
        )
        return cls(opened, door=door, mode=mode, incident=incident)

    @classmethod
    def resume(
        cls,
        path: Path,
        *,
        door: Door,
        environment: Environment,
        secrets: Mapping[str, Secret] | None = None,
        mode: Mode = "guided",
        locks: Path | None = None,
    ) -> "Run":
        """Take up the run in the folder `path` where its record leaves it, with the runbook as it was opened.

        What is recorded as done is done. A step that was started and whose end was not recorded is `unknown`: it is
        the operator's to say what comes of it.

        Raises:
            CannotResumeError: it is over, was damaged, or belongs elsewhere.
            RunCarriedError: another process carries it.
            LockHeldError, SecretError, OSError: as `create`.
        """
        opened, records = reopen_run(
            path, context=door.context, environment=environment, secrets=secrets or {}, locks=locks
        )
        incident = str(read_header(path).get("incident", ""))
        return cls(opened, door=door, mode=mode, incident=incident, records=records)

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
        return self._attempts.values

    @property
    def actor(self) -> str:
        """Who acts."""
        return self.door.context.actor

    def command(self, step: Step) -> str:
        """The exact text that `step` would run now."""
        return self._attempts.command(step)

    def requirement(self, step: Step) -> Requirement:
        """What confirmation `step` takes."""
        return self.door.required(self._action(step))

    def refusal(self, step: Step) -> str | None:
        """Why the guard would refuse `step`; None where it would not."""
        return self.door.refusal(self._action(step))

    def report(self, step: Step) -> StepReport:
        """How `step` stands."""
        return self._attempts.report(step)

    def reports(self) -> list[StepReport]:
        """How each step of the walk stands, and any other that was run, in the order of the runbook."""
        route = self.runbook.route
        return [
            self._attempts.report(step)
            for step in self.runbook.steps
            if step in route or self._attempts.counts.get(step.name)
        ]

    @property
    def results(self) -> Mapping[str, Result]:
        """Step -> how it ended last."""
        return MappingProxyType(self._attempts.results)

    async def rehearse(self, step: Step, sink: Sink) -> Result:
        """Write to `sink` what `step` would run; the result says what would be asked. Nothing is run or recorded."""
        return await self.door.perform(self._action(step), Confirmation.none(), sink=sink, dry_run=True)

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Have `listener` told of every change. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # -- what can be done ---------------------------------------------------------------------------------------

    async def execute(
        self,
        step: Step,
        confirmation: Confirmation,
        sink: Sink,
        *,
        again: bool = False,
        terminal: Terminal | None = None,
    ) -> Result:
        """Run `step` through the door, its retries and its verification included. Output goes to `sink`.

        Args:
            step: usually `current`.
            confirmation: what the operator said; where it is not enough, nothing is started and nothing changes.
            sink: gets the output, secrets masked.
            again: the operator wants it although it was run before.
            terminal: for an interactive step, to talk to its operator through.

        Raises:
            IllegalTransitionError: a manual step, one that was run before without `again`, a run that is over.
            asyncio.CancelledError: the calling task was cancelled; the step has been ended and that is recorded.
        """
        if not step.executable:
            raise IllegalTransitionError(f"{step.name} is for the operator to do")
        state = self.states[step.name]
        if state is not StepState.PENDING and not again:
            raise IllegalTransitionError(f"{step.name} is {state}; running it again has to be asked for")
        if step.interactive and terminal is None:
            raise IllegalTransitionError(f"{step.name}: {NO_TERMINAL}; run it guided, or skip it")
        self._notice_change()
        action = self._action(step)
        if (turned := await self._admission.turned_away(step, action, confirmation, sink)) is not None:
            return turned
        self._admission.begin()
        self._turn(RunEvent.BEGIN_STEP)
        try:
            return await self._carried(step, action, confirmation, sink, terminal)
        finally:
            self._turn(RunEvent.END_STEP)
            self._go_on(step)

    async def execute_together(self, confirmations: Mapping[str, Confirmation], sink: Sink, at_once: int) -> None:
        """Run several steps through the door, some beside each other; each is recorded, verified and ends by itself.

        Args:
            confirmations: step -> what the operator said of it; those that were run before are left out. They begin in
                the order of the runbook.
            sink: gets the output of all, as it comes.
            at_once: how many run beside each other.

        Raises:
            IllegalTransitionError: the run is over, or a step is running.
            asyncio.CancelledError: the calling task was cancelled; what ran has been ended and that is recorded, what
                had not begun is still pending.
        """
        steps = [step for step in self.runbook.route if step.name in confirmations and step.executable]
        left = iter([step for step in steps if self.states[step.name] is StepState.PENDING])

        async def work() -> None:
            for step in left:
                action, said = self._action(step), confirmations[step.name]
                if await self._admission.turned_away(step, action, said, sink) is None:
                    await self._carried(step, action, said, sink, None)

        self._notice_change()
        self._admission.begin()
        self._turn(RunEvent.BEGIN_STEP)
        try:
            await all_ended([asyncio.ensure_future(work()) for _ in range(at_once)])
        finally:
            self._turn(RunEvent.END_STEP)
            self._record_passed(self._progress.advance(self.values))

    async def _carried(
        self, step: Step, action: Action, confirmation: Confirmation, sink: Sink, terminal: Terminal | None
    ) -> Result:
        try:
            return await self._attempts.run(step, confirmation, sink, terminal)
        except LockHeldError as error:
            return await self._admission.lock_out(step, action, confirmation, sink, error)

    @property
    def unapproved(self) -> str:
        """The step that was to run and lacks other people's approval."""
        return self._admission.unapproved

    @property
    def locked_out(self) -> str:
        """The step that was to run and whose lock another live step has."""
        return self._admission.locked_out

    @property
    def in_background(self) -> list[str]:
        """The steps that go on beside the walk."""
        return self._attempts.background.names

    async def end_background(self) -> None:
        """End the steps that go on beside the walk, the latest first; before the run is ended or left.

        Raises:
            asyncio.CancelledError: once all of them have ended.
        """
        await self._attempts.background.end(*reversed(self.in_background))

    def choose(self, step: Step, option: str) -> None:
        """Record which option of a choice was taken; later steps see it under the name that the step sets.

        Raises:
            IllegalTransitionError: no choice, or one that was made already.
            ValueError: none of its options.
        """
        if step.kind is not Kind.CHOICE:
            raise IllegalTransitionError(f"{step.name} is no choice")
        if option not in step.options:
            raise ValueError(f"{option!r} is none of {', '.join(step.options)}")
        captured = {named_in(step.scope, step.sets): option}
        before = dict(self.values)
        self._attempts.keep(captured)
        try:
            self._settle(step, StepEvent.COMPLETE, "choice", option, captured=captured)
        except IllegalTransitionError:
            self._attempts.keep({name: before.get(name, "") for name in captured})
            raise

    def rollback_plan(self) -> list[Step]:
        """The undo steps of what was tried, the latest first; without those that ran since."""
        return undo_plan(self.runbook, self._attempts.report)

    def begin_rollback(self) -> list[Step]:
        """Record that everything is to be undone. The steps that do it, to be executed in this order until one fails.

        Raises:
            IllegalTransitionError: the run is over, or a step is running.
        """
        if self.state is not RunState.WAITING:
            raise IllegalTransitionError(f"a run that is {self.state} is not rolled back")
        plan = self.rollback_plan()
        self._append("rollback", step="", plan=[step.name for step in plan])
        return plan

    async def rollback(self, confirm: Callable[[Step], Awaitable[Confirmation]], sink: Sink) -> bool:
        """Run the undo steps of what was tried, the latest first, until one fails. Whether all of them worked.

        Args:
            confirm: says for each what the operator says.
            sink: gets the output.

        Raises:
            IllegalTransitionError: the run is over, or a step is running.
            asyncio.CancelledError: the calling task was cancelled; the step has been ended and that is recorded.
        """
        for step in self.begin_rollback():
            again = self.states[step.name] is not StepState.PENDING
            result = await self.execute(step, await confirm(step), sink, again=again)
            if result.outcome not in (Outcome.OK, Outcome.WARN):
                return False
        return True

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
        if self.states[step.name] != StepState(verdict):
            self._settle(step, EVENT_OF_VERDICT[verdict], "manual", note.strip(), verdict=verdict.value)

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
            IllegalTransitionError: a step is running, in the background too, or the run is over.
        """
        self._none_beside()
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

    def record(self, event: str, **fields: Any) -> None:
        """Write down what happens around the run: who comes, goes, and takes over.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.append(event, **{"by": self.actor, "sync": False, **fields})

    # -- inside -------------------------------------------------------------------------------------------------

    def _take_up(self, records: Records) -> None:
        unknown = restore(self._progress, records)
        self._attempts.restore(records)
        self._attempts.record_lost_in_background(records)
        self._append("resume", pid=os.getpid(), pid_start=process_start(os.getpid()), mode=self.mode, unknown=unknown)
        if not stands_where_it_jumped(records):
            self._record_passed(self._progress.advance(self.values))

    def _action(self, step: Step) -> Action:
        return self._attempts.action(step)

    def _notice_change(self) -> None:
        if self.file_changed or self.runbook.made_here:
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

    def _settle(self, step: Step, event: StepEvent, record: str, reason: str, **fields: Any) -> None:
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

    def _turn(self, event: RunEvent, *, record: str = "", **fields: str) -> None:
        state = self._progress.turn(event)
        if record:
            self._append(record, state=state.value, **fields)
        self._tell(Change("run", state=state, detail=fields.get("reason", "")))

    def _none_beside(self) -> None:
        if self.in_background:
            raise IllegalTransitionError(f"{', '.join(self.in_background)}: in the background; end that first")

    def _end(self, event: RunEvent, reason: str) -> None:
        self._none_beside()
        self._turn(event, record="end", reason=reason)
        try:
            self.folder.write_report(render_report(self.folder.path))
            document = json.dumps(report_document(self.folder.path), indent=2, ensure_ascii=False)
            self.folder.write_report(document + "\n", "report.json")
        except OSError:
            _log.exception("the report could not be written")
        self.close()

    def _append(self, event: str, **fields: Any) -> None:
        self.folder.append(event, by=self.actor, **fields)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                _log.exception("a listener of a run failed")
