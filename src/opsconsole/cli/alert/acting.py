"""What the verbs that change something have in common: each is a run of one step, asked about and recorded like any."""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from opsconsole.cli.alert.opening import narrate_all
from opsconsole.cli.repairs import has_terminal, run_repairs, says_yes
from opsconsole.cli.wiring import UsageError, environment_of
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.alerts.model import Alert, Survey
    from opsconsole.alerts.planning import Planned, Wanted

AFTERWORD = """It is a run of one step, recorded like any. On a terminal it asks; elsewhere --yes says yes. Exit codes
are those of `runbook run`. Of several Alertmanagers all are told, asked about once: a step for each, the exit code by
the worst; one that does not answer is named and does not hold the others up."""
REPEATED = " Repeated, it changes nothing that is as it should be."
_SHOWN = 20
"""Alerts that a preview lists."""
_WIDEST = 60
"""Characters of a label in it."""


def add_arguments(parser: argparse.ArgumentParser, *, repeated: str = REPEATED) -> None:
    """The arguments of every verb that changes something; `repeated` says what it does a second time."""
    parser.description = f"{parser.description or ''} {AFTERWORD}{repeated}".strip()
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, and do nothing at all")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--alertmanager", metavar="NAME", default="", help="only alertmanager, or alertmanager/NAME")
    parser.set_defaults(confirm="")


def preview(found: "Iterable[Alert]", survey: "Survey") -> None:
    """Say on stderr which alerts of now will be kept back, and what could not be seen."""
    alerts = list(found)
    lines = [f"matches now: {one.name} ({one.state}) {_labels(one)}".rstrip() for one in alerts[:_SHOWN]]
    if len(alerts) > _SHOWN:
        lines.append(f"matches now: {len(alerts) - _SHOWN} more")
    narrate_all([*(lines or ["it matches no alert of now"]), *survey.notes])


def alertmanagers(args: argparse.Namespace) -> list[str]:
    """The Alertmanagers that are meant: the one that is named, else all.

    Raises:
        UsageError: there is none (of that name).
    """
    from opsconsole.alerts.actions.silencing import alertmanager_of

    environment = environment_of(args)
    if not args.alertmanager and len(environment.every_alertmanager) > 1:
        return list(environment.every_alertmanager)
    try:
        return [alertmanager_of(environment, args.alertmanager)[0]]
    except ValueError as error:
        raise UsageError(str(error)) from None


def check(args: argparse.Namespace, wanted: "Wanted", alertmanager: str) -> None:
    """Say what is wrong with a silence before anything is asked.

    Raises:
        UsageError: something is.
    """
    from opsconsole.actions import registry

    registration = registry.find("alert.silence")
    assert registration is not None
    given = {
        "matchers": ", ".join(map(str, wanted.matchers)), "duration": wanted.duration, "comment": wanted.comment,
        "alertmanager": alertmanager,
    }  # fmt: skip
    try:
        registration.build(given, environment_of(args))
    except ValueError as error:
        raise UsageError(str(error).removeprefix("alert.silence: ")) from None


def carry_out_all(args: argparse.Namespace, planned: "Sequence[Planned]", title: str) -> int:
    """Do at every Alertmanager what is planned, asked about once. Returns the exit code: the worst of them; of one that
    is away that it failed.

    Raises:
        UsageError: an argument is wrong.
    """
    from opsconsole.cli.output import narrate, print_json
    from opsconsole.runbooks.repair import Repair

    narrate_all(f"{one.alertmanager}: {one.said}" for one in planned if len(planned) > 1 or not one.action)
    several = len({one.alertmanager for one in planned}) > 1
    sent = [
        Repair(one.action, one.arguments, f"{title} in {one.alertmanager}" if several else title)
        for one in planned
        if one.action
    ]
    left = [one for one in planned if not one.action]
    away = Exit.FAILED if any(one.away for one in left) else Exit.DONE
    more = {"left_out": [{"alertmanager": one.alertmanager, "why": one.said} for one in left]}
    if not sent:
        if args.format == "json":
            print_json({"run": None, "state": "failed" if away else "ok", "steps": [], **more})
        return away
    if len(sent) > 1 and not (args.dry_run or args.yes) and has_terminal():
        if not says_yes(f"{title}: send all {len(sent)}? [y/N] "):
            narrate("opsconsole: nothing was sent")
            return Exit.DECLINED
        args.yes = True
    code = run_repairs(args, sent, title, more)
    narrate_all(f"{one.alertmanager}: {one.said}" for one in left if one.away)
    return code or away


def _labels(alert: "Alert") -> str:
    from opsconsole.core.clean import clean_line

    given = sorted(alert.labels.items())
    return " ".join(f"{name}={clean_line(value, limit=_WIDEST)}" for name, value in given if name != "alertname")
