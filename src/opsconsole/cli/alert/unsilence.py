"""End silences now: what they keep back notifies again. One that several Alertmanagers have (the same matchers, comment
and maker, under an id of its own in each) is named by any of its ids, and ends in all of them.
"""

import argparse

from opsconsole.cli.alert import acting
from opsconsole.cli.alert.opening import ask

EXAMPLE = "opsconsole alert unsilence d8a75e79-25f1-4579-9987-b4bf8ae0e3b1 --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert unsilence`."""
    parser.description = __doc__
    acting.add_arguments(parser)
    parser.add_argument("id", metavar="ID", nargs="+", help="of a silence, as alert show says it")


def run(args: argparse.Namespace) -> int:
    """Show what they keep back, and carry it out."""
    from opsconsole.alerts.planning import Planned, ending
    from opsconsole.cli.wiring import UsageError

    names = acting.alertmanagers(args)
    survey = ask(args, lambda alerts: alerts.survey())
    planned: list[Planned] = []
    for identity in args.id:
        found = ending(identity, survey, names)
        if not found:
            raise UsageError(f"no silence {identity} in {', '.join(names)}")
        planned += [one for one in found if one not in planned]
    ended = {one.arguments["id"] for one in planned if one.action}
    acting.preview((one for one in survey.alerts if ended & set(one.silenced_by)), survey)
    return acting.carry_out_all(args, planned, f"End silence {args.id[0]}" if len(args.id) == 1 else "End silences")
