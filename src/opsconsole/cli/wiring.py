"""The composition root: from the command line to settings, and from settings to what commands work with.

Everything is imported inside the function that hands it out: a command pays for what it uses.
"""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from opsconsole.core.duration import parse_duration
from opsconsole.core.problem import Problem, nearest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from opsconsole.actions.door import Door
    from opsconsole.actions.guard import Context
    from opsconsole.config.settings import Environment, Settings
    from opsconsole.core.reading import Source
    from opsconsole.core.secret import Secret
    from opsconsole.runbooks.client import RunClient
    from opsconsole.runbooks.library import Library
    from opsconsole.runbooks.model import Runbook
    from opsconsole.runbooks.order import Order
    from opsconsole.runbooks.starting import Supervision
    from opsconsole.runbooks.unattended import Instructions
    from opsconsole.screens.definition import Screen
    from opsconsole.sources.registry import Sources
    from opsconsole.store.journal import Journal

NOTHING_CONFIGURED = """\
there is nothing to look at yet. To start:
  opsconsole demo                          a complete live platform on this machine, to try it on
  opsconsole init                          write a configuration from what is found here
  opsconsole --prometheus http://HOST:9090 look at one Prometheus right away
Looked for: --config, $OPSCONSOLE_CONFIG, ./config/opsconsole.yaml, {home}, $PROMETHEUS_URL, $PGHOST, $PGSERVICE"""


class UsageError(Exception):
    """The command line asks for what cannot be; the message says what was expected."""


def resolve_settings(args: argparse.Namespace) -> "Settings":
    """The settings that `args` ask for.

    `--prometheus` and `--postgres` alone mean just those, with the shipped content. Beside `--config` or `--env`
    they take the place of what the configuration says. Without a configuration, the environment variables count.

    Raises:
        ContentError: the configuration is not valid.
        UsageError: nothing is configured.
    """
    from opsconsole.config.loading import find_config, load_settings, settings_from_environment
    from opsconsole.core.paths import config_home

    url, dsn = getattr(args, "prometheus", None), getattr(args, "postgres", None)
    explicit = args.config or os.environ.get("OPSCONSOLE_CONFIG")
    if (url or dsn is not None) and not explicit and not args.env:
        return _just(url, dsn)
    path = find_config(args.config)
    if path is not None:
        return _overridden(load_settings(path), args)
    settings = settings_from_environment()
    if settings is None:
        raise UsageError(NOTHING_CONFIGURED.format(home=config_home() / "opsconsole.yaml"))
    return settings


def pick_environment(settings: "Settings", args: argparse.Namespace) -> "Environment":
    """The environment that `args` name, or the default.

    Raises:
        UsageError: there is none of that name.
    """
    name = args.env or settings.default_environment
    if name not in settings.environments:
        hint = nearest(name, settings.environments) or f"; known are {', '.join(settings.environments)}"
        raise UsageError(f"no environment {name!r}{hint}")
    return settings.environments[name]


def environment_of(args: argparse.Namespace) -> "Environment":
    """The environment that `args` name, of the settings that they name.

    Raises:
        UsageError: there are no such settings, or they have none of that name.
        ContentError: the settings are wrong.
    """
    return pick_environment(resolve_settings(args), args)


def open_sources(environment: "Environment") -> "Sources":
    """The sources of `environment`; none is connected yet."""
    from opsconsole.sources.registry import Sources

    sources = Sources(environment)
    for name in derived_sources(environment):
        sources.offer(name, partial(_derived, name, environment, sources))
    return sources


def derived_sources(environment: "Environment") -> tuple[str, ...]:
    """The names of the sources that are worked out from others, as far as there is anything to work them out from."""
    knows_alerts = bool(environment.every_prometheus or environment.every_alertmanager)
    there = {"sla": environment.slas is not None, "alerts": knows_alerts, "errors": knows_errors(environment)}
    return tuple(name for name, configured in there.items() if configured)


def knows_errors(environment: "Environment") -> bool:
    """Whether anything is configured that errors could come from."""
    return any((environment.every_prometheus, environment.airflow, environment.postgres, environment.errors))


def _derived(name: str, environment: "Environment", sources: "Sources") -> "Source":
    """Imported only where it is asked."""
    if name == "sla":
        from opsconsole.sla.source import SlaSource

        return SlaSource(environment, sources)
    if name == "alerts":
        from opsconsole.alerts.source import AlertsSource

        return AlertsSource(environment, sources)
    from opsconsole.errors.source import ErrorsSource

    return ErrorsSource(environment, sources)


def open_journal(settings: "Settings") -> "Journal":
    """The journal that the settings name.

    Raises:
        JournalError: it cannot be had.
    """
    from opsconsole.store import open_journal as open_at

    return open_at(_store_url(settings))


def _store_url(settings: "Settings") -> str:
    url = settings.store_url
    # A plain `sqlite` is no secret: fetched as one, the word would be masked wherever it stands.
    return url.literal.reveal() if url.literal else url.reveal()


def write_note(settings: "Settings", context: "Context", text: str) -> None:
    """Put a note of the operator into the journal, with name, host, environment and time.

    Raises:
        JournalError: it cannot be written.
    """
    with remembering(settings, context, "note", text, context.environment):
        pass


@contextmanager
def remembering(settings: "Settings", context: "Context", action: str, title: str, target: str) -> Iterator[None]:
    """Have in the journal what is only remembered on this machine, and changes nothing elsewhere: no guard asks, but
    who it was, when and how it ended stays.

    Raises:
        JournalError: it cannot be written; what is inside is then not done.
    """
    import time
    import uuid

    from opsconsole.store.entry import Conclusion, Intent

    journal, attempt, now = open_journal(settings), uuid.uuid4().hex, time.time()
    journal.begin(
        Intent(
            attempt=attempt,
            at=now,
            actor=context.actor,
            host=context.host,
            environment=context.environment,
            action=action,
            title=title,
            target=target,
            risk="read",
            command="" if action == "note" else title,
        )
    )
    try:
        yield
    except Exception as error:
        journal.conclude(Conclusion(attempt, time.time(), "failed", detail=str(error)))
        raise
    journal.conclude(Conclusion(attempt, time.time(), "ok"))


def remembering_of(args: argparse.Namespace, action: str, title: str, target: str) -> "AbstractContextManager[None]":
    """As `remembering`, for the environment that `args` name."""
    settings = resolve_settings(args)
    context = acting_context(settings, pick_environment(settings, args), args)
    return remembering(settings, context, action, title, target)


def acting_context(settings: "Settings", environment: "Environment", args: argparse.Namespace) -> "Context":
    """Who acts in this process, and on what terms."""
    from opsconsole.actions.guard import Context

    return Context.current(environment, settings.roles, read_only=args.read_only)


def open_door(settings: "Settings", environment: "Environment", args: argparse.Namespace) -> "Door":
    """The one door for changes."""
    from opsconsole.actions.door import Door

    return Door(acting_context(settings, environment, args), open_journal(settings))


def open_library(environment: "Environment") -> "Library":
    """The runbooks of `environment`."""
    from opsconsole.runbooks.library import Library

    return Library(environment.runbooks)


async def start_run(
    settings: "Settings",
    environment: "Environment",
    args: argparse.Namespace,
    runbook: "Runbook",
    values: Mapping[str, str],
    *,
    instructions: "Instructions | None" = None,
    supervision: "Supervision | None" = None,
) -> "RunClient":
    """Begin a run of `runbook` with parameter `values`, carried by a process of its own (`supervision`, or a new one).

    With `instructions` it is walked without asking anybody.

    Raises:
        ContentError, ValueError, LockHeldError, SecretError, JournalError, OSError: as `Run.create`.
        SupervisorLostError: its supervisor did not start.
    """
    import asyncio

    from opsconsole.runbooks.starting import Supervision, packed

    supervision = supervision if supervision is not None and supervision.usable else Supervision.prepare()
    path, source = packed(runbook)
    order = await asyncio.to_thread(_order, settings, environment, args, runbook)
    order = replace(order, path=path, source=source, values=values)
    order = replace(order, mode="auto" if instructions else "guided", instructions=instructions)
    return await supervision.begin(order, runbook)


async def resume_run(
    settings: "Settings",
    args: argparse.Namespace,
    folder: "Path",
    *,
    instructions: "Instructions | None" = None,
) -> "RunClient":
    """Take up the run in `folder` again, in the environment that it belongs to; with `instructions` without asking.

    Raises:
        CannotResumeError: it is over, damaged, or of an environment that the settings do not have.
        Exception: as `start_run`.
    """
    import asyncio

    from opsconsole.runbooks.resuming import CannotResumeError, opened_runbook, read_header
    from opsconsole.runbooks.starting import Supervision

    supervision = Supervision.prepare()
    try:
        name = str(read_header(folder).get("environment"))
        if name not in settings.environments:
            raise CannotResumeError(f"run {folder.name} is of environment {name}, which is not configured here")
        runbook = await asyncio.to_thread(opened_runbook, folder)
        order = await asyncio.to_thread(_order, settings, settings.environments[name], args, runbook)
    except BaseException:
        supervision.dismiss()
        raise
    order = replace(order, folder=folder, mode="auto" if instructions else "guided", instructions=instructions)
    return await supervision.begin(order, runbook)


def _order(settings: "Settings", environment: "Environment", args: argparse.Namespace, runbook: "Runbook") -> "Order":
    """What a supervisor has to know, but for what it is to carry. Fetches secrets, which may take seconds."""
    from opsconsole.config.secrets import known_secrets
    from opsconsole.core.secret import Secret
    from opsconsole.runbooks.order import IDLE_LIMIT, Order

    named = os.environ.get("OPSCONSOLE_IDLE_LIMIT")
    return Order(
        environment=environment,
        context=acting_context(settings, environment, args),
        store_url=Secret(_store_url(settings)),
        roles=settings.roles,
        secrets=runbook_secrets(environment, runbook),
        known=known_secrets(),
        idle_limit=parse_duration(named) if named else IDLE_LIMIT,
    )


def runbook_secrets(environment: "Environment", runbook: "Runbook") -> "dict[str, Secret]":
    """The secrets that `runbook` asks for, by name: from `env:` of the environment, else from this process's own
    variables. What cannot be had is left out; the run then says what is missing."""
    from opsconsole.config.secrets import SecretError, SecretRef

    found: dict[str, Secret] = {}
    for name in runbook.secrets:
        try:
            found[name] = environment.env.get(name, SecretRef(env=name)).resolve()
        except SecretError:
            continue
    return found


def load_screens(environment: "Environment") -> "tuple[list[Screen], list[Problem]]":
    """The screens of `environment`, and what is wrong with their files."""
    from opsconsole.screens import loading

    return loading.load_screens(environment.screens, environment.airflow_metrics)


def _just(url: str | None, dsn: str | None) -> "Settings":
    """Settings for what the command line names; what it does not name may come from the environment variables."""
    from opsconsole.config.loading import postgres_at, prometheus_at, settings_for, settings_from_environment

    surroundings = settings_from_environment()
    environment = (surroundings or settings_for()).environment
    if url:
        environment = replace(environment, prometheus=prometheus_at(url, "--prometheus"))
    if dsn is not None:
        database = postgres_at(dsn)
        environment = replace(environment, postgres=MappingProxyType({database.name: database}))
    return replace(settings_for(), environments=MappingProxyType({environment.name: environment}))


def _overridden(settings: "Settings", args: argparse.Namespace) -> "Settings":
    """`settings` with `--prometheus` and `--postgres` in the environment that is used."""
    from opsconsole.config.loading import postgres_at, prometheus_at

    url, dsn = getattr(args, "prometheus", None), getattr(args, "postgres", None)
    if not url and dsn is None:
        return settings
    environment = pick_environment(settings, args)
    if url:
        environment = replace(environment, prometheus=prometheus_at(url, "--prometheus"))
    if dsn is not None:
        database = postgres_at(dsn)
        environment = replace(environment, postgres=MappingProxyType({**environment.postgres, database.name: database}))
    return replace(settings, environments=MappingProxyType({**settings.environments, environment.name: environment}))
