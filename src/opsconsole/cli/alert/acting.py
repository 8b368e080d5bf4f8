"""What the verbs that change something have in common: each is a run of one step, asked about and recorded like any."""

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from opsconsole.cli.alert.opening import narrate_all

if TYPE_CHECKING:
    from opsconsole.alerts.model import Alert, Survey
    from opsconsole.runbooks.repair import Repair

AFTERWORD = """It is a run of one step, recorded like any. On a terminal it asks; elsewhere --yes says yes. Exit codes
are those of `runbook run`."""
_SHOWN = 20
"""Alerts that a preview lists."""
_WIDEST = 60
"""Characters of a label in it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every verb that changes something."""
    parser.description = f"{parser.description or ''} {AFTERWORD}".strip()
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, and do nothing at all")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--alertmanager", metavar="NAME", default="", help="alertmanager, or alertmanager/NAME")
    parser.set_defaults(confirm="")


def preview(found: "Iterable[Alert]", survey: "Survey") -> None:
    """Say on stderr which alerts of now will be kept back, and what could not be seen."""
    alerts = list(found)
    lines = [f"matches now: {one.name} ({one.state}) {_labels(one)}".rstrip() for one in alerts[:_SHOWN]]
    if len(alerts) > _SHOWN:
        lines.append(f"matches now: {len(alerts) - _SHOWN} more")
    narrate_all([*(lines or ["it matches no alert of now"]), *survey.notes])


def carry_out(args: argparse.Namespace, repair: "Repair") -> int:
    """Run the action. Returns the exit code.

    Raises:
        UsageError: an argument is wrong, or it is not said which Alertmanager is meant.
    """
    from opsconsole.alerts.actions.silencing import alertmanager_of
    from opsconsole.cli.run_place import Place
    from opsconsole.cli.runbook_run import walk
    from opsconsole.cli.wiring import UsageError, pick_environment, resolve_settings
    from opsconsole.runbooks.includes import expand
    from opsconsole.runbooks.repair import runbook_for, values_of
    from opsconsole.runbooks.starting import Supervision
    from opsconsole.runbooks.unattended import Instructions

    settings = resolve_settings(args)
    environment = pick_environment(settings, args)
    try:
        alertmanager_of(environment, repair.given.get("alertmanager", ""))
        book = expand(runbook_for(repair))
    except ValueError as error:
        raise UsageError(str(error)) from None
    place = Place(settings, environment, book, Instructions(yes=args.yes))
    args.auto = not args.dry_run and (args.yes or sys.stdin is None or not sys.stdin.isatty())
    supervision = None if args.dry_run else Supervision.prepare()
    try:
        return walk(place, values_of(repair), args, supervision)
    finally:
        if supervision is not None:
            supervision.dismiss()


def _labels(alert: "Alert") -> str:
    from opsconsole.core.clean import clean_line

    given = sorted(alert.labels.items())
    return " ".join(f"{name}={clean_line(value, limit=_WIDEST)}" for name, value in given if name != "alertname")
