"""Let the counters of pg_stat_statements begin anew. `db queries --save-baseline NAME` keeps them first."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db reset-statements --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db reset-statements`."""
    parser.description = __doc__
    repairing.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    return repairing.carry_out(args, Repair("postgres.reset-statements", {}, "Reset the counters of statements"))
