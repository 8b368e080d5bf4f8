"""End a silence now: what it keeps back notifies again."""

import argparse

from opsconsole.cli.alert import acting
from opsconsole.cli.alert.opening import ask

EXAMPLE = "opsconsole alert unsilence d8a75e79-25f1-4579-9987-b4bf8ae0e3b1 --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert unsilence`."""
    parser.description = __doc__
    acting.add_arguments(parser)
    parser.add_argument("id", metavar="ID", help="of the silence, as alert show says it")


def run(args: argparse.Namespace) -> int:
    """Show what it keeps back, and carry it out."""
    from opsconsole.runbooks.repair import Repair

    survey = ask(args, lambda alerts: alerts.survey())
    acting.preview((one for one in survey.alerts if args.id in one.silenced_by), survey)
    arguments = {"id": args.id, "alertmanager": args.alertmanager}
    return acting.carry_out(args, Repair("alert.unsilence", arguments, f"End silence {args.id}"))
