"""Every SLA in its window, now; the worst first. Code 1: one is broken, or burns so fast that somebody is paged.

LEFT is what remains of the budget, GONE IN when that is spent at the rate of the last hour. The columns of BURN say how
many times as fast as allowed it was spent over 1 h, 6 h, 1 d and 3 d. What cannot be known is UNKNOWN, never OK.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.output import print_json, print_table, print_text, rfc3339
from opsconsole.cli.sla.opening import ask, narrate_survey, standing_fields
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.sla.asking import Slas, Survey
    from opsconsole.sla.standing import Standing

EXAMPLE = """\
opsconsole sla status
  opsconsole sla status uptime api-latency --format json"""

_COLUMNS = ("STATE", "SLA", "GOOD", "PROMISED", "LEFT", "GONE IN", "BURN 1H", "6H", "1D", "3D", "WINDOW", "WHY")
_SLA = _COLUMNS.index("SLA")
_SPARE = tuple(map(_COLUMNS.index, ("WINDOW", "PROMISED", "1D", "GONE IN")))
"""What a narrow terminal does without, the first first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `sla status`."""
    parser.description = __doc__
    parser.add_argument("slas", metavar="SLA", nargs="*", help="only these, by name; also whose what was bad is")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    from opsconsole.core.state import State

    survey = ask(args, _apart if args.slas else _read)
    code = Exit.FAILED if any(one.state is State.CRIT for one in survey.standings) else Exit.DONE
    if args.format == "json":
        slas = [standing_fields(one) for one in survey.standings]
        print_json({"taken_at": rfc3339(survey.taken_at), "slas": slas, "notes": list(survey.notes)})
        return code
    print_table(_COLUMNS, [_row(one) for one in survey.standings], names=(_SLA,), spare=_SPARE)
    if args.slas:
        _print_shares(survey)
    narrate_survey(survey)
    return code


async def _read(slas: "Slas") -> "Survey":
    return await slas.survey()


async def _apart(slas: "Slas") -> "Survey":
    """Of those that are named also whose what was bad is."""
    return await slas.apart(await slas.survey())


def _print_shares(survey: "Survey") -> None:
    from opsconsole.sla.shares import subjects

    for one in survey.standings:
        if one.shares:
            print_text(f"\n{one.sla.label}: whose {one.tally.bad:,.0f} bad ones are")
            rows = zip(one.shares, subjects(one.shares), strict=True)
            print_table(("SHARE", "BAD", "OF"), [(f"{told.share:.0%}", f"{told.bad:,.0f}", of) for told, of in rows])


def _row(one: "Standing") -> tuple[object, ...]:
    from opsconsole.core.duration import age_text
    from opsconsole.sla.wording import burn_text, share_text

    burns = [burn_text(burn.long) for burn in one.burns] or ["-"] * 4
    return (
        one.state,
        one.sla.label,
        share_text(one.sli),
        share_text(one.sla.objective),
        None if one.budget_left is None else f"{one.budget_left:.0%}".replace("%", " %"),
        None if one.exhausted_in is None else age_text(one.exhausted_in),
        *burns,
        one.period.title,
        one.because or None,
    )
