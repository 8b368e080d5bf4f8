"""What runs are given on the command line: `--param` and `--conf`, held to the parameters of each DAG."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsconsole.cli.pipeline.opening import ask

if TYPE_CHECKING:
    from opsconsole.core.reading import SourceError
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.foresight import Foreseen
    from opsconsole.pipelines.model import DagParam
    from opsconsole.runbooks.repair import Repair


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--param` and `--conf`."""
    parser.add_argument(
        "--param", metavar="NAME=VALUE", action="append", default=[], help="a parameter of the DAG (again for more)"
    )
    parser.add_argument("--conf", metavar="JSON", default="", help="their configuration, a JSON object")


def fitted(
    args: argparse.Namespace, action: str, given: Sequence[Mapping[str, str]], verb: str, rest: str = ""
) -> "tuple[list[Repair], list[Foreseen]]":
    """(a repair for each DAG that the configuration suits, the others with why not).

    Args:
        args: with `param` and `conf`.
        action: the action of each.
        given: its other arguments, the DAG among them.
        verb: what the title begins with; `rest`: what it ends with.

    Raises:
        UsageError: `--param` or `--conf` is none.
    """
    from opsconsole.cli.run_place import pairs
    from opsconsole.pipelines.fitting import fitted as confs_of
    from opsconsole.pipelines.foresight import Foreseen
    from opsconsole.runbooks.repair import Repair

    typed, more = pairs(args.param, "--param"), _json(args.conf)
    repairs = {one["dag"]: Repair(action, one, f"{verb} {one['dag']}{rest}") for one in given}
    params, unread = _params(args, list(repairs)) if typed or more else (dict.fromkeys(repairs, ()), {})
    left = [Foreseen(repairs[dag], wrong=str(fault), fault=fault) for dag, fault in unread.items()]
    fitting = []
    for dag, conf in confs_of(params, typed, more).items():
        if conf.wrong:
            left.append(Foreseen(repairs[dag], wrong="; ".join(map(str, conf.wrong))))
        else:
            arguments = {**repairs[dag].arguments, "conf": conf.text}
            fitting.append(Repair(action, arguments, repairs[dag].title))
    return fitting, left


def _params(
    args: argparse.Namespace, dags: Sequence[str]
) -> "tuple[dict[str, Sequence[DagParam]], dict[str, SourceError]]":
    from opsconsole.pipelines.asking import params_of_all

    async def read(airflow: "Airflow") -> "tuple[dict[str, Sequence[DagParam]], dict[str, SourceError]]":
        return await params_of_all(airflow, dags)

    return ask(args, read)


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
