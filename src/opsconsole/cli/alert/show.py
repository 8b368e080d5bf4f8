"""All that is known of some alerts: rule, value, delivery by each Alertmanager, silences, who is notified and how.

Code 1: there is none, or a source did not answer.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from opsconsole.cli.alert.opening import add_common, alert_fields, ask, narrate_all, terms_of
from opsconsole.cli.output import narrate, print_json, print_text, rfc3339
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.alerts.model import Alert, Survey

EXAMPLE = """\
opsconsole alert show ApiDown
  opsconsole alert show 982b96992b18a442 --format json
  opsconsole alert show 'alertname=~"Api.*" instance=app-1'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert show`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("which", metavar="NAME|FINGERPRINT|FILTER", nargs="+", help="an alert, or a filter as in list")


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    which = args.which[0] if len(args.which) == 1 else ""
    terms = terms_of(args.which) if not which or set(which) & set("=<>") else ()
    survey = ask(args, lambda alerts: alerts.survey())
    if terms:
        from opsconsole.alerts.filtering import kept

        found = kept(survey.alerts, terms, survey.taken_at)
    else:
        found = tuple(one for one in survey.alerts if which in (one.name, one.fingerprint, *one.replicas))
    if args.format == "json":
        alerts = [alert_fields(one, survey) for one in found]
        print_json({"taken_at": rfc3339(survey.taken_at), "alerts": alerts, "notes": list(survey.notes)})
    else:
        print_text("\n\n".join("\n".join(_lines(one, survey)) for one in found)) if found else None
        narrate_all(survey.notes)
        if not found:
            narrate("no such alert; opsconsole alert list shows all")
    return Exit.DONE if found and not survey.failed else Exit.FAILED


def _lines(alert: "Alert", survey: "Survey") -> Iterator[str]:
    from opsconsole.alerts import wording
    from opsconsole.core.clean import clean_line
    from opsconsole.core.duration import duration_text

    old = wording.age(alert, survey.taken_at)
    why = wording.why_text(alert, survey.silences, wording.names_of(survey), survey.taken_at)
    yield f"{alert.name}  {alert.severity or 'no severity'}  {alert.state}{f': {why}' if why else ''}"
    yield f"  rule         {alert.rule}{'' if alert.value is None else f', value {alert.value:g}'}"
    if old is not None:
        yield f"  since        {rfc3339(alert.started_at)} ({duration_text(old)})"
    if alert.expr:
        yield f"  expression   {' '.join(alert.expr.split())}"
    for name, value in sorted(alert.labels.items()):
        yield f"  label        {name}={clean_line(value, limit=10_000)}"
    for name, value in sorted(alert.annotations.items()):
        yield f"  annotation   {name}: {value}"
    for ruling in alert.rulings if len(survey.rules) > 1 else ():
        yield f"  prometheus   {wording.ruling_text(ruling)}"
    for delivery in alert.deliveries:
        yield f"  delivery     {wording.delivery_text(delivery, survey.taken_at)}"
    for notification in alert.notifies:
        yield f"  notifies     {wording.route_text(notification)}"
    for one in alert.silenced_by:
        silence = survey.silences.get(one)
        if silence is not None:
            yield f"  silence      {one} until {rfc3339(silence.ends_at)} by {silence.created_by}: {silence.comment}"
    yield f"  fingerprint  {alert.fingerprint}"
