"""Pools, and what takes their slots."""

import argparse

from opsconsole.cli.output import print_table
from opsconsole.cli.pipeline.opening import add_common, ask, narrate_origin, print_told
from opsconsole.core.exit_codes import Exit

EXAMPLE = "opsconsole pipeline pools"

_COLUMNS = ("POOL", "SLOTS", "RUNNING", "QUEUED", "SCHEDULED", "DEFERRED", "OPEN", "STARVING", "DESCRIPTION")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline pools`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.cli.db.printing import fields_of

    told = ask(args, lambda airflow: airflow.pools())
    if args.format == "json":
        extra = [{**fields_of(one), "open": one.open, "starving": one.starving} for one in told.value]
        print_told("pools", told, extra)
        return Exit.DONE
    rows = [
        (
            one.name, one.slots if one.slots >= 0 else None, one.running, one.queued, one.scheduled, one.deferred,
            one.open, one.starving, one.description,
        )
        for one in told.value
    ]  # fmt: skip
    print_table(_COLUMNS, rows, names=(0,))
    narrate_origin(told)
    return Exit.DONE
