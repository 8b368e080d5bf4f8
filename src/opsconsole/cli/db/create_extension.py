"""Create an extension that the server has."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db create-extension pg_stat_statements --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db create-extension`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    parser.add_argument("extension", metavar="NAME", help="such as pg_stat_statements")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    arguments = {"extension": args.extension}
    return repairing.carry_out(args, Repair("postgres.create-extension", arguments, f"Create {args.extension}"))
