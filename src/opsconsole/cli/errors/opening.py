"""Asking for the errors of an environment, for the verbs of `errors`."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from opsconsole.errors.asking import Errors
    from opsconsole.errors.model import Kind, Survey

T = TypeVar("T")


def add_common(parser: argparse.ArgumentParser) -> None:
    """The arguments that every verb takes."""
    parser.add_argument("--since", metavar="TIME", default="24h", help="how far back counts go (24h)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def ask(args: argparse.Namespace, read: "Callable[[Errors], Awaitable[T]]") -> T:
    """What `read` makes of the errors of the environment that `args` name. Connects for that, and hangs up.

    Raises:
        UsageError: nothing is configured that could know any, or `--since` is no time.
    """
    from opsconsole.cli.wiring import UsageError, environment_of, open_sources
    from opsconsole.core.duration import parse_duration
    from opsconsole.errors.opening import open_errors

    try:
        window = parse_duration(args.since)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None
    if not 60 <= window <= 31 * 86_400:
        raise UsageError(f"--since: {args.since}; expected a time from 1m to 31d")
    environment = environment_of(args)
    sources = open_sources(environment)

    async def asked() -> T:
        try:
            try:
                errors = open_errors(environment, sources, window=window)
            except ValueError as error:
                raise UsageError(str(error)) from None
            try:
                return await read(errors)
            finally:
                await errors.close()
        finally:
            await sources.close()

    return asyncio.run(asked())


def chosen(survey: "Survey", fingerprint: str) -> "Kind":
    """The kind whose fingerprint begins so.

    Raises:
        UsageError: there is none, or several.
    """
    from opsconsole.cli.wiring import UsageError

    found = [one for one in survey.kinds if one.fingerprint.startswith(fingerprint)]
    if not found:
        raise UsageError(
            f"no kind of error with fingerprint {fingerprint}; opsconsole errors lists them, --since looks further"
        )
    if len(found) > 1:
        listed = ", ".join(one.fingerprint for one in found[:5]) + (", …" if len(found) > 5 else "")
        raise UsageError(f"{len(found)} fingerprints begin with {fingerprint!r}; give more of one: {listed}")
    return found[0]


def narrate_none(survey: "Survey", service: str, *, only_new: bool) -> None:
    """Say on stderr that nothing was found, and where there is something."""
    from opsconsole.cli.output import narrate
    from opsconsole.core.duration import duration_text

    what = f"no {'new ' if only_new else ''}errors{f' of service {service}' if service else ''}"
    services = sorted({one.service for one in survey.kinds if one.service})
    others = f"; there are some of {', '.join(services[:20])}" if service and services else ""
    narrate(f"{what} within {duration_text(survey.window)}{others}")


def narrate_survey(survey: "Survey", more: int = 0) -> None:
    """What has to be known of where it comes from, on stderr."""
    from opsconsole.cli.output import narrate

    for one in survey.heard:
        if one.error:
            narrate(f"not seen: {one.source}: {one.error.removeprefix(f'{one.source}: ')}")
    for note in survey.notes:
        narrate(f"note: {note}")
    if more:
        narrate(f"note: {more} more")
