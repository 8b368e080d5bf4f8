"""Call runs or a task of them a success, failed, or (tasks) skipped; nothing of them is run for that."""

import argparse

from opsconsole.cli.pipeline import acting, selecting

EXAMPLE = """\
opsconsole pipeline mark load_tariffs --state failed --yes
  opsconsole pipeline mark load_tariffs --task fetch --state success --yes
  opsconsole pipeline mark 'load_*' --was running --since 2d --state failed --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline mark`."""
    parser.description = __doc__
    acting.add_arguments(parser, runs=True, state="--was")
    parser.add_argument("--task", metavar="TASK", default="", help="this task; the run itself without")
    parser.add_argument("--state", choices=("success", "failed", "skipped"), required=True, help="what it is to be")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    what, found = args.task or "a run", []
    for dag, run_id in selecting.chosen_runs(args):
        arguments = {"dag": dag, "run": run_id, "task": args.task, "state": args.state}
        found.append(Repair("airflow.mark", arguments, f"Mark {what} of {dag} {args.state}"))
    return acting.carry_out(args, found, f"Mark {len(found)} {args.state}")
