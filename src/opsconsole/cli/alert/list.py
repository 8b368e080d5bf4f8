"""Every alert that Prometheus or an Alertmanager has, once, what needs somebody first.

STATE is where it is on its way to people: pending, sending, undelivered (it fires, and no Alertmanager has it), active,
suppressed (silenced, inhibited or muted), unprocessed, unknown. Code 1: one is undelivered, the dead-man's switch is
silent, or a source did not answer.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.alert.opening import (
    add_common,
    age,
    alert_fields,
    ask,
    narrate_all,
    notified_text,
    terms_of,
)
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
_OWN_COLUMNS = ("alertname", "severity")


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
        print_table(_COLUMNS, [_row(one, survey) for one in shown])
        notes = [f"{len(found) - len(shown)} more"] if len(shown) < len(found) else []
        narrate_all([*survey.notes, *notes, f"dead-man's switch: {watched.state}: {watched.why}"])
    return exit_code(survey, watched)


def exit_code(survey: "Survey", watched: "Watch") -> int:
    """1 where alerting itself does not work, or cannot be seen to, whatever the filter keeps."""
    from opsconsole.alerts.model import AlertState
    from opsconsole.core.state import State

    undelivered = any(one.state is AlertState.UNDELIVERED for one in survey.alerts)
    return Exit.FAILED if undelivered or survey.failed or watched.state is State.CRIT else Exit.DONE


def why_text(alert: "Alert", survey: "Survey") -> str:
    """Why it is where it is, in a few words; empty where the state says it all."""
    parts = []
    for one in alert.silenced_by:
        silence = survey.silences.get(one)
        if silence is None:
            parts.append(f"silenced by {one}")
            continue
        word = "acknowledged" if silence.acknowledges else "silenced"
        left = "" if silence.ends_at is None else f" for {_left(silence.ends_at - survey.taken_at)}"
        parts.append(f"{word} by {silence.created_by}{left}")
    by_fingerprint = {one.fingerprint: one.name for one in survey.alerts}
    parts += [f"inhibited by {by_fingerprint.get(one, one)}" for one in alert.inhibited_by]
    if alert.missing_in and alert.state not in ("pending", "sending"):
        parts.append(f"missing in {', '.join(alert.missing_in)}")
    return "; ".join(parts)


def _left(seconds: float) -> str:
    from opsconsole.core.duration import age_text

    return f"{age_text(seconds)} more"


def _row(alert: "Alert", survey: "Survey") -> tuple[object, ...]:
    from opsconsole.core.duration import age_text

    old = age(alert, survey)
    labels = [f"{name}={value}" for name, value in sorted(alert.labels.items()) if name not in _OWN_COLUMNS]
    return (
        alert.name,
        alert.severity or None,
        alert.state,
        None if old is None else age_text(old),
        notified_text(alert.notifies),
        why_text(alert, survey) or None,
        " ".join(labels),
    )


def _print_json(survey: "Survey", shown: "tuple[Alert, ...]", matched: int, watched: "Watch") -> None:
    print_json(
        {
            "taken_at": rfc3339(survey.taken_at),
            "alerts": [alert_fields(one, survey) for one in shown],
            "matched": matched,
            "total": len(survey.alerts),
            "watchdog": {"state": watched.state, "name": watched.name or None, "why": watched.why},
            "alertmanagers": [
                {"name": one.name, "version": one.version or None, "error": one.error or None} for one in survey.sides
            ],
            "notes": list(survey.notes),
        }
    )
