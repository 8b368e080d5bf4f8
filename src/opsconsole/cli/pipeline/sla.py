"""Which DAGs keep what slas.yaml promises of them, by their latest runs. Code 1: one is broken now.

A run has to be over, and successful, within the target from the moment from which it could begin. `late` goes on
beyond it, `not-started` is due and not there, `recovering` failed, was cleared, and still has time. While neither API
nor database answers, those that metrics tell to be broken within the last hour; that one is kept, they do not tell.
"""

import argparse
from typing import TYPE_CHECKING, Any

from opsconsole.cli.output import narrate, print_problems, print_table
from opsconsole.cli.pipeline.opening import (
    add_common,
    ask_pipelines,
    narrate_origin,
    percent,
    print_told,
    seconds,
)
from opsconsole.cli.wiring import environment_of
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.config.slas import Sla
    from opsconsole.pipelines.measured import MeasuredPromise
    from opsconsole.pipelines.metrics import ByMetrics
    from opsconsole.pipelines.promises import Promise

EXAMPLE = "opsconsole pipeline sla --format json"

_NONE = "nothing is promised: slas: in the configuration names no file, or there is none of kind pipeline in it"
_MEASURED = ("DAG", "STATE", "VERDICT", "TARGET", "TOOK", "WHY", "SLA")
_COLUMNS = ("DAG", "STATE", "VERDICT", "TARGET", "LEFT", "KEPT", "SLA")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `pipeline sla`."""
    parser.description = __doc__
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Print them, and choose the exit code."""
    from opsconsole.core.state import State
    from opsconsole.pipelines.metrics import ByMetrics
    from opsconsole.pipelines.promises import promises
    from opsconsole.pipelines.rare import unseen_note

    slas = _slas(args)
    told = ask_pipelines(args, lambda pipelines: pipelines.or_measured(pipelines.survey()))
    if isinstance(told, ByMetrics):
        return _measured(args, slas, told)
    found = promises(slas, told.value, told.now)
    code = Exit.FAILED if any(one.state is State.CRIT for one in found) else Exit.DONE
    if args.format == "json":
        print_told("promises", told, [_fields(one) for one in found])
        return code
    print_table(_COLUMNS, [_row(one) for one in found], names=(0,))
    if not slas:
        narrate(_NONE)
    narrate_origin(told, unseen_note(told.value.unseen))
    return code


def _measured(args: argparse.Namespace, slas: "list[Sla]", told: "ByMetrics") -> int:
    """What metrics tell, in place of what follows from runs."""
    from opsconsole.core.state import State
    from opsconsole.pipelines.measured import measured_promises

    found = measured_promises(slas, told.value)
    code = Exit.FAILED if any(one.state is State.CRIT for one in found) else Exit.DONE
    if args.format == "json":
        print_told("promises", told, [measured_fields(one) for one in found])
        return code
    rows = [
        (
            one.dag_id,
            one.state,
            one.verdict,
            seconds(one.sla.target),
            seconds(one.seconds),
            one.why,
            one.sla.title or one.sla.name,
        )
        for one in found
    ]
    print_table(_MEASURED, rows, names=(0, 5))
    if not slas:
        narrate(_NONE)
    narrate_origin(told)
    return code


def measured_fields(one: "MeasuredPromise") -> dict[str, Any]:
    """One promise as JSON has it: the same fields, `null` where metrics do not tell, and `measured`."""
    return {
        "dag_id": one.dag_id,
        "sla": one.sla.name,
        "target": one.sla.target,
        "state": one.state,
        "verdict": one.verdict,
        "judged": None,
        "kept": None,
        "broken": None,
        "compliance": None,
        "measured": {"seconds": one.seconds, "why": one.why},
    }


def _slas(args: argparse.Namespace) -> "list[Sla]":
    from opsconsole.config.slas import load_slas
    from opsconsole.core.problem import ContentError

    path = environment_of(args).slas
    if path is None:
        return []
    slas, problems = load_slas(path)
    if any(one.severity == "error" for one in problems):
        raise ContentError(problems)
    print_problems(problems)
    return slas


def _fields(one: "Promise") -> dict[str, Any]:
    from opsconsole.cli.db.printing import fields_of

    fields = {name: value for name, value in fields_of(one).items() if name != "sla"}
    return {**fields, "sla": one.sla.name, "target": one.sla.target, "compliance": one.compliance, "measured": None}


def _row(one: "Promise") -> tuple[object, ...]:
    current = next((judged for judged in one.judged if judged.verdict is one.verdict), None)
    return (
        one.dag_id,
        one.state,
        one.verdict,
        seconds(one.sla.target),
        seconds(current.left_seconds) if current is not None else None,
        percent(one.compliance),
        one.sla.title or one.sla.name,
    )
