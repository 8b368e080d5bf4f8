"""Let runs of a DAG begin and go on again."""

import argparse

from opsconsole.cli.pipeline import acting

EXAMPLE = "opsconsole pipeline unpause load_tariffs --yes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline unpause`."""
    parser.description = __doc__
    acting.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    return acting.carry_out(args, "airflow.unpause", {}, f"Unpause {args.dag}")
