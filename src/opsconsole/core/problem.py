"""What is wrong with a content file, where, and what was expected."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding in one file. Lines and columns count from 1; 0 where there is none."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    """Stable, for programs: `unknown-key`, `bad-duration`, …"""
    message: str
    """What, and what was expected."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message} [{self.code}]"


class ContentError(Exception):
    """Content that cannot be used; carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)` for the closest of `known`, or nothing where none is close."""
    found = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    # Of close ones the shorter: letters change places more often than an ending is left out (prometheus, prometheuses).
    close = [one for one in found if _ratio(word, one) >= _ratio(word, found[0]) - 0.02]
    return f"; did you mean '{min(close, key=len)}'?" if close else ""


def _ratio(word: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, word).ratio()
