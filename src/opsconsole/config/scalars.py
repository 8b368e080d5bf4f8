"""Fields for single values: text, choices, numbers, durations, dates, paths, URLs."""

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from opsconsole.config.place import Place, alternatives, shown, wrong
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text, parse_duration
from opsconsole.core.problem import nearest


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
            return wrong(value, place, self.expected + hint)
        if not value.strip() and not self.empty:
            return wrong(value, place, f"{self.expected}, not empty", "empty")
        if len(value) > self.limit:
            return wrong(value, place, f"at most {self.limit} characters", "too-long")
        if self.pattern and not re.fullmatch(self.pattern, value):
            return wrong(value, place, self.expected, "bad-text")
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
            return wrong(value, place, self.expected)
        try:
            finite = math.isfinite(value)
        except OverflowError:
            finite = False
        low = self.minimum is not None and finite and value < self.minimum
        high = self.maximum is not None and finite and value > self.maximum
        if not finite or low or high:
            return wrong(value, place, self.expected, "out-of-range")
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    expected: str = "true or false"

    def read(self, value: Any, place: Place) -> Any:
        return value if isinstance(value, bool) else wrong(value, place, self.expected)


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
            return wrong(value, place, f"a duration with its unit, such as {self.example}", "bad-duration")
        try:
            seconds = parse_duration(value) if isinstance(value, str) and len(value) < 60 else math.nan
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds) or math.isinf(seconds):
            return wrong(value, place, self.expected, "bad-duration")
        if seconds < self.minimum:
            return wrong(value, place, f"at least {duration_text(self.minimum)}", "out-of-range")
        if seconds > self.maximum:
            return wrong(value, place, f"at most {duration_text(self.maximum)}", "out-of-range")
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
        return wrong(value, place, self.expected, "bad-date")


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path as text; relative ones are for the loader to resolve."""

    expected: str = "a path"

    def read(self, value: Any, place: Place) -> Any:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            return wrong(value, place, self.expected, "bad-path")
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
            return wrong(value, place, self.expected, "bad-url")
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
