"""The runs of a DAG, the newest first."""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import print_table
from opsconsole.cli.pipeline.opening import add_common, ago, ask, narrate_origin, of_dag, print_told, seconds
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.model import Run

EXAMPLE = "opsconsole pipeline runs load_tariffs --state failed"

_COLUMNS = ("RUN", "STATE", "KIND", "DUE", "STARTED", "TOOK", "CONF")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline runs`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("dag", metavar="DAG", help="its id")
    parser.add_argument("--state", choices=("queued", "running", "success", "failed"), help="only those in this state")
    parser.add_argument("--limit", metavar="N", type=int, default=25, help="look at the newest N (25)")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    told = ask(args, lambda airflow: of_dag(airflow, args.dag, airflow.runs(args.dag, max(1, args.limit))))
    found = [one for one in told.value if args.state in (None, one.state)]
    if args.format == "json":
        print_told("runs", told, [run_fields(one, told.now) for one in found])
        return Exit.DONE
    print_table(_COLUMNS, [_row(one, told.now) for one in found], names=(0,))
    narrate_origin(told, "these are the newest; --limit shows more")
    return Exit.DONE


def run_fields(run: "Run", now: float) -> dict[str, Any]:
    """One run as JSON has it."""
    from opsconsole.cli.db.printing import fields_of

    return {**fields_of(run), "seconds": run.seconds, "running_for": run.running_for(now)}


def _row(one: "Run", now: float) -> tuple[object, ...]:
    taken = one.seconds if one.ended else one.running_for(now)
    return (
        one.run_id, one.state, one.kind, ago(one.run_after_at, now), ago(one.started_at, now), seconds(taken), one.conf,
    )  # fmt: skip
