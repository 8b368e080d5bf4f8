"""The attributes behind a fence's language, read as runme reads them.

runme (document/attributes.go) cuts the raw text at the first `}`, tries it as JSON, and falls back to splitting
at single spaces and the first `=`. Both never fail; what they make of a mistake is garbage, which is why the
linter wants one flat JSON object.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal, NoReturn

_OPENING = re.compile(r"\{(?!$)")
_LANGUAGE = re.compile(r"[^\s{]*")

Form = Literal["none", "json", "html"]


@dataclass(frozen=True, slots=True)
class Info:
    """An info string: the language, the attributes as strings, and how they were written."""

    language: str
    attributes: dict[str, str]
    form: Form = "none"
    spaced: bool = True
    """Whether a space parts the language from the attributes; without it Git hosts do not highlight."""
    flat: bool = True
    """False where JSON values nest; runme cannot read those."""
    intended_json: bool = False
    """Looks like JSON, but was not read as JSON."""


def read_info(info: str) -> Info:
    """Language and attributes of a fence's info string; never raises."""
    info = info.strip()
    found = _LANGUAGE.match(info)
    language = found.group() if found else ""
    raw = _raw_attributes(info)
    if raw is None:
        # `{"a":1` without an end is a mistake, a language such as `shell {` is not worth a word
        return Info(language.lower(), {}, intended_json=bool(re.search(r'\{\s*"', info)))
    spaced = not language or info[len(language)].isspace()
    decoded = _from_json(raw)
    if decoded is not None:
        attributes, flat = decoded
        return Info(language.lower(), attributes, "json", spaced, flat)
    return Info(language.lower(), _from_html(raw), "html", spaced, intended_json=bool(re.match(r'\{\s*"', raw)))


def _raw_attributes(info: str) -> str | None:
    stop = info.find("}")
    start = _OPENING.search(info, 0, stop) if stop >= 0 else None
    return info[start.start() : stop + 1] if start is not None else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _from_json(raw: str) -> tuple[dict[str, str], bool] | None:
    try:
        read = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict):
        return None
    flat = True
    attributes: dict[str, str] = {}
    for key, value in read.items():
        if isinstance(value, list):
            flat = flat and not any(isinstance(entry, list | dict) for entry in value)
        attributes[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return attributes, flat


def _from_html(raw: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for word in raw.strip("{}").strip().split(" "):
        key, _, value = word.partition("=")
        if key:
            attributes[key] = value
    return attributes
