"""Reading single attributes of a fence: each is a string, and what is wrong with it is reported with its name."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.core.problem import nearest
from opsconsole.runbooks.frontmatter import VARIABLE

MAX_PATTERN = 1000

Report = Callable[[str, str, str], None]
"""(attribute, code, message)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads attributes of one fence; what is wrong goes to `report`, and the default is used."""

    attributes: Mapping[str, str]
    report: Report

    def text(self, name: str) -> str:
        """The value, or nothing."""
        return self.attributes.get(name, "").strip()

    def flag(self, name: str) -> bool:
        """`true` or `false`."""
        value = self.text(name).lower()
        if value not in ("", "true", "false"):
            self.wrong(name, "bad-boolean", '"true" or "false"')
        return value == "true"

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            self.wrong(name, "bad-number", f"a whole number from {low} to {high}")
            return default
        return int(value)

    def seconds(self, name: str) -> float | None:
        """A duration of more than nothing and at most a day."""
        value = self.text(name)
        if not value:
            return None
        try:
            seconds = parse_duration(value[:60])
        except ValueError:
            self.wrong(name, "bad-duration", "a duration such as 500ms, 30s, 5m or 2h")
            return None
        if not 0 < seconds <= 86400:
            self.wrong(name, "bad-duration", "more than nothing and at most 1d")
            return None
        return seconds

    def words(self, name: str) -> tuple[str, ...]:
        """A JSON array of strings, or words separated by commas or spaces."""
        value = self.text(name)
        if value.startswith("["):
            try:
                read: Any = json.loads(value)
            except (ValueError, RecursionError):
                read = None
            if isinstance(read, list):
                return tuple(str(entry) for entry in read if isinstance(entry, str | int | float))
        return tuple(word for word in re.split(r"[\s,]+", value) if word)

    def variables(self, name: str) -> tuple[str, ...]:
        """Names of parameters or captured values."""
        words = self.words(name)
        for word in words:
            if not re.fullmatch(VARIABLE, word):
                self.wrong(name, "bad-name", "names of capitals, digits and '_', such as DAG_ID")
                return ()
        return words

    def choice(self, name: str, words: tuple[str, ...], default: str) -> str:
        """One of `words`."""
        value = self.text(name)
        if value and value not in words:
            hint = nearest(value, words)
            self.wrong(name, "bad-choice", f"one of {', '.join(words)}{hint}")
            return default
        return value or default

    def pattern(self, name: str) -> str:
        """A regular expression."""
        value = self.attributes.get(name, "")
        try:
            if len(value) > MAX_PATTERN:
                raise ValueError
            re.compile(value)
        except (re.error, ValueError, RecursionError, OverflowError):
            self.wrong(name, "bad-pattern", f"a regular expression of at most {MAX_PATTERN} characters")
            return ""
        return value

    def wrong(self, name: str, code: str, expected: str) -> None:
        """Report the value of `name`, quoted, and what was expected."""
        shown = clean_line(self.attributes.get(name, ""), limit=60)
        self.report(name, code, f"{name}: {shown!r}; expected {expected}")
