"""The report of a run as JSON: the same as the one in Markdown, for programs. docs/runbooks.md has the fields."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsconsole.core.clean import clean
from opsconsole.runbooks.history import read_journal
from opsconsole.runbooks.report import EXCERPT, output_end

_HEADER = ("runbook", "title", "sha256", "commit", "dirty", "actor", "login", "host", "environment", "mode", "version",
           "incident", "params", "started_at")  # fmt: skip
_ATTEMPT = frozenset({"intent", "result"})


def report_document(folder: Path) -> dict[str, Any]:
    """The report of the run in `folder`, also of one that is not over. Text is clean, secrets were masked before.

    Raises:
        OSError: the folder cannot be read.
    """
    header = json.loads((folder / "run.json").read_bytes())
    reading = read_journal(folder)
    end = next((one for one in reversed(reading.records) if one.get("ev") == "end"), None)
    return {
        "v": 1,
        "run": folder.name,
        **{name: _clean(header.get(name)) for name in _HEADER},
        "state": _clean(end.get("state")) if end else "not over",
        "reason": _clean(end.get("reason", "")) if end else "",
        "ended_at": end.get("t") if end else None,
        "attempts": _attempts(folder, reading.records),
        "events": [_event(one) for one in reading.records if one.get("ev") not in _ATTEMPT],
        "damage": [{"line": one.line, "message": clean(one.message)} for one in reading.problems],
    }


def _attempts(folder: Path, records: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """One entry for each time a step was started; one without a result has the state `unknown`."""
    found: list[dict[str, Any]] = []
    open_ones: dict[str, dict[str, Any]] = {}
    for record in records:
        name = str(record.get("step"))
        if record.get("ev") == "intent":
            began = {
                "step": name,
                "attempt": record.get("attempt"),
                "by": record.get("by"),
                "started_at": record.get("t"),
            }
            one = {**began, "kind": record.get("kind"), "risk": record.get("risk"), "command": record.get("command")}
            open_ones[name] = {**_cleaned(one), "state": "unknown"}
            found.append(open_ones[name])
        elif record.get("ev") == "result" and name in open_ones:
            open_ones.pop(name).update(_result(folder, record))
    return found


def _result(folder: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    size = int(record.get("bytes") or 0)
    output = {"file": Path(str(record.get("out", ""))).name, "bytes": size, "end": output_end(folder, record) or ""}
    return {
        **_cleaned({"state": record.get("state"), "exit_code": record.get("rc"), "detail": record.get("detail")}),
        "duration": float(record.get("ms") or 0) / 1000,
        "output": {**output, "whole": size <= EXCERPT},
    }


def _event(record: Mapping[str, Any]) -> dict[str, Any]:
    return _cleaned({name: value for name, value in record.items() if name not in ("v", "mono", "prev")})


def _cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _clean(value) for name, value in fields.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, limit=100_000)
    if isinstance(value, Mapping):
        return _cleaned(value)
    return [_clean(one) for one in value] if isinstance(value, list) else value
