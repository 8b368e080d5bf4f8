"""What failed over all DAGs in the last hours, by cause: the same error in fifty runs is one line.

The cause is the error that a task's log ends with; logs are read of the latest failures only (--logs).
"""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.output import print_table
from opsconsole.cli.pipeline.opening import add_common, ago, ask, narrate_origin, print_told
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.failures import Failures

EXAMPLE = "opsconsole pipeline errors --since 6h"

_COLUMNS = ("CAUSE", "TIMES", "FIRST", "LAST", "WHERE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline errors`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--since", metavar="TIME", default="24h", help="how far back (24h)")
    parser.add_argument("--logs", metavar="N", type=int, default=25, help="read the logs of the last N failures (25)")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    import time

    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.duration import parse_duration
    from opsconsole.pipelines.failures import read_failures

    try:
        since = time.time() - parse_duration(args.since)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None

    async def read(airflow: "Airflow") -> "Failures":
        return await read_failures(airflow, since, logs=max(0, args.logs))

    found = ask(args, read)
    if args.format == "json":
        print_told("causes", found.told, found.causes)
        return Exit.DONE
    now = found.told.now
    rows = [
        (one.cause, one.count, ago(one.first_at, now), ago(one.last_at, now), ", ".join(one.tasks))
        for one in found.causes
    ]
    print_table(_COLUMNS, rows, names=(0,))
    narrate_origin(found.told, "there were more failures; a shorter --since has all of them")
    return Exit.DONE
