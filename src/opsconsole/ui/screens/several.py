"""Several actions at once: one list of exact commands, one confirmation, and of each what came of it."""

from collections.abc import Callable, Mapping, Sequence

from opsconsole.actions.confirmation import Confirmation, Demand, Requirement
from opsconsole.runbooks.model import Runbook, Step
from opsconsole.runbooks.states import StepState
from opsconsole.runbooks.together import at_once
from opsconsole.ui.lines import Lines
from opsconsole.ui.screens.runbook import RunbookView
from opsconsole.ui.several_page import SeveralShown, several_lines
from opsconsole.ui.step_question import StepQuestion


class SeveralView(RunbookView):
    """A runbook made here, of a step for each action; one that fails does not hold the others up.

    What was said once is passed on for every step: each of them still goes through the guard, is recorded and
    verified by itself, and the record says that they were confirmed together.
    """

    def __init__(
        self, book: Runbook, given: Mapping[str, str], now: float, begun: Callable[[], object], left: str = ""
    ) -> None:
        """`begun` is called when they have been confirmed; `left` says what was asked for and is not among them."""
        super().__init__(book, given, {}, now)
        self._begun = begun
        self._left = left
        self._at = 0
        self._followed = True
        """Whether the cursor goes with the action that runs."""

    @property
    def pending(self) -> list[Step]:
        """What has not been tried yet."""
        states = self.walk.run.states if self.walk.run is not None else {}
        return [step for step in self.walk.steps if states.get(step.name, StepState.PENDING) is StepState.PENDING]

    def hints(self) -> list[tuple[str, str]]:
        """Run all, look at each, stop."""
        if self.walk.run is None and self._question is None:
            return [("run-step", f"run all {len(self.walk.steps)}"), ("scroll-down", "look"), ("back", "leave it")]
        return super().hints()

    async def do_run_step(self) -> None:
        """Show what each takes, and ask once for all that have not been tried."""
        walk = self.walk
        if walk.beginning or walk.lost or walk.over or not self.pending or not self._may_decide(idle=True):
            await super().do_run_step()
            return
        if walk.run is None:
            self._say("beginning…", "dim")
            if not await walk.begin(self.form.values):
                return
            self._say("", "text")
        self._ask_for_all(self.pending)

    def _ask_for_all(self, steps: Sequence[Step]) -> None:
        assert self.walk.run is not None
        run, walk = self.walk.run, self.walk
        demands = [walk.requirement(step).demand for step in steps if not run.refusal(step)]
        # More than one thing at a time is asked about even where one alone would not be.
        demand = max([Demand.YES, *demands])
        what = f"all {len(steps)}" if len(steps) > 1 else "this one"
        text = str(len(steps)) if demand is Demand.TYPED else ""
        self._question = StepQuestion(steps[0], Requirement(demand, text), self._answered(steps), what)
        self.console.refresh_frame()
        self._repaint()

    def _answered(self, steps: Sequence[Step]) -> Callable[[Confirmation], None]:
        def answer(said: Confirmation) -> None:
            if not said.declined:
                self._begun()
                self.run_worker(self._carry_out_all(steps, said), group="step", exit_on_error=True)

        return answer

    async def _carry_out_all(self, steps: Sequence[Step], said: Confirmation) -> None:
        walk = self.walk
        how = f"typed {said.text}" if said.given is Demand.TYPED else "yes"
        together = f"{len(steps)} actions were confirmed together: {how}"
        if not await walk.decide(lambda run, _step: run.note(together), step=walk.steps[-1]):
            return
        self.console.refresh_frame()
        self._followed = True
        if at_once(walk.book) > 1:
            await walk.execute_together({step.name: self._said_of(step, said) for step in steps})
            await self._after(True)
            return
        for step in steps:
            if self._followed:
                self._at = walk.steps.index(step)
            if await walk.execute(step, self._said_of(step, said)) is None:
                break  # stopped, or nothing can be run any more; why was said
        await self._after(True)

    def _said_of(self, step: Step, said: Confirmation) -> Confirmation:
        """What was said of all, as it is said of `step`."""
        requirement = self.walk.requirement(step)
        typed = requirement.demand is Demand.TYPED and said.given is Demand.TYPED
        return Confirmation.typed(requirement.text) if typed else said

    def do_retry_step(self) -> None:
        """Run the one under the cursor again; it asks for itself."""
        step, run = self._shown_step, self.walk.run
        if run is None or step is None or run.states[step.name] is StepState.PENDING or self.walk.running is not None:
            self._say("there is nothing to run again", "dim")
        elif self._may_decide():
            self._want(step)

    def _want(self, step: Step) -> None:
        self._at = self.walk.steps.index(step)  # what is asked about is what is looked at
        super()._want(step)

    # Looking at one after the other

    def _scroll(self, rows: int) -> None:
        self._followed = False
        self._at = max(0, min(self._at - rows, len(self.walk.steps) - 1))
        self._repaint()

    @property
    def _shown_step(self) -> Step | None:
        return self.walk.steps[self._at] if self.walk.steps else None

    def _paint(self, width: int, height: int) -> Lines:
        values, running = self.form.values, self.walk.running
        if self._followed and running is not None and running in self.walk.steps:
            self._at = self.walk.steps.index(running)
        commands = {step.name: self.walk.command(step, values) for step in self.walk.steps}
        shown = SeveralShown(self._shown(), commands, self._left, at_once(self.walk.book))
        return several_lines(shown, width, height, self.console.session.glyphs)
