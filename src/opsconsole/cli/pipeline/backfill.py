"""Run a DAG for each of its intervals in a span of days that has passed. Airflow 3 only: 2 has no API for that."""

import argparse

from opsconsole.cli.pipeline import acting

EXAMPLE = "opsconsole pipeline backfill load_tariffs --from 2026-11-18 --to 2026-11-20 --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline backfill`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    parser.add_argument("--from", metavar="DAY", required=True, dest="first", help="the first day, as 2026-11-18")
    parser.add_argument("--to", metavar="DAY", required=True, dest="last", help="the last day")
    parser.add_argument(
        "--reprocess", choices=("none", "failed", "completed"), default="none", help="runs that are there (none)"
    )
    parser.add_argument("--at-once", metavar="N", default="3", help="how many runs at once (3)")
    parser.add_argument("--conf", metavar="JSON", default="", help="their configuration, a JSON object")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    arguments = {
        "from": args.first, "to": args.last, "reprocess": args.reprocess, "at_once": args.at_once, "conf": args.conf,
    }  # fmt: skip
    title = f"Backfill {args.dag} from {args.first} to {args.last}"
    return acting.carry_out(args, "airflow.backfill", arguments, title)
