"""A guided run in plain lines: one step at a time, its text and its exact command, and a question."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TextIO, TypeVar

from opsconsole.actions.action import Outcome, Result
from opsconsole.actions.confirmation import Confirmation, Demand
from opsconsole.cli.run_front import exit_code
from opsconsole.cli.step_output import OutputPrinter
from opsconsole.cli.terminal_lines import TerminalLines
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.runbooks.client import RunClient, StepCancelledError
from opsconsole.runbooks.model import Kind, Step
from opsconsole.runbooks.states import IllegalTransitionError, StepState, Verdict
from opsconsole.runbooks.told import Change
from opsconsole.runbooks.unattended import Instructions

Value = TypeVar("Value")


class _GoneError(Exception):
    """Nobody answers any more."""


class _LeftError(Exception):
    """The operator ended it, one way or the other."""


class Guide:
    """Asks what to do with each step, and has it done."""

    def __init__(self, run: RunClient, instructions: Instructions, lines: TerminalLines, stream: TextIO) -> None:
        self._run = run
        self._instructions = instructions
        self._lines = lines
        self._stream = stream
        self._signal: signal.Signals | None = None
        self._task: asyncio.Task[Any] | None = None
        self._shown: Step | None = None
        self._held: list[str] | None = None
        """What there is to say, while the terminal is not ours."""
        run.subscribe(self._hear)

    async def walk(self) -> int:
        """Walk to the end of the run, or until the operator leaves. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)
        try:
            await self._interruptible(self._steps())
        except _LeftError:
            return exit_code(self._run)
        except (_GoneError, asyncio.CancelledError):
            if self._run.ended:  # not by us
                return exit_code(self._run)
            if self._signal is signal.SIGINT:
                await self._run.leave()
            else:  # nobody said that it should be left: it waits for its operator, and what runs goes on
                await self._run.detach("hangup")
            return 128 + (self._signal or signal.SIGHUP)
        await self._run.finish()
        self._say("")
        for report in self._run.reports():
            self._say(f"  {report.step.number:5} {report.step.name:32} {report.state}")
        return exit_code(self._run)

    async def _steps(self) -> None:
        head = f"{self._run.runbook.title}   run {self._run.id}   {self._run.actor}   {self._run.environment}"
        self._say(head)
        if self._run.word:
            self._say(f"  handed over by {self._run.word}")
        for name, value in self._run.params.items():
            self._say(f"  {name} = {clean_line(value)}")
        while (step := self._run.current) is not None:
            self._still_here()
            if reason := self._instructions.reason_to_leave_out(step, self._run.runbook):
                await self._run.exclude(step, reason)
                continue
            await self._step(step)

    async def _step(self, step: Step) -> None:
        if self._shown is not step:
            self._shown = step
            self._show(step)
        state = self._run.states[step.name]
        answer = await self._ask(_offer(step, state))
        key, _, rest = answer.strip().partition(" ")
        keys: dict[str, Callable[[Step, str], Awaitable[None]]] = {
            "s": self._skip,
            "n": self._note,
            "d": self._rehearse,
            "j": self._jump,
            "u": self._undo,
            "b": self._roll_back,
            "v": self._verify,
            "h": self._hand_on,
            "p": self._pause,
            "q": self._leave,
            "!": self._abort,
        }
        if step.kind is Kind.CHOICE and key not in keys:
            await self._choose(step, answer)
        elif key == "" and state is StepState.PENDING:
            await (self._execute(step) if step.executable else self._settle(step, Verdict.DONE))
        elif key == "r" and step.executable and state is not StepState.PENDING:
            await self._execute(step, again=True)
        elif key in ("x", "a") and not step.executable:
            await self._settle(step, Verdict.NOT_DONE if key == "x" else Verdict.NOT_APPLICABLE)
        elif key == "m" and state is StepState.UNKNOWN:
            await self._settle(step, Verdict.DONE)
        elif key in keys:
            try:
                await keys[key](step, rest)
            except IllegalTransitionError as error:
                self._say(str(error))

    async def _execute(self, step: Step, *, again: bool = False) -> None:
        confirmation = await self._confirmed(step)
        if confirmation is None:
            self._say("not run")
            return
        printer = OutputPrinter(self._stream)
        if step.interactive:
            work = self._hand_over(step, confirmation, again)
        else:
            work = self._run.execute(step, confirmation, printer, again=again)
        try:
            result = await self._interruptible(work)
        except asyncio.CancelledError:
            printer.end()
            if self._signal is not signal.SIGINT:
                raise _GoneError from None
            await self._cancel(step)
            return
        except (StepCancelledError, IllegalTransitionError) as error:
            self._say(str(error))
            return
        finally:
            printer.end()
        if result.outcome in (Outcome.DECLINED, Outcome.UNAPPROVED) or self._run.locked_out == step.name:
            self._say(f"not run: {result.detail}")
        if result.outcome is Outcome.UNAPPROVED:
            self._say(f"somebody else runs: opsconsole runbook approve {self._run.id} {step.name}; then run it here")
        elif self._run.states[step.name].bad and (plan := self._run.rollback_plan()):
            self._say(f"b rolls back: {', '.join(one.name for one in plan)}")

    async def _hand_over(self, step: Step, confirmation: Confirmation, again: bool) -> Result:
        """Run an interactive step with this terminal. Raises IllegalTransitionError where there is none."""
        from opsconsole.runbooks.hand_over import SAID, hand_over

        if not self._stream.isatty():
            return await self._run.execute(step, confirmation, lambda piece: None, again=again)
        self._say(f"-- {SAID}")
        self._held = []
        source, target = self._lines.descriptor, self._stream.fileno()
        try:
            return await hand_over(self._run, step, confirmation, again=again, source=source, target=target)
        finally:
            held, self._held = self._held, None
            for text in ("", *held):
                self._say(text)

    async def _cancel(self, step: Step) -> None:
        """End the step; asked for once more, it is not waited for politely."""
        self._say(f"{step.name}: stopping it; Ctrl-C once more does not wait")
        while True:
            self._signal = None
            try:
                await self._interruptible(self._run.cancel())
            except asyncio.CancelledError:
                if self._signal is not signal.SIGINT:
                    raise _GoneError from None
            else:
                return

    async def _confirmed(self, step: Step) -> Confirmation | None:
        requirement = self._run.requirement(step)
        if self._run.refusal(step) or requirement.demand is Demand.NONE:
            return Confirmation.none()  # what the guard refuses is not worth a question; the refusal is recorded
        if requirement.demand is Demand.YES:
            return Confirmation.yes() if (await self._ask("run it? [y/N] ")).strip().lower() in ("y", "yes") else None
        typed = await self._ask(f"type {clean_line(requirement.text)} to run this step: ")
        if typed.strip() != requirement.text.strip():
            return None
        return Confirmation.typed(typed)

    async def _settle(self, step: Step, verdict: Verdict) -> None:
        note = await self._ask("a note, or Enter: ")
        await self._run.complete_manual(step, verdict, note)

    async def _skip(self, step: Step, reason: str) -> None:
        reason = reason.strip() or (await self._ask("why? ")).strip()
        if reason:
            await self._run.skip(step, reason)
        else:
            self._say("not skipped: a reason is needed")

    async def _note(self, step: Step, text: str) -> None:
        await self._run.note(text.strip() or await self._ask("note: "))

    async def _rehearse(self, step: Step, rest: str) -> None:
        self._say(self._run.command(step))

    async def _jump(self, step: Step, name: str) -> None:
        target = self._run.runbook.step(name.strip() or (await self._ask("to which step? ")).strip())
        if target is None:
            self._say("no such step")
        else:
            await self._run.jump(target)

    async def _undo(self, step: Step, rest: str) -> None:
        undo = self._run.runbook.step(step.undo) if step.undo else None
        if undo is None:
            self._say("this step has no undo")
            return
        self._show(undo)
        await self._execute(undo, again=self._run.states[undo.name] is not StepState.PENDING)

    async def _verify(self, step: Step, rest: str) -> None:
        verifying = self._run.runbook.step(step.verify) if step.verify else None
        if verifying is None:
            self._say("this step has nothing that verifies it")
            return
        self._show(verifying)
        await self._execute(verifying, again=self._run.states[verifying.name] is not StepState.PENDING)

    async def _hand_on(self, step: Step, text: str) -> None:
        await self._run.hand_over(text.strip() or await self._ask("what should whoever drives it next know? "))
        await self._run.detach()
        raise _LeftError

    async def _pause(self, step: Step, rest: str) -> None:
        await self._run.pause()
        await self._run.detach()
        raise _LeftError

    async def _choose(self, step: Step, answer: str) -> None:
        """By number, or by the option itself."""
        text = answer.strip()
        option = step.options[int(text) - 1] if text.isdecimal() and 0 < int(text) <= len(step.options) else text
        if option in step.options:
            await self._run.choose(step, option)
        else:
            self._say(f"a number from 1 to {len(step.options)}, or the option itself")

    async def _roll_back(self, step: Step, rest: str) -> None:
        plan = self._run.rollback_plan()
        if not plan:
            self._say("nothing that was done here has an undo")
            return
        self._say(f"undo, the latest first: {', '.join(one.name for one in plan)}")

        async def confirmed(undo: Step) -> Confirmation:
            self._show(undo)
            return await self._confirmed(undo) or Confirmation.no("the operator said no")

        printer = OutputPrinter(self._stream)
        try:
            done = await self._interruptible(self._run.rollback(confirmed, printer))
        except asyncio.CancelledError:
            printer.end()
            if self._signal is not signal.SIGINT:
                raise _GoneError from None
            await self._cancel(step)
            return
        except StepCancelledError as error:
            self._say(str(error))
            return
        finally:
            printer.end()
        self._say("rolled back" if done else "the rollback stopped there")

    async def _leave(self, step: Step, rest: str) -> None:
        await self._run.leave()
        raise _LeftError

    async def _abort(self, step: Step, reason: str) -> None:
        await self._run.abort(reason.strip() or await self._ask("why? "))
        raise _LeftError

    def _still_here(self) -> None:
        """Look, rather than rely on having been cancelled: what ends a run may come just after a task has ended.

        Raises:
            _GoneError: the run or its operator went meanwhile.
        """
        if self._run.ended or self._signal in (signal.SIGHUP, signal.SIGTERM):
            raise _GoneError

    async def _ask(self, prompt: str) -> str:
        self._still_here()
        self._lines.forget()
        self._stream.write(prompt)
        self._stream.flush()
        line = await self._lines.read()
        if line is None:
            raise _GoneError
        return line

    async def _interruptible(self, work: Coroutine[Any, Any, Value]) -> Value:
        """`work`, which a signal cancels; of several under way the innermost."""
        outer = self._task
        task: asyncio.Task[Value] = asyncio.ensure_future(work)
        self._task = task
        try:
            return await task
        finally:
            self._task = outer

    def _stop(self, number: signal.Signals) -> None:
        self._signal = number
        if self._task is not None:
            self._task.cancel()

    def _hear(self, change: Change) -> None:
        if self._run.ended and self._task is not None:
            self._task.cancel()
        if change.kind == "step" and change.state not in (StepState.PENDING, StepState.RUNNING):
            report = next((one for one in self._run.reports() if one.step.name == change.step), None)
            took = f" in {duration_text(report.duration)}" if report and report.duration is not None else ""
            detail = f": {change.detail}" if change.detail else ""
            self._say(f"-- {change.step} {change.state}{took}{detail}")
        elif change.kind == "file-changed":
            self._say(f"-- {change.detail}")
        elif change.kind == "background":
            self._say(f"-- {change.step}, in the background, {change.detail}")

    def _show(self, step: Step) -> None:
        group = self._run.runbook.groups[step.group].title
        facts = [step.risk.value.upper()] if step.executable else []
        facts += [word for word, holds in (("INTERACTIVE", step.interactive), ("BACKGROUND", step.background)) if holds]
        facts += [f"verified by {step.verify}"] if step.verify else []
        facts += [f"undone by {step.undo}"] if step.undo else []
        if step.confirm.mode == "approve":
            facts.append(f"approval by {step.confirm.count} other{'s' if step.confirm.count > 1 else ''}")
        self._say(f"\n== {step.number}  {group}: {step.title}" + (f"   ({', '.join(facts)})" if facts else ""))
        if step.prose:
            self._say(f"\n{step.prose}")
        if step.kind is Kind.CHOICE:
            options = [f"    {at}  {option}" for at, option in enumerate(step.options, start=1)]
            self._say("\n".join(["", clean_line(step.body, limit=1000), *options]))
        if step.executable:
            self._say("\n" + "\n".join(f"    {line}" for line in self._run.command(step).split("\n")))
        if refused := self._run.refusal(step) if step.executable else None:
            self._say(f"\nnot allowed: {refused}")
        self._say("")

    def _say(self, text: str) -> None:
        if self._held is not None:
            self._held.append(text)
            return
        with contextlib.suppress(OSError):  # the terminal may be gone; the run is ended in order all the same
            self._stream.write(clean(text, limit=1_000_000) + "\n")
            self._stream.flush()


def _offer(step: Step, state: StepState) -> str:
    """The keys that make sense now."""
    if step.kind is Kind.CHOICE:
        keys = [f"1 to {len(step.options)}"]
    elif not step.executable:
        keys = ["[Enter] done", "x not done", "a not applicable"]
    elif state is StepState.PENDING:
        keys = ["[Enter] run"]
    elif state is StepState.UNKNOWN:
        keys = ["r run it again", "m it is done"]
    else:
        keys = ["r retry"]
    keys += ["s skip", "n note"]
    keys += ["d dry run"] if step.executable else []
    keys += ["u undo"] if step.undo else []
    keys += ["b roll back"] if state.bad else []
    keys += ["v verify"] if step.verify and state is not StepState.PENDING else []
    return "  ".join([*keys, "j jump", "h hand over", "p pause", "q leave", "! abort"]) + " > "
