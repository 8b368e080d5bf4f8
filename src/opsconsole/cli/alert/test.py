"""Whether people are told: send a test alert as Prometheus would, see by Alertmanager's own counters which receivers
were reached, and end it.

It has the labels of a rule (and Prometheus's external ones), says in its summary that it is a test, and carries the
label opsconsole_test. Whoever is on call is really told: say so beforehand.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.alert import acting
from opsconsole.cli.alert.opening import ask, narrate_all

if TYPE_CHECKING:
    from opsconsole.alerts.model import Survey

EXAMPLE = """\
opsconsole alert test ApiDown --dry-run
  opsconsole alert test ApiDown --labels job=api,instance=app-1 --yes
  opsconsole alert test --every-receiver --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert test`."""
    parser.description = __doc__
    acting.add_arguments(parser, repeated=" Peers are each sent a test of their own: all would tell people alone.")
    parser.add_argument("rule", metavar="RULE", nargs="?", default="", help="the name of an alerting rule")
    parser.add_argument("--labels", metavar="A=B,C=D", default="", help="further labels, or others than the rule's")
    parser.add_argument("--every-receiver", action="store_true", help="one test for each receiver that tells somebody")
    parser.add_argument("--wait", metavar="DURATION", default="60s", help="for each at most, beyond group_wait (60s)")


def run(args: argparse.Namespace) -> int:
    """Show who should be told, and try it."""
    from opsconsole.alerts.matching import Matcher
    from opsconsole.alerts.planning import testing
    from opsconsole.cli.alert.route import labels_of
    from opsconsole.cli.wiring import UsageError

    if not args.rule and not args.labels and not args.every_receiver:
        raise UsageError("name a rule, or give --labels, or --every-receiver")
    given = labels_of(args.labels) if args.labels else {}
    names = acting.alertmanagers(args)
    survey = ask(args, lambda alerts: alerts.survey())
    labels = _labels(survey, args.rule, given) if args.rule or given else {}
    _expected(survey, labels, names)
    arguments = {
        "labels": ", ".join(str(Matcher.of(name, "=", value)) for name, value in sorted(labels.items())),
        "every": "yes" if args.every_receiver else "", "wait": args.wait,
    }  # fmt: skip
    what = labels.get("alertname") or "every receiver"
    # Whoever names an Alertmanager means it, whether one would send to it or not.
    planned = testing(arguments, {} if args.alertmanager else labels, survey, names)
    return acting.carry_out_all(args, planned, f"Send a test alert: {what}")


def _labels(survey: "Survey", rule: str, given: dict[str, str]) -> dict[str, str]:
    """The labels that an alert of this rule has, as far as they can be known without a series.

    Raises:
        UsageError: there is no such rule, or there are several of that name.
    """
    from opsconsole.alerts.joining import external_of, joining_of
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.problem import nearest

    rules = [one for one in survey.rules if not one.error]
    if not rule:
        added = external_of(given, [one.sent_labels for one in rules]).labels
        return {**added, "alertname": "OpsconsoleTest", **given}
    if not rules:
        raise UsageError("Prometheus does not say its rules; give --labels")
    lasting = joining_of(survey.rules).lasting
    found = [{**lasting(side.sent_labels), **one} for side in rules for one in side.labels if one["alertname"] == rule]
    fitting = [one for one in found if all(one.get(name, value) == value for name, value in given.items())]
    if not found:
        raise UsageError(f"no rule is called {rule}{nearest(rule, [name for one in rules for name in one.names])}")
    distinct = list({tuple(sorted(one.items())): one for one in fitting or found}.values())
    if len(distinct) > 1:
        shared = frozenset.intersection(*(frozenset(one.items()) for one in distinct))
        told = "; ".join(" ".join(f"{k}={v}" for k, v in sorted(one.items() - shared)) or "none" for one in distinct)
        raise UsageError(f"{len(distinct)} rules are called {rule}; say which by --labels: {told}")
    templates = [name for name, value in distinct[0].items() if "{{" in value and name not in given]
    if templates:
        narrate_all([f"label {name} is a template, and left out; --labels {name}=… gives it" for name in templates])
    return {**{k: v for k, v in distinct[0].items() if k not in templates}, **given}


def _expected(survey: "Survey", labels: dict[str, str], names: list[str]) -> None:
    from opsconsole.alerts.wording import route_text

    notifies = [
        one
        for side in survey.sides
        if side.routing is not None and labels and side.name in names
        for one in side.routing.notified(labels, survey.taken_at, side.name)
    ]
    narrate_all([*(f"should tell {route_text(one)}" for one in notifies), *survey.notes])
