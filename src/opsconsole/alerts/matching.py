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
_PLAIN = re.compile(f"@?{_NAME}")
_CLASS = re.compile(r"\[:(\^?)(\w+):\]")
# Python has no such classes, and takes `[[:digit:]]` for a set of these letters. Go's are of ASCII.
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\t ", "digit": "0-9", "lower": "a-z",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": r"\w", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_REPLACED = re.compile(r"[\u2400-\u2421\ufffd]|… \(\d+ more characters\)\Z")
"""What `core.clean` puts for what cannot be shown."""


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
            return cls(name, op, value, re.compile(_CLASS.sub(_as_range, value), re.ASCII))
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{name}{op}{value!r}: {error}") from None

    @property
    def known(self) -> bool:
        """Whether it can be worked out here."""
        return self.op in ("=", "!=") or self._pattern is not None

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` fulfil it; not where that cannot be worked out here."""
        given = labels.get(self.name, "")
        if self._pattern is not None:
            return (self._pattern.fullmatch(given) is not None) == (self.op == "=~")
        return given == self.value if self.op == "=" else self.op == "!=" and given != self.value

    def __str__(self) -> str:
        name = self.name if _PLAIN.fullmatch(self.name) else f'"{_quoted(self.name)}"'
        return f'{name}{self.op}"{_quoted(self.value)}"'


def exactly(name: str, value: str) -> Matcher:
    """The matcher of a label whose value is shown as `value`: where something stands there for what cannot be shown, a
    regular expression that fits what it may have been, for the text itself would match nothing."""
    if not _REPLACED.search(value):
        return Matcher.of(name, "=", value)
    pattern, at = "", 0
    for match in _REPLACED.finditer(value):
        pattern += re.escape(value[at : match.start()]) + ("(?s:.)" if len(match[0]) == 1 else "(?s:.*)")
        at = match.end()
    return Matcher.of(name, "=~", pattern + re.escape(value[at:]))


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


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _as_range(match: re.Match[str]) -> str:
    found = _CLASSES.get(match[2], "")
    if not found or match[1]:
        raise re.error(f"{match[0]} is not known here")
    return found
