"""Who is notified of an alert with given labels, at any time: the routes of every Alertmanager, worked out here with
their mute and active time intervals.

Labels are taken as a rule gives them; Prometheus's external labels are added. Silences and inhibition are not looked
at, for who knows which there will be. Code 1: somebody should be told and nobody is, or an Alertmanager did not answer.
"""

import argparse
import time
from typing import TYPE_CHECKING

from opsconsole.cli.alert.opening import add_common, ask, narrate_all, notification_fields
from opsconsole.cli.output import print_json, print_table, rfc3339
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.alerts.asking import Alerts
    from opsconsole.alerts.joining import External
    from opsconsole.alerts.routing import Routing

EXAMPLE = """\
opsconsole alert route --labels alertname=ApiDown,severity=critical
  opsconsole alert route --labels severity=warning,team=data --at 2026-12-24T22:00:00Z
  opsconsole alert route --labels severity=critical --at +12h --format json"""

_COLUMNS = ("ALERTMANAGER", "RECEIVER", "HOW", "ROUTE", "GROUPED BY", "AFTER", "AGAIN EVERY")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert route`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--labels", metavar="A=B,C=D", required=True, help="the labels of the alert")
    parser.add_argument("--at", metavar="TIME", default="now", help="RFC 3339 (UTC unless it says otherwise), or +2h")
    parser.add_argument("--no-external-labels", action="store_true", help="do not add those of Prometheus")


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    labels, at = labels_of(args.labels), moment_of(args.at, time.time())
    routings, external, notes = ask(args, lambda alerts: _read(alerts, labels, args.no_external_labels))
    sent = {**external.labels, **labels}
    notes += external.notes
    open_ = tuple(f"--labels does not say {name}, by which the Prometheus differ" for name in external.ambiguous)
    found = [one for name, routing in routings.items() for one in routing.notified(sent, at, name)]
    if args.format == "json":
        print_json(
            {
                "at": rfc3339(at),
                "labels": sent,
                "notifies": [notification_fields(one) for one in found],
                "notes": [*notes, *open_],
            }
        )
    else:
        from opsconsole.alerts.wording import means_text

        rows = [
            (one.alertmanager, one.receiver, means_text(one), " > ".join(one.route) or "the root route",
             ", ".join(one.group_by) or None, one.group_wait, one.repeat_interval)
            for one in found
        ]  # fmt: skip
        print_table(_COLUMNS, rows)
        narrate_all([*notes, *open_])
    return Exit.DONE if any(one.reaches for one in found) and not notes else Exit.FAILED


async def _read(
    alerts: "Alerts", labels: dict[str, str], without: bool
) -> "tuple[dict[str, Routing], External, tuple[str, ...]]":
    """(route trees by Alertmanager, external labels, what could not be seen of the routes)."""
    from opsconsole.alerts.joining import External

    routings, notes = await alerts.routings()
    return routings, External({}) if without else await alerts.external_labels(labels), notes


def labels_of(text: str) -> dict[str, str]:
    """`a=b,c="d, e"` as labels.

    Raises:
        UsageError: it is none, or says how a label is matched rather than what it is.
    """
    from opsconsole.alerts.matching import parse_matchers
    from opsconsole.cli.wiring import UsageError

    try:
        found = parse_matchers(text)
    except ValueError:
        found = ()
    if not found or any(one.op != "=" for one in found):
        raise UsageError(f"--labels: {text!r}; expected for example alertname=ApiDown,severity=critical")
    return {one.name: one.value for one in found}


def moment_of(text: str, now: float) -> float:
    """Unix seconds of `now`, `+2h`, or a date and time.

    Raises:
        UsageError: anything else.
    """
    from opsconsole.alerts import moments
    from opsconsole.cli.wiring import UsageError

    try:
        return moments.moment_of(text, now)
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None
