"""Values in PromQL: where in the text they stand, and how they are written there.

A value is whatever a label holds, and so it is hostile. In a matcher's string it is escaped for that string (and as a
regular expression after `=~`), so that it can never end its string and go on as PromQL. Outside of strings it has to be
a whole number.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_REGEX_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_MATCHER = re.compile(r"(=~|!~|!=|=)\s*$")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_SLOT = re.compile(r"\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))")


class PromqlTextError(ValueError):
    """A slot that cannot be filled. Line and column count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(frozen=True, slots=True)
class Place:
    """Where in PromQL a reference stands."""

    quote: str
    """The quote of the string around it, or nothing outside of strings."""
    regex: bool
    """The string is what `=~` or `!~` matches."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One `$NAME` of a runbook's query. Line and column count from 1."""

    name: str
    start: int
    end: int
    line: int
    column: int
    place: Place


def places(text: str, starts: Sequence[int]) -> list[Place]:
    """For each position in `starts` the string it is in, by reading `text` as PromQL does."""
    found = {start: Place("", False) for start in starts}
    position = 0
    while position < len(text):
        char = text[position]
        if char == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
        elif char in "\"'`":
            end = _string_end(text, position)
            regex = (matcher := _MATCHER.search(text, 0, position)) is not None and matcher.group(1) in ("=~", "!~")
            for start in found:
                if position < start < end:
                    found[start] = Place(char, regex)
            position = end
        position += 1
    return [found[start] for start in starts]


def _string_end(text: str, start: int) -> int:
    """The position of the quote that closes the string opened at `start`, or the end of the text."""
    quote = text[start]
    position = start + 1
    while position < len(text) and text[position] != quote:
        position += 2 if text[position] == "\\" and quote != "`" else 1
    return position


def regex_escaped(value: str) -> str:
    """`value` as an RE2 expression that matches exactly it."""
    return _REGEX_SPECIAL.sub(lambda match: "\\" + match.group(), value)


def quoted(inner: str, quote: str, name: str) -> str:
    """`inner` as it has to be written within a string of that quote.

    Raises:
        ValueError: a backtick within backticks.
    """
    if quote == "`":
        if "`" in inner:
            raise ValueError(f"a value of ${name} holds a backtick; use double quotes around it")
        return inner
    return inner.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")


def slots(text: str) -> Iterator[Slot]:
    """Every `$NAME` and `${NAME}` (capitals, as parameters are) of `text`, with the string around it."""
    found = list(_SLOT.finditer(text))
    for one, place in zip(found, places(text, [one.start() for one in found]), strict=True):
        line = text.count("\n", 0, one.start()) + 1
        column = one.start() - text.rfind("\n", 0, one.start())
        yield Slot(one[1] or one[2], one.start(), one.end(), line, column, place)


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with each slot filled: within quotes escaped for them, elsewhere with a whole number.

    Raises:
        PromqlTextError: a slot without a value, or with one that cannot stand there.
    """
    parts: list[str] = []
    position = 0
    for slot in slots(text):
        if slot.name not in values:
            raise PromqlTextError(f"no value for ${slot.name}", slot.line, slot.column)
        try:
            written = _written(values[slot.name], slot)
        except ValueError as error:
            raise PromqlTextError(str(error), slot.line, slot.column) from None
        parts += [text[position : slot.start], written]
        position = slot.end
    return "".join([*parts, text[position:]])


def _written(value: str, slot: Slot) -> str:
    if slot.place.quote:
        return quoted(regex_escaped(value) if slot.place.regex else value, slot.place.quote, slot.name)
    if not _NUMBER.fullmatch(value):
        raise ValueError(f"${slot.name} stands outside of quotes, and is no whole number")
    return value
