"""Let runs of DAGs begin and go on again."""

import argparse

from opsconsole.cli.pipeline import acting, selecting

EXAMPLE = """\
opsconsole pipeline unpause load_tariffs --yes
  opsconsole pipeline unpause --tag ingestion --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline unpause`."""
    parser.description = __doc__
    acting.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    found = [Repair("airflow.unpause", {"dag": one}, f"Unpause {one}") for one in selecting.chosen_dag_ids(args)]
    return acting.carry_out(args, found, f"Unpause {len(found)} DAGs")
