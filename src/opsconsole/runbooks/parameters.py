"""Parameters: from what was given, labels and defaults to checked values. All that is wrong is found at once.

A value is text, and stays what was given to the byte: shell steps get it as an environment variable, SQL steps as
a bind or a listed identifier. It never becomes part of a command.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import nearest
from opsconsole.runbooks.model import Param
from opsconsole.runbooks.patterns import PatternTimeoutError, matches

MAX_VALUE = 100_000
"""Bytes. Linux refuses a process whose one variable, name included, is longer than 128 KiB."""
MAX_MATCHED = 4096
"""Characters of a value that has a pattern: longer ones are refused unread."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with the value of one parameter."""

    name: str
    message: str
    missing: bool = False
    """Nothing was given, and something has to be."""

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass(frozen=True, slots=True)
class Filled:
    """The values of a run, in the order of declaration, and what is wrong with them."""

    values: Mapping[str, str]
    complaints: tuple[Complaint, ...] = ()
    origins: Mapping[str, str] | None = None
    """Where each value is from: `given`, `label NAME`, `default`."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The parameters that still need a value."""
        return tuple(complaint.name for complaint in self.complaints if complaint.missing)


def fill(
    params: Sequence[Param],
    given: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    *,
    today: date | None = None,
    judge: Callable[[Param, str], str | None] | None = None,
) -> Filled:
    """Values for `params`: what was given, else the label each names, else its default.

    A parameter that is not required and has none of these is empty. A label whose value does not suit its
    parameter is reported like a given one: labels come from outside, too. `judge` says what is wrong with a value
    in the place of `check`.
    """
    today = today or datetime.now(UTC).date()
    labels = labels or {}
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    complaints = [
        Complaint(name, f"no such parameter{nearest(name, [param.name for param in params])}")
        for name in given
        if name not in {param.name for param in params}
    ]
    for param in params:
        raw, origin = _source(param, given, labels)
        if raw is None or (raw == "" and param.required):
            values[param.name] = ""
            if param.required:
                help_text = f" ({clean_line(param.help, limit=120)})" if param.help else ""
                complaints.append(Complaint(param.name, f"a value is required{help_text}", missing=True))
            continue
        value = _relative_date(raw, today) if param.type == "date" else raw
        values[param.name], origins[param.name] = value, origin
        wrong = (judge or check)(param, value)
        if wrong:
            complaints.append(Complaint(param.name, wrong))
    return Filled(values, tuple(complaints), origins)


def check(param: Param, value: str) -> str | None:
    """What is wrong with `value` for `param`, without quoting more of it than a line; None where it is fine."""
    wrong = _carriable(value)
    if wrong:
        return wrong
    if value == "" and not param.required:
        return None
    shown = clean_line(value, limit=60)
    wrong = _typed(param, value, shown)
    if wrong or not param.pattern:
        return wrong
    if len(value) > MAX_MATCHED:
        return f"{len(value)} characters; at most {MAX_MATCHED} are matched against a pattern"
    try:
        if matches(param.pattern, value, full=True):
            return None
    except PatternTimeoutError as error:
        return str(error)
    except (re.error, RecursionError, OverflowError):
        return f"its pattern {clean_line(param.pattern, limit=60)!r} is not a regular expression"
    return f"{shown!r} does not match {clean_line(param.pattern, limit=80)}"


def _source(param: Param, given: Mapping[str, str], labels: Mapping[str, str]) -> tuple[str | None, str]:
    if param.name in given:
        return given[param.name], "given"
    if param.from_label and labels.get(param.from_label):
        return labels[param.from_label], f"label {param.from_label}"
    return param.default, "default"


def _relative_date(value: str, today: date) -> str:
    days = {"today": 0, "yesterday": 1}.get(value)
    return value if days is None else (today - timedelta(days=days)).isoformat()


def _carriable(value: str) -> str | None:
    if "\0" in value:
        return "a NUL character cannot be passed to a process"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "not valid UTF-8"
    return None if size <= MAX_VALUE else f"{size} bytes; at most {MAX_VALUE} can be passed"


def _typed(param: Param, value: str, shown: str) -> str | None:
    match param.type:
        case "int" if not re.fullmatch(r"[-+]?[0-9]{1,18}", value):
            return f"{shown!r} is not a whole number"
        case "bool" if value not in ("true", "false"):
            return f"{shown!r}; expected true or false"
        case "date":
            return None if _is_date(value) else f"{shown!r} is not a date such as 2027-01-31, today or yesterday"
        case _ if param.values and value not in param.values:
            listed = ", ".join(clean_line(known, limit=40) for known in param.values[:12])
            return f"{shown!r}; expected one of {listed}{nearest(value, param.values)}"
    return None


def _is_date(value: str) -> bool:
    try:
        return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False
