"""Indexes that cost more than they give: unused, duplicate or redundant, invalid; and foreign keys that lack one.

Without an option all kinds. Unused is said only once the statistics reach back a week, and never of an index that
something else needs: a constraint, a foreign key, replica identity, a partitioned index.
"""

import argparse

from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, size
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole db indexes --duplicate
  opsconsole db indexes --unused --invalid --format json"""

_KINDS = {
    "unused": ("unused-index",),
    "duplicate": ("duplicate-index", "redundant-index"),
    "invalid": ("invalid-index", "leftover-index"),
    "missing": ("unindexed-foreign-key",),
}
_COLUMNS = ("KIND", "INDEX OR TABLE", "SIZE", "WHAT", "SQL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db indexes`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--unused", action="store_true", help="read by nobody")
    parser.add_argument("--duplicate", action="store_true", help="the same as another, or covered by it")
    parser.add_argument("--invalid", action="store_true", help="left behind by what failed")
    parser.add_argument("--missing", action="store_true", help="foreign keys without an index")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.database.finding import Coverage
    from opsconsole.database.index_findings import index_findings
    from opsconsole.database.indexes import YOUNG, read_indexes

    found = ask(args, read_indexes)
    kinds = {kind for name, some in _KINDS.items() for kind in some if getattr(args, name)}
    told = [one for one in index_findings(found) if not kinds or one.id in kinds]
    notes = found.coverage
    if found.statistics_age < YOUNG and (not kinds or args.unused):
        age = duration_text(found.statistics_age)
        notes += Coverage((f"unused indexes are not judged: the statistics reach back {age}, less than a week",))
    if args.format == "json":
        print_reading("findings", fields_of(told), found.taken_at, notes.notes)
        return Exit.DONE
    rows = [
        (one.id, one.subject, size(one.effect or None), one.title, one.fix.sql if one.fix else None) for one in told
    ]
    print_table(_COLUMNS, rows)
    narrate_notes(notes.notes)
    if not told:
        narrate("nothing to say about the indexes")
    return Exit.DONE
