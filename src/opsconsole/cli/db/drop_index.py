"""Drop an index that nothing needs, while its table is read and written.

What a constraint, uniqueness or the replica identity needs is refused. The output has the definition that brings it
back.
"""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db drop-index app.readings_old_idx --confirm readings_old_idx"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db drop-index`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    repairing.name_argument(parser, "INDEX")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    schema, index = repairing.named(args.name)
    arguments = {"schema": schema, "index": index}
    return repairing.carry_out(args, Repair("postgres.drop-index", arguments, f"Drop index {schema}.{index}"))
