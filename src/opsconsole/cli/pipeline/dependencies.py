"""Who feeds whom: the assets that a DAG updates and another waits for, as a tree, and what waits for what now."""

import argparse
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_table
from opsconsole.cli.pipeline.opening import add_common, ago, ask, must_be, narrate_origin, print_told
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
    from opsconsole.pipelines.dependencies import Branch, Waiting
    from opsconsole.pipelines.model import Lineage, Told

EXAMPLE = """\
opsconsole pipeline dependencies
  opsconsole pipeline dependencies --dag load_tariffs --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline dependencies`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--dag", metavar="DAG", default="", help="only what feeds this one, and what it feeds")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from opsconsole.pipelines.dependencies import around, starts, tree, waiting

    async def read(airflow: "Airflow") -> "Told[Lineage]":
        told = await airflow.lineage()
        if args.dag and not around(told.value, args.dag).assets:
            await must_be(airflow, args.dag)
        return told

    told = ask(args, read)
    lineage = around(told.value, args.dag) if args.dag else told.value
    branches = tree(lineage)
    shown = {one.dag_id for one in branches}
    waits = [one for one in waiting(told.value) if one.dag_id in shown]
    if args.format == "json":
        print_told("dependencies", told, _fields(lineage, shown, waits))
        return Exit.DONE
    reasons = {dag_id: f"started by {said}" for dag_id in shown if dag_id and (said := starts(lineage, dag_id))}
    reasons |= {one.dag_id: one.reason for one in waits}
    rows = [_row(one, reasons, told.now) for one in branches]
    print_table(("WHO FEEDS WHOM", "KIND", "UPDATED", "WAITS FOR"), rows, names=(0,))
    if not rows:
        which = "that DAG" if args.dag else "a DAG here"
        narrate(f"no assets: nothing starts {which} but time and people")
    narrate_origin(told, "there are more assets, or more DAGs that may wait, than were asked for")
    return Exit.DONE


def _fields(lineage: "Lineage", shown: "Collection[str]", waits: "Iterable[Waiting]") -> dict[str, Any]:
    """What JSON has of it; `shown` are the DAGs that are meant."""
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.pipelines.awaiting import words
    from opsconsole.pipelines.dependencies import feeds

    awaited = {dag_id: one for dag_id, one in lineage.awaited.items() if dag_id in shown}
    return {
        "assets": lineage.assets,
        "feeds": feeds(lineage),
        "starts": [{"dag_id": dag_id, "expression": one, "words": words(one)} for dag_id, one in awaited.items()],
        "waiting": [{**fields_of(one), "reason": one.reason} for one in waits],
    }


def _row(one: "Branch", reasons: "Mapping[str, str]", now: float) -> tuple[object, ...]:
    why = "what follows stands above" if one.again else reasons.get(one.dag_id)
    if one.asset is None:
        return "  " * one.depth + one.dag_id, "DAG", None, why
    return "  " * one.depth + one.asset.name, "asset", ago(one.asset.updated_at, now), why
