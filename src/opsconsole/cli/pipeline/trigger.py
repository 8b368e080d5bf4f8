"""Start runs of DAGs, and see that they have begun. A paused DAG is left out: its run would only wait.

What they are given is checked against the parameters of each DAG before anything is sent; `pipeline params` lists
them. A DAG that it does not suit is named, and nothing is sent to it.
"""

import argparse

from opsconsole.cli.pipeline import acting, conf, selecting

EXAMPLE = """\
opsconsole pipeline trigger load_tariffs --yes
  opsconsole pipeline trigger load_tariffs --param day=2026-11-21 --param size=3 --wait --yes
  opsconsole pipeline trigger load_tariffs load_weather --conf '{"day": "2026-11-21"}' --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline trigger`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    conf.add_arguments(parser)
    parser.add_argument("--run-id", metavar="ID", default="", help="the id that the run is to have")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    wait = {"wait": "ended"} if args.wait else {}
    given = [{"dag": dag, "run": args.run_id, **wait} for dag in selecting.chosen_dag_ids(args)]
    fitting, left = conf.fitted(args, "airflow.trigger", given, "Trigger")
    return acting.carry_out(args, fitting, f"Trigger {len(fitting)} DAGs", left)
