"""Start a run of a DAG, and see that it has begun. A paused DAG is refused: its run would only wait.

What it is given is checked against the DAG's parameters before anything is sent; `pipeline params` lists them.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.pipeline import acting
from opsconsole.cli.pipeline.opening import ask

if TYPE_CHECKING:
    from opsconsole.pipelines.params import Conf

EXAMPLE = """\
opsconsole pipeline trigger load_tariffs --yes
  opsconsole pipeline trigger load_tariffs --param day=2026-11-21 --param size=3 --wait --yes
  opsconsole pipeline trigger load_tariffs --conf '{"day": "2026-11-21"}' --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline trigger`."""
    parser.description = __doc__
    acting.add_arguments(parser, wait=True)
    parser.add_argument(
        "--param", metavar="NAME=VALUE", action="append", default=[], help="a parameter of the DAG (again for more)"
    )
    parser.add_argument("--conf", metavar="JSON", default="", help="its configuration, a JSON object")
    parser.add_argument("--run-id", metavar="ID", default="", help="the id that the run is to have")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from opsconsole.cli.wiring import UsageError

    conf = _conf(args)
    if conf.wrong:
        raise UsageError("; ".join(map(str, conf.wrong)))
    return acting.carry_out(args, "airflow.trigger", {"conf": conf.text, "run": args.run_id}, f"Trigger {args.dag}")


def _conf(args: argparse.Namespace) -> "Conf":
    """What the run is given, checked against what the DAG takes."""
    from opsconsole.cli.run_place import pairs
    from opsconsole.pipelines.params import conf_of

    typed, more = pairs(args.param, "--param"), _json(args.conf)
    params = ask(args, lambda airflow: airflow.params(args.dag)).value
    return conf_of(params, typed, more)


def _json(text: str) -> dict[str, Any]:
    from json import loads

    from opsconsole.cli.wiring import UsageError

    try:
        found = loads(text or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError('--conf: expected a JSON object such as {"day": "2026-11-21"}')
    return found
