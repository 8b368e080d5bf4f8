"""Say that somebody is on it: a short silence of one alert, whose comment begins with ACK!.

Programs that know this convention prolong it while the alert fires; this command does not, so that it ends by itself.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.alert import acting
from opsconsole.cli.alert.opening import ask

if TYPE_CHECKING:
    from opsconsole.alerts.model import Alert, Survey

EXAMPLE = "opsconsole alert ack ApiDown --comment 'restarting it' --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert ack`."""
    parser.description = __doc__
    acting.add_arguments(parser)
    parser.add_argument("alert", metavar="NAME|FINGERPRINT", help="the alert")
    parser.add_argument("--for", metavar="DURATION", dest="duration", default="15m", help="for how long (15m)")
    parser.add_argument("--comment", metavar="TEXT", default="", help="a word to the others")


def run(args: argparse.Namespace) -> int:
    """Show it, and carry it out."""
    from opsconsole.alerts.matching import Matcher
    from opsconsole.runbooks.repair import Repair

    survey = ask(args, lambda alerts: alerts.survey())
    alert = _chosen(survey, args.alert)
    matchers = ", ".join(str(Matcher.of(name, "=", value)) for name, value in sorted(alert.sent_labels.items()))
    arguments = {
        "matchers": matchers, "duration": args.duration, "comment": f"ACK! {args.comment or alert.name}",
        "alertmanager": args.alertmanager,
    }  # fmt: skip
    acting.preview([alert], survey)
    return acting.carry_out(args, Repair("alert.silence", arguments, f"Acknowledge {alert.name}"))


def _chosen(survey: "Survey", which: str) -> "Alert":
    from opsconsole.cli.wiring import UsageError

    found = [one for one in survey.alerts if which in (one.name, one.fingerprint)]
    if not found:
        raise UsageError(f"no alert {which}; opsconsole alert list shows all")
    if len(found) > 1:
        listed = ", ".join(one.fingerprint for one in found[:10])
        raise UsageError(f"{len(found)} alerts are called {which}; name one by its fingerprint: {listed}")
    return found[0]
