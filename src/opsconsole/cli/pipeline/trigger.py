"""Start a run of a DAG, and see that it has begun. A paused DAG is refused: its run would only wait."""

import argparse

from opsconsole.cli.pipeline import acting

EXAMPLE = """\
opsconsole pipeline trigger load_tariffs --yes
  opsconsole pipeline trigger load_tariffs --conf '{"day": "2026-11-21"}' --wait --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline trigger`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    parser.add_argument("--conf", metavar="JSON", default="", help="its configuration, a JSON object")
    parser.add_argument("--run-id", metavar="ID", default="", help="the id that the run is to have")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    return acting.carry_out(args, "airflow.trigger", {"conf": args.conf, "run": args.run_id}, f"Trigger {args.dag}")
