"""Keep alerts back for a while. Which of now that will be is shown first; whether Alertmanager has it is looked at."""

import argparse

from opsconsole.cli.alert import acting
from opsconsole.cli.alert.opening import ask

EXAMPLE = """\
opsconsole alert silence 'alertname="ApiDown"' 'job=~"api.*"' --for 2h --comment 'deployment' --dry-run
  opsconsole alert silence alertname=ApiDown --for 30m --comment 'restart' --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert silence`."""
    parser.description = __doc__
    acting.add_arguments(parser)
    parser.add_argument("matchers", metavar="MATCHER", nargs="+", help='such as job=~"api.*"; all have to hold')
    parser.add_argument("--for", metavar="DURATION", dest="duration", required=True, help="1m to 30d")
    parser.add_argument("--comment", metavar="TEXT", required=True, help="why")


def run(args: argparse.Namespace) -> int:
    """Show what it matches, and carry it out."""
    from opsconsole.alerts.matching import all_hold, parse_matchers
    from opsconsole.cli.wiring import UsageError
    from opsconsole.runbooks.repair import Repair

    try:
        matchers = tuple(one for text in args.matchers for one in parse_matchers(text))
    except ValueError as error:
        raise UsageError(str(error)) from None
    text = ", ".join(map(str, matchers))
    arguments = {
        "matchers": text, "duration": args.duration, "comment": args.comment, "alertmanager": args.alertmanager,
    }  # fmt: skip
    survey = ask(args, lambda alerts: alerts.survey())
    acting.preview((one for one in survey.alerts if all_hold(matchers, one.sent_labels)), survey)
    return acting.carry_out(args, Repair("alert.silence", arguments, f"Silence {text}"))
