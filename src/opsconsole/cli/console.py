"""The console on a terminal: builds its session, and shows it."""

import argparse
import asyncio
import contextlib
import importlib
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from opsconsole import __version__
from opsconsole.cli import wiring
from opsconsole.cli.keeping import keeping

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment, Settings
    from opsconsole.core.reading import Answer, Query
    from opsconsole.database.explain import Explained
    from opsconsole.runbooks.client import RunClient
    from opsconsole.runbooks.history import RunSummary
    from opsconsole.runbooks.model import Runbook
    from opsconsole.runbooks.starting import Supervision
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

    runs = _Runs(settings, environment, args)

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
        explain=lambda source, sql: _plan(environment, source, sql),
        families=link.families(),
        keep=keeping(settings, environment, args, link.families().get("alerts")),
        databases=environment.postgres,
        start_run=runs.start,
        attach_run=runs.attach,
        prepare_run=runs.prepare,
        live_runs=runs.live,
        unfinished_runs=runs.unfinished,
        journal=lambda: wiring.open_journal(settings),
        note=lambda text: wiring.write_note(settings, context, text),
        remembering=partial(wiring.remembering, settings, context),
        banner=environment.banner,
        first_screen=getattr(args, "screen", None) or "",
        sources=source_names(environment),
        derived=wiring.derived_sources(environment),
        warnings=settings.warnings,
        environments=tuple(settings.environments),
        enter=enter,
        close=lambda: _close(link, runs),
        secrets=known_secrets,
        keys=settings.keys,
        theme=settings.theme or None,
        glyphs=glyphs,
        version=__version__,
    )


async def _plan(environment: "Environment", source: str, sql: str) -> "Explained":
    from opsconsole.actions.runners.explain import refused
    from opsconsole.database.explain import read_plan

    if reason := refused(sql):
        raise ValueError(reason)
    return await read_plan(environment.postgres[source.partition("/")[2]], sql)


async def _close(link: "_Link", runs: "_Runs") -> None:
    runs.dismiss()
    await link.close()


@dataclass(slots=True)
class _Runs:
    """Runs of one environment: begun, found, attached to. Each is carried by a process of its own."""

    settings: "Settings"
    environment: "Environment"
    args: argparse.Namespace
    _supervision: "Supervision | None" = None

    def prepare(self) -> None:
        """Have a supervisor ready."""
        from opsconsole.runbooks.starting import Supervision

        if self._supervision is None or not self._supervision.usable:
            with contextlib.suppress(OSError):  # it is tried again, and then said, when a run begins
                self._supervision = Supervision.prepare()

    def dismiss(self) -> None:
        """Let go of one that is not needed."""
        if self._supervision is not None:
            self._supervision.dismiss()
            self._supervision = None

    async def start(self, runbook: "Runbook", values: Mapping[str, str]) -> "RunClient":
        """Begin one."""
        supervision, self._supervision = self._supervision, None
        return await wiring.start_run(
            self.settings, self.environment, self.args, runbook, values, supervision=supervision
        )

    async def attach(self, folder: Path) -> "RunClient":
        """Go to one that goes on, or take it up again."""
        from opsconsole.actions.guard import login_of
        from opsconsole.runbooks.client import NotCarriedError, RunClient

        try:
            return await RunClient.attach(folder, read_only=self.args.read_only, login=login_of())
        except NotCarriedError:
            return await wiring.resume_run(self.settings, self.args, folder)

    def live(self) -> "list[RunSummary]":
        """Those that go on."""
        from opsconsole.runbooks.history import live_runs

        return [one for one in live_runs() if one.environment == self.environment.name]

    def unfinished(self) -> "list[RunSummary]":
        """Those that are not over."""
        from opsconsole.runbooks.history import unfinished_runs

        return [one for one in unfinished_runs() if one.environment == self.environment.name]


def source_names(environment: "Environment") -> tuple[str, ...]:
    """The names of the sources that `environment` configures, without importing what reads them."""
    return (
        *environment.every_prometheus,
        *(("redis",) if environment.redis is not None else ()),
        *wiring.derived_sources(environment),
        *(f"postgres/{name}" for name in environment.postgres),
        *(f"pgbouncer/{name}" for name, one in environment.postgres.items() if one.pooler is not None),
    )


class _Family(NamedTuple):
    """How what a family's pages read is opened."""

    opened_by: str
    """`module:function`, called with the environment and its sources."""
    configured: "Callable[[Environment], bool]"


_FAMILIES = {
    "pipelines": _Family("opsconsole.pipelines.opening:open_pipelines", lambda one: one.airflow is not None),
    "sla": _Family("opsconsole.sla.source:open_shared", lambda one: one.slas is not None),
    "errors": _Family("opsconsole.errors.source:open_shared", wiring.knows_errors),
    "alerts": _Family(
        "opsconsole.alerts.source:open_shared", lambda one: bool(one.every_prometheus or one.every_alertmanager)
    ),
}
"""By the names of `ui.families`."""


@dataclass(slots=True)
class _Link:
    """The sources of one environment, made at the first question, and in a thread: their drivers take longer to import
    than a key may wait."""

    environment: "Environment"
    _opening: "asyncio.Task[Sources] | None" = None
    _opened: dict[str, Any] = field(default_factory=dict)

    async def read(self, query: "Query") -> "Answer":
        """Ask a source once."""
        return await (await self._sources()).get(query.source).read(query)

    def families(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """What the pages of each family read, where the environment has it. Each is one for all that look at it, so
        that it knows for all when its source is down."""
        return {
            name: partial(self._family, name) for name, one in _FAMILIES.items() if one.configured(self.environment)
        }

    async def _family(self, name: str) -> Any:
        sources = await self._sources()
        if name not in self._opened:
            module, _, function = _FAMILIES[name].opened_by.partition(":")
            opening = getattr(importlib.import_module(module), function)
            self._opened[name] = opening(self.environment, sources)
        return self._opened[name]

    async def _sources(self) -> "Sources":
        if self._opening is None:
            self._opening = asyncio.ensure_future(asyncio.to_thread(_open_with_drivers, self.environment))
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        """Let go of what was connected, and of files that are followed."""
        for one in self._opened.values():
            if hasattr(one, "close"):
                await one.close()
        if self._opening is not None:
            await (await self._opening).close()


def _open_with_drivers(environment: "Environment") -> "Sources":
    drivers = ["httpx", "opsconsole.sources.prometheus"] if environment.every_prometheus else []
    drivers += ["psycopg", "opsconsole.sources.postgres"] if environment.postgres else []
    for name in drivers:
        importlib.import_module(name)
    return wiring.open_sources(environment)
