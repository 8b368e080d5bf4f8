"""What may stand in the body of a request: each field is checked, a field that nobody knows is refused."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsconsole.demo.airflow_api.refusal import Refusal, wrong

Place = tuple[str | int, ...]
Check = Callable[[Any, Place], Any]
"""From a value and where it stands to what it means; raises `Wrong`."""


class Wrong(Exception):  # noqa: N818 - it is a value that is wrong
    """A value that is refused, with its entry of the 422."""

    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__(entry["msg"])
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body."""

    check: Check
    default: Any = None
    required: bool = False


def boolean(value: Any, place: Place) -> bool:
    """true or false, or a word for it."""
    known = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}
    found = value if isinstance(value, bool) else known.get(str(value).lower())
    if found is None:
        raise Wrong(wrong("bool_parsing", place, "Input should be a valid boolean, unable to interpret input", value))
    return bool(found)


def text(value: Any, place: Place) -> str | None:
    """A text or null."""
    if value is not None and not isinstance(value, str):
        raise Wrong(wrong("string_type", place, "Input should be a valid string", value))
    return value


def note(value: Any, place: Place) -> str | None:
    """A text of at most 1000 characters, or null."""
    found = text(value, place)
    if found and len(found) > 1000:
        message = "String should have at most 1000 characters"
        raise Wrong(wrong("string_too_long", place, message, value, max_length=1000))
    return found


def mapping(value: Any, place: Place) -> dict[str, Any] | None:
    """An object or null."""
    if value is not None and not isinstance(value, dict):
        raise Wrong(wrong("dict_type", place, "Input should be a valid dictionary", value))
    return value


def moment(value: Any, place: Place) -> datetime | None:
    """A moment with its offset, or null."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        message = "Input should be a valid datetime or date, input is too short"
        raise Wrong(wrong("datetime_from_date_parsing", place, message, value, error="input is too short")) from None
    if found.tzinfo is None:
        raise Wrong(wrong("timezone_aware", place, "Input should have timezone info", value))
    return found


def whole(value: Any, place: Place) -> int:
    """A whole number from 0 on."""
    try:
        found = int(value)
    except (TypeError, ValueError):
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise Wrong(wrong("int_parsing", place, message, value)) from None
    if found < 0:
        raise Wrong(wrong("greater_than_equal", place, "Input should be greater than or equal to 0", value, ge=0))
    return found


def choice(*options: str) -> Check:
    """One of these words, or null."""

    def check(value: Any, place: Place) -> str | None:
        if value is not None and value not in options:
            quoted = [f"'{option}'" for option in options]
            expected = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
            raise Wrong(wrong("enum", place, f"Input should be {expected}", value, expected=expected))
        return None if value is None else str(value)

    return check


def mark(value: Any, place: Place) -> str:
    """The state that a task is set to."""
    options = ["success", "failed", "skipped"]
    if value is None:
        raise Wrong(wrong("value_error", place, "Value error, 'new_state' should not be empty", value, error={}))
    if str(value).lower() not in options:
        message = f"Value error, '{str(value).lower()}' is not one of {options}"
        raise Wrong(wrong("value_error", place, message, value, error={}))
    return str(value).lower()


def tasks(value: Any, place: Place) -> list[tuple[str, int | None]] | None:
    """Task ids, or [task id, map index], or null."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise Wrong(wrong("list_type", place, "Input should be a valid list", value))
    found: list[tuple[str, int | None]] = []
    for number, one in enumerate(value):
        pair = one if isinstance(one, list) and len(one) == 2 else [one, None]
        if not isinstance(pair[0], str) or not (pair[1] is None or isinstance(pair[1], int)):
            raise Wrong(wrong("string_type", (*place, number), "Input should be a valid string", one))
        found.append((pair[0], pair[1]))
    return found


TRIGGER = {
    "dag_run_id": Field(text),
    "data_interval_start": Field(moment),
    "data_interval_end": Field(moment),
    "logical_date": Field(moment, required=True),
    "run_after": Field(moment),
    "conf": Field(mapping),
    "note": Field(text),
    "partition_key": Field(text),
}
PATCH_DAG = {"is_paused": Field(boolean, required=True)}
PATCH_RUN = {"state": Field(choice("queued", "success", "failed")), "note": Field(note)}
CLEAR_RUN = {
    "dry_run": Field(boolean, True),
    "only_failed": Field(boolean, False),
    "only_new": Field(boolean, False),
    "run_on_latest_version": Field(boolean, False),
    "note": Field(note),
}
CLEAR_TASKS = {
    "dry_run": Field(boolean, True),
    "start_date": Field(moment),
    "end_date": Field(moment),
    "only_failed": Field(boolean, True),
    "only_running": Field(boolean, False),
    "reset_dag_runs": Field(boolean, True),
    "task_ids": Field(tasks),
    "dag_run_id": Field(text),
    "include_upstream": Field(boolean, False),
    "include_downstream": Field(boolean, False),
    "include_future": Field(boolean, False),
    "include_past": Field(boolean, False),
    "run_on_latest_version": Field(boolean, False),
    "prevent_running_task": Field(boolean, False),
    "note": Field(note),
}
PATCH_TASK = {
    "new_state": Field(mark),
    "note": Field(note),
    "include_upstream": Field(boolean, False),
    "include_downstream": Field(boolean, False),
    "include_future": Field(boolean, False),
    "include_past": Field(boolean, False),
}
BACKFILL = {
    "dag_id": Field(text, required=True),
    "from_date": Field(moment, required=True),
    "to_date": Field(moment, required=True),
    "run_backwards": Field(boolean, False),
    "dag_run_conf": Field(mapping),
    "reprocess_behavior": Field(choice("none", "failed", "completed"), "none"),
    "max_active_runs": Field(whole, 10),
    "run_on_latest_version": Field(boolean, True),
}


def parse(body: bytes, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The body's fields, those left out with their defaults.

    Raises:
        Refusal: 422, with everything that is wrong with it.
    """
    told = _object(body)
    found: dict[str, Any] = {}
    problems = []
    for name, field in fields.items():
        if name not in told:
            found[name] = field.default
            if field.required:
                problems.append(wrong("missing", ("body", name), "Field required", told))
            continue
        try:
            found[name] = field.check(told[name], ("body", name))
        except Wrong as error:
            problems.append(error.entry)
    problems += [
        wrong("extra_forbidden", ("body", name), "Extra inputs are not permitted", value)
        for name, value in told.items()
        if name not in fields
    ]
    if problems:
        raise Refusal(422, problems)
    return {**found, "given": frozenset(told)}


def contradiction(body: bytes, message: str) -> Refusal:
    """The 422 for fields that do not go together."""
    return Refusal(422, [wrong("value_error", ("body",), f"Value error, {message}", json.loads(body), error={})])


def _object(body: bytes) -> dict[str, Any]:
    if not body:
        raise Refusal(422, [wrong("missing", ("body",), "Field required", None)])
    try:
        told = json.loads(body)
    except json.JSONDecodeError as error:
        raise Refusal(
            422, [wrong("json_invalid", ("body", error.pos), "JSON decode error", {}, error=error.msg)]
        ) from None
    except UnicodeDecodeError:
        raise Refusal(400, "There was an error parsing the body") from None
    if not isinstance(told, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise Refusal(422, [wrong("model_attributes_type", ("body",), message, told)])
    return told
