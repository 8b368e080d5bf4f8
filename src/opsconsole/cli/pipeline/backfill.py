"""Run DAGs for each of their intervals in a span of days that has passed. Airflow 3 only: 2 has no API for that, and it
is said with which command of its own it does it.

Which runs it makes is Airflow's own dry run. What they are given is checked as `trigger` does.
"""

import argparse

from opsconsole.cli.pipeline import acting, conf, selecting

EXAMPLE = """\
opsconsole pipeline backfill load_tariffs --from 2026-11-18 --to 2026-11-20 --yes
  opsconsole pipeline backfill 'load_*' --from 2026-11-18 --to 2026-11-20 --reprocess failed --param size=3 --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline backfill`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    conf.add_arguments(parser)
    parser.add_argument("--from", metavar="DAY", required=True, dest="first", help="the first day, as 2026-11-18")
    parser.add_argument("--to", metavar="DAY", required=True, dest="last", help="the last day")
    parser.add_argument(
        "--reprocess", choices=("none", "failed", "completed"), default="none",
        help="which runs that are there are run again: none of them, those that failed, all that ended (none)",
    )  # fmt: skip
    at_once = "how many runs of each DAG at once, whatever its own limit (3)"
    parser.add_argument("--at-once", metavar="N", default="3", help=at_once)


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    span = {"from": args.first, "to": args.last, "reprocess": args.reprocess, "at_once": args.at_once}
    wait = {"wait": "ended"} if args.wait else {}
    given = [{"dag": dag, **span, **wait} for dag in selecting.chosen_dag_ids(args)]
    fitting, left = conf.fitted(args, "airflow.backfill", given, "Backfill", f" from {args.first} to {args.last}")
    return acting.carry_out(args, fitting, f"Backfill {len(fitting)} DAGs from {args.first} to {args.last}", left)
