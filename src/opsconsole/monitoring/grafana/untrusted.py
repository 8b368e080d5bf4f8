"""What a dashboard's JSON says, taken as what it should be: another type is as good as nothing."""

import math
from collections.abc import Mapping
from typing import Any

from opsconsole.core.clean import clean, clean_line

Json = Mapping[str, Any]


def mapping(value: object) -> Json:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """`value` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[Json]:
    """The objects of a list."""
    return [one for one in items(value) if isinstance(one, dict)]


def word(value: object, *, limit: int = 200) -> str:
    """`value` as cleaned text on one line; numbers as they are written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean_line(str(value).strip(), limit=limit)


def passage(value: object, *, limit: int = 20_000) -> str:
    """`value` as cleaned text that may have several lines."""
    return clean(value, limit=limit).replace("\t", "    ") if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """`value` as a finite number; text that is one counts, for Grafana's forms save numbers as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: object, default: int = 0) -> int:
    """`value` as a whole number within what a dashboard can mean."""
    found = number(value)
    return default if found is None else int(max(-1_000_000.0, min(1_000_000.0, found)))


def at(value: object, *keys: str) -> Any:
    """What stands below `keys`, None where one of them leads nowhere."""
    for key in keys:
        value = mapping(value).get(key)
    return value
