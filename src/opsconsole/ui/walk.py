"""A run as the screen holds it: begun off the event loop, one step at a time, its output kept per step."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from opsconsole.actions.action import Outcome, Result
from opsconsole.actions.confirmation import Confirmation, Demand, Requirement
from opsconsole.core.problem import ContentError
from opsconsole.runbooks.states import IllegalTransitionError, RunState, StepState
from opsconsole.ui.output import OutputLog
from opsconsole.ui.run_page import StepShown

if TYPE_CHECKING:
    from opsconsole.runbooks.model import Runbook, Step
    from opsconsole.runbooks.run import Run, Verdict

_PATIENCE = 0.5
"""Seconds that a step gets to end when the program does; its children were told to, and the record says so."""

StartRun = Callable[["Runbook", Mapping[str, str]], "Run"]
Said = Callable[[str, str], None]
"""Takes a message and its role."""


class Walk:
    """One runbook being walked. Calls `changed` whenever there is something new to paint."""

    def __init__(self, book: "Runbook", start: StartRun, changed: Callable[[], None], say: Said) -> None:
        self.book = book
        self.steps = book.route
        self.run: Run | None = None
        self.beginning = False
        self._start = start
        self._changed = changed
        self._say = say
        self._logs: dict[str, OutputLog] = {}
        self._last = ""
        self._task: asyncio.Task[Result] | None = None
        self._running = ""
        self._since = 0.0

    # What there is to see

    @property
    def current(self) -> "Step | None":
        """The step that is next; the first one before the run has begun."""
        if self.run is None:
            return self.steps[0] if self.steps else None
        return self.run.current

    @property
    def running(self) -> "Step | None":
        """The step that is under way."""
        return self.book.step(self._running) if self._running else None

    @property
    def elapsed(self) -> float | None:
        """Seconds that a step has been under way."""
        return time.monotonic() - self._since if self._running else None

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
        if step is not None and step.name in self._logs:
            return self._logs[step.name], ""
        return self._logs.get(self._last, OutputLog()), self._last

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
        from opsconsole.runbooks.lock import LockHeldError

        self.beginning = True
        try:
            # Git is asked and secrets are fetched: seconds, perhaps.
            self.run = await asyncio.to_thread(self._start, self.book, dict(values))
        except ContentError as error:
            self._say(f"the runbook has errors: {error.problems[0]}", "crit")
        except LockHeldError as error:
            self._say(str(error), "warn")
        except (ValueError, OSError, RuntimeError) as error:
            self._say(str(error) or type(error).__name__, "crit")
        finally:
            self.beginning = False
        if self.run is not None:
            self.run.subscribe(lambda _change: self._changed())
        self._changed()
        return self.run is not None

    async def execute(self, step: "Step", confirmation: Confirmation) -> Result | None:
        """Run `step`, again if it was run before; None where that is impossible, the reason said."""
        if self.run is None or self._task is not None:
            return None
        log = self._logs[step.name] = OutputLog()
        self._last = step.name

        def sink(data: bytes) -> None:
            log.feed(data)
            self._changed()

        again = self.run.states[step.name] is not StepState.PENDING
        self._running, self._since = step.name, time.monotonic()
        self._task = asyncio.ensure_future(self.run.execute(step, confirmation, sink, again=again))
        self._changed()
        try:
            result = await asyncio.shield(self._task)
        except IllegalTransitionError as error:
            self._say(str(error), "warn")
            return None
        except asyncio.CancelledError:
            return None
        except OSError as error:
            self._say(f"the run could not be recorded: {error}", "crit")
            return None
        finally:
            log.end()
            self._running, self._task = "", None
            self._changed()
        return result

    async def rehearse(self, step: "Step") -> None:
        """Show what `step` would do, and do nothing."""
        if self.run is None:
            return
        from opsconsole.core.clean import clean_bytes

        pieces: list[bytes] = []
        action = self.run._action(step)
        result = await self.run.door.perform(action, Confirmation.none(), sink=pieces.append, dry_run=True)
        log = self._logs[step.name] = OutputLog()
        self._last = step.name
        for text in clean_bytes(b"".join(pieces)).splitlines():
            log.say(text)
        log.say(f"dry run: {result.detail}; nothing was run")
        self._changed()

    def decide(self, how: "Callable[[Run, Step], None]", step: "Step | None" = None) -> bool:
        """Have the run record a decision about `step` (else the present one); False, and said, where it may not."""
        step = step or self.current
        if self.run is None or step is None:
            self._say("the run has not begun; enter begins it", "dim")
            return False
        try:
            how(self.run, step)
        except (IllegalTransitionError, ValueError) as error:
            self._say(str(error), "warn")
            return False
        except OSError as error:
            self._say(f"the run could not be recorded: {error}", "crit")
            return False
        self._changed()
        return True

    def verdict(self, verdict: "Verdict", note: str = "") -> bool:
        """Record what the operator says of the present step."""
        return self.decide(lambda run, step: run.complete_manual(step, verdict, note))

    def cancel(self) -> bool:
        """Stop the step that is under way; False where there is none."""
        if self._task is None:
            return False
        self._task.cancel()
        return True

    def finish(self) -> None:
        """End the run, as its steps have it."""
        if self.run is not None and not self.over:
            self.decide(_finish, step=self.steps[-1])

    async def conclude(self) -> None:
        """The program is leaving: stop what runs, have it recorded, and keep the run so that it can be resumed."""
        if self._task is not None:
            task = self._task
            task.cancel()
            await asyncio.wait({task}, timeout=_PATIENCE)
        self.leave()

    def leave(self) -> None:
        """Leave the run as it is."""
        if self.run is not None and self.run.state is RunState.WAITING:
            try:
                self.run.leave()
            except (IllegalTransitionError, OSError) as error:
                self._say(str(error), "warn")


def _finish(run: "Run", _step: "Step") -> None:
    run.finish()


def said_of(result: Result) -> tuple[str, str]:
    """A result in words, and their role."""
    match result.outcome:
        case Outcome.OK:
            return (result.detail, "ok")
        case Outcome.WARN | Outcome.CANCELLED | Outcome.DECLINED:
            return (f"{result.outcome}: {result.detail}" if result.detail else str(result.outcome), "warn")
        case _:
            return (f"{result.outcome}: {result.detail}" if result.detail else str(result.outcome), "crit")
