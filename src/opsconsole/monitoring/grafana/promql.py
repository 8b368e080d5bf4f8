"""PromQL of a dashboard as PromQL of a screen: Grafana's ways to write a variable, in ours."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from opsconsole.screens.interpolation import FORMATS, GLOBALS, references
from opsconsole.sources.promqltext import places, quoted, regex_escaped

_BRACKETS = re.compile(r"\[\[(\w+)(?::(\w+))?\]\]")
_BRACES = re.compile(r"\$\{([A-Za-z_]\w*)(?:\.[\w.\[\]\"']+)?(?::([^}]*))?\}")
_SAME = {"__auto": "__interval", "__auto_interval": "__interval", "__rate_interval_ms": "__interval_ms"}
"""Grafana's own variables that another one of ours stands for."""
MOST_USES = 200
"""Uses of variables in one query. Public dashboards have up to thirty; each costs time wherever the query is made."""
_LONGEST = 20_000
_MATCHER = re.compile(r"(!=|=)(\s*)$")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a screen's variables when queries are translated."""

    names: frozenset[str] = frozenset()
    several: frozenset[str] = frozenset()
    """Those that may have more than one value, or all."""
    fixed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """name -> the text it always stands for."""


class UntranslatableError(ValueError):
    """A query that means nothing on a screen; the message says why."""


def translated(query: str, known: Known) -> str:
    """`query` with its variables as a screen writes them.

    Raises:
        UntranslatableError: it uses a variable that the dashboard does not define, or one of Grafana's that has no
            meaning here.
    """
    if query.count("$") + query.count("[[") > MOST_USES:
        raise UntranslatableError(f"uses variables more than {MOST_USES} times")
    text = _filled(normal_references(query), known.fixed)
    unknown = sorted({one.name for one in references(text)} - known.names - set(GLOBALS))
    if unknown:
        what = "Grafana's own" if unknown[0].startswith("__") else "one that the dashboard does not define"
        raise UntranslatableError(f"uses ${unknown[0]}, {what}")
    return _matching_several(text, known.several).strip()


def normal_references(text: str) -> str:
    """`text` with `[[name]]` and `${name:format}` in our words; formats for other sources mean the plain one."""
    text = _BRACKETS.sub(lambda match: f"${{{match[1]}{_format(match[2])}}}", text)
    text = _BRACES.sub(lambda match: f"${{{_SAME.get(match[1], match[1])}{_format(match[2])}}}", text)
    return re.sub(r"\$(__auto(?:_interval(?:_\w+)?)?|__rate_interval_ms)\b", lambda match: f"${_same(match[1])}", text)


def _same(name: str) -> str:
    return _SAME.get(name, "__interval")


def _format(name: str | None) -> str:
    return f":{name}" if name in FORMATS else ""


def _filled(text: str, fixed: Mapping[str, str]) -> str:
    """`text` with the variables that never change written out, as Grafana would."""
    for _ in range(3):  # a constant may stand for text with another one
        found = [one for one in references(text) if one.name in fixed]
        if len(text) + sum(len(fixed[one.name]) for one in found) > _LONGEST:
            raise UntranslatableError(f"is longer than {_LONGEST} characters with its constants written out")
        for one in reversed(found):
            text = text[: one.start] + fixed[one.name] + text[one.end :]
        if not found or text.count("$") > MOST_USES:
            break
    return text


def used_bare(queries: Iterable[str]) -> frozenset[str]:
    """The variables that some query uses outside of quotes, where only one plain word can stand."""
    found: set[str] = set()
    for query in queries:
        if query.count("$") + query.count("[[") > MOST_USES:
            continue
        text = normal_references(query)
        uses = list(references(text))
        for one, place in zip(uses, places(text, [use.start for use in uses]), strict=True):
            if not place.quote:
                found.add(one.name)
    return frozenset(found)


def _matching_several(text: str, several: frozenset[str]) -> str:
    """`text` where a label that is compared with a variable of several values is matched with it: `=` as `=~`.

    Grafana would write the alternatives behind `=`, where they match nothing.
    """
    found = list(references(text))
    edits: list[tuple[int, int, str]] = []
    for one, place in zip(found, places(text, [use.start for use in found]), strict=True):
        if one.name not in several or not place.quote or place.regex or one.format == "csv":
            continue
        start = _string_start(text, one.start, place.quote)
        operator = _MATCHER.search(text, 0, start)
        if operator is None or (edits and edits[-1][0] == operator.start()):
            continue
        end = text.find(place.quote, one.end)
        before, after = text[start + 1 : one.start], text[one.end : end]
        written = text[one.start : one.end]
        inner = f"{_escaped(before, place.quote)}{written}{_escaped(after, place.quote)}"
        edits.append((operator.start(), end, f"{operator[1].rstrip('=') or ''}=~{operator[2]}{place.quote}{inner}"))
    for begin, end, new in reversed(edits):
        new = new.replace("!=~", "!~", 1)
        text = text[:begin] + new + text[end:]
    return text


def _string_start(text: str, inside: int, quote: str) -> int:
    """The quote that opens the string around `inside`."""
    position = text.rfind(quote, 0, inside)
    while position > 0 and text[position - 1] == "\\":
        position = text.rfind(quote, 0, position - 1)
    return position


def _escaped(literal: str, quote: str) -> str:
    """A part of a string without variables as the same part of a regular expression."""
    if "$" in literal or "\\" in literal:
        return literal
    return quoted(regex_escaped(literal), quote, "")
