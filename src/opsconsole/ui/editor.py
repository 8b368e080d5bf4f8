"""One line of text being typed: what the prompts, the filter and the typed confirmations are made of."""

from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.ui.lines import Line, Span, cut, line, width_of

LONGEST = 4000


@dataclass(slots=True)
class LineEditor:
    """Text with a cursor. Keys are Textual's names."""

    text: str = ""
    cursor: int = 0

    @classmethod
    def holding(cls, text: str) -> "LineEditor":
        """An editor with `text` in it, the cursor at its end."""
        return cls(text, len(text))

    def press(self, key: str, character: str | None) -> bool:
        """Take one key; False where it means nothing here."""
        if character is not None and character.isprintable():
            self.insert(character)
            return True
        match key:
            case "left":
                self.cursor = max(0, self.cursor - 1)
            case "right":
                self.cursor = min(len(self.text), self.cursor + 1)
            case "home":
                self.cursor = 0
            case "end" | "ctrl+e":
                self.cursor = len(self.text)
            case "backspace" | "ctrl+h":
                self._remove(max(0, self.cursor - 1), self.cursor)
            case "delete":
                self._remove(self.cursor, self.cursor + 1)
            case "ctrl+w":
                self._remove(self._word_start(), self.cursor)
            case "ctrl+u":
                self._remove(0, self.cursor)
            case "ctrl+k":
                self._remove(self.cursor, len(self.text))
            case _:
                return False
        return True

    def insert(self, text: str) -> None:
        """Put `text` (a key, or something pasted) at the cursor, made safe for one line."""
        room = LONGEST - len(self.text)
        piece = clean_line(text.strip("\r\n"), limit=LONGEST)[: max(0, room)]
        self.text = self.text[: self.cursor] + piece + self.text[self.cursor :]
        self.cursor += len(piece)

    def set(self, text: str) -> None:
        """Replace everything, the cursor at the end."""
        self.text, self.cursor = text, len(text)

    def shown(self, width: int) -> Line:
        """The text in `width` cells with its cursor, scrolled so that the cursor is in view."""
        before, under, after = self.text[: self.cursor], self.text[self.cursor : self.cursor + 1], ""
        if under:
            after = self.text[self.cursor + 1 :]
        while before and width_of(before) + max(1, width_of(under)) > width:
            before = before[1:]
        rest = max(0, width - width_of(before) - max(1, width_of(under)))
        return line(Span(before), Span(under or " ", "cursor"), Span(cut(after, rest)))

    def _remove(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _word_start(self) -> int:
        return len(self.text[: self.cursor].rstrip().rpartition(" ")[0]) + (" " in self.text[: self.cursor].rstrip())
