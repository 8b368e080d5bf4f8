"""Space that tables and indexes take beyond what their rows need.

Without `--exact` an estimate from the planner's statistics, for the largest tables and B-tree indexes from 1 MiB on; it
reads no table. `--exact TABLE` counts one table and its indexes with the extension pgstattuple, which reads them.
"""

import argparse

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, share, size
from opsconsole.cli.output import narrate, print_table
from opsconsole.cli.wiring import UsageError
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole db bloat
  opsconsole db bloat --exact app.readings --format json"""

_COLUMNS = ("KIND", "NAME", "TABLE", "SIZE", "EMPTY", "EMPTY %")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db bloat`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--exact", metavar="TABLE", help="count this one: SCHEMA.TABLE, as `db tables` shows it")
    parser.add_argument("--limit", metavar="N", type=int, default=50, help="how many (50)")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from opsconsole.database.bloat import NoSuchTableError, count, estimate

    try:
        found = ask(args, lambda database: count(database, args.exact) if args.exact else estimate(database))
    except NoSuchTableError:
        raise UsageError(f"no table {args.exact!r}; `opsconsole db tables` lists them") from None
    shown = found.relations[: max(1, args.limit)]
    if args.format == "json":
        rows = [{**fields_of(one), "wasted": one.wasted, "share": one.share} for one in shown]
        print_reading("relations", rows, found.taken_at, found.coverage.notes)
        return Exit.DONE
    rows_shown = [
        (one.kind, one.title, one.table, size(one.total), size(one.wasted), share(one.share)) for one in shown
    ]
    print_table(_COLUMNS, rows_shown)
    narrate_notes(found.coverage.notes)
    if not args.exact and shown:
        narrate("estimated from statistics; --exact TABLE counts")
    return Exit.DONE
