"""Run the failed tasks of a run again, and those that could not run because of them."""

import argparse

from opsconsole.cli.pipeline import acting
from opsconsole.cli.pipeline.clear import clear

EXAMPLE = """\
opsconsole pipeline retry load_tariffs --yes
  opsconsole pipeline retry load_tariffs --run 'scheduled__2026-11-21T00:00:00+00:00' --wait --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline retry`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    acting.run_argument(parser)
    parser.add_argument("--task", metavar="TASK", action="append", default=[], help="only this one (again for more)")


def run(args: argparse.Namespace) -> int:
    """Show what would be cleared, and carry it out."""
    arguments = {"run": args.run_id, "tasks": ",".join(args.task)}
    return clear(args, "airflow.retry", arguments, f"Retry the failed tasks of {args.dag}")
