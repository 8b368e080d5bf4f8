"""The tables of a database: size, dead rows, last vacuum and analyze, age, reads, and what autovacuum does next.

Sizes are exact, but for tables that somebody has locked: those have a `≈`, and their size is as of the last vacuum. A
partitioned table is one line with the sums of its partitions; `--partitions` has them one by one.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import ago, fields_of, narrate_notes, print_reading, share, size
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.tables import Table

EXAMPLE = """\
opsconsole db tables --sort dead
  opsconsole db tables --schema app --limit 200 --format json"""

_COLUMNS = (
    "TABLE", "SIZE", "TABLE ONLY", "INDEXES", "ROWS", "DEAD", "DEAD %", "VACUUM", "ANALYZE", "SEQ", "IDX", "AGE",
    "NEXT",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db tables`."""
    from opsconsole.database.tables import SORTS

    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--sort", choices=SORTS, default="size", help="what comes first (size)")
    parser.add_argument("--limit", metavar="N", type=int, default=50, help="how many (50)")
    parser.add_argument("--schema", metavar="NAME", default="", help="of this schema only")
    parser.add_argument("--partitions", action="store_true", help="each partition on a line of its own")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.database.tables import read_tables

    found = ask(
        args,
        lambda database: read_tables(
            database, sort=args.sort, limit=max(1, args.limit), schema=args.schema, apart=args.partitions
        ),
    )
    if args.format == "json":
        print_reading("tables", [table_fields(one) for one in found.tables], found.taken_at, found.coverage.notes)
        return Exit.DONE
    print_table(_COLUMNS, [_row(one, found.taken_at) for one in found.tables])
    narrate_notes(found.coverage.notes)
    if found.more:
        narrate(f"the first {len(found.tables)} by {args.sort}; --limit shows more")
    return Exit.DONE


def table_fields(table: "Table") -> dict[str, Any]:
    """One table as JSON has it."""
    from opsconsole.database.tables import next_of

    return {
        **fields_of(table),
        "dead_share": table.dead_share,
        "hot_share": table.hot_share,
        "state": table.state,
        "next": next_of(table),
    }


def _row(table: "Table", now: float) -> tuple[object, ...]:
    from opsconsole.database.tables import next_of

    sizes = table.sizes
    mark = "" if sizes.exact else "≈ "
    return (
        table.title,
        mark + size(sizes.total) + (" (locked)" if sizes.locked else ""),
        mark + size(sizes.heap),
        mark + size(sizes.indexes),
        None if table.rows is None else round(table.rows),
        table.dead,
        share(table.dead_share),
        ago(table.vacuumed_at, now),
        ago(table.analyzed_at, now),
        table.seq_scans,
        table.index_scans,
        table.xid_age,
        next_of(table),
    )
