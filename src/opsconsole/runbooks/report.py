"""The report of a run in Markdown, from its folder alone: who, when, which version, and every step with its end."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text
from opsconsole.runbooks.ending import ending
from opsconsole.runbooks.history import JournalReading, read_journal

EXCERPT = 2000
"""Bytes of a step's output that the report quotes: its end."""


def render_report(folder: Path) -> str:
    """The report of the run in `folder`, also of one that is not over.

    Raises:
        OSError: the folder cannot be read.
    """
    header = json.loads((folder / "run.json").read_bytes())
    reading = read_journal(folder)
    return "\n".join([*_head(folder, header, reading), *_steps(folder, reading), *_notes(reading), *_damage(reading)])


def _head(folder: Path, header: Mapping[str, Any], reading: JournalReading) -> list[str]:
    end = next((record for record in reversed(reading.records) if record.get("ev") == "end"), None)
    state = ending(_line(end.get("state")), _last_states(reading)) if end else "not over"
    version = f"commit {_line(header.get('commit'))[:12]}" if header.get("commit") else "no commit"
    if header.get("dirty"):
        version += " with local changes"
    lines = [
        f"# {_line(header.get('title'))}: {state}",
        "",
        f"- run: {folder.name}",
        f"- runbook: {_line(header.get('runbook'))} ({version}, sha256 {_line(header.get('sha256'))[:12]})",
        f"- by: {_line(header.get('actor'))} on {_line(header.get('host'))}, {_line(header.get('mode'))}",
        f"- environment: {_line(header.get('environment'))}",
        f"- from: {_line(header.get('started_at'))}",
        f"- to: {_line(end.get('t')) if end else '-'}",
    ]
    if end and end.get("reason"):
        lines.append(f"- reason: {_line(end['reason'])}")
    lines += [f"- {_line(name)} = `{_line(value)}`" for name, value in dict(header.get("params") or {}).items()]
    return lines


def _last_states(reading: JournalReading) -> Iterable[str]:
    """What each step that was tried came to in the end."""
    return {one.get("step"): _line(one.get("state")) for one in reading.records if one.get("ev") == "result"}.values()


def _steps(folder: Path, reading: JournalReading) -> list[str]:
    lines = ["", "## What was done", ""]
    for record in reading.records:
        when = _line(record.get("t"))[11:19]
        step = _line(record.get("step"))
        match record.get("ev"):
            case "intent":
                lines += [f"### {when} {step} (try {record.get('attempt')}, {_line(record.get('risk'))})", ""]
                lines += [*_fenced(str(record.get("command", ""))), ""]
            case "result":
                took = duration_text(float(record.get("ms") or 0) / 1000)
                code = f", exit code {record['rc']}" if record.get("rc") is not None else ""
                detail = f": {_line(record['detail'])}" if record.get("detail") else ""
                lines += [f"{when} **{_line(record.get('state'))}** after {took}{code}{detail}", ""]
                lines += _excerpt(folder, record)
            case "skip" | "exclude" | "manual" | "choice" | "declined" | "approval-requested" | "locked":
                what = _line(record.get("state") or record["ev"])
                reason = f": {_line(record['reason'])}" if record.get("reason") else ""
                lines += [f"{when} {step} **{what}** by {_line(record.get('by'))}{reason}", ""]
            case "background-ended":
                lines += [f"{when} {step} in the background {_line(record.get('detail'))}", ""]
            case "hand-over" | "pause" | "take-over":
                word = f": {_line(record['text'])}" if record.get("text") else ""
                lines += [f"{when} **{_line(record['ev'])}** by {_line(record.get('by'))}{word}", ""]
            case "file-changed":
                lines += [f"{when} {_line(record.get('detail'))}", ""]
    return lines


def _notes(reading: JournalReading) -> list[str]:
    notes = [record for record in reading.records if record.get("ev") == "note"]
    if not notes:
        return []
    return [
        "## Notes",
        "",
        *(f"- {_line(note['t'])[11:19]} {_line(note['by'])}: {_line(note['text'])}" for note in notes),
        "",
    ]


def _damage(reading: JournalReading) -> list[str]:
    if not reading.problems:
        return []
    return ["## Damage to the record", "", *(f"- line {one.line}: {one.message}" for one in reading.problems), ""]


def _excerpt(folder: Path, record: Mapping[str, Any]) -> list[str]:
    size = int(record.get("bytes") or 0)
    name = Path(str(record.get("out", ""))).name
    if not size or not name:
        return []
    tail = output_end(folder, record)
    if tail is None:
        return [f"(the output, {size} bytes, cannot be read)", ""]
    cut = [f"(the last {EXCERPT} of {size} bytes; all of it in steps/{name})", ""] if size > EXCERPT else []
    return [*cut, *_fenced(tail), ""]


def output_end(folder: Path, record: Mapping[str, Any]) -> str | None:
    """The end of the output that the result `record` names, clean; None where it cannot be read."""
    path = folder / "steps" / Path(str(record.get("out", ""))).name
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - EXCERPT))
            return clean(file.read().decode("utf-8", "replace").rstrip("\n"))
    except OSError:
        return None


def _fenced(text: str) -> list[str]:
    """`text` in a fence that it cannot close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [fence, clean(text, limit=100_000), fence]


def _line(value: object) -> str:
    return clean_line("" if value is None else value)
