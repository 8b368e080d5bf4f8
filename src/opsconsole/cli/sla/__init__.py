"""SLAs on the command line.

A verb is a module of this package, imported when it is asked for.
"""

import argparse

from opsconsole.cli.verbs import add_verbs

EXAMPLE = """\
opsconsole sla status
  opsconsole sla report --week 2026-W46 --format html > week.html"""

VERBS: dict[str, str] = {
    "status": "every SLA in its window, now: share, budget, burn rates; the worst first",
    "metrics": "counts for Prometheus of what it cannot count itself, to print or as a text file to scrape",
    "report": "a week or a month against the one before: violations, time to recovery, what was excluded",
}
"""Verb -> its line in the help; it lives in `cli/sla/VERB.py`, which has `add_arguments` and `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `sla`."""
    add_verbs(parser, __name__, VERBS)
