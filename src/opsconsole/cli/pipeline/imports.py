"""Files of DAGs that cannot be imported. Code 1: there are some."""

import argparse

from opsconsole.cli.output import narrate, print_table
from opsconsole.cli.pipeline.opening import add_common, ago, ask, narrate_origin, print_told
from opsconsole.core.exit_codes import Exit

EXAMPLE = "opsconsole pipeline imports --trace"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline imports`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--trace", action="store_true", help="each with its whole traceback, on stderr")


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    from opsconsole.cli.db.printing import fields_of

    told = ask(args, lambda airflow: airflow.broken_files())
    code = Exit.FAILED if told.value else Exit.DONE
    if args.format == "json":
        print_told("files", told, [{**fields_of(one), "reason": one.reason} for one in told.value])
        return code
    print_table(
        ("FILE", "SEEN", "REASON"),
        [(one.file, ago(one.seen_at, told.now), one.reason) for one in told.value],
        names=(0,),
    )
    for one in told.value if args.trace else ():
        narrate(f"{one.file}\n{one.trace}")
    narrate_origin(told)
    return code
