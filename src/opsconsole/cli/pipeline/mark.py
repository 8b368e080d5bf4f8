"""Call a run or a task of it a success, failed, or (tasks) skipped; nothing of it is run for that."""

import argparse

from opsconsole.cli.pipeline import acting

EXAMPLE = """\
opsconsole pipeline mark load_tariffs --state failed --yes
  opsconsole pipeline mark load_tariffs --task fetch --state success --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline mark`."""
    parser.description = __doc__
    acting.add_arguments(parser)
    acting.run_argument(parser)
    parser.add_argument("--task", metavar="TASK", default="", help="this task; the run itself without")
    parser.add_argument("--state", choices=("success", "failed", "skipped"), required=True, help="what it is to be")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    arguments = {"run": args.run_id, "task": args.task, "state": args.state}
    what = args.task or "a run"
    return acting.carry_out(args, "airflow.mark", arguments, f"Mark {what} of {args.dag} {args.state}")
