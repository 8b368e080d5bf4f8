"""Let no new runs of DAGs begin; those that go on stand where they are until they are unpaused."""

import argparse

from opsconsole.cli.pipeline import acting, selecting

EXAMPLE = """\
opsconsole pipeline pause load_tariffs --yes
  opsconsole pipeline pause 'load_*' --tag ingestion --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline pause`."""
    parser.description = __doc__
    acting.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.runbooks.repair import Repair

    found = [Repair("airflow.pause", {"dag": one}, f"Pause {one}") for one in selecting.chosen_dag_ids(args)]
    return acting.carry_out(args, found, f"Pause {len(found)} DAGs")
