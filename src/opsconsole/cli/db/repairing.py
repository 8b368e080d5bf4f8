"""What the verbs that change something have in common: each is a run of one step, asked about and recorded like any."""

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from opsconsole.cli.db.opening import database_of

if TYPE_CHECKING:
    from opsconsole.runbooks.repair import Repair

AFTERWORD = """It is a run of one step, recorded like any. On a terminal it asks; elsewhere --yes says yes, and what
stops or destroys something wants its name: --confirm NAME. Exit codes are those of `runbook run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every verb that changes something."""
    parser.description = f"{parser.description or ''} {AFTERWORD}".strip()
    parser.add_argument("--conn", metavar="NAME", help="the database: a name under postgres: in the configuration")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")
    parser.add_argument("--dry-run", action="store_true", help="print the exact statement, and do nothing at all")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--confirm", metavar="NAME", default="", help="what would have to be typed; implies --yes")


def name_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """The table or index that it is about."""
    parser.add_argument("name", metavar=what, help='NAME or SCHEMA.NAME; in quotes where it has a dot: \'"a.b"."c"\'')


def named(text: str) -> tuple[str, str]:
    """(schema, name) of a table or index.

    Raises:
        UsageError: it is no name.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.database.naming import parsed

    try:
        return parsed(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def carry_out(args: argparse.Namespace, repair: "Repair") -> int:
    """Run `repair` on the database that `args` name. Returns the exit code.

    Raises:
        UsageError: no such database, or an argument is wrong.
    """
    from opsconsole.cli.run_place import Place
    from opsconsole.cli.runbook_run import walk
    from opsconsole.cli.wiring import UsageError, pick_environment, resolve_settings
    from opsconsole.runbooks.includes import expand
    from opsconsole.runbooks.repair import STEP, runbook_for, values_of
    from opsconsole.runbooks.starting import Supervision
    from opsconsole.runbooks.unattended import Instructions

    settings = resolve_settings(args)
    environment = pick_environment(settings, args)
    conn = database_of(environment, args.conn).partition("/")[2]
    here = replace(repair, arguments={**repair.arguments, "conn": conn})
    try:
        book = expand(runbook_for(here))
    except ValueError as error:
        raise UsageError(str(error)) from None
    confirmed = {STEP: args.confirm.removeprefix(f"{STEP}=")} if args.confirm else {}
    place = Place(settings, environment, book, Instructions(confirmed=confirmed, yes=args.yes))
    args.auto = not args.dry_run and (args.yes or bool(args.confirm) or not _asked())
    supervision = None if args.dry_run else Supervision.prepare()
    try:
        return walk(place, values_of(here), args, supervision)
    finally:
        if supervision is not None:
            supervision.dismiss()


def _asked() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
