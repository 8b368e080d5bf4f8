"""Keep alerts back for a while. Which of now that will be is shown first; whether Alertmanager has it is looked at."""

import argparse
import os

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
    from opsconsole.actions.guard import user_name
    from opsconsole.alerts.matching import all_hold, parse_matchers
    from opsconsole.alerts.planning import Wanted, silencing
    from opsconsole.cli.wiring import UsageError

    try:
        matchers = tuple(one for text in args.matchers for one in parse_matchers(text))
    except ValueError as error:
        raise UsageError(str(error)) from None
    names, wanted = acting.alertmanagers(args), Wanted(matchers, args.duration, args.comment, user_name(os.getuid()))
    acting.check(args, wanted, names[0])
    survey = ask(args, lambda alerts: alerts.survey())
    acting.preview((one for one in survey.alerts if all_hold(matchers, one.sent_labels)), survey)
    text = ", ".join(map(str, matchers))
    return acting.carry_out_all(args, silencing(wanted, survey, names), f"Silence {text}")
