"""What the application is given: who sits here, what there is to see, and the ways to act. Built by `cli`."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opsconsole.core.problem import Problem
from opsconsole.core.secret import Secret
from opsconsole.ui.frame import Identity
from opsconsole.ui.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from pathlib import Path

    from opsconsole.actions.guard import Context
    from opsconsole.config.settings import PostgresSettings
    from opsconsole.database.asking import Database
    from opsconsole.database.explain import Explained
    from opsconsole.runbooks.client import RunClient
    from opsconsole.runbooks.history import RunSummary
    from opsconsole.runbooks.library import Library
    from opsconsole.runbooks.model import Runbook
    from opsconsole.screens.definition import Screen
    from opsconsole.screens.poller import OnReadings, Poller, Read
    from opsconsole.store.journal import Journal


def _no_secrets() -> Iterable[Secret]:
    return ()


async def _nothing_to_close() -> None:
    return None


def _nothing() -> None:
    return None


def _not_journalled(action: str, title: str, target: str) -> AbstractContextManager[None]:
    return nullcontext()


def _no_runs() -> "Sequence[RunSummary]":
    return ()


@dataclass(slots=True)
class Session:
    """One environment, opened.

    Whatever takes time to make (the library, a run, the journal) comes as a function and is asked for when it
    is first needed, after the first paint.
    """

    context: "Context"
    load_screens: "Callable[[], tuple[Sequence[Screen], Sequence[Problem]]]"
    """Reads the screens, in the order of their tabs, and says what is wrong with their files."""
    read: "Read"
    """Asks a source once: what the poller is made of. Raises `SourceError` where that fails."""
    library: "Callable[[], Library]"
    start_run: "Callable[[Runbook, Mapping[str, str]], Awaitable[RunClient]]"
    """Begins a run of a runbook with parameter values; raises what `Run.create` does."""
    attach_run: "Callable[[Path], Awaitable[RunClient]]"
    """Goes to the run in a folder: it is attached to, or taken up again where nobody carries it."""
    explain: "Callable[[str, str], Awaitable[Explained]] | None" = None
    """From a database's source name and a statement to its plan; the statement is not run. Raises SourceError and
    ValueError, whose text says why there is none."""
    databases: "Mapping[str, PostgresSettings]" = field(default_factory=lambda: MappingProxyType({}))
    """The databases by their names in the configuration, for what a page asks over a connection of its own."""
    families: "Mapping[str, Callable[[], Awaitable[Any]]]" = field(default_factory=lambda: MappingProxyType({}))
    """By the name of a family of pages (`ui.families`): opens what its pages take their readings of, the same for all
    that ask. A family without a source in this environment is not in it."""
    keep: "Callable[[Callable[[str, bool], object]], Awaitable[None]] | None" = None
    """Goes on for as long as the console is open: prolongs the operator's acknowledgements, and tells what it did and
    whether that failed. None: nothing has to."""
    prepare_run: Callable[[], None] = _nothing
    """A run is likely to begin soon: what takes time may be done now."""
    live_runs: "Callable[[], Sequence[RunSummary]]" = _no_runs
    """Those that go on, whoever began them. Cheap; reads files."""
    unfinished_runs: "Callable[[], Sequence[RunSummary]]" = _no_runs
    """The runs of this environment that are not over, newest first. Reads files."""
    journal: "Callable[[], Journal] | None" = None
    note: Callable[[str], None] | None = None
    """Writes a note to the timeline."""
    remembering: Callable[[str, str, str], AbstractContextManager[None]] = _not_journalled
    """Has in the journal what is only remembered on this machine, and done inside: action, title, target. Raises
    JournalError before anything is done."""
    banner: str = ""
    sources: Sequence[str] = ()
    """The names of the sources that are configured; empty: not known. Checks of others do not count."""
    derived: Sequence[str] = ()
    """Those of them that are worked out from others."""
    first_screen: str = ""
    """The id of the screen to open with."""
    warnings: Sequence[Problem] = ()
    """What is wrong with the configuration."""
    environments: Sequence[str] = ()
    """All that the configuration names."""
    enter: "Callable[[str], Session] | None" = None
    """Opens another environment; the present one is closed after that."""
    close: Callable[[], Awaitable[None]] = _nothing_to_close
    """Lets go of connections. Called once, at the end."""
    secrets: Callable[[], Iterable[Secret]] = _no_secrets
    """What has to be masked in a crash log."""
    keys: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    """The user's keymap: action id -> keys."""
    theme: str | None = None
    glyphs: Glyphs = UNICODE
    mouse: bool = True
    version: str = ""
    clock: Callable[[], float] = time.time
    """Unix seconds."""
    make_poller: "Callable[[Read, OnReadings], Poller] | None" = None
    """For tests, whose time stands still; otherwise the poller runs on the event loop's clock."""

    _loaded: "tuple[Sequence[Screen], Sequence[Problem]] | None" = field(default=None, init=False)

    @property
    def loaded(self) -> bool:
        """Whether the screens were read already."""
        return self._loaded is not None

    @property
    def screens(self) -> "Sequence[Screen]":
        """The screens, in the order of their tabs; read when they are first asked for."""
        return self._content[0]

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with configuration and screens; counted at the start."""
        return (*self.warnings, *self._content[1])

    @property
    def _content(self) -> "tuple[Sequence[Screen], Sequence[Problem]]":
        if self._loaded is None:
            self._loaded = self.load_screens()
        return self._loaded

    @property
    def identity(self) -> Identity:
        """Who is where, for the header."""
        mode = "read-only" if self.context.read_only else self.context.mode.value
        if self.context.role.value == "viewer" and mode != "read-only":
            mode = f"{mode}, viewer"
        return Identity(self.context.environment, self.banner, mode, self.context.actor, self.context.host)

    def database(self, source: str) -> "Database":
        """The database that content calls `source` (`postgres/app`), as the pages of the workbench ask it."""
        from opsconsole.database.asking import Database

        name = source.partition("/")[2]
        pooler = f"pgbouncer/{name}" if f"pgbouncer/{name}" in self.sources else ""
        return Database(source, self.read, self.databases.get(name), pooler=pooler)
