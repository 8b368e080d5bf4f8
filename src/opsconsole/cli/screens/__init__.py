"""Screens on the command line.

A verb is a module of this package, imported when it is asked for.
"""

import argparse

EXAMPLE = """\
opsconsole screens import dashboard.json --to screens/payments.yaml
  opsconsole screens import https://grafana.example.com/d/rYdddlPWk --token-env GRAFANA_TOKEN --to screens/node.yaml
  opsconsole screens import dashboard.json --strict --format json"""

VERBS: dict[str, tuple[str, str]] = {
    "import": ("importing", "make a screen of a Grafana dashboard, and say what of it is lost"),
}
"""Verb -> (its module in `cli/screens`, its line in the help)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `screens`."""
    from opsconsole.cli.main import CommandParser

    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="screens_command", required=True, parser_class=CommandParser
    )
    for verb, (module, summary) in VERBS.items():
        commands.add_parser(verb, help=summary, module=f"{__name__}.{module}")
