"""Alerts on the command line.

A verb is a module of this package, imported when it is asked for.
"""

import argparse

from opsconsole.cli.verbs import add_verbs

EXAMPLE = """\
opsconsole alert list
  opsconsole alert list 'severity="critical" @state=active @age>1h' --format json
  opsconsole alert show ApiDown
  opsconsole alert route --labels alertname=ApiDown,severity=critical --at 2026-12-24T22:00"""

VERBS: dict[str, str] = {
    "list": "every alert: what its rule says, whether it was delivered, who is notified; what needs somebody first",
    "show": "all that is known of some alerts",
    "silence": "keep alerts back for a while",
    "unsilence": "end a silence now",
    "ack": "say that somebody is on it: a short silence of one alert",
    "test": "whether people are told: a test alert, and what came of it at each receiver",
    "replay": "would it have fired: rules over the past, before they ship",
    "route": "who is notified of an alert with given labels, now or at any time",
}
"""Verb -> its line in the help; it lives in `cli/alert/VERB.py`, which has `add_arguments` and `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `alert`."""
    add_verbs(parser, __name__, VERBS)
