"""Build an index while its table is read and written; what an attempt that breaks off leaves is dropped again."""

import argparse

from opsconsole.cli.db import repairing

EXAMPLE = """\
opsconsole db create-index app.readings meter_id read_at --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db create-index`."""
    parser.description = __doc__
    repairing.add_arguments(parser)
    repairing.name_argument(parser, "TABLE")
    parser.add_argument("columns", metavar="COLUMN", nargs="+", help="its columns, in order")
    parser.add_argument("--name", dest="index", metavar="NAME", default="", help="its name; made of table and columns")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.database.index_findings import index_name
    from opsconsole.database.naming import quoted
    from opsconsole.runbooks.repair import Repair

    schema, table = repairing.named(args.name)
    index = args.index or index_name(table, tuple(args.columns))
    columns = ", ".join(map(quoted, args.columns))
    arguments = {"schema": schema, "table": table, "index": index, "columns": columns}
    repair = Repair("postgres.create-index", arguments, f"Create index {index} on {schema}.{table}")
    return repairing.carry_out(args, repair)
