"""The line at the bottom that asks: commands, filters, times, notes, reasons; with a list to choose from above it.

One question at a time, described by an `Ask`. It paints itself as lines, so that what it lists can be any text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from textual import events

from opsconsole.core.clean import clean_line
from opsconsole.ui.editor import LineEditor
from opsconsole.ui.lines import Line, Lines, Span, fit_line, line, truncate, width_of
from opsconsole.ui.widgets.canvas import Canvas

_KEY_WIDTH = 11
LISTED = 8
"""Choices in view at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the list."""

    text: str
    """What it stands for: becomes the typed text, or the answer."""
    title: str = ""
    key: str = ""
    """The key that does the same, for the palette."""


Choices = Callable[[str], Sequence[Choice]]


def no_choices(_text: str) -> Sequence[Choice]:
    """For questions that are answered by typing alone."""
    return ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A question."""

    label: str
    accept: Callable[[str], str | None]
    """Takes the answer; returns what is wrong with it, and the prompt stays, or None."""
    choices: Choices = no_choices
    initial: str = ""
    picks: bool = False
    """Whether enter answers with the marked choice (a list) rather than with what was typed (a line)."""
    changed: Callable[[str], None] | None = None
    """Told of every change, for filters."""
    cancelled: Callable[[], None] | None = None
    hint: str = ""
    foresee: Callable[[str], str] | None = None
    """What an answer would do, or why it is none, said in the place of the hint while it is typed."""
    history: list[str] = field(default_factory=list)
    """Earlier answers, oldest first; the new one is added."""


class Prompt(Canvas):
    """Asks one question at a time. Hidden while there is none."""

    DEFAULT_CSS = """
    Prompt { dock: bottom; layer: above; height: 1; display: none; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._ask: Ask | None = None
        self._editor = LineEditor()
        self._choices: Sequence[Choice] = ()
        self._marked = 0
        self._problem = ""
        self._foreseen = ""
        self._past = 0
        self._height = 1
        self._listing = False

    @property
    def asking(self) -> bool:
        """Whether there is a question to answer, and keys belong here."""
        return self._ask is not None

    def ask(self, ask: Ask) -> None:
        """Put a question; one that was open is cancelled."""
        self.cancel()
        self._ask = ask
        self._editor = LineEditor.holding(ask.initial)
        self._past = len(ask.history)
        self._listing = False
        self._changed()
        self.display = True
        self._fit()

    def cancel(self) -> None:
        """Take the question back."""
        ask, self._ask = self._ask, None
        self.display = False
        if ask is not None and ask.cancelled is not None:
            ask.cancelled()

    def press(self, event: events.Key) -> None:
        """Take one key while asking."""
        match event.key:
            case "escape" | "ctrl+c":
                self.cancel()
                return
            case "enter" | "ctrl+j":  # so enter arrives that was typed before the terminal was ours
                self._accept()
            case "tab":
                self._complete()
            case "up" | "down" | "ctrl+n" | "ctrl+p":
                self._move(-1 if event.key in ("up", "ctrl+p") else 1)
            case _:
                if self._editor.press(event.key, event.character):
                    self._changed()
        self._fit()

    def paste(self, text: str) -> None:
        """Take pasted text while asking."""
        self._editor.insert(text)
        self._changed()
        self._fit()

    def _fit(self) -> None:
        """As high as what there is to say; the list keeps its height, so that nothing jumps while typing."""
        said = bool(self._problem or (self._ask is not None and self._hint))
        height = 1 + said + (LISTED if self._choices or self._listing else 0)
        self._listing = self._listing or bool(self._choices)
        if height != self._height:
            self._height = height
            self.styles.height = height
        self.repaint()

    def _accept(self) -> None:
        ask = self._ask
        if ask is None:
            return
        answer = self._editor.text
        if ask.picks and self._choices:
            answer = self._choices[self._marked].text
        problem = ask.accept(answer)
        if problem is not None:
            self._problem = clean_line(problem)
            return
        if answer.strip() and not ask.picks and ask.history[-1:] != [answer]:
            ask.history.append(answer)
        if self._ask is ask:  # the answer may have led to the next question
            self._ask = None
            self.display = False

    def _complete(self) -> None:
        if self._choices:
            self._editor.set(self._choices[self._marked].text)
            self._changed()

    def _move(self, step: int) -> None:
        ask = self._ask
        if ask is None:
            return
        if self._choices and (ask.picks or self._past == len(ask.history) or step > 0):
            self._marked = (self._marked + step) % len(self._choices)
            if not ask.picks:
                return
        elif ask.history:
            self._past = max(0, min(len(ask.history), self._past + step))
            self._editor.set(ask.history[self._past] if self._past < len(ask.history) else "")
            self._changed()

    def _changed(self) -> None:
        self._problem, self._foreseen = "", ""
        self._marked = 0
        if self._ask is not None:
            self._foreseen = clean_line(self._ask.foresee(self._editor.text)) if self._ask.foresee is not None else ""
            self._choices = self._ask.choices(self._editor.text)
            if self._ask.changed is not None:
                self._ask.changed(self._editor.text)

    def paint(self, width: int, height: int) -> Lines:
        """The list, what is wrong, and the line."""
        if self._ask is None:
            return ()
        label = f" {self._ask.label}" if self._ask.label in (":", "/") else f" {self._ask.label}  "
        entry: Line = (Span(label, "accent"), *self._editor.shown(max(1, width - width_of(label) - 1)))
        below = [self._note(width)] if self._hint or self._problem else []
        listed = self._listed(width, max(0, height - 1 - len(below)))
        return (*listed, *below, fit_line(entry, width))[-height:]

    def _note(self, width: int) -> Line:
        if self._problem:
            return fit_line(line(Span(f" {self._problem}", "crit")), width)
        return fit_line(line(Span(f" {self._hint}", "dim")), width)

    @property
    def _hint(self) -> str:
        return self._foreseen or (self._ask.hint if self._ask is not None else "")

    def _listed(self, width: int, rows: int) -> list[Line]:
        if rows <= 0:
            return []
        start = max(0, min(self._marked - rows // 2, len(self._choices) - rows))
        shown = self._choices[start : start + rows]
        widest = min(width // 2, max((width_of(choice.text) for choice in shown), default=0))
        lines = [self._choice(choice, start + at == self._marked, widest, width) for at, choice in enumerate(shown)]
        return [fit_line((), width)] * (rows - len(lines)) + lines

    def _choice(self, choice: Choice, marked: bool, widest: int, width: int) -> Line:
        text = clean_line(choice.text)
        padded = truncate(text, widest) + " " * max(0, widest - width_of(text))
        keyed = any(one.key for one in self._choices)
        key = f"{choice.key:<{_KEY_WIDTH}}" if keyed else ""
        title = truncate(clean_line(choice.title), max(0, width - widest - width_of(key) - 4))
        if marked:
            return fit_line(line(Span(f" {key}{padded}  {title}", "cursor")), width)
        return fit_line(line(" ", Span(key, "key"), Span(f"{padded}  "), Span(title, "dim")), width)
