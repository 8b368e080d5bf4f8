"""What a run shows of itself to those who are elsewhere, as JSON: all of it once, and then what changed."""

from collections.abc import Mapping
from typing import Any

from opsconsole.runbooks.encoding import encode
from opsconsole.runbooks.model import Step
from opsconsole.runbooks.run import Run


def standing(run: Run) -> dict[str, Any]:
    """Where the run stands: small, and sent after every change."""
    return {
        "state": run.state.value,
        "current": run.current.name if run.current is not None else "",
        "states": {name: state.value for name, state in run.states.items()},
        "values": dict(run.values),
        "file_changed": run.file_changed,
        "unapproved": run.unapproved,
        "locked_out": run.locked_out,
        "background": run.in_background,
        "rollback": [step.name for step in run.rollback_plan()],
    }


def plan(run: Run) -> dict[str, Any]:
    """Step -> what it would run now, what that takes, and why it would be refused."""
    return {step.name: _planned(run, step) for step in run.runbook.steps if step.executable}


def accounts(run: Run) -> dict[str, Any]:
    """Step -> how its last attempt went."""
    return {report.step.name: account(run, report.step) for report in run.reports() if report.attempts}


def account(run: Run, step: Step) -> dict[str, Any]:
    """How the last attempt of `step` went."""
    report = run.report(step)
    result = run.results.get(step.name)
    return {
        "attempts": report.attempts,
        "started_at": report.started_at,
        "out": report.output,
        "result": encode(result) if result is not None else None,
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `now` that are others than `before`."""
    return {name: one for name, one in now.items() if before.get(name) != one}


def _planned(run: Run, step: Step) -> dict[str, Any]:
    try:
        requirement = encode(run.requirement(step))
    except ValueError as error:
        requirement = {"demand": 1, "text": str(error)}
    return {"command": run.command(step), "requirement": requirement, "refusal": run.refusal(step)}
