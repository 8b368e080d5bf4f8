"""Matchers, as Alertmanager has them: `name="value"`, `!=`, `=~`, `!~`; a label that is not there is empty."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

OPERATORS = ("=~", "!~", "!=", "=")
_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ONE = re.compile(
    rf'\s*(?P<name>{_NAME}|{_QUOTED})\s*(?P<op>=~|!~|!=|=)\s*(?P<value>{_QUOTED}|[^",{{}}]*)\s*', re.DOTALL
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    name: str
    op: str
    value: str
    _pattern: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, name: str, op: str, value: str) -> "Matcher":
        """The matcher; a regular expression is anchored on both sides.

        Raises:
            ValueError: an expression that cannot be worked out here. Nearly all of Go's can.
        """
        if op not in ("=~", "!~"):
            return cls(name, op, value)
        try:
            # ASCII: Go's \\d and \\w know no other letters.
            return cls(name, op, value, re.compile(value, re.ASCII))
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{name}{op}{value!r}: {error}") from None

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` fulfil it."""
        given = labels.get(self.name, "")
        if self._pattern is not None:
            return (self._pattern.fullmatch(given) is not None) == (self.op == "=~")
        return (given == self.value) == (self.op == "=")

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{escaped}"'


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether `labels` fulfil every one."""
    return all(one.holds(labels) for one in matchers)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers in `a="b", c=~"d"`, with or without braces around; a value may go without quotes.

    Raises:
        ValueError: it is none.
    """
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1]
    found: list[Matcher] = []
    at = 0
    while rest[at:].strip():
        match = _ONE.match(rest, at)
        if match is None or (match.end() < len(rest) and rest[match.end()] != ","):
            raise ValueError(f'{text!r} is no matcher; expected for example severity="critical"')
        found.append(Matcher.of(unquoted(match["name"]), match["op"], unquoted(match["value"].rstrip())))
        at = match.end() + 1
    return tuple(found)


def unquoted(text: str) -> str:
    """`text` without its quotes, escapes resolved; text without quotes is itself."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text[1:-1], flags=re.DOTALL)
