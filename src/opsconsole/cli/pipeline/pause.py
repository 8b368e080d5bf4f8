"""Let no new runs of a DAG begin; those that go on stand where they are until it is unpaused."""

import argparse

from opsconsole.cli.pipeline import acting

EXAMPLE = "opsconsole pipeline pause load_tariffs --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline pause`."""
    parser.description = __doc__
    acting.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    return acting.carry_out(args, "airflow.pause", {}, f"Pause {args.dag}")
