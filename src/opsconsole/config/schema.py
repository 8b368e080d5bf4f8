"""What a content file may say, declared field by field; every problem found in one pass.

A schema is a tree of fields: `Record({"id": Text(), "refresh": Duration()}, required=("id",))`. Reading a document
with it gives plain converted data (durations as seconds, no defaults added) and the list of all problems, each at
its line and column. What could not be read is left out of the data, so a caller that tolerates problems (a screen
with one broken pane) still has the rest.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from opsconsole.config.document import Document, Where
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text, parse_duration
from opsconsole.core.problem import ContentError, Problem, nearest


class _Invalid:
    """The one value that says: there was something, and it was wrong."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Any = _Invalid()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a document a value stands, and where to report what is wrong with it."""

    document: Document
    path: Where
    problems: list[Problem]

    def child(self, step: str | int) -> "Place":
        """The place of one key or item below."""
        return Place(self.document, (*self.path, step), self.problems)

    def report(self, code: str, message: str, *, on_key: bool = False, warning: bool = False) -> Any:
        """Add a problem. Returns INVALID, so that a field can `return place.report(…)`."""
        self.problems.append(self.document.problem(self.path, code, message, on_key=on_key, warning=warning))
        return INVALID

    @property
    def name(self) -> str:
        """The key or item as messages call it: `refresh`, `panes[2]`."""
        name = ""
        for step in self.path[-2:] if self.path and isinstance(self.path[-1], int) else self.path[-1:]:
            name += f"[{step + 1}]" if isinstance(step, int) else clean_line(step, limit=60)
        return name or "the file"


class Field(Protocol):
    """What one value may be."""

    @property
    def expected(self) -> str:
        """In words, after "expected": `a duration such as 5s`."""
        ...

    def read(self, value: Any, place: Place) -> Any:
        """`value` checked and converted, or INVALID after reporting why at `place`."""
        ...


def check(document: Document, schema: Field, path: Where = ()) -> tuple[Any, list[Problem]]:
    """Read the value at `path` of `document` with `schema`.

    Returns:
        The converted data (INVALID where nothing could be made of it) and all problems.
    """
    value = document.data
    for step in path:
        value = value[step]
    problems: list[Problem] = []
    result = schema.read(value, Place(document, path, problems))
    return result, sorted(problems)


def require(document: Document, schema: Field) -> tuple[Any, list[Problem]]:
    """As `check`, for who cannot use a document with errors; the problems returned are warnings.

    Raises:
        ContentError: with all problems, when one of them is an error.
    """
    result, problems = check(document, schema)
    if result is INVALID or any(problem.severity == "error" for problem in problems):
        raise ContentError(problems)
    return result, problems


def shown(value: Any) -> str:
    """A value as a message quotes it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(clean_line(value, limit=60)) if isinstance(value, str) else clean_line(value, limit=60)


def alternatives(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _wrong(value: Any, place: Place, expected: str, code: str = "wrong-type") -> Any:
    return place.report(code, f"{place.name}: {shown(value)}; expected {expected}")


@dataclass(frozen=True, slots=True)
class Text:
    """Text. `lenient` also takes numbers and booleans, as they are written."""

    pattern: str = ""
    """A regular expression for the whole text."""
    expected: str = "text"
    lenient: bool = False
    empty: bool = False
    """Whether "" is allowed."""
    limit: int = 100_000

    def read(self, value: Any, place: Place) -> Any:
        if self.lenient and isinstance(value, int | float | bool):
            value = place.document.raw(place.path)
        if not isinstance(value, str):
            hint = "; put it in quotes" if isinstance(value, int | float | bool) else ""
            return _wrong(value, place, self.expected + hint)
        if not value.strip() and not self.empty:
            return _wrong(value, place, f"{self.expected}, not empty", "empty")
        if len(value) > self.limit:
            return _wrong(value, place, f"at most {self.limit} characters", "too-long")
        if self.pattern and not re.fullmatch(self.pattern, value):
            return _wrong(value, place, self.expected, "bad-text")
        return value


IDENTIFIER = Text(pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", expected="a name of letters, digits, '-', '_' and '.'")
"""A name that is safe in file names, keys and commands."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        return alternatives(self.words)

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, str) and value in self.words:
            return value
        hint = nearest(value, self.words) if isinstance(value, str) else ""
        return place.report("bad-choice", f"{place.name}: {shown(value)}; expected {self.expected}{hint}")


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within bounds; `whole`: an integer."""

    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False

    @property
    def expected(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.minimum is not None and self.maximum is not None:
            return f"{kind} from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{kind} of at least {self.minimum:g}"
        return kind if self.maximum is None else f"{kind} of at most {self.maximum:g}"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return _wrong(value, place, self.expected)
        try:
            finite = math.isfinite(value)
        except OverflowError:
            finite = False
        low = self.minimum is not None and finite and value < self.minimum
        high = self.maximum is not None and finite and value > self.maximum
        if not finite or low or high:
            return _wrong(value, place, self.expected, "out-of-range")
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    expected: str = "true or false"

    def read(self, value: Any, place: Place) -> Any:
        return value if isinstance(value, bool) else _wrong(value, place, self.expected)


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration with its unit; read as seconds."""

    minimum: float = 0.0
    maximum: float = math.inf
    example: str = "5s, 10m or 1h30m"

    @property
    def expected(self) -> str:
        return f"a duration such as {self.example}"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _wrong(value, place, f"a duration with its unit, such as {self.example}", "bad-duration")
        try:
            seconds = parse_duration(value) if isinstance(value, str) and len(value) < 60 else math.nan
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds) or math.isinf(seconds):
            return _wrong(value, place, self.expected, "bad-duration")
        if seconds < self.minimum:
            return _wrong(value, place, f"at least {duration_text(self.minimum)}", "out-of-range")
        if seconds > self.maximum:
            return _wrong(value, place, f"at most {duration_text(self.maximum)}", "out-of-range")
        return seconds


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, read as `datetime.date`."""

    expected: str = "a date such as 2027-01-31"

    def read(self, value: Any, place: Place) -> Any:
        try:
            if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        return _wrong(value, place, self.expected, "bad-date")


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path as text; relative ones are for the loader to resolve."""

    expected: str = "a path"

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            return _wrong(value, place, self.expected, "bad-path")
        return value


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL. Never quoted in a message: it can hold a password."""

    schemes: tuple[str, ...] = ("http", "https")
    example: str = "http://127.0.0.1:9090"

    @property
    def expected(self) -> str:
        return f"a URL such as {self.example}"

    def read(self, value: Any, place: Place) -> Any:
        from urllib.parse import urlsplit

        if not isinstance(value, str):
            return _wrong(value, place, self.expected, "bad-url")
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            # urllib quotes only the port or the host's brackets in its messages; the rest it does not repeat.
            return place.report("bad-url", f"{place.name}: {clean_line(error, limit=80)}; expected {self.expected}")
        if parts.scheme not in self.schemes:
            known = alternatives([f"{scheme}://" for scheme in self.schemes])
            return place.report("bad-url", f"{place.name}: does not start with {known}; expected {self.expected}")
        if not parts.hostname or re.search(r"[\s\x00-\x1f]", value):
            return place.report("bad-url", f"{place.name}: no host, or a space in it; expected {self.expected}")
        return value


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A secret: `{env: NAME}`, `{file: PATH}`, `{command: [..]}`, or a literal, which earns a warning.

    Never quoted in a message. Read as a mapping with one of `env`, `file`, `command`, `literal`.
    """

    expected: str = "a secret: {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}"

    def read(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            place.report(
                "literal-secret",
                f"{place.name}: a secret in plain text; better {{env: NAME}}, {{file: PATH}} or {{command: [..]}}",
                warning=True,
            )
            return {"literal": value}
        if not isinstance(value, dict):
            kind = "a list" if isinstance(value, list) else "a number" if value is not None else "nothing"
            return place.report("wrong-type", f"{place.name}: {kind}; expected {self.expected}")
        if len(value) != 1:
            return place.report("wrong-type", f"{place.name}: {len(value)} keys; expected {self.expected}")
        read = _SECRET_KEYS.read(value, place)
        return read if read else INVALID


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of items of one kind; nothing means the empty list. Wrong items are left out."""

    item: Field
    minimum: int = 0
    maximum: int = 10_000
    what: str = ""
    single: bool = False
    """Whether one item may stand without a list around it."""

    @property
    def expected(self) -> str:
        return self.what or f"a list, each item {self.item.expected}"

    def read(self, value: Any, place: Place) -> Any:
        if value is None and not self.minimum:
            return []
        if self.single and value is not None and not isinstance(value, list):
            one = self.item.read(value, place)
            return INVALID if one is INVALID else [one]
        if not isinstance(value, list):
            return _wrong(value, place, self.expected)
        if not self.minimum <= len(value) <= self.maximum:
            bound = f"at least {self.minimum}" if len(value) < self.minimum else f"at most {self.maximum}"
            return place.report("wrong-count", f"{place.name}: {len(value)} items; expected {bound}")
        items = [self.item.read(item, place.child(position)) for position, item in enumerate(value)]
        return [item for item in items if item is not INVALID]


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names, freely chosen, to values of one kind; nothing means the empty mapping. Wrong entries are left out."""

    item: Field
    name: Text = IDENTIFIER
    what: str = ""

    @property
    def expected(self) -> str:
        return self.what or f"a mapping of names, each {self.item.expected}"

    def read(self, value: Any, place: Place) -> Any:
        if value is None:
            return {}
        if not isinstance(value, dict):
            return _wrong(value, place, self.expected)
        result = {}
        for name, item in value.items():
            below = place.child(name)
            if self.name.pattern and not re.fullmatch(self.name.pattern, name):
                below.report("bad-name", f"{shown(name)} as a name; expected {self.name.expected}", on_key=True)
                continue
            read = self.item.read(item, below)
            if read is not INVALID:
                result[name] = read
        return result


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys. An unknown key is an error that names the nearest known one.

    An optional record or mapping that is present but empty (`postgres:` with everything below it commented out)
    counts as absent.
    """

    keys: Mapping[str, Field]
    required: tuple[str, ...] = ()
    what: str = "a mapping"
    exclusive: tuple[tuple[str, ...], ...] = ()
    """Groups of keys of which only one may be given."""
    open: bool = False
    """Whether unknown keys are left alone (and left out), for formats shared with other tools."""
    verify: Callable[[dict[str, Any], Place], object] | None = None
    """A look at the whole after its keys were read; reports at the place."""

    @property
    def expected(self) -> str:
        return f"{self.what} with {alternatives(list(self.keys))}" if len(self.keys) <= 6 else self.what

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            return _wrong(value, place, self.expected)
        result: dict[str, Any] = {}
        for key, item in value.items():
            read = self._read_key(key, item, place.child(key))
            if read is not INVALID:
                result[key] = read
        for key in self.required:
            if key not in value:
                place.report("missing-key", f"{place.name}: key {key!r} is missing; expected {self.keys[key].expected}")
        for group in self.exclusive:
            given = [key for key in value if key in group]
            if len(given) > 1:
                message = f"{place.name}: {alternatives(given).replace(' or ', ' and ')} together; expected one of them"
                place.child(given[1]).report("exclusive-keys", message, on_key=True)
        if self.verify is not None:
            self.verify(result, place)
        return result

    def _read_key(self, key: str, item: Any, place: Place) -> Any:
        known = self.keys.get(key)
        if known is None:
            if not self.open:
                hint = nearest(key, self.keys) or f"; known are {', '.join(self.keys)}"
                place.report("unknown-key", f"unknown key {shown(key)}{hint}", on_key=True)
            return INVALID
        if item is None and isinstance(known, Record) and key not in self.required:
            return INVALID
        return known.read(item, place)


@dataclass(frozen=True, slots=True)
class Either:
    """One of several forms, chosen by the YAML kind of the value (text, list, mapping, …)."""

    scalar: Field | None = None
    sequence: Field | None = None
    mapping: Field | None = None

    @property
    def expected(self) -> str:
        return alternatives([form.expected for form in (self.scalar, self.sequence, self.mapping) if form])

    def read(self, value: Any, place: Place) -> Any:
        form = self.mapping if isinstance(value, dict) else self.sequence if isinstance(value, list) else self.scalar
        return form.read(value, place) if form else _wrong(value, place, self.expected)


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value, as it is."""

    expected: str = "any value"

    def read(self, value: Any, place: Place) -> Any:
        return value


_SECRET_KEYS = Record(
    {
        "env": Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="the name of an environment variable"),
        "file": FilePath(),
        "command": ListOf(Text(lenient=True, empty=True), minimum=1, what="a program and its arguments, as a list"),
    },
    what="a secret",
)
