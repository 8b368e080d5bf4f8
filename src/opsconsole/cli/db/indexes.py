"""Indexes that cost more than they give: unused, duplicate or redundant, invalid; and those that are missing: for
foreign keys, and for the statements that take most of the time.

Without an option all kinds. Unused is said only once the statistics reach back a week, and never of an index that
something else needs: a constraint, a foreign key, replica identity, a partitioned index. What statements lack is costed
where the extension hypopg is created, by planning them with indexes that there are not; none is run. Elsewhere it is a
heuristic, and says so.
"""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, size
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.asking import Database
    from opsconsole.database.finding import Finding
    from opsconsole.database.indexes import IndexReading
    from opsconsole.database.workload import Workload

EXAMPLE = """\
opsconsole db indexes --duplicate
  opsconsole db indexes --missing
  opsconsole db indexes --unused --invalid --format json"""

_KINDS = {
    "unused": ("unused-index",),
    "duplicate": ("duplicate-index", "redundant-index"),
    "invalid": ("invalid-index", "leftover-index"),
    "missing": ("unindexed-foreign-key", "missing-index", "sequential-scans"),
}
_COLUMNS = ("KIND", "INDEX OR TABLE", "SIZE", "WHAT", "SQL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db indexes`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--unused", action="store_true", help="read by nobody")
    parser.add_argument("--duplicate", action="store_true", help="the same as another, or covered by it")
    parser.add_argument("--invalid", action="store_true", help="left behind by what failed")
    parser.add_argument(
        "--missing", action="store_true", help="foreign keys without one, and what the dearest statements lack"
    )


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.database.finding import Coverage
    from opsconsole.database.index_findings import index_findings
    from opsconsole.database.indexes import YOUNG
    from opsconsole.database.missing_findings import missing_findings, without_served

    kinds = {kind for name, some in _KINDS.items() for kind in some if getattr(args, name)}
    found, lacking = ask(args, partial(_read, workload=not kinds or args.missing))
    told = list(index_findings(found))
    notes = found.coverage
    if lacking is not None:
        told = without_served([*told, *missing_findings(lacking)])
        notes += lacking.coverage
    told = [one for one in told if not kinds or one.id in kinds]
    if found.statistics_age < YOUNG and (not kinds or args.unused):
        age = duration_text(found.statistics_age)
        notes += Coverage((f"unused indexes are not judged: the statistics reach back {age}, less than a week",))
    if args.format == "json":
        print_reading("findings", fields_of(told), found.taken_at, notes.notes)
        return Exit.DONE
    rows = [(one.id, one.subject, _size(one), one.title, one.fix.sql if one.fix else None) for one in told]
    print_table(_COLUMNS, rows)
    narrate_notes(notes.notes)
    if not told:
        narrate("nothing to say about the indexes")
    return Exit.DONE


async def _read(database: "Database", *, workload: bool) -> "tuple[IndexReading, Workload | None]":
    from opsconsole.database.indexes import read_indexes
    from opsconsole.database.workload_reading import read_workload

    return await read_indexes(database), await read_workload(database) if workload else None


def _size(one: "Finding") -> str | None:
    """What comes free, or what an index that is missing would take."""
    taken = one.effect if one.unit == "bytes" else one.evidence.get("bytes")
    return size(taken) if isinstance(taken, float) and taken else None
