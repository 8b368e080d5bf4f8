"""Say that somebody is on it: a short silence of one alert, whose comment begins with ACK!.

It ends by itself, unless it is prolonged while the alert fires: by an open console of whoever made it, by programs that
know this convention, or by this command with --keep, which goes on until the alert is over (ctrl+c leaves it to end by
itself) and then ends it.
"""

import argparse
import os
from typing import TYPE_CHECKING

from opsconsole.cli.alert import acting
from opsconsole.cli.alert.opening import ask
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.alerts.asking import Alerts
    from opsconsole.alerts.model import Alert, Survey

EXAMPLE = "opsconsole alert ack ApiDown --comment 'restarting it' --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert ack`."""
    parser.description = __doc__
    acting.add_arguments(parser)
    parser.add_argument("alert", metavar="NAME|FINGERPRINT", help="the alert")
    parser.add_argument("--for", metavar="DURATION", dest="duration", default="15m", help="for how long (15m)")
    parser.add_argument("--comment", metavar="TEXT", default="", help="a word to the others")
    parser.add_argument("--keep", action="store_true", help="go on: prolong it while the alert fires, then end it")


def run(args: argparse.Namespace) -> int:
    """Show it, and carry it out."""
    from opsconsole.actions.guard import user_name
    from opsconsole.alerts.matching import all_hold, exactly
    from opsconsole.alerts.planning import Wanted, having, silencing

    names = acting.alertmanagers(args)
    survey = ask(args, lambda alerts: alerts.survey())
    alert = _chosen(survey, args.alert)
    meant = [exactly(name, value) for name, value in sorted(alert.sent_labels.items())]
    comment = f"ACK! {args.comment or alert.name}"
    wanted = Wanted(meant, args.duration, comment, user_name(os.getuid()))
    acting.check(args, wanted, names[0])
    # Alerts that have further labels are kept back, too.
    acting.preview((one for one in survey.alerts if all_hold(meant, one.sent_labels)), survey)
    where = names if args.alertmanager else having(alert)
    code = acting.carry_out_all(args, silencing(wanted, survey, where), f"Acknowledge {alert.name}")
    return _kept(args, [str(one) for one in meant]) if args.keep and not args.dry_run and code == Exit.DONE else code


def _kept(args: argparse.Namespace, matchers: list[str]) -> int:
    """Keep what was just made, until its alert is over. Returns the exit code.

    Raises:
        KeyboardInterrupt: it is left to end by itself.
    """
    from opsconsole.actions.guard import user_name
    from opsconsole.alerts.keeping import Keeper, mine
    from opsconsole.cli import wiring
    from opsconsole.cli.output import narrate

    settings = wiring.resolve_settings(args)
    environment = wiring.pick_environment(settings, args)
    actor, door = user_name(os.getuid()), wiring.open_door(settings, environment, args)

    async def kept(alerts: "Alerts") -> bool:
        survey = await alerts.acknowledged_survey(actor)
        made = frozenset(
            one.id
            for side in survey.sides
            for one in side.silences
            if mine(one, actor) and set(map(str, one.matchers)) == set(matchers)
        )
        if made:
            narrate("it is prolonged while the alert fires; ctrl+c leaves it to end by itself")
            await Keeper(alerts, door, environment, actor, only=made, told=lambda text, _: narrate(text)).keep_only()
        return bool(made)

    return Exit.DONE if ask(args, kept) else Exit.FAILED


def _chosen(survey: "Survey", which: str) -> "Alert":
    from opsconsole.cli.wiring import UsageError

    found = [one for one in survey.alerts if which in (one.name, one.fingerprint, *one.replicas)]
    if not found:
        raise UsageError(f"no alert {which}; opsconsole alert list shows all")
    if len(found) > 1:
        listed = ", ".join(one.fingerprint for one in found[:10])
        raise UsageError(f"{len(found)} alerts are called {which}; name one by its fingerprint: {listed}")
    return found[0]
