"""Running the steps of a runbook from the screen: each asks what it takes, beside the exact command, before it runs."""

import asyncio
from typing import TYPE_CHECKING

from opsconsole.actions.confirmation import Confirmation, Demand
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.model import Kind, Step
from opsconsole.runbooks.states import StepState, Verdict
from opsconsole.ui.commands import ranking
from opsconsole.ui.dialogs.confirm import confirm
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.screens.run_view import RunView
from opsconsole.ui.step_question import StepQuestion
from opsconsole.ui.walk import said_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from opsconsole.runbooks.client import RunClient

    _Decision = Callable[[RunClient, Step], Awaitable[object]]


class RunSteps(RunView):
    """The keys that run, try again, verify, undo and stop steps."""

    async def do_run_step(self) -> None:
        """Run the present step; the first one begins the run."""
        walk = self.walk
        if walk.beginning:
            return
        if walk.lost:
            await self._take_up()
            return
        if walk.over:
            self.console.do_back()
            return
        if not self._may_decide(idle=True):
            return
        if walk.run is None:
            self._say("beginning…", "dim")
            if not await walk.begin(self.form.values):
                return
            self._say("", "text")
        step = walk.current
        if step is None:
            await self._finish()
        elif step.kind is Kind.CHOICE:
            self._choose(step)
        elif not step.executable:
            await self._after(await walk.verdict(Verdict.DONE))
        elif walk.run is not None and walk.run.states[step.name] is StepState.UNKNOWN:
            self._say(
                "how this step ended is not known: look, then r runs it again, m says how it is, u undoes it", "warn"
            )
        elif walk.run is not None and walk.run.states[step.name] is not StepState.PENDING:
            self._say("this step was run already: r runs it again, s skips it, j goes elsewhere, ! aborts", "warn")
        else:
            self._want(step)

    def do_retry_step(self) -> None:
        """Run the present step (or the last one, when the walk went past it) again."""
        walk = self.walk
        step = walk.current
        if walk.run is None or step is None or walk.running is not None:
            self._say("there is nothing to run again", "dim")
        elif step.executable and not walk.over and self._may_decide():
            self._want(step)

    def do_undo_step(self) -> None:
        """Run what undoes the present step, or the one before."""
        walk = self.walk
        if walk.run is None or walk.running is not None or not self._may_decide():
            return
        untouched = (StepState.PENDING, StepState.SKIPPED, StepState.REFUSED, StepState.NOT_APPLICABLE)
        tried = [step for step in walk.steps if step.undo and walk.run.states[step.name] not in untouched]
        undo = self.book.step(tried[-1].undo) if tried else None
        if undo is None:
            self._say("no step that was run here can be undone", "dim")
        else:
            self._want(undo)

    def do_verify_step(self) -> None:
        """Look again whether the present step, or the last one that was run, has worked."""
        walk = self.walk
        if walk.run is None or walk.running is not None or not self._may_decide(idle=True):
            return
        run = walk.run
        tried = [step for step in walk.steps if step.verify and run.report(step).attempts]
        here = walk.current if walk.current is not None and walk.current.verify else tried[-1] if tried else None
        verifying = self.book.step(here.verify) if here is not None else None
        if verifying is None:
            self._say("nothing that was run here has a step that verifies it", "dim")
        else:
            self._want(verifying)

    def do_roll_back(self) -> None:
        """Undo everything that was tried, the latest first, after asking; each step asks what it takes."""
        walk = self.walk
        if walk.run is None or not self._may_decide(idle=True):
            return
        plan = walk.run.rollback_plan()
        if not plan:
            self._say("nothing that was done here has an undo", "dim")
            return
        names = ", ".join(clean_line(step.title or step.name) for step in plan)
        confirm(self.console, f"Roll back, the latest first: {names}?", lambda: self._work(self._roll_back()))

    async def _roll_back(self) -> None:
        async def said(step: Step) -> Confirmation:
            answer: asyncio.Future[Confirmation] = asyncio.get_running_loop().create_future()
            self._confirm(step, answer.set_result)
            return await answer

        done = await self.walk.roll_back(said)
        if done is not None:
            self._say(*(("rolled back", "ok") if done else ("the rollback stopped there", "warn")))
        self.console.refresh_frame()

    async def do_dry_run_step(self) -> None:
        """Show what would run."""
        walk = self.walk
        if walk.run is None and not await walk.begin(self.form.values):
            return
        if walk.current is not None and walk.current.executable and walk.running is None:
            await walk.rehearse(walk.current)
            self._repaint()

    def do_cancel_step(self) -> None:
        """Stop the running step, after asking."""
        if self.walk.running is None:
            self._say("no step is running", "dim")
        else:
            confirm(self.console, "Stop the running step? It is ended with everything it started.", self._cancel)

    def _cancel(self) -> None:
        self._work(self._cancelled())

    async def _cancelled(self) -> None:
        await self.walk.cancel()

    def _may_decide(self, *, idle: bool = False) -> bool:
        """Whether decisions are ours (and, for `idle`, no step runs); said where they are not."""
        if self.walk.driving:
            if idle and self.walk.running is not None:
                self._say("a step is running; c stops it", "dim")
                return False
            return True
        assert self.walk.run is not None
        who = clean_line(self.walk.run.driver) or "nobody"
        self._say(f"{who} drives this run, you watch; {self.console.registry.key('take-over')} takes it over", "warn")
        return False

    def _want(self, step: Step) -> None:
        """Run `step`, or ask first for what that takes."""
        walk = self.walk
        refused = walk.run.refusal(step) if walk.run is not None else None
        if refused:
            # The door says so, too, and records the attempt.
            self._execute(step, Confirmation.none())
            return
        self._confirm(step, lambda said: self._execute(step, said) if not said.declined else None)

    def _confirm(self, step: Step, then: "Callable[[Confirmation], None]") -> None:
        """Ask what `step` takes, beside its exact command; at once where it takes nothing."""
        requirement = self.walk.requirement(step)
        if requirement.demand is Demand.NONE:
            then(Confirmation.none())
            return
        self._question = StepQuestion(step, requirement, then)
        self.console.refresh_frame()
        self._repaint()

    def _execute(self, step: Step, confirmation: Confirmation) -> None:
        self._back = 0
        self._message = ("", "text")
        self.run_worker(self._carry_out(step, confirmation), group="step", exit_on_error=True)

    async def _carry_out(self, step: Step, confirmation: Confirmation) -> None:
        self.console.refresh_frame()
        result = await self.walk.execute(step, confirmation)
        if result is not None:
            self._say(*said_of(result))
        await self._after(True)

    def _choose(self, step: Step) -> None:
        """Ask which option of a choice it is to be."""
        known = [(option, "") for option in step.options]

        def accept(option: str) -> str | None:
            if option not in step.options:
                return f"one of {', '.join(step.options)}"
            self._work(self._decide(lambda run, present: run.choose(present, option), step))
            return None

        question = clean_line(step.title or step.name, limit=40)
        self.console.ask(Ask(question, accept, lambda text: [Choice(one) for one in ranking(text, known)], picks=True))

    async def _decide(self, how: "_Decision", step: Step | None = None) -> None:
        await self._after(await self.walk.decide(how, step))

    async def _after(self, moved: bool) -> None:
        """A step was settled: at the end of the walk a run that went well ends by itself."""
        walk = self.walk
        self.console.changed_at = self.console.session.clock()
        if moved and walk.run is not None and walk.current is None and not walk.over:
            states = walk.run.states
            if walk.driving and not walk.lost and not any(states[step.name].bad for step in walk.steps):
                await self._finish()
        self.console.refresh_frame()
        self._repaint()

    async def _finish(self) -> None:
        await self.walk.finish()
        self.console.refresh_frame()

    async def _take_up(self) -> None:
        """The run goes on with another supervisor."""
        assert self.walk.run is not None
        folder = self.walk.run.folder
        self._say("taking it up again…", "dim")
        if await self.walk.get(lambda: self.console.session.attach_run(folder)):
            self._say("", "text")
        self.console.refresh_frame()

    def _work(self, work: "Coroutine[Any, Any, None]") -> None:
        """Do what was decided in answer to a question."""
        self.run_worker(work, group="decision", exit_on_error=True)
