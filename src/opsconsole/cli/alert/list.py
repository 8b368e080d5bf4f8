"""Every alert that Prometheus or an Alertmanager has, once, what needs somebody first.

STATE is where it is on its way to people: pending, sending, undelivered (it fires, and no Alertmanager has it), active,
suppressed (silenced, inhibited or muted), unprocessed, unknown. Code 1: one is undelivered, the dead-man's switch is
silent, or a source did not answer.
"""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opsconsole.cli.alert.opening import add_common, alert_fields, ask, narrate_all, terms_of
from opsconsole.cli.output import print_json, print_table, rfc3339
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.alerts.model import Alert, Survey
    from opsconsole.alerts.watchdog import Watch

EXAMPLE = """\
opsconsole alert list
  opsconsole alert list 'severity="critical" @state=active @age>1h'
  opsconsole alert list '@state=undelivered' --format json"""

_COLUMNS = ("ALERT", "SEVERITY", "STATE", "AGE", "NOTIFIES", "WHY", "LABELS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert list`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("filter", metavar="FILTER", nargs="*", help="such as severity=critical or @age>1h; all hold")
    parser.add_argument("--limit", metavar="N", type=int, default=0, help="the first N (all)")
    parser.add_argument("--watchdog", metavar="NAME", action="append", help="the dead-man's switch (Watchdog)")


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    from opsconsole.alerts.filtering import kept
    from opsconsole.alerts.watchdog import NAMES, watch

    terms = terms_of(args.filter)
    survey = ask(args, lambda alerts: alerts.survey())
    watched = watch(survey, args.watchdog or NAMES)
    found = kept(survey.alerts, terms, survey.taken_at)
    shown = found[: args.limit] if args.limit > 0 else found
    if args.format == "json":
        _print_json(survey, shown, len(found), watched)
    else:
        from opsconsole.alerts.wording import names_of

        names = names_of(survey)
        print_table(_COLUMNS, [_row(one, survey, names) for one in shown])
        notes = [f"{len(found) - len(shown)} more"] if len(shown) < len(found) else []
        narrate_all([*survey.notes, *notes, f"dead-man's switch: {watched.state}: {watched.why}"])
    return exit_code(survey, watched)


def exit_code(survey: "Survey", watched: "Watch") -> int:
    """1 where alerting itself does not work, or cannot be seen to, whatever the filter keeps."""
    from opsconsole.alerts.model import AlertState
    from opsconsole.core.state import State

    undelivered = any(one.state is AlertState.UNDELIVERED for one in survey.alerts)
    return Exit.FAILED if undelivered or survey.failed or watched.state is State.CRIT else Exit.DONE


def _row(alert: "Alert", survey: "Survey", names: "Mapping[str, str]") -> tuple[object, ...]:
    from opsconsole.alerts import wording
    from opsconsole.core.duration import age_text

    old = wording.age(alert, survey.taken_at)
    return (
        alert.name,
        alert.severity or None,
        alert.state,
        None if old is None else age_text(old),
        wording.notified_text(alert.notifies),
        wording.why_text(alert, survey.silences, names, survey.taken_at) or None,
        wording.labels_text(alert.labels),
    )


def _print_json(survey: "Survey", shown: "tuple[Alert, ...]", matched: int, watched: "Watch") -> None:
    print_json(
        {
            "taken_at": rfc3339(survey.taken_at),
            "alerts": [alert_fields(one, survey) for one in shown],
            "matched": matched,
            "total": len(survey.alerts),
            "watchdog": {"state": watched.state, "name": watched.name or None, "why": watched.why},
            "prometheuses": [{"name": one.name, "error": one.error or None} for one in survey.rules],
            "alertmanagers": [
                {"name": one.name, "version": one.version or None, "error": one.error or None} for one in survey.sides
            ],
            "notes": list(survey.notes),
        }
    )
