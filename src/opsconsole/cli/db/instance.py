"""The server in an interval: cache hits, transactions, checkpoints, WAL, temporary files, deadlocks.

Two readings, `--interval` apart; 0 takes one reading, and tells what was counted since the counters began.
"""

import argparse
import asyncio
from typing import TYPE_CHECKING

from opsconsole.cli.arguments import duration
from opsconsole.cli.db.opening import add_common, ask
from opsconsole.cli.db.printing import fields_of, narrate_notes, print_reading
from opsconsole.cli.output import narrate, print_table
from opsconsole.core.duration import duration_text
from opsconsole.core.exit_codes import Exit
from opsconsole.core.units import format_value

if TYPE_CHECKING:
    from opsconsole.database.asking import Database
    from opsconsole.database.instance import Instance, Interval

EXAMPLE = """\
opsconsole db instance --interval 10s
  opsconsole db instance --interval 0s --format json"""

_COLUMNS = ("WHAT", "VALUE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db instance`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--interval", metavar="TIME", type=duration, default=5.0, help="between readings (5s)")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from opsconsole.database.instance import between, lifetime, read_instance

    async def read(database: "Database") -> "tuple[Instance, Interval]":
        first = await read_instance(database)
        if not args.interval:
            return first, lifetime(first)
        await asyncio.sleep(args.interval)
        second = await read_instance(database)
        return second, between(first, second)

    instance, interval = ask(args, read)
    if args.format == "json":
        print_reading("instance", {**fields_of(instance), **fields_of(interval)}, instance.taken_at,
                      instance.coverage.notes)  # fmt: skip
        return Exit.DONE
    print_table(_COLUMNS, _rows(instance, interval))
    narrate_notes(instance.coverage.notes)
    if interval.reset:
        narrate("the counters were reset in between: nothing can be said; ask again")
    return Exit.DONE


def _rows(instance: "Instance", interval: "Interval") -> list[tuple[str, object]]:
    grown = interval.grown
    return [
        ("over", duration_text(interval.seconds)),
        ("up for", duration_text(instance.uptime)),
        ("sessions", instance.backends),
        ("standbys", instance.standbys),
        ("commits", grown.commits),
        ("rollbacks", format_value(interval.rollback_share, "percentunit")),
        ("cache hits", format_value(interval.hit_share, "percentunit")),
        ("blocks read", grown.read),
        ("temporary files", format_value(grown.temp_bytes, "bytes")),
        ("deadlocks", grown.deadlocks),
        ("WAL", format_value(grown.wal_bytes, "bytes")),
        ("checkpoints by time", grown.checkpoints_timed),
        ("checkpoints forced", grown.checkpoints_requested),
        ("checkpoint writing", format_value(grown.checkpoint_write_seconds, "s")),
    ]
