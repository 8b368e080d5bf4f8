"""A runbook being walked: one step at a time, beside its text, with the exact command and what it takes."""

from opsconsole.core.clean import clean_line
from opsconsole.runbooks.model import Kind
from opsconsole.runbooks.states import Verdict
from opsconsole.ui.commands import ranking
from opsconsole.ui.dialogs.confirm import confirm
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.screens.run_steps import RunSteps

_READY = {Kind.MANUAL: "done", Kind.CHOICE: "choose"}
"""What enter does with a step, where it does not run it."""


class RunbookView(RunSteps):
    """One runbook, from its parameters to the end of its run: what is decided of steps and of the run itself."""

    def hints(self) -> list[tuple[str, str]]:
        """What can be done with the step that is shown."""
        if self._filling:
            return [("run-step", "check and go on"), ("back", "back")]
        if self._question is not None:
            typed = self._question.typed
            return [("run-step", "run it, when the name is right"), ("back", "leave it")] if typed else []
        walk = self.walk
        if walk.lost:
            return [("run-step", "take it up again"), ("step-text", "whole step"), ("leave-run", "leave")]
        if not walk.driving:
            return [("take-over", "take over"), ("leave-run", "leave"), ("note", "note"), ("step-text", "whole step")]
        if self._renewable:
            return [("edit-params", "go on from how it is now"), ("leave-run", "leave"), ("step-text", "whole step")]
        if walk.over:
            return [("run-step", "back"), ("step-text", "whole step"), ("command", "command")]
        if walk.running is not None:
            return [("cancel-step", "stop the step"), ("note", "note"), ("command", "command"), ("help", "keys")]
        step = walk.current
        ready = "finish" if step is None else _READY.get(step.kind, "run")
        # A change of one step says its values as parameters: for how long, with which words.
        changeable = walk.run is None and len(self.book.steps) == 1 and bool(self.book.params)
        return [
            ("run-step", ready),
            *([("edit-params", "change")] if changeable else []),
            *((one, word) for one, word in super().hints() if one != "run-step"),
            ("abort-run", "abort"),
        ]

    def do_take_over(self) -> None:
        """Decide from now on; whoever did so far watches."""
        walk = self.walk
        if walk.run is None or walk.driving or walk.over:
            self._say("there is nothing to take over", "dim")
            return
        who = clean_line(walk.run.driver) or "nobody"
        question = f"{who} drives this run. Take it over?"
        confirm(self.console, question, lambda: self._work(self._take_over()))

    async def _take_over(self) -> None:
        await self.walk.take_over()
        self.console.refresh_frame()
        self._repaint()

    def do_hand_over(self) -> None:
        """Let somebody else drive, with a word to him; we watch."""
        if self.walk.run is None or not self.walk.going or not self._may_decide(idle=True):
            return

        def accept(text: str) -> str | None:
            self._work(self._decide(lambda run, _step: run.hand_over(text), self.walk.steps[-1]))
            return None

        self.console.ask(Ask("hand over, with word that", accept))

    async def do_pause_run(self) -> None:
        """Go, and let the run wait with its supervisor: its lock is kept, whoever comes back finds it here."""
        walk = self.walk
        if walk.run is None or not walk.going or not self._may_decide(idle=True):
            return
        if await walk.pause():
            self.console.do_back()

    def do_skip_step(self) -> None:
        """Leave the present step out, with a reason."""
        if self.walk.run is None:
            self._say("the run has not begun; enter begins it", "dim")
            return

        def accept(reason: str) -> str | None:
            if not reason.strip():
                return "a reason is needed; esc leaves it"
            self._work(self._decide(lambda run, step: run.skip(step, reason)))
            return None

        self.console.ask(Ask("skip, because", accept, history=self.console.history("skip")))

    def do_mark_step(self) -> None:
        """Say of a manual step (or one whose end is unknown) how it is."""
        words = {"done": Verdict.DONE, "not done": Verdict.NOT_DONE, "not applicable": Verdict.NOT_APPLICABLE}

        def accept(word: str) -> str | None:
            if word not in words:
                return "done, not done, or not applicable"
            self._work(self._decide(lambda run, step: run.complete_manual(step, words[word])))
            return None

        known = [(word, "") for word in words]
        self.console.ask(
            Ask("this step is", accept, lambda text: [Choice(one) for one in ranking(text, known)], picks=True)
        )

    def do_jump_step(self) -> None:
        """Go on at another step."""
        named = {f"{step.number} {clean_line(step.title or step.name)}": step for step in self.walk.steps}
        known = [(name, step.name) for name, step in named.items()]

        def accept(name: str) -> str | None:
            if name not in named:
                return "no such step"
            self._work(self._decide(lambda run, step: run.jump(step), named[name]))
            return None

        self.console.ask(
            Ask("go to step", accept, lambda text: [Choice(one) for one in ranking(text, known)], picks=True)
        )

    def do_abort_run(self) -> None:
        """End the run here, after asking."""
        if not self.walk.going:
            self._say("there is no run to abort", "dim")
        elif self.walk.running is not None:
            self._say("a step is running; c stops it first", "warn")
        else:
            confirm(self.console, "Abort this run? What was done stays done; it cannot be resumed.", self._abort)

    def _abort(self) -> None:
        self._work(self._decide(lambda run, _step: run.abort("by the operator"), self.walk.steps[-1]))

    async def do_leave_run(self) -> None:
        """Back; a run that waits is left as it is, and can be resumed."""
        if self.walk.running is not None and self.walk.driving:
            self._say("a step is running; it goes on when you look elsewhere (1 to 9), and 0 comes back here", "warn")
            return
        await self.walk.leave()
        self.console.do_back()

    def do_back(self) -> None:
        """Out, unless a run waits here: that is left on purpose, with its own key."""
        if self.walk.going:
            self._say(
                f"{self.console.registry.key('leave-run')} leaves the run, 1 to 9 look elsewhere meanwhile", "dim"
            )
        else:
            self.console.do_back()

    def do_edit_params(self) -> None:
        """The parameters again, as long as the run has not begun; of what did not go well, as things are now."""
        if self._renewable:
            self._work(self._renew())
        elif self.walk.run is not None:
            self._say("the run has begun with these parameters; a new run can have others", "warn")
        elif not self.book.params:
            self._say("this runbook has no parameters", "dim")
        else:
            self._filling = True
            self.console.refresh_frame()
            self._repaint()

    def do_step_text(self) -> None:
        """The whole step: prose, command, attributes."""
        from opsconsole.ui.screens.step_text import step_page
        from opsconsole.ui.screens.text import TextView

        step = self._shown_step
        if step is not None:
            page = step_page(step, self.walk.command(step, self.form.values))
            self.console.open_view(TextView(f"Step {step.number}", page))

    def take_note(self, text: str) -> bool:
        """Into the record of the run, where there is one."""
        if not self.walk.going:
            return False
        self._work(self._note(text))
        return True

    async def _note(self, text: str) -> None:
        if await self.walk.decide(lambda run, _step: run.note(text), step=self.walk.steps[-1]):
            self.console.tell("noted in the run's record")
