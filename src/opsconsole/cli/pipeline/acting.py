"""What the verbs that change something have in common: each is a run of one step, asked about and recorded like any."""

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opsconsole.cli.pipeline.opening import environment_of

if TYPE_CHECKING:
    from opsconsole.runbooks.repair import Repair

AFTERWORD = """It is a run of one step, recorded like any. On a terminal it asks; elsewhere --yes says yes. Exit codes
are those of `runbook run`."""


def add_arguments(parser: argparse.ArgumentParser, *, wait: bool = False) -> None:
    """The arguments of every verb that changes something; `wait` where there is something to wait for."""
    parser.description = f"{parser.description or ''} {AFTERWORD}".strip()
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, and do nothing at all")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("dag", metavar="DAG", help="its id")
    parser.set_defaults(confirm="", wait=False)
    if wait:
        parser.add_argument("--wait", action="store_true", help="until it has ended, and not just begun")


def run_argument(parser: argparse.ArgumentParser) -> None:
    """The run that it is about."""
    parser.add_argument("--run", metavar="RUN", default="", dest="run_id", help="the id of a run; the newest without")


def carry_out(args: argparse.Namespace, action: str, arguments: Mapping[str, str], title: str) -> int:
    """Run the action on the Airflow that `args` name. Returns the exit code.

    Raises:
        UsageError: an argument is wrong, or no API is configured.
    """
    from opsconsole.runbooks.repair import Repair

    given = {"dag": args.dag, **arguments, **({"wait": "ended"} if args.wait else {})}
    return _walked(args, Repair(action, given, title))


def _walked(args: argparse.Namespace, repair: "Repair") -> int:
    from opsconsole.cli.run_place import Place
    from opsconsole.cli.runbook_run import walk
    from opsconsole.cli.wiring import UsageError, resolve_settings
    from opsconsole.pipelines.actions.change import settings_of
    from opsconsole.runbooks.includes import expand
    from opsconsole.runbooks.repair import runbook_for, values_of
    from opsconsole.runbooks.starting import Supervision
    from opsconsole.runbooks.unattended import Instructions

    environment = environment_of(args)
    try:
        settings_of(environment)
        book = expand(runbook_for(repair))
    except ValueError as error:
        raise UsageError(str(error)) from None
    place = Place(resolve_settings(args), environment, book, Instructions(yes=args.yes))
    args.auto = not args.dry_run and (args.yes or not _asked())
    supervision = None if args.dry_run else Supervision.prepare()
    try:
        return walk(place, values_of(repair), args, supervision)
    finally:
        if supervision is not None:
            supervision.dismiss()


def _asked() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
