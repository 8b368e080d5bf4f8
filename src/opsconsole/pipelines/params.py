"""The parameters of a DAG: from what an operator types to the JSON values that its schema asks for. Pure.

Airflow describes each by a JSON schema (draft 2020-12, https://json-schema.org), of which it checks everything when a
run is triggered. What is checked here, before anything is sent, is what people get wrong: type, enum, const, limits,
length, pattern, and the formats date, date-time and time. Airflow has the last word on the rest.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from opsconsole.core.clean import clean_line
from opsconsole.core.problem import nearest
from opsconsole.pipelines.model import DagParam
from opsconsole.runbooks.patterns import PatternTimeoutError, matches

_LONGEST = 60
"""Characters of a value in a message."""
_ANY = ("string", "integer", "number", "boolean", "object", "array", "null")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one parameter."""

    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass(frozen=True, slots=True)
class Conf:
    """The configuration of a run, and what is wrong with it."""

    values: Mapping[str, Any]
    wrong: tuple[Wrong, ...] = ()

    @property
    def text(self) -> str:
        """As the action takes it; empty where nothing differs from the defaults."""
        return json.dumps(self.values, ensure_ascii=False, sort_keys=True) if self.values else ""


def conf_of(params: Sequence[DagParam], typed: Mapping[str, str], more: Mapping[str, Any] | None = None) -> Conf:
    """The configuration from values as they are `typed`, beside what is given as JSON already (`more`).

    What is typed has to be a parameter; JSON may have other keys, which DAGs read from `dag_run.conf`. All that is
    wrong is found at once, a parameter that has no default and no value included.
    """
    known = {one.name: one for one in params}
    values = dict(more or {})
    wrong = []
    for name, text in typed.items():
        if name not in known:
            wrong.append(Wrong(name, f"the DAG has no such parameter{nearest(name, list(known))}"))
            continue
        try:
            values[name] = parsed(known[name], text)
        except ValueError as error:
            wrong.append(Wrong(name, str(error)))
    named = {one.name for one in wrong}
    wrong += [one for one in complaints(params, values) if one.name not in named]
    return Conf(values, tuple(wrong))


def complaints(params: Sequence[DagParam], values: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong with the JSON values of a configuration, its gaps included."""
    found = []
    for one in params:
        if one.name not in values and not one.required:
            continue
        if one.name not in values:
            found.append(Wrong(one.name, f"a value is required{f' ({one.about})' if one.about else ''}"))
        elif message := complaint(one.schema, values[one.name]):
            found.append(Wrong(one.name, message))
    return found


def parsed(param: DagParam, text: str) -> Any:
    """The JSON value that `text` means for `param`.

    Raises:
        ValueError: it means none; the text says what is expected.
    """
    types = types_of(param)
    if text == "" and "null" in types:
        return None
    chosen = next((one for one in param.schema.get("enum") or () if text_of(one) == text), None)
    if chosen is not None:
        return chosen
    for kind in ("boolean", "integer", "number", "array", "object"):
        if kind in types and (found := _READERS[kind](text)) is not None:
            return found
    if "string" in types:
        return text
    raise ValueError(f"{_shown(text)} is not {_expected(types)}")


def types_of(param: DagParam) -> tuple[str, ...]:
    """The JSON types that a parameter may have. One without a type may have any, numbers first: a plain default says
    which kind is meant."""
    given = param.schema.get("type")
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list) and given:
        return tuple(str(one) for one in given)
    match param.default:
        case bool():
            return ("boolean", "string")
        case str():
            return ("string",)
    return _ANY


def text_of(value: Any) -> str:
    """A JSON value as an operator would type it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def limits_of(param: DagParam) -> str:
    """What may be given, in words: `whole number, 1 to 10`."""
    schema = param.schema
    parts = [_expected(types_of(param)) if "type" in schema else ""]
    if schema.get("format"):
        parts[0] = {"date": "a date as 2026-11-21", "date-time": "a time as 2026-11-21T14:00:00Z"}.get(
            str(schema["format"]), f"{parts[0]} ({clean_line(schema['format'], limit=20)})"
        )
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        parts.append(f"{low} to {high}")
    else:
        parts += [f"at least {low}"] if low is not None else [f"at most {high}"] if high is not None else []
    if "const" in schema:
        parts.append(f"always {_shown(schema['const'])}")
    if schema.get("pattern"):
        parts.append(f"as {clean_line(schema['pattern'], limit=_LONGEST)}")
    return ", ".join(part for part in parts if part)


def complaint(schema: Mapping[str, Any], value: Any) -> str:
    """What is wrong with a JSON value by its schema; empty where nothing is."""
    given = schema.get("type")
    types = [str(one) for one in ([given] if isinstance(given, str) else given if isinstance(given, list) else [])]
    if types and all(one in _IS and not _IS[one](value) for one in types):
        return f"{_shown(value)} is not {_expected(types)}"
    if value is None:
        return ""
    if "const" in schema and value != schema["const"]:
        return f"{_shown(value)}; it is always {_shown(schema['const'])}"
    choices = schema.get("enum")
    if isinstance(choices, list) and value not in choices:
        listed = ", ".join(_shown(one) for one in choices[:12])
        return f"{_shown(value)}; expected one of {listed}{nearest(text_of(value), [text_of(one) for one in choices])}"
    if isinstance(value, str):
        return _text_complaint(schema, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_complaint(schema, value)
    return ""


def _number_complaint(schema: Mapping[str, Any], value: float) -> str:
    checks: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        ("minimum", lambda limit: value >= limit, "at least"),
        ("maximum", lambda limit: value <= limit, "at most"),
        ("exclusiveMinimum", lambda limit: value > limit, "more than"),
        ("exclusiveMaximum", lambda limit: value < limit, "less than"),
        ("multipleOf", lambda limit: limit == 0 or math.isclose(math.remainder(value, limit), 0.0, abs_tol=1e-9),
         "a multiple of"),
    )  # fmt: skip
    for key, holds, words in checks:
        limit = schema.get(key)
        if isinstance(limit, int | float) and not isinstance(limit, bool) and not holds(limit):
            return f"{value} is not {words} {limit}"
    return ""


def _text_complaint(schema: Mapping[str, Any], value: str) -> str:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(value) < least:
        return f"{len(value)} characters; at least {least}"
    if isinstance(most, int) and len(value) > most:
        return f"{len(value)} characters; at most {most}"
    form = schema.get("format")
    if form in _FORMATS:
        read, example = _FORMATS[str(form)]
        try:
            read(value)
        except ValueError:
            return f"{_shown(value)} is no {form} such as {example}"
    pattern = schema.get("pattern")
    try:
        if isinstance(pattern, str) and not matches(pattern, value):
            return f"{_shown(value)} does not match {clean_line(pattern, limit=_LONGEST)}"
    except (PatternTimeoutError, re.error, RecursionError, OverflowError):
        return ""  # for Airflow to judge
    return ""


def _date_time(text: str) -> datetime:
    """RFC 3339, with its offset, as Airflow wants it."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or "T" not in text.upper().replace(" ", "T"):
        raise ValueError(text)
    return found


def _day(text: str) -> date:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is None:
        raise ValueError(text)
    return date.fromisoformat(text)


_FORMATS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "date": (_day, "2026-11-21"),
    "date-time": (_date_time, "2026-11-21T14:00:00+00:00"),
    "time": (time.fromisoformat, "14:00:00"),
}
_IS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
_WORDS = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "object": "a JSON object", "array": "a JSON list", "null": "nothing",
}  # fmt: skip


def _expected(types: Sequence[str]) -> str:
    return " or ".join(_WORDS.get(one, clean_line(one, limit=20)) for one in types)


def _json(text: str, kind: type) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) and not (kind is int and isinstance(found, bool)) else None


def _number(text: str) -> float | None:
    if re.fullmatch(r"[-+]?(\d{1,300}\.?\d{0,300}|\.\d{1,300})([eE][-+]?\d{1,3})?", text, re.ASCII) is None:
        return None
    found = float(text)
    return found if math.isfinite(found) else None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda text: {"true": True, "false": False}.get(text.lower()),
    "integer": lambda text: int(text) if re.fullmatch(r"[-+]?\d{1,300}", text, re.ASCII) else None,
    "number": _number,
    "array": lambda text: _json(text, list),
    "object": lambda text: _json(text, dict),
}


def _shown(value: Any) -> str:
    return clean_line(json.dumps(value, ensure_ascii=False), limit=_LONGEST)
