"""Output of a running step, as lines for the screen: cleaned, bounded, and never slower than it comes."""

import codecs
from collections import deque

from opsconsole.core.clean import clean
from opsconsole.ui.lines import Line, Span, cut, line, width_of

KEPT_LINES = 2_000
_LONGEST_LINE = 2_000
_AT_ONCE = 64 * 1024
"""Bytes of one chunk that are looked at, from its end: what is printed faster than that nobody can read."""


class OutputLog:
    """The last lines of what was printed. The whole of it is in the run's folder."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._open = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.total_bytes = 0
        self.dropped = 0
        """Lines that are no longer kept here, and at least one for each stretch that was too fast to look at."""
        self.version = 0
        """Changes whenever there is something new to paint."""

    def feed(self, data: bytes) -> None:
        """Take a chunk, cut anywhere."""
        if not data:
            return
        self.total_bytes += len(data)
        self.version += 1
        if len(data) > _AT_ONCE:
            self.dropped += data.count(b"\n", 0, len(data) - _AT_ONCE) or 1
            data = data[-_AT_ONCE:]
        text = self._open + self._decoder.decode(data)
        *whole, self._open = text.replace("\r\n", "\n").split("\n")
        # of many short lines at once only those are looked at that will be kept
        self.dropped += max(0, len(whole) - KEPT_LINES)
        for one in whole[-KEPT_LINES:]:
            self._keep(one)
        # A return at the very end may be the first half of a line break, or overwrite the line with the next chunk.
        returned = "\r" if self._open.endswith("\r") else ""
        self._open = _last_state(self._open)[-_LONGEST_LINE:] + returned

    def skip(self, size: int) -> None:
        """So many bytes came too fast to look at."""
        self.end()
        self._decoder.reset()
        self.total_bytes += size
        self.dropped += 1
        self.version += 1

    def end(self) -> None:
        """There is no more: what was not ended by a line break is a line."""
        self._open += self._decoder.decode(b"", final=True)
        if self._open:
            self._keep(self._open)
            self._open = ""
            self.version += 1

    def say(self, text: str) -> None:
        """A line of the console's own among the output."""
        self.end()
        self._keep(text)
        self.version += 1

    @property
    def lines(self) -> list[str]:
        """What is kept, the unfinished line included."""
        return [*self._lines, clean(_last_state(self._open), limit=_LONGEST_LINE)] if self._open else list(self._lines)

    def _keep(self, text: str) -> None:
        if len(self._lines) == KEPT_LINES:
            self.dropped += 1
        self._lines.append(clean(_last_state(text), limit=_LONGEST_LINE).expandtabs())


def _last_state(text: str) -> str:
    """What a progress bar has come to: the text after its last carriage return."""
    if "\r" not in text:
        return text
    return text.rstrip("\r").rpartition("\r")[2]


def wrapped(lines: list[str], width: int, rows: int, back: int = 0) -> tuple[list[Line], int]:
    """The last `rows` rows of `lines` broken at `width`, `back` rows before the end; and how far back one can go.

    Only as many lines are looked at as are needed for that.
    """
    wanted = rows + back
    found: list[Line] = []
    for text in reversed(lines):
        found[:0] = _broken(text, width)
        if len(found) >= wanted + 1:
            break
    furthest = max(0, len(found) - rows)
    back = min(back, furthest)
    end = len(found) - back
    return found[max(0, end - rows) : end], back


def _broken(text: str, width: int) -> list[Line]:
    pieces: list[Line] = []
    while True:
        piece = cut(text, width)
        pieces.append(line(Span(piece)))
        text = text[len(piece) :]
        if not text or not piece:
            return pieces
        if width_of(text) == 0:
            return pieces
