"""Sequences by how much of their numbers is used up, the end of the column they fill included.

The exit code is 1 where one is past 90 %, so that a cron job notices.
"""

import argparse

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, share
from opsconsole.cli.output import print_table
from opsconsole.core.exit_codes import Exit
from opsconsole.core.state import State

EXAMPLE = """\
opsconsole db sequences
  opsconsole db sequences --format json"""

_COLUMNS = ("STATE", "SEQUENCE", "COLUMN", "TYPE", "LAST", "LEFT", "USED")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db sequences`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--limit", metavar="N", type=int, default=50, help="how many (50)")


def run(args: argparse.Namespace) -> int:
    """Print them, and say by the exit code whether one is near its end."""
    from opsconsole.database.sequences import read_sequences

    found = ask(args, lambda database: read_sequences(database, limit=max(1, args.limit)))
    code = Exit.FAILED if any(one.state is State.CRIT for one in found.sequences) else Exit.DONE
    if args.format == "json":
        rows = [{**fields_of(one), "state": one.state} for one in found.sequences]
        print_reading("sequences", rows, found.taken_at, found.coverage.notes)
        return code
    shown = [
        (
            one.state,
            one.title,
            f"{one.table}.{one.column}" if one.table else None,
            one.column_type or one.type,
            one.last,
            None if one.remaining is None else round(one.remaining),
            f"{share(one.used)}, begins again" if one.cycles and one.used is not None else share(one.used),
        )
        for one in found.sequences
    ]
    print_table(_COLUMNS, shown)
    narrate_notes(found.coverage.notes)
    return code
