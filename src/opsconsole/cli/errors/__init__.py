"""What goes wrong everywhere, one row a kind: from metrics, Airflow, PostgreSQL, Loki and log files; what is new first.

A kind is what has the same service, exception, place in the code and message without what differs each time. NEW: it
was not there before yesterday at this time; `?` where nobody looked then. RATE is of the last ten minutes. Code 1: a
source did not answer.
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.verbs import add_verbs
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.errors.model import Kind, Survey

EXAMPLE = """\
opsconsole errors
  opsconsole errors --since 1h --service 'energy-*' --format json
  opsconsole errors --new
  opsconsole errors show 3f9c1a2b7d04
  opsconsole errors mute 3f9c1a2b7d04 --for 3d --note OPS-17"""

VERBS: dict[str, str] = {
    "show": "all that is known of one kind: samples, trace, first and last seen",
    "mute": "say that somebody knows of it: not new any more, and listed last",
    "unmute": "take that back",
}
"""Verb -> its line in the help; it lives in `cli/errors/VERB.py`."""

_COLUMNS = ("FINGERPRINT", "NEW", "COUNT", "RATE", "FIRST", "LAST", "TREND", "SERVICE", "TYPE", "MESSAGE")
_SERVICE, _TYPE = _COLUMNS.index("SERVICE"), _COLUMNS.index("TYPE")
_SPARE = tuple(map(_COLUMNS.index, ("TREND", "FIRST", "TYPE")))
"""What a narrow terminal does without, the first first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `errors`, and its verbs."""
    from opsconsole.cli.errors.opening import add_common

    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--service", metavar="NAME", default="", help="only of this service; * stands for anything")
    parser.add_argument("--new", action="store_true", help="only what was not there before yesterday")
    parser.add_argument("--services", action="store_true", help="one row a service instead")
    parser.add_argument("--limit", metavar="N", type=int, default=0, help="the first N (all)")
    add_verbs(parser, __name__, VERBS, required=False)


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    from opsconsole.cli.errors.opening import ask, narrate_none, narrate_survey
    from opsconsole.cli.errors.printing import print_services, survey_json
    from opsconsole.cli.output import print_json, print_table
    from opsconsole.errors.merging import shown

    survey = ask(args, lambda errors: errors.survey())
    found = shown(survey.kinds, service=args.service, only_new=args.new)
    listed = found[: args.limit] if args.limit > 0 else found
    if args.services:
        print_services(survey, found, as_json=args.format == "json")
    elif args.format == "json":
        print_json(survey_json(survey, listed, len(found)))
    else:
        print_table(_COLUMNS, [_row(one, survey) for one in listed], names=(_SERVICE, _TYPE), spare=_SPARE)
    if args.format != "json":
        if not found:
            narrate_none(survey, args.service, only_new=args.new)
        narrate_survey(survey, len(found) - len(listed) if not args.services else 0)
    return Exit.FAILED if survey.failed else Exit.DONE


def _row(kind: "Kind", survey: "Survey") -> tuple[object, ...]:
    from opsconsole.cli.db.printing import ago
    from opsconsole.cli.errors.printing import newness, sparks
    from opsconsole.errors.report import rate_text

    return (
        kind.fingerprint,
        newness(kind),
        kind.count,
        rate_text(kind.rate),
        ago(kind.first_at, survey.taken_at),
        ago(kind.last_at, survey.taken_at),
        sparks(kind.trend),
        kind.service or None,
        kind.type or None,
        kind.example,
    )
