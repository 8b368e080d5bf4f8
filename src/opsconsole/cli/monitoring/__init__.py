"""Monitoring as code on the command line.

A verb is a module of this package, imported when it is asked for.
"""

import argparse

from opsconsole.cli.verbs import add_verbs

EXAMPLE = """\
opsconsole monitoring export
  opsconsole monitoring export --check
  opsconsole monitoring check /etc/prometheus/rules/*.yml --format json
  opsconsole monitoring drift"""

VERBS: dict[str, str] = {
    "export": "write rules with their tests, routes, scrape configuration and dashboards from config/ and screens/",
    "check": "look at rule files of any kind: structure, PromQL, and traps that show only when it is too late",
    "drift": "what Prometheus and Alertmanager have loaded, against what the files here say",
}
"""Verb -> its line in the help; it lives in `cli/monitoring/VERB.py`, which has `add_arguments` and `run`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `monitoring`."""
    add_verbs(parser, __name__, VERBS)
