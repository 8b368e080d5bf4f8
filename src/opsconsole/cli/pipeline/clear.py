"""Run tasks of runs again, whatever their state. What would be cleared is shown first, as Airflow's dry run says."""

import argparse
from collections.abc import Mapping

from opsconsole.cli.pipeline import acting, selecting

EXAMPLE = """\
opsconsole pipeline clear load_tariffs --task fetch --downstream --yes
  opsconsole pipeline clear load_tariffs --only-failed --wait --yes
  opsconsole pipeline clear 'load_*' --state failed --since 6h --only-failed --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline clear`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True, runs=True)
    parser.add_argument("--task", metavar="TASK", action="append", default=[], help="this one (again for more; all)")
    parser.add_argument("--only-failed", action="store_true", help="only those of them that failed")
    parser.add_argument("--downstream", action="store_true", help="and those that follow")
    parser.add_argument("--upstream", action="store_true", help="and those before")


def run(args: argparse.Namespace) -> int:
    """Show what would be cleared, and carry it out."""
    flags = {name: "yes" if getattr(args, name) else "" for name in ("only_failed", "downstream", "upstream")}
    return clear_chosen(args, "airflow.clear", flags, "Clear tasks of")


def clear_chosen(
    args: argparse.Namespace, action: str, flags: Mapping[str, str], title: str, *, state: str = ""
) -> int:
    """Show what Airflow's dry run says of each run that is meant, and have exactly those cleared. `state` as
    `selecting.chosen_runs` has it."""
    from opsconsole.runbooks.repair import Repair

    more = {"tasks": ",".join(args.task), **flags, **({"wait": "ended"} if args.wait else {})}
    found = [
        Repair(action, {"dag": dag, "run": run_id, **more}, f"{title} {dag}")
        for dag, run_id in selecting.chosen_runs(args, state=state)
    ]
    return acting.carry_out(args, found, f"{title} {len(found)} runs")
