"""What was promised and kept in a week or a month, against the one before: violations, time to recovery, what was
excluded. Without a period: the last whole week. Code 1: a promise was broken.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from opsconsole.cli.output import print_json, print_text, rfc3339
from opsconsole.cli.sla.opening import ask, standing_fields
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.config.slas import Sla
    from opsconsole.sla.periods import Period
    from opsconsole.sla.report import Report

EXAMPLE = """\
opsconsole sla report
  opsconsole sla report --week 2026-W46 --format md
  opsconsole sla report --month 2026-11 --format html > november.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `sla report`."""
    parser.description = __doc__
    parser.add_argument("slas", metavar="SLA", nargs="*", help="only these, by name")
    period = parser.add_mutually_exclusive_group()
    period.add_argument("--week", metavar="YYYY-Www", default="", help="such as 2026-W46, Monday to Sunday")
    period.add_argument("--month", metavar="YYYY-MM", default="", help="such as 2026-11")
    parser.add_argument("--format", choices=("md", "html", "json"), default="md", help="how to print it (md)")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    import time

    from opsconsole.cli.wiring import environment_of
    from opsconsole.sla import report as reporting

    period_of = _period(args.week, args.month, time.time())
    survey = ask(args, lambda slas: slas.report(period_of))
    environment = environment_of(args).name
    title = survey.standings[0].period.title if survey.standings else args.week or args.month
    report = reporting.Report(environment, title, survey.taken_at, survey.standings, survey.notes)
    if args.format == "json":
        _print_json(report)
    else:
        if args.format == "html":
            from opsconsole.sla.report_html import html as text_of
        else:
            text_of = reporting.markdown
        print_text(text_of(report).rstrip("\n"))
    return Exit.FAILED if any(one.met is False for one in survey.standings) else Exit.DONE


def _period(week: str, month: str, now: float) -> "Callable[[Sla], Period]":
    """What says of an SLA which period is meant: calendars differ with the zone.

    Raises:
        UsageError: no such week or month, or one that has not begun.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.sla import periods

    def period_of(sla: "Sla") -> "Period":
        if month:
            return periods.month_of(month, sla.zone)
        return periods.week_of(week, sla.zone) if week else periods.before(_this_week(sla.zone, now), sla.zone)

    try:
        asked = periods.month_of(month, "UTC") if month else periods.week_of(week, "UTC") if week else None
    except ValueError as error:
        raise UsageError(str(error)) from None
    if asked is not None and asked.start > now:
        raise UsageError(f"{asked.title} has not begun yet")
    return period_of


def _this_week(zone: str, now: float) -> "Period":
    from opsconsole.sla import periods

    return periods.current("week", zone, now)


def _print_json(report: "Report") -> None:
    print_json(
        {
            "taken_at": rfc3339(report.taken_at),
            "environment": report.environment,
            "period": report.period,
            "headline": report.headline,
            "summary": report.summary,
            "slas": [standing_fields(one) for one in report.standings],
            "notes": list(report.notes),
        }
    )
