"""Work on whole tables that is under way: vacuum, analyze, index builds, cluster, copy, base backups.

Two looks, one second apart, give the rate, and from that the end of the present phase.
"""

import argparse
import asyncio
from typing import TYPE_CHECKING

from opsconsole.cli.arguments import duration
from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading, share
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.database.asking import Database
    from opsconsole.database.progress import Progress, Work

EXAMPLE = """\
opsconsole db progress
  opsconsole db progress --window 5s --format json"""

_COLUMNS = ("PID", "WORK", "ON", "PHASE", "DONE", "OF", "UNIT", "SHARE", "LEFT", "FOR", "ROLE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db progress`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--window", type=duration, default=1.0, metavar="TIME", help="between the looks (1s)")


def run(args: argparse.Namespace) -> int:
    """Print it."""

    async def read(database: "Database") -> "Progress":
        from opsconsole.database.progress import read_progress

        first = await read_progress(database)
        if not first.works:
            return first
        await asyncio.sleep(args.window)
        return await read_progress(database, first)

    found = ask(args, read)
    if args.format == "json":
        works = [{**fields_of(one), "share": one.share, "left_seconds": one.left_seconds} for one in found.works]
        print_reading("works", works, found.taken_at, found.coverage.notes)
        return Exit.DONE
    print_table(_COLUMNS, [_row(one) for one in found.works])
    narrate_notes(found.coverage.notes)
    if not found.works:
        narrate("nothing is under way")
    return Exit.DONE


def _row(work: "Work") -> tuple[object, ...]:
    return (
        work.pid,
        work.kind,
        work.relation,
        work.phase,
        work.done,
        work.total or None,
        work.unit,
        share(work.share),
        None if work.left_seconds is None else duration_text(work.left_seconds),
        None if work.seconds is None else duration_text(work.seconds),
        work.role or ("autovacuum" if work.automatic else None),
    )
