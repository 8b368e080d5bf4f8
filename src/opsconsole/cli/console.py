"""The console on a terminal: builds its session, and shows it."""

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsconsole import __version__
from opsconsole.cli import wiring

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment, Settings
    from opsconsole.core.reading import Answer, Query
    from opsconsole.runbooks.model import Runbook
    from opsconsole.runbooks.run import Run
    from opsconsole.sources.registry import Sources
    from opsconsole.ui.departure import Departure
    from opsconsole.ui.session import Session

_KNOBS = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
"""Read by textual when it is imported: over SSH an animation is bytes without news."""


def run(args: argparse.Namespace) -> int:
    """Open the console on what `args` name; the exit code is that of the session."""
    return open_console(args)


def open_console(args: argparse.Namespace) -> int:
    """Open the console. `args` has what `opsconsole` without a command takes; `screen` may be missing.

    Raises:
        ContentError, UsageError: as `wiring.resolve_settings`.
    """
    settings = wiring.resolve_settings(args)
    environment = wiring.pick_environment(settings, args)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise wiring.UsageError("the console needs a terminal; for scripts there is: opsconsole status")
    for name, value in _KNOBS.items():
        os.environ.setdefault(name, value)
    from opsconsole.ui.departure import Departure

    departure = Departure()
    departure.watch()
    return _show(settings, environment, args, departure)


def _show(settings: "Settings", environment: "Environment", args: argparse.Namespace, departure: "Departure") -> int:
    try:
        session = open_session(settings, environment, args)
        first = getattr(args, "screen", None)
        if first and first not in {screen.id for screen in session.screens}:
            known = ", ".join(screen.id for screen in session.screens) or "none"
            raise wiring.UsageError(f"no screen {first!r}; there are {known}")
        from opsconsole.ui.app import run_console
    except BaseException:
        departure.settled()
        raise
    return run_console(session, departure)


def open_session(settings: "Settings", environment: "Environment", args: argparse.Namespace) -> "Session":
    """What the console is given for one environment. Connects to nothing yet."""
    from opsconsole.config.secrets import known_secrets
    from opsconsole.ui.glyphs import glyphs_for
    from opsconsole.ui.session import Session

    context = wiring.acting_context(settings, environment, args)
    link = _Link(environment)

    def start_run(runbook: "Runbook", values: Mapping[str, str]) -> "Run":
        from opsconsole.config.secrets import SecretError

        try:
            return wiring.start_run(settings, environment, args, runbook, values)
        except (SecretError, OSError) as error:
            raise ValueError(str(error)) from error

    def enter(name: str) -> "Session":
        return open_session(settings, settings.environments[name], args)

    try:
        glyphs = glyphs_for(os.environ)
    except ValueError as error:
        raise wiring.UsageError(str(error)) from None
    return Session(
        context=context,
        load_screens=lambda: wiring.load_screens(environment),
        read=link.read,
        library=lambda: wiring.open_library(environment),
        start_run=start_run,
        journal=lambda: wiring.open_journal(settings),
        note=lambda text: wiring.write_note(settings, context, text),
        banner=environment.banner,
        first_screen=getattr(args, "screen", None) or "",
        sources=source_names(environment),
        warnings=settings.warnings,
        environments=tuple(settings.environments),
        enter=enter,
        close=link.close,
        secrets=known_secrets,
        keys=settings.keys,
        theme=settings.theme or None,
        glyphs=glyphs,
        version=__version__,
    )


def source_names(environment: "Environment") -> tuple[str, ...]:
    """The names of the sources that `environment` configures, without importing what reads them."""
    single = ("prometheus", "redis")
    return (
        *(name for name in single if getattr(environment, name) is not None),
        *(f"postgres/{name}" for name in environment.postgres),
    )


@dataclass(slots=True)
class _Link:
    """The sources of one environment, made at the first question, and in a thread: their drivers take longer to import
    than a key may wait."""

    environment: "Environment"
    _opening: "asyncio.Task[Sources] | None" = None

    async def read(self, query: "Query") -> "Answer":
        """Ask a source once."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(asyncio.to_thread(_open_with_drivers, self.environment))
        sources = await asyncio.shield(self._opening)
        return await sources.get(query.source).read(query)

    async def close(self) -> None:
        """Let go of what was connected."""
        if self._opening is not None:
            await (await self._opening).close()


def _open_with_drivers(environment: "Environment") -> "Sources":
    drivers = ["httpx", "opsconsole.sources.prometheus"] if environment.prometheus else []
    drivers += ["psycopg", "opsconsole.sources.postgres"] if environment.postgres else []
    for name in drivers:
        importlib.import_module(name)
    return wiring.open_sources(environment)


def console_arguments(config: str | os.PathLike[str], *, read_only: bool = False) -> argparse.Namespace:
    """The arguments for `open_console` on a configuration file, for commands that end in the console."""
    return argparse.Namespace(
        config=os.fspath(config), env=None, prometheus=None, postgres=None, read_only=read_only, screen=None
    )
