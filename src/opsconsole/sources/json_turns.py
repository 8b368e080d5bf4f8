"""JSON of megabytes, read in turns.

Python's own reader holds the interpreter from the first byte to the last: a thread that reads four megabytes with it
stops the program as much as if there were no thread, and a key waits. Here the outermost containers are read element
by element, each by Python's reader, and between two of them others have their turn.
"""

import json
import re
from typing import Any

LARGE = 256 * 1024
"""Bytes from which it is worth it, and a thread."""
_LOOKED_INTO = 200
"""Containers that are read by element, the outermost first: enough for the groups of rules of a Prometheus, and too
few to cost anything. What they contain is read in one go."""
_BLANKS = " \t\n\r"
_BLANK = re.compile(f"[{_BLANKS}]*")
_READER = json.JSONDecoder()


def read_in_turns(text: str) -> Any:
    """What `json.loads` makes of `text`.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    reading = _Reading(text)
    value, end = reading.value(reading.past_blank(0))
    if reading.past_blank(end) != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


class _Reading:
    """Of one text. The methods take where they begin, and give what is there and where it ends."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = _LOOKED_INTO

    def past_blank(self, at: int) -> int:
        """The next place from `at` that is not blank."""
        if self._text[at : at + 1] not in _BLANKS:  # nearly everywhere, and sooner known so
            return at
        found = _BLANK.match(self._text, at)
        assert found is not None
        return found.end()

    def value(self, at: int) -> tuple[Any, int]:
        """Any value."""
        opened = self._text[at : at + 1]
        if self._left <= 0 or opened not in ("[", "{"):
            return _READER.raw_decode(self._text, at)
        self._left -= 1
        return self._array(at + 1) if opened == "[" else self._object(at + 1)

    def _array(self, at: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = self.past_blank(at)
        if self._text.startswith("]", at):
            return found, at + 1
        while True:
            one, at = self.value(at)
            found.append(one)
            at, over = self._after(at, "]")
            if over:
                return found, at

    def _object(self, at: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = self.past_blank(at)
        if self._text.startswith("}", at):
            return found, at + 1
        while True:
            if not self._text.startswith('"', at):
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self._text, at)
            name, at = _READER.raw_decode(self._text, at)
            at = self.past_blank(at)
            if not self._text.startswith(":", at):
                raise json.JSONDecodeError("Expecting ':' delimiter", self._text, at)
            found[name], at = self.value(self.past_blank(at + 1))
            at, over = self._after(at, "}")
            if over:
                return found, at

    def _after(self, at: int, closed: str) -> tuple[int, bool]:
        """(where it goes on, whether the container is over)."""
        at = self.past_blank(at)
        mark = self._text[at : at + 1]
        if mark == closed:
            return at + 1, True
        if mark != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", self._text, at)
        return self.past_blank(at + 1), False
