"""What has to be confirmed before a step runs: asked in its place, beside its exact command."""

from collections.abc import Callable

from textual import events

from opsconsole.actions.confirmation import Confirmation, Demand, Requirement
from opsconsole.core.clean import clean_line
from opsconsole.runbooks.model import Step
from opsconsole.ui.editor import LineEditor
from opsconsole.ui.lines import Line, Span, fit_line, line

Said = tuple[str, str]
"""A message and its role."""


class StepQuestion:
    """One question about one step, and what has been typed of its answer."""

    def __init__(
        self, step: Step, requirement: Requirement, answer: Callable[[Confirmation], None], what: str = "this step"
    ) -> None:
        """`answer` is called once: with what was said, or with a no. `what` is what would run, in words."""
        self.step = step
        self.what = what
        self.typed = requirement.demand is Demand.TYPED
        self.open = True
        self._wanted = clean_line(requirement.text.strip())
        self._text = requirement.text.strip()
        self._answer = answer
        self._editor = LineEditor()

    def press(self, event: events.Key) -> Said:
        """Take one key. What is to be said of it."""
        if event.key in ("escape", "ctrl+c"):
            return self.decline()
        if self.typed:
            return self._type(event)
        if event.character == "y":
            return self._close(Confirmation.yes())
        self.decline()
        return "not confirmed; nothing was run. enter asks again", "dim"

    def decline(self) -> Said:
        """No."""
        self._close(Confirmation.no("the operator said no"))
        return "not confirmed; nothing was run", "dim"

    def line(self) -> Line:
        """The question and what has been typed."""
        if not self.typed:
            y = Span("y", "key")
            return line(Span(f"Run {self.what}?  ", "strong"), y, Span(" runs it, any other key does not", "dim"))
        wanted = Span(self._wanted, "key")
        typed = fit_line(self._editor.shown(30), 30)
        return line(Span("Type  ", "strong"), wanted, Span(f"  to run {self.what}:  ", "strong"), *typed)

    def _type(self, event: events.Key) -> Said:
        if event.key != "enter":
            self._editor.press(event.key, event.character)
        elif self._editor.text.strip() == self._text:
            return self._close(Confirmation.typed(self._text))
        else:
            self._editor.set("")
            return f"that is not {self._wanted}; nothing was run. esc leaves it", "warn"
        return "", "text"

    def _close(self, confirmation: Confirmation) -> Said:
        self.open = False
        self._answer(confirmation)
        return "", "text"
