"""The parameters of a runbook, to be looked at and completed before it starts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from textual import events

from opsconsole.core.clean import clean_line
from opsconsole.runbooks.model import Param
from opsconsole.runbooks.parameters import Filled, fill
from opsconsole.ui.editor import LineEditor
from opsconsole.ui.lines import Line, Lines, Span, clip_line, fit, fit_line, line, width_of, wrapped

_NAME = 22
_HELP = 4
"""Lines of help below the field that is typed into."""


class ParamForm:
    """One editor per parameter, prefilled; what is wrong is said beside it, all at once."""

    def __init__(
        self,
        params: Sequence[Param],
        given: Mapping[str, str],
        labels: Mapping[str, str],
        now: float,
        judge: Callable[[Param, str], str | None] | None = None,
        unasked: Collection[str] = (),
    ) -> None:
        """`judge` says what is wrong with a value, where that is not for runbooks to say; what is `unasked` has no
        field, and keeps the value that is given."""
        self._params = params
        self._fields = tuple(param for param in params if param.name not in unasked)
        self._judge = judge
        self._today = datetime.fromtimestamp(now, UTC).date()
        known = {param.name for param in params}
        self.filled = fill(
            params, {name: value for name, value in given.items() if name in known}, labels, today=self._today,
            judge=judge,
        )  # fmt: skip
        self._editors = {
            name: LineEditor.holding(clean_line(value, limit=4000)) for name, value in self.filled.values.items()
        }
        self._untouched = dict(self.filled.values)
        self._at = 0
        self._go_to_complaint()

    @property
    def complete(self) -> bool:
        """Whether a run could begin with these values."""
        return not self.filled.complaints

    @property
    def values(self) -> Mapping[str, str]:
        """Parameter -> value."""
        return self.filled.values

    def press(self, event: events.Key) -> bool:
        """Take a key; True when the form is done with, and complete."""
        match event.key:
            case "enter":
                return self._check()
            case "up" | "shift+tab":
                self._at = (self._at - 1) % max(1, len(self._fields))
            case "down" | "tab":
                self._at = (self._at + 1) % max(1, len(self._fields))
            case _ if self._fields:
                self._editors[self._fields[self._at].name].press(event.key, event.character)
        return False

    def paste(self, text: str) -> None:
        """Take pasted text."""
        if self._fields:
            self._editors[self._fields[self._at].name].insert(text)

    def _check(self) -> bool:
        # What was not edited keeps every byte of its value, also what the editor cannot show.
        given = {
            name: self._untouched[name] if editor.text == clean_line(self._untouched[name], limit=4000) else editor.text
            for name, editor in self._editors.items()
        }
        origins = self.filled.origins or {}
        filled = fill(self._params, given, today=self._today, judge=self._judge)
        kept = {name: origins.get(name, "") for name in given if given[name] == self._untouched[name]}
        self.filled = Filled(filled.values, filled.complaints, {**(filled.origins or {}), **kept})
        self._go_to_complaint()
        return self.complete

    def _go_to_complaint(self) -> None:
        wrong = {complaint.name for complaint in self.filled.complaints}
        self._at = next((at for at, param in enumerate(self._fields) if param.name in wrong), self._at)

    def lines(self, width: int, height: int) -> Lines:
        """The form; the field that is being typed into is always in view."""
        complaints = {complaint.name: complaint.message for complaint in self.filled.complaints}
        lines: list[Line] = [line(Span(" PARAMETERS", "heading")), ()]
        here = 0
        for at, param in enumerate(self._fields):
            if at == self._at:
                here = len(lines)
            lines += self._field(param, at == self._at, complaints.get(param.name, ""), width)
        unknown = [text for name, text in complaints.items() if name not in self._editors]
        lines += [line(Span(f" {text}", "crit")) for text in unknown]
        top = max(0, min(here - height + 4, len(lines) - height))
        return tuple(clip_line(one, width) for one in lines[top : top + height])

    def _field(self, param: Param, here: bool, complaint: str, width: int) -> list[Line]:
        editor = self._editors[param.name]
        name = Span(f" {'▸' if here else ' '} {fit(clean_line(param.name), _NAME)} ", "strong" if here else "text")
        origin = (self.filled.origins or {}).get(param.name, "")
        note = Span(f"  {origin}" if origin and origin != "given" else "", "dim")
        room = max(10, width - _NAME - (30 if note.text else 5))
        value: Line = editor.shown(room) if here else line(Span(editor.text or "–", "text" if editor.text else "faint"))
        lines: list[Line] = [(name, *fit_line(value, room), note)]
        help_text = clean_line(param.help)
        if param.values:
            help_text = f"{help_text}  one of {', '.join(map(clean_line, param.values))}".strip()
        room = max(10, width - _NAME - 5)
        if here and width_of(f"{complaint}  {help_text}") > room:  # where it is typed into, all of it can be read
            indent = " " * (_NAME + 4)
            lines += [line(indent, Span(text, "crit")) for text in wrapped(complaint, room, _HELP) if complaint]
            lines += [line(indent, Span(text, "dim")) for text in wrapped(help_text, room, _HELP)]
        elif help_text or complaint:
            lines.append(
                line(" " * (_NAME + 4), Span(complaint, "crit"), "  " if complaint else "", Span(help_text, "dim"))
            )
        return lines
