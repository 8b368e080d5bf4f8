"""Read everything once and say how it is; the exit code is the state."""

import argparse
import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opsconsole.config.settings import Environment
    from opsconsole.core.reading import Answer, Query, Reading
    from opsconsole.core.state import State
    from opsconsole.screens.checks import Check
    from opsconsole.screens.definition import Screen
    from opsconsole.screens.watchlist import Watchlist
    from opsconsole.sources.registry import Sources

EXAMPLE = "opsconsole status system-health --format json"

TIMEOUT = 10.0
"""Seconds for all readings together."""

# The monitoring plugins' convention, not the console's own codes (docs/reference.md).
_OK, _WARN, _CRIT, _UNKNOWN = 0, 1, 2, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `status`."""
    parser.add_argument("screen", nargs="?", metavar="SCREEN", help="only the checks of this screen")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="table (default) or json")
    parser.add_argument(
        "--timeout", type=_seconds, default=TIMEOUT, metavar="SECONDS", help="for all readings together (default 10)"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN; also 3 where a source does not answer."""
    from opsconsole.cli.output import narrate, print_json
    from opsconsole.cli.wiring import environment_of, load_screens
    from opsconsole.core.state import worst

    environment = environment_of(args)
    screens, problems = load_screens(environment)
    for problem in problems:
        if problem.severity == "error":
            narrate(problem)
    chosen = _chosen(screens, args.screen)
    checks = read_checks(environment, chosen, args.timeout)
    state = worst(check.state for check in checks)
    if args.format == "json":
        print_json(fields(environment.name, state, checks, time.time()))
    else:
        _print_human(environment.name, state, checks)
    return exit_code(state)


def exit_code(state: "State") -> int:
    """The monitoring plugins' code for a state."""
    from opsconsole.core.state import State

    return {State.OK: _OK, State.WARN: _WARN, State.CRIT: _CRIT}.get(state, _UNKNOWN)


def read_checks(environment: "Environment", screens: "Sequence[Screen]", timeout: float) -> "list[Check]":
    """One reading of every check of `screens`, worst first."""
    from opsconsole.cli.wiring import open_sources
    from opsconsole.screens.watchlist import watchlist

    return asyncio.run(_read_checks(open_sources(environment), watchlist(screens), timeout))


async def _read_checks(sources: "Sources", watched: "Watchlist", timeout: float) -> "list[Check]":
    from opsconsole.core.reading import Reading
    from opsconsole.screens.once import read_once

    async def read(query: "Query") -> "Answer":
        return await sources.get(query.source).read(query)

    try:
        readings = await read_once(_wanted(watched, sources.names()), read, timeout=timeout)
    finally:
        await _closed(sources)

    def latest(query: "Query") -> "Reading":
        return readings.get(query) or Reading(query.source)

    return watched.checks(latest, time.time(), configured=tuple(sources.names()), ageing=False)


def _wanted(watched: "Watchlist", configured: "Iterable[str]") -> "list[Query]":
    """The queries to sources of a kind of which there is any."""
    kinds = {name.partition("/")[0] for name in configured}
    return [query for query in watched.intervals if query.source.partition("/")[0] in kinds]


async def _closed(sources: "Sources") -> None:
    """Close them, but not at the price of the answer."""
    try:
        async with asyncio.timeout(1.0):
            await sources.close()
    except TimeoutError:
        pass


def _chosen(screens: "Sequence[Screen]", wanted: str | None) -> "Sequence[Screen]":
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.problem import nearest

    if wanted is None:
        return screens
    found = [screen for screen in screens if screen.id == wanted]
    if not found:
        ids = [screen.id for screen in screens]
        raise UsageError(f"no screen {wanted!r}{nearest(wanted, ids) or '; known are ' + ', '.join(ids)}")
    return found


def fields(environment: str, state: "State", checks: "Sequence[Check]", now: float) -> dict[str, Any]:
    """The JSON of `status`; a contract (docs/reference.md)."""
    from opsconsole.cli.output import rfc3339

    return {
        "environment": environment,
        "state": state,
        "taken_at": rfc3339(now),
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "screen": check.screen,
                "state": check.state,
                "value": check.value,
                "unit": check.unit,
                "source": check.source,
                "taken_at": rfc3339(check.taken_at),
                "age_seconds": None if check.age_seconds is None else round(check.age_seconds, 3),
                "error": check.error,
                "runbook": check.runbook or None,
            }
            for check in checks
        ],
    }


def _print_human(environment: str, state: "State", checks: "Sequence[Check]") -> None:
    from opsconsole.cli.output import narrate, print_table, print_text
    from opsconsole.core.duration import age_text
    from opsconsole.screens.checks import counts

    numbers = "  ".join(f"{count} {one}" for one, count in counts(checks).items())
    print_text(f"{environment}: {state}" + (f"  ({numbers})" if numbers else ""))
    rows = [
        (
            check.state.value,
            check.area or check.screen,
            check.subject,
            check.text,
            "-" if check.age_seconds is None else age_text(check.age_seconds),
            check.runbook or "-",
        )
        for check in checks
    ]
    if rows:
        print_table(("STATE", "AREA", "CHECK", "VALUE", "AGE", "RUNBOOK"), rows)
    else:
        narrate("no screen has a pane with thresholds whose source is configured; nothing is known, which is not OK")


def _seconds(text: str) -> float:
    """An option's number of seconds, bare or with a unit.

    Raises:
        argparse.ArgumentTypeError: neither.
    """
    from opsconsole.core.duration import parse_duration

    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text}: expected more than 0 and at most 600 seconds")
    return seconds
