"""A runbook being walked: one step at a time, beside its text, with the exact command and what it takes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult

from opsconsole.actions.confirmation import Confirmation, Demand
from opsconsole.core.clean import clean, clean_line
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.model import Kind, Runbook, Step
from opsconsole.runbooks.run import Verdict
from opsconsole.runbooks.states import StepState
from opsconsole.ui.actions import Place
from opsconsole.ui.commands import ranking
from opsconsole.ui.dialogs.confirm import confirm
from opsconsole.ui.dialogs.prompt import Ask, Choice
from opsconsole.ui.lines import Lines
from opsconsole.ui.run_page import RunShown, run_lines
from opsconsole.ui.screens.param_form import ParamForm
from opsconsole.ui.screens.view import View
from opsconsole.ui.step_question import StepQuestion
from opsconsole.ui.walk import Walk, said_of
from opsconsole.ui.widgets.canvas import Canvas

if TYPE_CHECKING:
    from opsconsole.runbooks.client import RunClient

_PAINT_PERIOD = 0.1
"""Seconds between two paintings of streaming output."""


_READY = {Kind.MANUAL: "done", Kind.CHOICE: "choose"}
"""What enter does with a step, where it does not run it."""


class RunbookView(View):
    """One runbook, from its parameters to the end of its run."""

    place: ClassVar[Place] = Place.RUN

    DEFAULT_CSS = "RunbookView Canvas { width: 100%; height: 1fr; }"

    def __init__(
        self,
        book: Runbook,
        given: Mapping[str, str],
        labels: Mapping[str, str],
        now: float,
        run: "RunClient | None" = None,
    ) -> None:
        """`given` are parameter values, `labels` fill those that name one in `from_label`; `run` goes on already."""
        super().__init__()
        book = expand(book)
        self.book = book
        self.title = clean_line(book.title)
        self.form = ParamForm(book.params, given, labels, now)
        self._filling = run is None and not self.form.complete
        self._run = run
        self._canvas = Canvas(self._paint)
        self._message = ("", "text")
        self._question: StepQuestion | None = None
        self._back = 0
        self._painting = False
        self._walk: Walk | None = None

    def compose(self) -> ComposeResult:
        yield self._canvas

    @property
    def walk(self) -> Walk:
        """The run behind the view; begun with the first step."""
        if self._walk is None:
            start, aside = self.console.session.start_run, self.console.console_app.suspend
            self._walk = Walk(self.book, start, self._changed, self._say, aside)
            if self._run is not None:
                self._walk.take(self._run)
        return self._walk

    @property
    def kept(self) -> bool:
        """Whether the view stays when something else is looked at: its run is not over."""
        return self._walk is not None and self._walk.going

    def matches(self, book: Runbook) -> bool:
        """Whether this is the unfinished walk of that runbook."""
        return self.kept and self.book.id == book.id

    def shows_run(self, run: str) -> bool:
        """Whether this is the view of the run with that id."""
        return self._walk is not None and self._walk.run is not None and self._walk.run.id == run

    # Coming and going

    def entered(self) -> None:
        """Keys come here directly."""
        self.console.set_focus(None)
        self._repaint()
        if self.walk.run is None:
            self.console.session.prepare_run()  # while the operator reads what the first step is

    def closed(self) -> None:
        """It will not come back: a run that is not over is left, and can be resumed."""
        if self._walk is not None and self._walk.run is not None:
            self.console.console_app.see_off(self._walk.leave())

    def busy(self) -> str | None:
        """The step that goes on without the program."""
        step = self._walk.running if self._walk is not None else None
        return f"{self.title}, step {step.number}" if step is not None else None

    async def conclude(self) -> None:
        """The program is ending."""
        if self._walk is not None:
            await self._walk.conclude(hung_up=self.console.console_app.hung_up)

    def tick(self, now: float) -> None:
        """The elapsed time of a running step."""
        if self._walk is not None and self._walk.running is not None:
            self._repaint()

    def subtitle(self) -> str:
        """The environment is in the header; here only the owner, for questions."""
        return f"owner {clean_line(self.book.owner)}" if self.book.owner else ""

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
        if walk.over:
            return [("run-step", "back"), ("step-text", "whole step"), ("command", "command")]
        if walk.running is not None:
            return [("cancel-step", "stop the step"), ("note", "note"), ("command", "command"), ("help", "keys")]
        step = walk.current
        ready = "finish" if step is None else _READY.get(step.kind, "run")
        return [
            ("run-step", ready),
            *((one, word) for one, word in super().hints() if one != "run-step"),
            ("abort-run", "abort"),
        ]

    # Keys that are typed into something

    def take_key(self, event: events.Key) -> bool:
        """The form and the confirmation come first."""
        self._message = ("", "text")
        if self._filling:
            return self._key_of_form(event)
        if self._question is not None:
            self._answer(self._question, event)
            return True
        return False

    def take_paste(self, text: str) -> bool:
        """Into the form. A confirmation is typed, not pasted: that is its point."""
        if self._filling:
            self.form.paste(text)
            self._repaint()
        elif self._question is not None:
            self._say("the name has to be typed", "warn")
        return True

    def _key_of_form(self, event: events.Key) -> bool:
        if event.key == "escape":
            self.console.do_back()
            return True
        if event.key.startswith("ctrl+") and event.key not in ("ctrl+w", "ctrl+u", "ctrl+k", "ctrl+e", "ctrl+h"):
            return False
        if self.form.press(event):
            self._filling = False
            self.console.refresh_frame()
        self._repaint()
        return True

    def _answer(self, question: StepQuestion, event: events.Key) -> None:
        said = question.press(event)
        if not question.open and self._question is question:
            self._question = None
        self._say(*said)
        self.console.refresh_frame()

    # What can be done

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

    async def _take_up(self) -> None:
        """The run goes on with another supervisor."""
        assert self.walk.run is not None
        folder = self.walk.run.folder
        self._say("taking it up again…", "dim")
        if await self.walk.get(lambda: self.console.session.attach_run(folder)):
            self._say("", "text")
        self.console.refresh_frame()

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

    def _work(self, work: "Coroutine[Any, Any, None]") -> None:
        """Do what was decided in answer to a question."""
        self.run_worker(work, group="decision", exit_on_error=True)

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

    async def _after(self, moved: bool) -> None:
        """A step was settled: at the end of the walk a run that went well ends by itself."""
        walk = self.walk
        if moved and walk.run is not None and walk.current is None and not walk.over:
            states = walk.run.states
            if walk.driving and not walk.lost and not any(states[step.name].bad for step in walk.steps):
                await self._finish()
        self.console.refresh_frame()
        self._repaint()

    async def _finish(self) -> None:
        await self.walk.finish()
        self.console.refresh_frame()

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

    async def do_dry_run_step(self) -> None:
        """Show what would run."""
        walk = self.walk
        if walk.run is None and not await walk.begin(self.form.values):
            return
        if walk.current is not None and walk.current.executable and walk.running is None:
            await walk.rehearse(walk.current)
            self._repaint()

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

    async def _decide(self, how: "_Decision", step: Step | None = None) -> None:
        await self._after(await self.walk.decide(how, step))

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
        """The parameters again, as long as the run has not begun."""
        if self.walk.run is not None:
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

    def do_scroll_up(self) -> None:
        self._scroll(1)

    def do_scroll_down(self) -> None:
        self._scroll(-1)

    def do_page_up(self) -> None:
        self._scroll(10)

    def do_page_down(self) -> None:
        self._scroll(-10)

    def do_top(self) -> None:
        self._scroll(1_000_000)

    def do_bottom(self) -> None:
        self._scroll(-1_000_000)

    def _scroll(self, rows: int) -> None:
        log, _ = self.walk.output(self._shown_step)
        self._back = max(0, min(self._back + rows, max(0, len(log.lines) - 1)))
        self._repaint()

    # Painting

    @property
    def _shown_step(self) -> Step | None:
        walk = self.walk
        if self._question is not None:
            return self._question.step
        return walk.running or walk.current or (walk.steps[-1] if walk.steps else None)

    def _say(self, text: str, role: str) -> None:
        self._message = (text, role)
        self._repaint()

    def _changed(self) -> None:
        """Something happened in the run: paint it, but streaming output not more often than one can read."""
        if not self._painting and self.is_attached:
            self._painting = True
            self.set_timer(_PAINT_PERIOD, self._painted)

    def _painted(self) -> None:
        self._painting = False
        self._repaint()

    def _repaint(self) -> None:
        if self._canvas.is_mounted:
            self._canvas.repaint()

    def _paint(self, width: int, height: int) -> Lines:
        shown = self._shown()
        if self._filling:
            return (*run_lines(shown, width, 2, self.console.session.glyphs)[:2], *self.form.lines(width, height - 2))
        return run_lines(shown, width, height, self.console.session.glyphs)

    def _shown(self) -> RunShown:
        walk, session = self.walk, self.console.session
        step = self._shown_step
        log, other = walk.output(step)
        message, role = self._message
        names = [one.name for one in walk.steps]
        shown = RunShown(
            book=self.book,
            run_id=walk.run.id if walk.run is not None else "",
            actor=walk.run.driver or "nobody" if walk.run is not None else session.context.actor,
            environment=session.context.environment,
            values=self.form.values,
            steps=walk.steps,
            shown=walk.shown(),
            current=names.index(step.name) if step is not None and step.name in names else 0,
            command=walk.command(step, self.form.values) if step is not None and step.executable else "",
            wants=_wants(walk, step),
            elapsed=walk.elapsed,
            asking=self._question.line() if self._question is not None else (),
            message=message,
            message_role=role,
            back=self._back,
            output=log,
            over=self._over(),
        )
        return replace(shown, output_of=other) if other else shown

    def _over(self) -> str:
        run = self.walk.run
        if run is not None and run.lost:
            return "The supervisor of this run is gone without a word; enter takes the run up again."
        if run is not None and not run.driving and not run.state.over:
            take = self.console.registry.key("take-over")
            if run.word and not run.driver:
                return f"{take} takes the run over; handed over by {clean_line(run.word)}"
            return f"You watch; {clean_line(run.driver) or 'nobody'} drives. {take} takes the run over."
        if run is None or not self.walk.over:
            return "The walk is at its end; enter finishes the run." if self.walk.run and not self.walk.current else ""
        return f"The run has ended: {run.state.value}. Its record is in {run.folder}"


def _wants(walk: Walk, step: Step | None) -> str:
    if step is None or not step.executable:
        return ""
    requirement = walk.requirement(step)
    if step.confirm.mode == "approve":
        return f"approval by {step.confirm.count} other{'s' if step.confirm.count > 1 else ''}"
    match requirement.demand:
        case Demand.TYPED:
            return f"confirm: type {clean(requirement.text)}"
        case Demand.YES:
            return "confirm: y"
        case _:
            return "confirm: type" if walk.run is None and step.confirm.mode == "type" else ""


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    _Decision = Callable[["RunClient", Step], Awaitable[object]]
