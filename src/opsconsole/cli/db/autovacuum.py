"""Set a table's autovacuum parameters: after how many dead rows it is vacuumed."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db autovacuum app.readings --scale-factor 0.02 --threshold 1000 --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db autovacuum`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    repairing.name_argument(parser, "TABLE")
    parser.add_argument("--scale-factor", metavar="SHARE", default="", help="of its rows, such as 0.02")
    parser.add_argument("--threshold", metavar="ROWS", default="", help="and so many rows more")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.cli.wiring import UsageError
    from opsconsole.runbooks.repair import Repair

    if not args.scale_factor and not args.threshold:
        raise UsageError("what is to be set? --scale-factor SHARE, --threshold ROWS, or both")
    schema, table = repairing.named(args.name)
    arguments = {"schema": schema, "table": table, "scale_factor": args.scale_factor, "threshold": args.threshold}
    return repairing.carry_out(args, Repair("postgres.autovacuum", arguments, f"Autovacuum of {schema}.{table}"))
