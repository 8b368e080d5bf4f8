"""A run on the screen: its parameters, the step it is at, what that prints, and what is asked about it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult

from opsconsole.actions.confirmation import Demand
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.reading import SourceError
from opsconsole.runbooks.ending import ending
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.model import Runbook, Step
from opsconsole.runbooks.repair import Repair, runbook_for, unasked, values_of, with_values
from opsconsole.ui.actions import Place
from opsconsole.ui.lines import Lines, line
from opsconsole.ui.run_page import RunShown, run_lines
from opsconsole.ui.screens.param_form import ParamForm
from opsconsole.ui.screens.text import paragraphs
from opsconsole.ui.screens.view import View
from opsconsole.ui.step_question import StepQuestion
from opsconsole.ui.walk import Walk
from opsconsole.ui.widgets.canvas import Canvas

if TYPE_CHECKING:
    from opsconsole.runbooks.client import RunClient

_PAINT_PERIOD = 0.1
"""Seconds between two paintings of streaming output."""


class RunView(View):
    """What there is to see of one runbook, from its parameters to the end of its run."""

    place: ClassVar[Place] = Place.RUN

    DEFAULT_CSS = "RunView Canvas { width: 100%; height: 1fr; }"

    def __init__(
        self,
        book: Runbook,
        given: Mapping[str, str],
        labels: Mapping[str, str],
        now: float,
        run: "RunClient | None" = None,
        repair: Repair | None = None,
    ) -> None:
        """`given` are parameter values, `labels` fill those that name one in `from_label`; `run` goes on already;
        `repair` is what the runbook was made of."""
        super().__init__()
        book = expand(book)
        self.book = book
        self.title = clean_line(book.title)
        self._unasked = unasked(book)
        self.form = ParamForm(book.params, given, labels, now, unasked=self._unasked)
        self._filling = run is None and not self.form.complete
        self._run = run
        self._repair = repair
        self._canvas = Canvas(self._paint)
        self._message = ("", "text")
        self._notice = ""
        """What is to be known while the parameters are filled in."""
        self._question: StepQuestion | None = None
        self._back = 0
        self._painting = False
        self._ran = False
        """Whether a step ran when the frame was painted last: other keys are good for something then."""
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

    def entered(self) -> None:
        """Keys come here directly."""
        self.console.set_focus(None)
        self._repaint()
        if self.walk.run is None:
            self.console.session.prepare_run()  # while the operator reads what the first step is

    def closed(self) -> None:
        """It will not come back: a run that is not over is left, and can be resumed."""
        if self._walk is not None and self._walk.run is not None:
            self.console.changed_at = self.console.session.clock()  # a step that still runs has changed something, too
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
            self._foresee()
            self.console.refresh_frame()
        self._repaint()
        return True

    def _foresee(self) -> None:
        """Have the step say what it would do with the values that were just given."""
        repair = self._repair
        if repair is None or repair.foresee is None or self.walk.run is not None:
            return
        try:
            self._repair = with_values(repair, self.form.values)
            self.book = expand(runbook_for(self._repair))
        except ValueError as error:
            self._filling = True
            self._say(clean_line(error), "error")
            return
        self._notice = ""
        self._walk = None

    @property
    def _renewable(self) -> bool:
        """Whether what did not go well can be begun anew, from how things are now."""
        repair, run = self._repair, self.walk.run
        if repair is None or repair.renew is None or run is None or self.walk.running is not None:
            return False
        return self.walk.driving and any(run.states[step.name].bad for step in self.walk.steps)

    async def _renew(self) -> None:
        """The form again, as things are now, with all that was entered; the run before it has ended."""
        assert self._repair is not None
        assert self._repair.renew is not None
        self._say("looking how it is now…", "dim")
        try:
            repair, said = await self._repair.renew(self._repair)
            book = expand(runbook_for(repair))
        except (SourceError, ValueError) as error:
            self._say(clean_line(error), "error")
            return
        await self.walk.finish()
        await self.walk.leave()
        self.book, self.title, self._repair = book, clean_line(book.title), repair
        self._unasked = unasked(book)
        self.form = ParamForm(book.params, values_of(repair), {}, self.console.session.clock(), unasked=self._unasked)
        self._walk, self._question, self._filling, self._notice = None, None, True, said
        self._say("", "text")
        self.console.session.prepare_run()
        self.console.refresh_frame()

    def _answer(self, question: StepQuestion, event: events.Key) -> None:
        said = question.press(event)
        if not question.open and self._question is question:
            self._question = None
        self._say(*said)
        self.console.refresh_frame()

    # Scrolling the output

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
        if self._ran is not (runs := self.walk.running is not None):
            self._ran = runs
            self.console.refresh_frame()
        self._repaint()

    def _repaint(self) -> None:
        if self._canvas.is_mounted:
            self._canvas.repaint()

    def _paint(self, width: int, height: int) -> Lines:
        shown = self._shown()
        if self._filling:
            head = [*run_lines(shown, width, 2, self.console.session.glyphs)[:2], *self._said_above(width)]
            return (*head, *self.form.lines(width, height - len(head)))
        return run_lines(shown, width, height, self.console.session.glyphs)

    def _said_above(self, width: int) -> Lines:
        """What was said, and what is to be known, above the form."""
        said = ((self._notice, "warn"), self._message)
        return tuple(line(" ", *one) for text, role in said if text for one in paragraphs(clean(text), width - 2, role))

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
            values={name: value for name, value in self.form.values.items() if name not in self._unasked},
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
        return f"The run has ended: {ending(run.state, run.states.values())}. Its record is in {run.folder}"


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
