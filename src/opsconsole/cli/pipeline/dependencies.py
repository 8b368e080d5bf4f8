"""Who feeds whom: the assets that a DAG updates and another waits for, as a tree, and what waits for what now."""

import argparse
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_table
from opsconsole.cli.pipeline.opening import add_common, ago, ask, must_be, narrate_origin, print_told
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.asking import Airflow
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
    from opsconsole.cli.db.printing import fields_of
    from opsconsole.pipelines.awaiting import words
    from opsconsole.pipelines.dependencies import around, feeds, starts, tree, waiting

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
        value = {
            "assets": lineage.assets,
            "feeds": feeds(lineage),
            "starts": [
                {"dag_id": dag_id, "expression": awaited, "words": words(awaited)}
                for dag_id, awaited in lineage.awaited.items()
                if dag_id in shown
            ],
            "waiting": [{**fields_of(one), "reason": one.reason} for one in waits],
        }
        print_told("dependencies", told, value)
        return Exit.DONE
    reasons = {dag_id: f"started by {said}" for dag_id in shown if dag_id and (said := starts(lineage, dag_id))}
    reasons |= {one.dag_id: one.reason for one in waits}
    rows = [
        (
            "  " * one.depth + (one.asset.name if one.asset is not None else one.dag_id),
            "asset" if one.asset is not None else "DAG",
            ago(one.asset.updated_at, told.now) if one.asset is not None else None,
            "what follows stands above" if one.again else reasons.get(one.dag_id),
        )
        for one in branches
    ]
    print_table(("WHO FEEDS WHOM", "KIND", "UPDATED", "WAITS FOR"), rows, names=(0,))
    if not rows:
        which = "that DAG" if args.dag else "a DAG here"
        narrate(f"no assets: nothing starts {which} but time and people")
    narrate_origin(told, "there are more assets, or more DAGs that may wait, than were asked for")
    return Exit.DONE
