"""What a source can answer with: immutable, typed, and free of any source's wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Histogram:
    """A native histogram sample: observations counted in buckets."""

    count: float
    total: float
    buckets: tuple[tuple[float, float, float], ...] = ()
    """(lower bound, upper bound, count)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series at one moment. `value` may be NaN or infinite."""

    labels: Mapping[str, str]
    value: float
    at: float
    """Unix seconds."""
    histogram: Histogram | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One series over time; points ascend by time and may hold NaN."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """(unix seconds, value)."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One sample per series. The order carries no meaning."""

    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Many points per series."""

    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number without labels."""

    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string without labels."""

    text: str
    at: float


Cell = str | int | float | bool | datetime | None
"""A table cell. Text has passed `clean()`; times carry a zone."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a relational answer.

    `truncated` says that the source held back rows beyond the limit it was asked for.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool = False
    notices: tuple[str, ...] = field(default=())


Value = Vector | Matrix | Scalar | Text | Table


def is_empty(value: Value) -> bool:
    """True where a query was answered, but with nothing: "no data" is a state of its own, never zero."""
    match value:
        case Vector(samples):
            return not samples
        case Matrix(series):
            return not any(one.points for one in series)
        case Table(_, rows):
            return not rows
        case _:
            return False
