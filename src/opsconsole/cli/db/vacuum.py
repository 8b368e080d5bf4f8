"""VACUUM one table, and prove that it had an effect: what the server skips and calls a success is a failure here."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db vacuum app.readings --analyze --yes
  opsconsole db vacuum app.readings --full --confirm readings"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db vacuum`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    repairing.name_argument(parser, "TABLE")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--full", action="store_true", help="rewrite it; nobody reads or writes it meanwhile")
    how.add_argument("--freeze", action="store_true", help="freeze all rows, against wraparound")
    parser.add_argument("--analyze", action="store_true", help="and analyze it")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    schema, table = repairing.named(args.name)
    mode = "full" if args.full else "freeze" if args.freeze else "plain"
    arguments = {"schema": schema, "table": table, "mode": mode, "analyze": "yes" if args.analyze else "no"}
    words = {"full": "Rewrite", "freeze": "Freeze", "plain": "Vacuum"}[mode]
    repair = Repair("postgres.vacuum", arguments, f"{words} {schema}.{table}", destructive=args.full)
    return repairing.carry_out(args, repair)
