"""A door, a place for runs, and runbooks written on the spot."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.config.settings import Environment, Mode, Role
from opsconsole.runbooks.library import load_runbook
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.run import Run
from opsconsole.store import FILE
from opsconsole.store.sqlite import SqliteJournal

Write = Callable[[str], Runbook]
Begin = Callable[..., Run]
HEAD = "---\nrunbook: 1\nid: trial\ntitle: Trial\n"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / FILE)
    yield opened
    opened.close()


@pytest.fixture
def door(journal: SqliteJournal) -> Door:
    return Door(Context("alice", "ops1", "production", Mode.GUARDED, Role.OPERATOR), journal)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment("production", screens=tmp_path, runbooks=tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a runbook of its body, or of its whole text where that begins with `---`."""

    def write_it(text: str) -> Runbook:
        text = textwrap.dedent(text).lstrip("\n")
        path = tmp_path / "trial.md"
        path.write_text(text if text.startswith("---") else f"{HEAD}---\n{text}")
        return load_runbook(path)

    return write_it


@pytest.fixture
def begin(door: Door, environment: Environment, tmp_path: Path) -> Iterator[Begin]:
    """Begins runs, in folders of the test."""
    begun: list[Run] = []

    def begin_it(runbook: Runbook, values: Mapping[str, str] | None = None, **options: Any) -> Run:
        places = {"root": tmp_path / "runs", "locks": tmp_path / "locks"}
        run = Run.create(runbook, values or {}, **{"door": door, "environment": environment, **places, **options})
        begun.append(run)
        return run

    yield begin_it
    for run in begun:
        run.close()
