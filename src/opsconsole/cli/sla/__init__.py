"""SLAs on the command line: a verb is a module of this package, imported when it is asked for."""

import argparse

EXAMPLE = """\
opsconsole sla status
  opsconsole sla report --week 2026-W46 --format html > week.html"""

VERBS: dict[str, str] = {
    "status": "every SLA in its window, now: share, budget, burn rates; the worst first",
    "report": "a week or a month against the one before: violations, time to recovery, what was excluded",
}
"""Verb -> its line in the help; it lives in `cli/sla/VERB.py`, which has `add_arguments` and `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `sla`."""
    from opsconsole.cli.main import CommandParser

    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="sla_command", required=True, parser_class=CommandParser
    )
    for verb, summary in VERBS.items():
        commands.add_parser(verb, help=summary, module=f"{__name__}.{verb}")
