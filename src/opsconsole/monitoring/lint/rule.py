"""One rule with the places of its parts, wherever it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from opsconsole.core.problem import Problem

At = tuple[int, int]
"""(line, column), from 1."""


def _no_texts() -> Mapping[str, str]:
    return MappingProxyType({})


def _no_places() -> Mapping[str, At]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting or recording rule."""

    file: str
    name: str
    """Of the alert, or of the metric that is recorded."""
    expr: str
    alerting: bool = True
    group: str = ""
    hold: float = 0.0
    """`for`, seconds."""
    labels: Mapping[str, str] = field(default_factory=_no_texts)
    annotations: Mapping[str, str] = field(default_factory=_no_texts)
    at: At = (0, 0)
    expr_at: At = (0, 0)
    labels_at: Mapping[str, At] = field(default_factory=_no_places)
    annotations_at: Mapping[str, At] = field(default_factory=_no_places)

    def problem(self, code: str, message: str, *, at: At | None = None, error: bool = False) -> Problem:
        """A problem with this rule; where it is not said, with its expression."""
        line, column = at or self.expr_at
        return Problem(self.file, line, column, "error" if error else "warning", code, f"{self.name}: {message}")
