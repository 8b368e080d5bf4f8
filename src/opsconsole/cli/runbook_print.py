"""`runbook print` and `runbook run --dry-run`: the exact commands, and nothing else."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from opsconsole.actions.confirmation import Demand, required
from opsconsole.cli import wiring
from opsconsole.cli.output import print_json, print_text
from opsconsole.cli.run_front import step_fields
from opsconsole.cli.run_place import Place, masked_secrets, pairs, place_of
from opsconsole.core.exit_codes import Exit
from opsconsole.runbooks.execution import Surroundings, action_for, step_command
from opsconsole.runbooks.model import Kind, Step
from opsconsole.runbooks.parameters import fill


def print_commands(args: argparse.Namespace) -> int:
    """Print the exact command of each step."""
    place = place_of(args)
    filled = fill(place.runbook.params, pairs(args.param, "--param"))
    if filled.complaints:
        raise wiring.UsageError("; ".join(map(str, filled.complaints)))
    surroundings = Surroundings.of(place.environment, place.runbook, masked_secrets(place.runbook), resolve=False)
    for step in place.runbook.steps:
        print_text(_heading(step))
        print_text(step_command(step, surroundings, filled.values) + "\n")
    return Exit.DONE


def rehearse(
    place: Place,
    values: Mapping[str, str],
    args: argparse.Namespace,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Print what would be done. No process, no connection, no lock, no record. `more` is said in the JSON, too."""
    surroundings = Surroundings.of(place.environment, place.runbook, masked_secrets(place.runbook), resolve=False)
    shown = []
    for step in place.runbook.route:
        left_out = place.instructions.reason_to_leave_out(step, place.runbook)
        left_out = left_out or place.instructions.skipped.get(step.name, "")
        command = step_command(step, surroundings, values)
        shown.append(
            {
                **step_fields(step, place.runbook, values),
                "state": "left out" if left_out else "dry-run",
                "command": command,
            }
        )
        if args.format == "json":
            continue
        print_text(_heading(step))
        if left_out:
            print_text(f"# left out: {left_out}\n")
            continue
        print_text(f"# {_asks(step, place, surroundings, values)}\n{command}\n")
    if args.format == "json":
        print_json({"run": None, "state": "dry-run", "steps": shown, **more})
    return Exit.DONE


def _asks(step: Step, place: Place, surroundings: Surroundings, values: Mapping[str, str]) -> str:
    if step.kind is Kind.MANUAL:
        return "for a person to do"
    if step.kind is Kind.CHOICE:
        return f"asks to choose: {', '.join(step.options)}; sets {step.sets}"
    action = action_for(step, place.runbook, surroundings, values, run="")
    requirement = required(action, place.environment.mode)
    approval = f", and wants {action.approval.in_words()}" if action.approval is not None else ""
    match requirement.demand:
        case Demand.NONE:
            return f"runs without asking{approval}"
        case Demand.YES:
            return f"asks for a yes{approval}"
        case _:
            return f"asks for {requirement.text} to be typed{approval}"


def _heading(step: Step) -> str:
    facts = [str(step.kind), str(step.risk)] if step.executable else [str(step.kind)]
    facts += [word for word, holds in (("interactive", step.interactive), ("background", step.background)) if holds]
    facts += [f"one live step per {step.lock}"] if step.lock else []
    facts += [f"verified by {step.verify}"] if step.verify else []
    facts += [f"undone by {step.undo}"] if step.undo else []
    return f"# {step.number} {step.name}: {step.title} ({', '.join(facts)})"
