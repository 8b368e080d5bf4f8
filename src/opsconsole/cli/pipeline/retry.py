"""Run the failed tasks of runs again, and those that could not run because of them.

Without ids, of the runs that failed: each DAG's newest, with --since all of that time.
"""

import argparse

from opsconsole.cli.pipeline import acting, clear

EXAMPLE = """\
opsconsole pipeline retry load_tariffs --yes
  opsconsole pipeline retry load_tariffs --run 'scheduled__2026-11-21T00:00:00+00:00' --wait --yes
  opsconsole pipeline retry --since 6h --tag ingestion --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline retry`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True, runs=True)
    parser.add_argument("--task", metavar="TASK", action="append", default=[], help="only this one (again for more)")


def run(args: argparse.Namespace) -> int:
    """Show what would be cleared, and carry it out."""
    return clear.clear_chosen(args, "airflow.retry", {}, "Retry the failed tasks of", state="failed")
