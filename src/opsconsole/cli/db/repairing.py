"""What the verbs that change something have in common: each is a run of one step, asked about and recorded like any."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from opsconsole.cli.db.opening import database_of
from opsconsole.cli.repairs import run_repairs
from opsconsole.cli.wiring import UsageError, environment_of

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
    conn = database_of(environment_of(args), args.conn).partition("/")[2]
    here = replace(repair, arguments={**repair.arguments, "conn": conn})
    return run_repairs(args, [here], here.title)
