"""What the verbs of `db` print: readings as JSON, notes about what could not be seen, sizes and ages for people."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from opsconsole.cli.output import narrate, print_json, rfc3339
from opsconsole.core.units import format_value


def fields_of(value: Any) -> Any:
    """A reading as JSON has it: its fields by name; one that ends in `_at` is a time (unix seconds -> RFC 3339)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _field(one.name, getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): fields_of(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [fields_of(item) for item in value]
    return value


def print_reading(kind: str, reading: Any, taken_at: float | None, notes: Iterable[str]) -> None:
    """`{"taken_at": …, KIND: …, "notes": […]}` on stdout."""
    print_json({"taken_at": rfc3339(taken_at), kind: fields_of(reading), "notes": list(notes)})


def narrate_notes(notes: Iterable[str]) -> None:
    """Each note on a line of stderr."""
    for note in notes:
        narrate(f"note: {note}")


def size(value: float | None) -> str:
    """`1.2 GiB`."""
    return format_value(value, "bytes")


def share(value: float | None) -> str | None:
    """0.12 as `12 %`."""
    return None if value is None else format_value(value, "percentunit")


def ago(then: float | None, now: float) -> str | None:
    """How long ago a moment was, in one unit: `3d`."""
    from opsconsole.core.duration import age_text

    return None if then is None else age_text(max(0.0, now - then))


def _field(name: str, value: Any) -> Any:
    return rfc3339(value) if name.endswith("_at") and isinstance(value, float) else fields_of(value)
