"""Every DAG: the states of its last runs (the newest right), how long they take, how often they succeed. What failed
comes first.

In the strip ● is a success, ✗ a failure, ▶ a run that goes on, ○ one that waits.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_table, rfc3339
from opsconsole.cli.pipeline.opening import add_common, ago, ask, narrate_origin, percent, print_told, seconds
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.pipelines.history import Standing

EXAMPLE = """\
opsconsole pipeline list
  opsconsole pipeline list --state CRIT --format json
  opsconsole pipeline list --dag 'ingest_*'"""

_COLUMNS = ("DAG", "STATE", "LAST RUNS", "RUNNING FOR", "NEXT", "OK", "USUALLY", "LAST", "PACE", "WHY")
_TOLD = (
    "latest", "strip", "state", "reason", "success_rate", "usual_seconds", "latest_seconds", "pace", "running_for",
)  # fmt: skip
_MARKS = {"success": "●", "failed": "✗", "running": "▶", "queued": "○"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline list`."""
    parser.description = __doc__
    add_common(parser)
    parser.add_argument("--dag", metavar="PATTERN", default="*", help="only these; * stands for anything")
    parser.add_argument("--state", choices=("OK", "WARN", "CRIT", "UNKNOWN"), help="only those in this state")
    parser.add_argument("--limit", metavar="N", type=int, default=0, help="the first N (all)")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from fnmatch import fnmatchcase

    from opsconsole.pipelines.history import NO_DAG, standings
    from opsconsole.pipelines.rare import unseen_note

    told = ask(args, lambda airflow: airflow.survey())
    found = [
        one
        for one in standings(told.value, told.now)
        if fnmatchcase(one.dag.dag_id, args.dag) and args.state in (None, one.state)
    ]
    found = found[: args.limit] if args.limit > 0 else found
    if args.format == "json":
        print_told("dags", told, [standing_fields(one) for one in found])
        return Exit.DONE
    print_table(_COLUMNS, [_row(one, told.now) for one in found])
    if not told.value.dags:
        narrate(NO_DAG)
    narrate_origin(told, unseen_note(told.value.unseen))
    return Exit.DONE


def standing_fields(one: "Standing") -> dict[str, Any]:
    """One DAG as JSON has it."""
    from opsconsole.cli.db.printing import fields_of

    told = {name: fields_of(getattr(one, name)) for name in _TOLD}
    return {**fields_of(one.dag), **told, "failing_since_at": rfc3339(one.failing_since_at)}


def strip_text(states: tuple[str, ...]) -> str:
    """States as marks."""
    return "".join(_MARKS.get(state, "?") for state in states)


def _row(one: "Standing", now: float) -> tuple[object, ...]:
    return (
        one.dag.dag_id,
        f"{one.state} (paused)" if one.dag.paused else one.state,
        strip_text(one.strip),
        seconds(one.running_for),
        None if one.dag.paused else ago(one.dag.next_run_at, now),
        percent(one.success_rate),
        seconds(one.usual_seconds),
        seconds(one.latest_seconds),
        None if one.pace is None else f"×{one.pace:.1f}",
        one.reason,
    )
