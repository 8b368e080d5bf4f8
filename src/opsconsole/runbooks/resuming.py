"""Taking up a run again: everything that is recorded holds, and what is not recorded is not guessed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsconsole.actions.action import Outcome, Result
from opsconsole.actions.guard import Context
from opsconsole.config.settings import Environment
from opsconsole.core.secret import MASK, Secret
from opsconsole.runbooks.execution import Surroundings
from opsconsole.runbooks.history import read_journal
from opsconsole.runbooks.includes import expand, kept_in
from opsconsole.runbooks.model import Provenance, Runbook
from opsconsole.runbooks.opening import Opened, take_locks
from opsconsole.runbooks.parsing import parse_runbook
from opsconsole.runbooks.progress import Progress
from opsconsole.runbooks.record import RunFolder
from opsconsole.runbooks.states import StepState

Records = Sequence[Mapping[str, Any]]


class CannotResumeError(ValueError):
    """The run cannot be taken up again; the message says why."""


def read_header(folder: Path) -> dict[str, Any]:
    """`run.json` of the run in `folder`.

    Raises:
        CannotResumeError: it cannot be read.
    """
    try:
        header = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CannotResumeError(f"run {folder.name}: run.json cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise CannotResumeError(f"run {folder.name}: run.json is none")
    return header


def opened_runbook(folder: Path) -> Runbook:
    """The runbook as it was when the run was opened, by the copy in its folder.

    Raises:
        CannotResumeError: the copy is not what was opened.
    """
    header = read_header(folder)
    try:
        source = (folder / "runbook.md").read_bytes()
    except OSError as error:
        raise CannotResumeError(f"run {folder.name}: runbook.md cannot be read: {error.strerror}") from None
    if hashlib.sha256(source).hexdigest() != header.get("sha256"):
        raise CannotResumeError(f"run {folder.name}: its runbook.md is not what was opened; something changed it")
    runbook = expand(parse_runbook(source, str(header.get("path", ""))), kept_in(folder))
    provenance = Provenance(str(header["sha256"]), str(header.get("commit", "")), bool(header.get("dirty")))
    return replace(runbook, provenance=provenance)


def reopen_run(
    path: Path,
    *,
    context: Context,
    environment: Environment,
    secrets: Mapping[str, Secret],
    locks: Path | None,
) -> tuple[Opened, Records]:
    """The run in `path`, to be carried on by this process, and what is recorded of it.

    Raises:
        CannotResumeError: it is over, belongs to another environment, or something of it cannot be had any more.
        RunCarriedError, LockHeldError, SecretError, OSError: as `Run.create`.
    """
    header, runbook = read_header(path), opened_runbook(path)
    values = {str(name): str(value) for name, value in dict(header.get("params") or {}).items()}
    if hidden := [name for name, value in values.items() if MASK in value]:
        raise CannotResumeError(f"run {path.name}: {', '.join(hidden)} held a secret, which is not kept")
    if header.get("environment") != environment.name:
        raise CannotResumeError(
            f"run {path.name} is of environment {header.get('environment')}, not {environment.name}"
        )
    surroundings = Surroundings.of(environment, runbook, secrets)
    folder = RunFolder.reopen(path)
    try:
        records = read_journal(path).records
        if any(record.get("ev") == "end" for record in records):
            raise CannotResumeError(f"run {path.name} is over")
        since = str(header.get("started_at"))
        lock = take_locks(runbook, values, folder.id, context.actor, context.host, since, locks)
    except BaseException:
        folder.close()
        raise
    return Opened(runbook, values, surroundings, folder, lock, locks), records


def restore(progress: Progress, records: Records) -> list[str]:
    """Bring `progress` to where `records` leave it. The names of steps that were started and have no recorded end."""
    unfinished: dict[str, None] = {}
    for record in records:
        event, name = record.get("ev"), str(record.get("step") or "")
        if event == "jump":
            target = progress.runbook.step(str(record.get("to")))
            if target is not None and target in progress.runbook.route:
                progress.jump(target)
            continue
        if name not in progress.states:
            continue
        if event == "intent":
            unfinished[name] = None
        else:
            unfinished.pop(name, None) if event == "result" or record.get("state") else None
            _set(progress, name, record.get("state"))
    for name in unfinished:
        progress.states[name] = StepState.UNKNOWN
    return list(unfinished)


def stands_where_it_jumped(records: Records) -> bool:
    """Whether nothing was settled since the last jump: then the walk stays where that led."""
    return next((str(one["ev"]) for one in reversed(records) if one.get("step") or one.get("to")), "") == "jump"


def recorded_result(record: Mapping[str, Any]) -> Result | None:
    """The result that a record of one holds; None where it holds none that can be read."""
    words = {"timed-out": Outcome.TIMED_OUT, "pending": Outcome.DECLINED}
    state = str(record.get("state", ""))
    try:
        outcome = words.get(state) or Outcome(state)
        captured = tuple((str(name), str(value)) for name, value in dict(record.get("captured") or {}).items())
        return Result(
            outcome,
            exit_code=int(record["rc"]) if record.get("rc") is not None else None,
            detail=str(record.get("detail") or ""),
            output_bytes=int(record.get("bytes") or 0),
            duration=float(record.get("ms") or 0) / 1000,
            captured=captured,
        )
    except (ValueError, TypeError):
        return None


def _set(progress: Progress, name: str, state: object) -> None:
    if isinstance(state, str) and state in set(StepState):
        progress.states[name] = StepState(state)
