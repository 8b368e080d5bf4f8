"""A run as the screen holds it: begun, attached to or taken up again; one step at a time, its output kept per step."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from opsconsole.actions.action import Outcome, Result
from opsconsole.actions.confirmation import Confirmation, Demand, Requirement
from opsconsole.config.secrets import SecretError
from opsconsole.core.problem import ContentError
from opsconsole.runbooks.client import RunClient, StepCancelledError, SupervisorLostError
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState
from opsconsole.runbooks.together import at_once
from opsconsole.store.journal import JournalError
from opsconsole.ui.output import OutputLog
from opsconsole.ui.run_page import StepShown

if TYPE_CHECKING:
    from opsconsole.runbooks.model import Runbook, Step
    from opsconsole.runbooks.states import Verdict
    from opsconsole.runbooks.told import Change

StartRun = Callable[["Runbook", Mapping[str, str]], Awaitable[RunClient]]
Said = Callable[[str, str], None]
"""Takes a message and its role."""
_TAIL = 64 * 1024
"""Bytes that are read of the output of a step that ran before we came."""


class Walk:
    """One runbook being walked. Calls `changed` whenever there is something new to paint."""

    def __init__(
        self,
        book: "Runbook",
        start: StartRun,
        changed: Callable[[], None],
        say: Said,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`aside` lets go of the terminal for as long as it is entered."""
        self.book = book
        self.steps = book.route
        self.run: RunClient | None = None
        self.beginning = False
        self._start = start
        self._changed = changed
        self._say = say
        self._aside = aside
        self._logs: dict[str, OutputLog] = {}
        self._last = ""
        self._log_of = ""
        """The step whose output is coming in."""
        self._together = at_once(book) > 1

    # What there is to see

    @property
    def current(self) -> "Step | None":
        """The step that is next; the first one before the run has begun."""
        if self.run is None:
            return self.steps[0] if self.steps else None
        return self.run.current

    @property
    def running(self) -> "Step | None":
        """The step that is under way, whoever runs it."""
        return self.run.running[0] if self.run is not None and self.run.running is not None else None

    @property
    def elapsed(self) -> float | None:
        """Seconds that a step has been under way."""
        running = self.run.running if self.run is not None else None
        return max(0.0, time.time() - running[1]) if running is not None else None

    @property
    def driving(self) -> bool:
        """Whether it is for this console to decide."""
        return self.run is None or self.run.driving

    @property
    def lost(self) -> bool:
        """Whether the supervisor is gone without a word."""
        return self.run is not None and self.run.lost

    @property
    def over(self) -> bool:
        """Whether the run has ended, or was left."""
        return self.run is not None and (self.run.state.over or self.run.state is RunState.LEFT)

    @property
    def going(self) -> bool:
        """Whether there is a run that is not over."""
        return self.run is not None and not self.over

    def shown(self) -> dict[str, StepShown]:
        """What is known of each step."""
        if self.run is None:
            return {}
        results = self.run.results
        return {
            name: StepShown(
                state,
                results[name].duration if name in results else None,
                results[name].detail if name in results and state is not StepState.PENDING else "",
            )
            for name, state in self.run.states.items()
        }

    def output(self, step: "Step | None") -> tuple[OutputLog, str]:
        """The output to show beside `step`: its own or, before it ran, that of the step before (and its name)."""
        if step is not None and (log := self._log(step)) is not None:
            return log, ""
        last = self.book.step(self._last)
        return (self._log(last) if last is not None else None) or OutputLog(), self._last

    def _log(self, step: "Step") -> OutputLog | None:
        """The output of `step`: what came in here, or the end of what is kept of it from before."""
        if step.name not in self._logs and self.run is not None:
            path = self.run.output_path(step)
            if path is None:
                return None
            log = OutputLog()
            try:
                with path.open("rb") as file:
                    file.seek(max(0, path.stat().st_size - _TAIL))
                    log.feed(file.read(_TAIL))
            except OSError as error:
                log.say(f"the output cannot be read: {error.strerror}")
            log.end()
            if self.run.states[step.name] is StepState.RUNNING:
                return log  # there will be more
            self._logs[step.name] = log
        return self._logs.get(step.name)

    def command(self, step: "Step", values: Mapping[str, str]) -> str:
        """The exact text that `step` runs with."""
        if self.run is not None:
            return self.run.command(step)
        from opsconsole.runbooks.command import exact_command

        return exact_command(step, values)

    def requirement(self, step: "Step") -> Requirement:
        """What it takes before `step` runs; nothing is known before the run has begun."""
        return self.run.requirement(step) if self.run is not None and step.executable else Requirement(Demand.NONE)

    # What can be done

    async def begin(self, values: Mapping[str, str]) -> bool:
        """Begin the run; False, and the reason said, where that is impossible."""
        if self.run is not None or self.beginning:
            return self.run is not None
        return await self.get(lambda: self._start(self.book, dict(values)))

    async def get(self, source: Callable[[], Awaitable[RunClient]]) -> bool:
        """Take the run that `source` gives, in the place of any; False, and the reason said, where that fails."""
        self.beginning = True
        try:
            run = await source()
        except ContentError as error:
            self._say(f"the runbook has errors: {error.problems[0]}", "crit")
        except (ValueError, OSError, RuntimeError, SecretError, JournalError, SupervisorLostError) as error:
            self._say(str(error) or type(error).__name__, "warn" if "locked by" in str(error) else "crit")
        else:
            self.take(run)
        finally:
            self.beginning = False
            self._changed()
        return self.run is not None and not self.run.lost

    def take(self, run: RunClient) -> None:
        """Show and drive (or watch) `run` from now on."""
        self.run = run
        self._hear()
        run.subscribe(self._hear)
        run.watch(self._feed)
        run.skipped = self._skip

    def _skip(self, size: int) -> None:
        if self._last in self._logs:
            self._logs[self._last].skip(size)

    def _hear(self, change: "Change | None" = None) -> None:
        # Of several beside each other nobody can tell by what comes in whose output it is: that is in their files.
        running = self.running.name if self.running is not None and not self._together else ""
        if change is not None and change.kind == "background":
            self._say(f"{change.step}, in the background, {change.detail}", "warn" if change.state else "dim")
        if running != self._log_of:
            if self._log_of:
                self._logs[self._log_of].end()
            self._log_of = running
            if running:
                self._logs[running] = OutputLog()
                self._last = running
        self._changed()

    def _feed(self, data: bytes) -> None:
        if self._together:
            self._changed()
        elif self._last in self._logs:
            self._logs[self._last].feed(data)
            self._changed()

    async def execute(self, step: "Step", confirmation: Confirmation) -> Result | None:
        """Run `step`, again if it was run before; None where that is impossible, the reason said."""
        run = self.run
        if run is None or run.running is not None:
            return None
        again = run.states[step.name] is not StepState.PENDING
        try:
            if step.interactive:
                return await self._hand_over(step, confirmation, again)
            return await run.execute(step, confirmation, self._feed, again=again)
        except IllegalTransitionError as error:
            self._say(str(error), "warn")
        except StepCancelledError:
            self._say("", "text")
        except SupervisorLostError:
            self._say("", "text")
        except OSError as error:
            self._say(f"the run could not be recorded: {error}", "crit")
        finally:
            if self._together:
                self._logs.pop(step.name, None)  # it is read again, from what is kept
            elif step.name in self._logs:
                self._logs[step.name].end()
            self._changed()
        return None

    async def execute_together(self, confirmations: Mapping[str, Confirmation]) -> bool:
        """Run several steps, some beside each other; False where that is impossible or was stopped, the reason said."""
        run = self.run
        if run is None or run.running is not None:
            return False
        try:
            await run.execute_together(confirmations)
        except (StepCancelledError, SupervisorLostError):
            self._say("", "text")
        except (IllegalTransitionError, ValueError) as error:
            self._say(str(error), "warn")
        except OSError as error:
            self._say(f"the run could not be recorded: {error}", "crit")
        else:
            return True
        finally:
            self._changed()
        return False

    async def _hand_over(self, step: "Step", confirmation: Confirmation, again: bool) -> Result:
        """Run an interactive step on the whole terminal; afterwards its output is shown like any other's."""
        from opsconsole.runbooks.hand_over import SAID, hand_over

        assert self.run is not None
        run = self.run
        source, target = 0, 2  # as Textual has it
        with self._aside():
            os.write(target, f"{SAID}\r\n".encode())
            try:
                return await hand_over(run, step, confirmation, again=again, source=source, target=target)
            finally:
                run.watch(self._feed)
                self._logs.pop(step.name, None)  # it is read again, from what is kept

    async def rehearse(self, step: "Step") -> None:
        """Show what `step` would do, and do nothing."""
        if self.run is None:
            return
        from opsconsole.core.clean import clean_bytes

        pieces: list[bytes] = []
        result = await self.run.rehearse(step, pieces.append)
        log = self._logs[step.name] = OutputLog()
        self._last = step.name
        for text in clean_bytes(b"".join(pieces)).splitlines():
            log.say(text)
        log.say(f"dry run: {result.detail}; nothing was run")
        self._changed()

    async def decide(self, how: "Callable[[RunClient, Step], Awaitable[object]]", step: "Step | None" = None) -> bool:
        """Have the run record a decision about `step` (else the present one); False, and said, where it may not."""
        step = step or self.current
        if self.run is None or step is None:
            self._say("the run has not begun; enter begins it", "dim")
            return False
        try:
            await how(self.run, step)
        except (IllegalTransitionError, ValueError, SupervisorLostError) as error:
            self._say(str(error), "warn")
            return False
        except OSError as error:
            self._say(f"the run could not be recorded: {error}", "crit")
            return False
        self._changed()
        return True

    async def verdict(self, verdict: "Verdict", note: str = "") -> bool:
        """Record what the operator says of the present step."""
        return await self.decide(lambda run, step: run.complete_manual(step, verdict, note))

    async def cancel(self) -> bool:
        """Stop the step that is under way; False where there is none."""
        if self.running is None:
            return False
        return await self.decide(lambda run, _step: run.cancel(), step=self.steps[-1])

    async def take_over(self) -> bool:
        """Drive from now on."""
        return await self.decide(lambda run, _step: run.take_over(), step=self.steps[-1])

    async def roll_back(self, confirm: "Callable[[Step], Awaitable[Confirmation]]") -> bool | None:
        """Undo what was tried, the latest first, until one step fails or is not confirmed. Whether all of it worked;
        None, and said, where it could not go on."""
        if self.run is None:
            return None
        try:
            return await self.run.rollback(confirm, self._feed)
        except (IllegalTransitionError, ValueError, StepCancelledError, SupervisorLostError, OSError) as error:
            self._say(str(error), "warn")
            return None
        finally:
            self._changed()

    async def pause(self) -> bool:
        """Go, and let the run wait for whoever comes back; False, and said, where it may not."""
        if self.run is None or not await self.decide(lambda run, _step: run.pause(), step=self.steps[-1]):
            return False
        run, self.run = self.run, None
        await run.detach()
        return True

    async def finish(self) -> None:
        """End the run, as its steps have it."""
        if self.run is not None and not self.over:
            await self.decide(lambda run, _step: run.finish(), step=self.steps[-1])

    async def conclude(self, *, hung_up: bool) -> None:
        """The program is leaving. What runs goes on; a run that waits for us is left, unless nobody said so."""
        if hung_up:
            await self._detach("hangup")
        else:
            await self.leave()

    async def leave(self) -> None:
        """Leave the run as it is: to itself where somebody else drives or a step runs, else until it is resumed."""
        run = self.run
        if run is None:
            return
        if run.driving and run.state is RunState.WAITING and run.running is None and not run.lost:
            await self.decide(lambda run, _step: run.leave(), step=self.steps[-1])
            await run.close()
        else:
            await self._detach("asked")

    async def _detach(self, reason: str) -> None:
        if self.run is not None:
            await self.run.detach(reason)


def said_of(result: Result) -> tuple[str, str]:
    """A result in words, and their role."""
    match result.outcome:
        case Outcome.OK:
            return (result.detail, "ok")
        case Outcome.WARN | Outcome.CANCELLED | Outcome.DECLINED:
            return (f"{result.outcome}: {result.detail}" if result.detail else str(result.outcome), "warn")
        case _:
            return (f"{result.outcome}: {result.detail}" if result.detail else str(result.outcome), "crit")
