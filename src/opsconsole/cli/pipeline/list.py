"""Every DAG: the states of its last runs (the newest right), how long they take, how often they succeed. What failed
comes first. While neither API nor database answers, those of which metrics tell: how many runs ended within the hour.

In the strip ● is a success, ✗ a failure, ▶ a run that goes on, ○ one that waits.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_table, rfc3339
from opsconsole.cli.pipeline.opening import add_common, ago, ask_pipelines, narrate_origin, percent, print_told, seconds
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.core.state import State
    from opsconsole.pipelines.history import Standing
    from opsconsole.pipelines.metrics import ByMetrics, Measured

EXAMPLE = """\
opsconsole pipeline list
  opsconsole pipeline list --state CRIT --format json
  opsconsole pipeline list --dag 'ingest_*'"""

_COLUMNS = ("DAG", "STATE", "LAST RUNS", "RUNNING FOR", "NEXT", "OK", "USUALLY", "LAST", "PACE", "WHY")
_SPARE = tuple(_COLUMNS.index(name) for name in ("PACE", "LAST", "USUALLY", "OK", "NEXT", "RUNNING FOR"))
"""What a narrow terminal does without, rather than without why something failed."""
_MEASURED = ("DAG", "STATE", "FAILED 1H", "OK 1H", "TASKS FAILED 1H", "TOOK", "WHY")
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
    from opsconsole.pipelines.metrics import ByMetrics
    from opsconsole.pipelines.rare import unseen_note

    told = ask_pipelines(args, lambda pipelines: pipelines.or_measured(pipelines.survey()))
    if isinstance(told, ByMetrics):
        return _measured(args, told)
    found = [
        one
        for one in standings(told.value, told.now)
        if fnmatchcase(one.dag.dag_id, args.dag) and args.state in (None, one.state)
    ]
    found = found[: args.limit] if args.limit > 0 else found
    if args.format == "json":
        print_told("dags", told, [standing_fields(one) for one in found])
        return Exit.DONE
    print_table(_COLUMNS, [_row(one, told.now) for one in found], names=(0,), spare=_SPARE)
    if not told.value.dags:
        narrate(NO_DAG)
    narrate_origin(told, unseen_note(told.value.unseen))
    return Exit.DONE


def _measured(args: argparse.Namespace, told: "ByMetrics") -> int:
    """What metrics tell, in place of what Airflow would."""
    from fnmatch import fnmatchcase

    from opsconsole.pipelines.measured import judged_dags

    found = [
        (one, state, why)
        for one, state, why in judged_dags(told.value)
        if fnmatchcase(one.dag_id, args.dag) and args.state in (None, state)
    ]
    found = found[: args.limit] if args.limit > 0 else found
    if args.format == "json":
        print_told("dags", told, [measured_fields(*one) for one in found])
        return Exit.DONE
    print_table(_MEASURED, [measured_row(*one) for one in found], names=(0,))
    narrate_origin(told)
    return Exit.DONE


def measured_fields(one: "Measured", state: "State", why: str) -> dict[str, Any]:
    """One DAG as JSON has it: the same fields, `null` where metrics do not tell, and what they tell as `measured`."""
    from dataclasses import fields

    from opsconsole.pipelines.model import Dag

    names = (*(field.name for field in fields(Dag)), *_TOLD, "failing_since_at")
    counted = {name: getattr(one, name) for name in ("succeeded", "failed", "tasks_failed", "seconds")}
    told = {"dag_id": one.dag_id, "title": one.dag_id, "state": state, "reason": why, "measured": counted}
    return {**dict.fromkeys(names), **told}


def measured_row(one: "Measured", state: "State", why: str) -> tuple[object, ...]:
    """One DAG as the table has it."""
    counts = (None if value is None else f"{value:.0f}" for value in (one.failed, one.succeeded, one.tasks_failed))
    return one.dag_id, state, *counts, seconds(one.seconds), why


def standing_fields(one: "Standing") -> dict[str, Any]:
    """One DAG as JSON has it."""
    from opsconsole.cli.db.printing import fields_of

    told = {name: fields_of(getattr(one, name)) for name in _TOLD}
    return {**fields_of(one.dag), **told, "failing_since_at": rfc3339(one.failing_since_at), "measured": None}


def strip_text(states: tuple[str, ...]) -> str:
    """States as marks."""
    return "".join(_MARKS.get(state, "?") for state in states)


def _coming(then: float | None, now: float) -> str | None:
    """`in 5m`; `5m ago`: it was due, and did not come."""
    due = ago(then, now)
    return due if then is None or then > now else f"{due} ago"


def _row(one: "Standing", now: float) -> tuple[object, ...]:
    return (
        one.dag.dag_id,
        f"{one.state} (paused)" if one.dag.paused else one.state,
        strip_text(one.strip),
        seconds(one.running_for),
        None if one.dag.paused else _coming(one.dag.next_run_at, now),
        percent(one.success_rate),
        seconds(one.usual_seconds),
        seconds(one.latest_seconds),
        None if one.pace is None else f"×{one.pace:.1f}",
        one.reason,
    )
