"""ANALYZE one table, and prove that it had an effect."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db analyze-table app.readings --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db analyze-table`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    repairing.name_argument(parser, "TABLE")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    schema, table = repairing.named(args.name)
    arguments = {"schema": schema, "table": table}
    return repairing.carry_out(args, Repair("postgres.analyze", arguments, f"Analyze {schema}.{table}"))
