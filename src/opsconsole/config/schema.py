"""What a content file may say, declared field by field; every problem found in one pass.

A schema is a tree of fields: `Record({"id": Text(), "refresh": Duration()}, required=("id",))`. Reading a document
with it gives plain converted data (durations as seconds, no defaults added) and the list of all problems, each at
its line and column. What could not be read is left out of the data, so a caller that tolerates problems (a screen
with one broken pane) still has the rest.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.config.place import INVALID, Field, Place, alternatives, check, require, shown, wrong
from opsconsole.config.scalars import IDENTIFIER, Choice, Day, Duration, FilePath, Flag, Number, Text, Url
from opsconsole.core.problem import nearest

__all__ = [
    "IDENTIFIER", "INVALID", "Anything", "Choice", "Day", "Duration", "Either", "Field", "FilePath", "Flag", "ListOf",
    "MapOf", "Number", "Place", "Record", "Sensitive", "Text", "Url", "alternatives", "check", "require", "shown",
]  # fmt: skip


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
            return wrong(value, place, self.expected)
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
            return wrong(value, place, self.expected)
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
            return wrong(value, place, self.expected)
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
        return form.read(value, place) if form else wrong(value, place, self.expected)


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value, as it is."""

    expected: str = "any value"

    def read(self, value: Any, place: Place) -> Any:
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


_SECRET_KEYS = Record(
    {
        "env": Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="the name of an environment variable"),
        "file": FilePath(),
        "command": ListOf(Text(lenient=True, empty=True), minimum=1, what="a program and its arguments, as a list"),
    },
    what="a secret",
)
