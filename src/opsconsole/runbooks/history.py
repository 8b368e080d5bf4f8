"""Reading what is kept of runs: whole or damaged, over or going on, by this process or another."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsconsole.core.problem import Problem
from opsconsole.runbooks.record import JOURNAL, SOCKET, process_start, runs_root


@dataclass(frozen=True, slots=True)
class JournalReading:
    """The journal of a run as it was found."""

    records: tuple[Mapping[str, Any], ...]
    problems: tuple[Problem, ...]
    """Damage: `torn` (the last line is incomplete: the machine or the program stopped there), `damaged`, `chain`,
    `gap`. Each costs the records it names and no others."""
    last_hash: str = ""
    last_seq: int = 0

    @property
    def torn(self) -> bool:
        """Whether the last line is incomplete."""
        return any(problem.code == "torn" for problem in self.problems)


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
    live: bool = False
    """Whether a process carries it, which can be attached to."""
    driver: str = ""
    """Whose decisions it takes; empty: nobody is there."""
    step_started_at: str = ""
    """Since when its step is under way; empty: none is."""

    @property
    def over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.ended_at is not None


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
    return JournalReading(tuple(records), tuple(problems), expected, seq)


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


def live_runs(root: Path | None = None, *, most: int = 500) -> list[RunSummary]:
    """The runs that go on, newest first. Looks into no other folders than those of runs with a supervisor."""
    folder = root or runs_root()
    latest = sorted((entry.name for entry in os.scandir(folder)), reverse=True)[:most]
    found = [summarize(folder / name) for name in latest if (folder / name / SOCKET).exists()]
    return [one for one in found if one is not None and one.live]


def unfinished_runs(root: Path | None = None, *, most: int = 200) -> list[RunSummary]:
    """The runs that are not over among the latest `most`, newest first; those that go on before the others."""
    found = [one for one in list_runs(root, limit=most) if not one.over]
    return sorted(found, key=lambda one: not one.live)


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
    live = end is None and _is_carried(header, reading.records)
    under_way = _under_way(reading.records) if live else None
    return RunSummary(
        id=path.name,
        runbook=str(header.get("runbook", "")),
        title=str(header.get("title", "")),
        state=str(end.get("state", "unknown")) if end else _open_state(live, reading.records, states),
        step=str(under_way["step"]) if under_way else at,
        started_at=str(header.get("started_at", "")),
        ended_at=str(end.get("t", "")) if end else None,
        actor=str(header.get("actor", "")),
        host=str(header.get("host", "")),
        environment=str(header.get("environment", "")),
        params={str(name): str(value) for name, value in dict(header.get("params") or {}).items()},
        path=path,
        steps=states,
        live=live,
        driver=_driver(header, reading.records) if live else "",
        step_started_at=str(under_way.get("t", "")) if under_way else "",
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


def _open_state(live: bool, records: Sequence[Mapping[str, Any]], states: Mapping[str, str]) -> str:
    """The state of a run that has no end: does its process live, and what was the last it said?"""
    if live:
        return "running" if _under_way(records) else "waiting"
    return "unknown" if "unknown" in states.values() else "left"


def _is_carried(header: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the process that carries the run, the first or the last that took it up again, lives and has not left."""
    if records and records[-1].get("ev") == "leave":
        return False
    taken_up = next((record for record in reversed(records) if record.get("ev") == "resume"), header)
    pid = taken_up.get("pid")
    return isinstance(pid, int) and _is_same_process(pid, str(taken_up.get("pid_start", "")))


def _under_way(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The intent of the step that is under way: the first without a result since the run was last taken up."""
    found: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if record.get("ev") == "intent":
            found.setdefault(str(record.get("step")), record)
        elif record.get("ev") == "result":
            found.pop(str(record.get("step")), None)
        elif record.get("ev") == "resume":
            found.clear()
    return next(iter(found.values()), None)


def _driver(header: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str:
    """Whose decisions the run takes, by what is recorded of coming and going."""
    driver = str(header.get("actor", ""))
    for record in records:
        event, by = record.get("ev"), str(record.get("by", ""))
        if event in ("resume", "take-over") or (event == "attach" and record.get("driving")):
            driver = by
        elif event in ("hand-over", "pause") or (event == "detach" and record.get("driving")):
            driver = ""
    return driver


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
