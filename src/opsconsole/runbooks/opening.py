"""Beginning a run: everything is checked before there is a trace of it, and recorded before anything is done."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from opsconsole import __version__
from opsconsole.actions.guard import Context
from opsconsole.config.secrets import known_secrets
from opsconsole.config.settings import Environment
from opsconsole.core.problem import ContentError
from opsconsole.core.secret import Secret, mask
from opsconsole.runbooks.execution import Surroundings
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.lint import errors, is_checklist, lint
from opsconsole.runbooks.lock import RunLock, lock_key
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.parameters import fill
from opsconsole.runbooks.provenance import provenance_of
from opsconsole.runbooks.record import Header, RunFolder, timestamp
from opsconsole.runbooks.scopes import values_in

Mode = Literal["guided", "auto"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a run works with."""

    runbook: Runbook
    """With its commit."""
    values: Mapping[str, str]
    surroundings: Surroundings
    folder: RunFolder
    lock: RunLock | None
    locks: Path | None = None
    """The folder for locks; None: the state folder's."""


def open_run(
    runbook: Runbook,
    values: Mapping[str, str],
    *,
    context: Context,
    environment: Environment,
    secrets: Mapping[str, Secret],
    mode: Mode,
    incident: str,
    root: Path | None,
    locks: Path | None,
) -> Opened:
    """Check, lock, and make the folder; arguments and errors are those of `Run.create`."""
    runbook = expand(runbook)
    found = errors(lint(runbook))
    if found and not is_checklist(runbook):
        raise ContentError(found)
    filled = fill(runbook.params, values)
    lacking = [f"{name}: the secret is not set" for name in _wanted_secrets(runbook) if name not in secrets]
    if filled.complaints or lacking:
        raise ValueError("; ".join([*map(str, filled.complaints), *lacking]))
    runbook = replace(runbook, provenance=provenance_of(Path(runbook.path), runbook.source))
    surroundings = Surroundings.of(environment, runbook, secrets)
    header = _header(runbook, filled.values, context, mode, incident, (*secrets.values(), *known_secrets()))
    folder = RunFolder.create(header, runbook.source, root=root)
    try:
        lock = _locked(runbook, filled.values, folder, header, locks)
        folder.append("begin", by=header.actor, mode=mode, **_included(runbook, folder))
    except BaseException:
        folder.discard()
        raise
    return Opened(runbook, filled.values, surroundings, folder, lock, locks)


def _included(runbook: Runbook, folder: RunFolder) -> dict[str, Any]:
    """Keep the bytes of included runbooks beside those of the run's own, and say which version of which came in."""
    kept = {}
    for name, scope in runbook.scopes.items():
        book = scope.runbook
        version = provenance_of(Path(book.path), book.source)
        folder.keep_included(book.id, book.source)
        kept[name] = {"runbook": book.id, "sha256": version.sha256, "commit": version.commit}
    return {"included": kept} if kept else {}


def _wanted_secrets(runbook: Runbook) -> list[str]:
    """The secrets that some step sees."""
    listed = {name for step in runbook.steps for name in step.env or ()}
    return [name for name in runbook.secrets if name in listed]


def _header(
    runbook: Runbook,
    values: Mapping[str, str],
    context: Context,
    mode: str,
    incident: str,
    secrets: tuple[Secret, ...],
) -> Header:
    return Header(
        runbook=runbook.id,
        title=runbook.title,
        path=runbook.path,
        sha256=runbook.provenance.sha256,
        commit=runbook.provenance.commit,
        dirty=runbook.provenance.dirty,
        params={name: mask(value, secrets) for name, value in values.items()},
        actor=context.actor,
        login=context.login,
        ssh_connection=context.ssh_connection,
        host=context.host,
        environment=context.environment,
        mode=mode,
        version=__version__,
        incident=incident,
    )


def _locked(
    runbook: Runbook, filled: Mapping[str, str], folder: RunFolder, header: Header, root: Path | None
) -> RunLock | None:
    started = timestamp(folder.path.stat().st_mtime)
    return take_locks(runbook, filled, folder.id, header.actor, header.host, started, root)


def take_locks(
    runbook: Runbook, values: Mapping[str, str], run: str, actor: str, host: str, since: str, root: Path | None
) -> RunLock | None:
    """The locks of `runbook` and of what it includes; None where it has none.

    Raises:
        LockHeldError, OSError: as `RunLock.acquire_all`.
    """
    keys = [lock_key(runbook.lock, values)] if runbook.lock else []
    for name, scope in runbook.scopes.items():
        if scope.runbook.lock:
            keys.append(lock_key(scope.runbook.lock, values_in(runbook, name, values)))
    about = {"run": run, "actor": actor, "host": host, "since": since}
    return RunLock.acquire_all(keys, about, root=root) if keys else None
