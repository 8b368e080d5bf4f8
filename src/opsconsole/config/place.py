"""Where in a document a value is being read, and what a field is that reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opsconsole.config.document import Document, Where
from opsconsole.core.clean import clean_line
from opsconsole.core.problem import ContentError, Problem


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


def wrong(value: Any, place: Place, expected: str, code: str = "wrong-type") -> Any:
    """Report `value` as not what was expected. Returns INVALID."""
    return place.report(code, f"{place.name}: {shown(value)}; expected {expected}")
