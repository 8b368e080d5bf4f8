"""Reading what is kept of runs: whole or damaged, over or going on, by this process or another."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsconsole.core.problem import Problem
from opsconsole.runbooks.record import JOURNAL, process_start, runs_root


@dataclass(frozen=True, slots=True)
class JournalReading:
    """The journal of a run as it was found."""

    records: tuple[Mapping[str, Any], ...]
    problems: tuple[Problem, ...]
    """Damage: `torn` (the last line is incomplete: the machine or the program stopped there), `damaged`, `chain`,
    `gap`. Each costs the records it names and no others."""
    last_hash: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a list."""

    id: str
    runbook: str
    title: str
    state: str
    step: str
    """The step it is at, or ended at."""
    started_at: str
    ended_at: str | None
    actor: str
    host: str
    environment: str
    params: Mapping[str, str]
    path: Path
    steps: Mapping[str, str] = field(default_factory=dict)
    """Step -> state, as last recorded."""


def read_journal(folder: Path) -> JournalReading:
    """Every record that can be read, and what is wrong. Never raises for what the file holds.

    Raises:
        OSError: there is no journal to read.
    """
    path = folder / JOURNAL
    content = path.read_bytes()
    try:
        expected = hashlib.sha256((folder / "run.json").read_bytes()).hexdigest()
    except OSError:
        expected = ""
    lines = content.split(b"\n")
    torn = lines.pop()
    records: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    seq = 0

    def report(line: int, code: str, message: str) -> None:
        problems.append(Problem(str(path), line, 1, "error", code, message))

    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            seq, following = int(record["seq"]), seq + 1
        except (ValueError, KeyError, TypeError, RecursionError):
            report(number, "damaged", "this line is no record")
            expected, seq = hashlib.sha256(line).hexdigest(), seq + 1
            continue
        if seq != following:
            report(number, "gap", f"record {seq} where {following} was expected")
        elif expected and record.get("prev") != expected:
            report(number, "chain", f"record {seq} does not follow from what stands before it; something was changed")
        records.append(record)
        expected = hashlib.sha256(line).hexdigest()
    if torn:
        report(len(lines) + 1, "torn", "the last record is incomplete, and lost")
    return JournalReading(tuple(records), tuple(problems), expected)


def list_runs(root: Path | None = None, *, limit: int | None = None) -> list[RunSummary]:
    """Runs, newest first. A folder that cannot be read is left out."""
    folder = root or runs_root()
    found: list[RunSummary] = []
    for path in sorted((entry for entry in folder.iterdir() if entry.is_dir()), reverse=True):
        if limit is not None and len(found) >= limit:
            break
        summary = summarize(path)
        if summary is not None:
            found.append(summary)
    return found


def summarize(path: Path) -> RunSummary | None:
    """What the run in this folder is and where it stands; None where nothing can be made of it."""
    try:
        header = json.loads((path / "run.json").read_bytes())
        reading = read_journal(path)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(header, dict):
        return None
    states = step_states(reading.records)
    end = next((record for record in reversed(reading.records) if record.get("ev") == "end"), None)
    at = next((str(record["step"]) for record in reversed(reading.records) if record.get("step")), "")
    return RunSummary(
        id=path.name,
        runbook=str(header.get("runbook", "")),
        title=str(header.get("title", "")),
        state=str(end.get("state", "unknown")) if end else _open_state(header, reading.records, states),
        step=at,
        started_at=str(header.get("started_at", "")),
        ended_at=str(end.get("t", "")) if end else None,
        actor=str(header.get("actor", "")),
        host=str(header.get("host", "")),
        environment=str(header.get("environment", "")),
        params={str(name): str(value) for name, value in dict(header.get("params") or {}).items()},
        path=path,
        steps=states,
    )


def step_states(records: tuple[Mapping[str, Any], ...]) -> dict[str, str]:
    """Step -> state after these records. A step with an intent and no result is `unknown`."""
    states: dict[str, str] = {}
    for record in records:
        step = record.get("step")
        if not step:
            continue
        if record.get("ev") == "intent":
            states[str(step)] = "unknown"
        elif record.get("state"):
            states[str(step)] = str(record["state"])
    return states


def _open_state(header: Mapping[str, Any], records: tuple[Mapping[str, Any], ...], states: Mapping[str, str]) -> str:
    """The state of a run that has no end: does its process live, and what was the last it said?"""
    pid = header.get("pid")
    alive = isinstance(pid, int) and _is_same_process(pid, str(header.get("pid_start", "")))
    if "unknown" in states.values():
        return "running" if alive else "unknown"
    if records and records[-1].get("ev") == "leave":
        return "left"
    return "waiting" if alive else "left"


def _is_same_process(pid: int, start: str) -> bool:
    if start:
        return process_start(pid) == start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
