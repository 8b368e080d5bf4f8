"""Variables inside a query's text: `$job`, `${job}`, `${job:csv}`.

A value is whatever a label holds, and so it is hostile. Where it may stand decides how it is written: in a
matcher's string it is escaped for that string (and as a regular expression after `=~`); anywhere else only a
plain word or number is let in. So a value can never end its string and go on as PromQL.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.sources.promqltext import Place, places, quoted, regex_escaped
from opsconsole.sources.sqltext import slots


class UnchosenError(ValueError):
    """A variable has no value yet, because nobody knows what it can be. `name` is which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"${name} has no value; choose one with v")
        self.name = name


FORMATS = ("pipe", "regex", "csv")
GLOBALS = ("__rate_interval", "__interval", "__interval_ms", "__range", "__range_s", "__range_ms")

_REFERENCE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::(?P<format>\w*))?\}|(?P<bare>[A-Za-z_]\w*))")
_WORD = re.compile(r"[A-Za-z0-9_:.]*")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen for a variable. With `everything`, `values` are all that were known when it was asked."""

    values: tuple[str, ...] = ()
    everything: bool = False
    pattern: str = ".*"
    """The regular expression that everything is, after `=~`."""


ALL = Selection(everything=True)


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of a variable in a text."""

    name: str
    format: str
    """`` for the natural one."""
    start: int
    end: int


def references(text: str) -> Iterator[Reference]:
    """Every `$name`, `${name}` and `${name:format}`; a `$` before anything else is just a character."""
    for match in _REFERENCE.finditer(text):
        yield Reference(match["braced"] or match["bare"], match["format"] or "", match.start(), match.end())


def binds(text: str) -> tuple[str, ...]:
    """The names in the `:'name'` slots of an SQL text, each once.

    Raises:
        ValueError: the text has other slots, or quotes that do not end.
    """
    found = slots(text)
    for slot in found:
        if slot.kind != "value":
            raise ValueError(f":\"{slot.name}\" would be an identifier; a variable is a value, :'{slot.name}'")
    return tuple(dict.fromkeys(slot.name for slot in found))


def interpolate(text: str, selections: Mapping[str, Selection], globals_: Mapping[str, str]) -> str:
    """PromQL `text` with every variable written out, safely.

    Raises:
        UnchosenError: a variable without any value.
        ValueError: an unknown variable, or a value that cannot stand where it is used; in words.
    """
    found = list(references(text))
    parts: list[str] = []
    position = 0
    for reference, place in zip(found, places(text, [one.start for one in found]), strict=True):
        alone = text[reference.start - 1 : reference.start] == place.quote == text[reference.end : reference.end + 1]
        parts.append(text[position : reference.start])
        if reference.name in globals_:
            parts.append(globals_[reference.name])
        elif reference.name in selections:
            if not selections[reference.name].values and not selections[reference.name].everything:
                raise UnchosenError(reference.name)
            parts.append(_written(reference, selections[reference.name], place, alone=alone))
        else:
            raise ValueError(f"unknown variable ${reference.name}")
        position = reference.end
    parts.append(text[position:])
    return "".join(parts)


def _written(reference: Reference, selection: Selection, place: Place, *, alone: bool) -> str:
    if not place.quote:
        return _bare(reference, selection)
    return quoted(_inner(reference, selection, place, alone=alone), place.quote, reference.name)


def _inner(reference: Reference, selection: Selection, place: Place, *, alone: bool) -> str:
    """What the string shall hold, before its own escaping. `alone`: it holds nothing else."""
    values = selection.values
    if reference.format == "csv":
        return ",".join(values)
    if selection.everything:
        if not place.regex and reference.format != "pipe":
            raise ValueError(f'${reference.name} is set to all, which only =~ can match; write =~"${reference.name}"')
        bounded = alone or "|" not in selection.pattern
        return selection.pattern if bounded else f"(?:{selection.pattern})"
    if reference.format == "pipe":
        return "|".join(values)
    if place.regex or reference.format == "regex":
        any_of = "|".join(map(regex_escaped, values))
        # Beside other text, the alternatives must not reach further than the variable.
        return any_of if alone or len(values) < 2 else f"(?:{any_of})"
    if len(values) != 1:
        raise ValueError(f'${reference.name} has {len(values)} values; write =~"${reference.name}" to match any')
    return values[0]


def _bare(reference: Reference, selection: Selection) -> str:
    if selection.everything or len(selection.values) != 1:
        raise ValueError(f"${reference.name} stands outside of quotes, where one value is needed")
    value = selection.values[0]
    if not value or not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} for ${reference.name} is no plain word or number, as needed outside of quotes")
    return value


def array_literal(values: Sequence[str]) -> str:
    """PostgreSQL's text form of a text array, for `= any(:'name'::text[])`."""
    return "{" + ",".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values) + "}"
