"""Rebuild one index while its table is read and written; what an attempt that breaks off leaves is dropped again."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db reindex app.readings_pkey --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db reindex`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    repairing.name_argument(parser, "INDEX")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    schema, index = repairing.named(args.name)
    arguments = {"schema": schema, "index": index}
    return repairing.carry_out(args, Repair("postgres.reindex", arguments, f"Rebuild index {schema}.{index}"))
