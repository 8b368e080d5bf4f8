"""From a step to an `Action`: what it sees, what carries it out, and when its output counts as good."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from opsconsole.actions.action import Action, Outcome, Result, Risk, Verification
from opsconsole.config.settings import Environment
from opsconsole.core.secret import Secret, mask
from opsconsole.runbooks.model import Kind, Runbook, Step
from opsconsole.runbooks.scopes import values_in

if TYPE_CHECKING:
    from opsconsole.actions.approval import Wanted
    from opsconsole.actions.runners.terminal import Terminal
    from opsconsole.runbooks.preparing import Prepared

DEFAULT_TIMEOUT = 60.0
_WAITING_SLACK = 30.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the steps of one run have in common."""

    environment: Environment
    variables: Mapping[str, str | Secret]
    """For shell steps: `env:` of the configuration, and `OPS_…`."""
    secrets: Mapping[str, Secret]
    """The runbook's secrets; a step sees those that its `env` lists."""
    folder: Path
    """Of the runbook: where shell steps start."""
    runbook: Runbook

    @classmethod
    def of(
        cls, environment: Environment, runbook: Runbook, secrets: Mapping[str, Secret], *, resolve: bool = True
    ) -> "Surroundings":
        """Resolves what the configuration only refers to; a command among it may take seconds.

        Without `resolve` those values are left out and shown masked: for a rehearsal, which runs nothing.

        Raises:
            SecretError: one of the references leads nowhere.
        """
        variables: dict[str, str | Secret] = {
            "OPS_ENVIRONMENT": environment.name,
            "OPS_RUNBOOK": runbook.id,
            # for steps that read JSON or HTTP: surely there, which `python3` and `curl` are not
            "OPS_PYTHON": sys.executable,
        }
        if environment.prometheus is not None:
            variables["OPS_PROMETHEUS_URL"] = environment.prometheus.url
        for name, reference in environment.env.items():
            # what stands in the configuration in plain text is a setting, not a secret, and stays readable
            if reference.literal is not None:
                variables[name] = reference.literal.reveal()
            else:
                variables[name] = reference.resolve() if resolve else Secret("")
        folder = Path(runbook.path).resolve().parent
        return cls(environment, MappingProxyType(variables), secrets, folder, runbook)

    def book_of(self, step: Step) -> Runbook:
        """The runbook that `step` stands in: the run's own, or an included one."""
        return self.runbook.scopes[step.scope].runbook if step.scope else self.runbook

    def folder_of(self, step: Step) -> Path:
        """Where a shell step starts."""
        folder = Path(self.book_of(step).path).resolve().parent if step.scope else self.folder
        return folder / step.cwd if step.cwd else folder

    def visible(self, step: Step, values: Mapping[str, str]) -> dict[str, str | Secret]:
        """What `step` sees of `values` (parameters and captured) and secrets: all values, or what its `env` lists."""
        own = values_in(self.runbook, step.scope, values)
        if step.env is None:
            return dict(own)
        listed: dict[str, str | Secret] = {name: own[name] for name in step.env if name in own}
        return listed | {name: self.secrets[name] for name in step.env if name in self.secrets}


def action_for(
    step: Step,
    runbook: Runbook,
    surroundings: Surroundings,
    values: Mapping[str, str],
    *,
    run: str,
    attempt: int = 1,
    incident: str = "",
    verify: Verification | None = None,
    verify_timeout: float = 60.0,
    terminal: "Terminal | None" = None,
) -> Action:
    """The action that `step` is, with `values` for parameters and captured values.

    Where it cannot be carried out (its database is not configured), running it fails and says why.
    """
    from opsconsole.runbooks.preparing import prepared

    ready = prepared(step, surroundings, values, run, terminal)
    undo = runbook.step(step.undo) if step.undo else None
    own = values_in(runbook, step.scope, values)
    typed = own.get(step.confirm.text, step.confirm.text) if step.confirm.mode == "type" else ""
    provenance = runbook.provenance
    details = (
        ("runbook", runbook.id),
        ("step", step.name),
        ("attempt", str(attempt)),
        ("sha256", provenance.sha256),
        ("commit", provenance.commit),
        ("dirty", "yes" if provenance.dirty else ""),
    )
    base = ready.action
    return Action(
        id=base.id if base else "runbook.step",
        title=f"{runbook.title}: {step.title}",
        command=ready.command,
        target=typed or (base.target if base else f"{runbook.id}/{step.name}"),
        risk=max(step.risk, base.risk, key=tuple(Risk).index) if base else step.risk,
        runner=ready.runner,
        timeout=timeout_of(step),
        undo=step_command(undo, surroundings, values) if undo else base.undo if base else "",
        verify=_in_turn(base.verify if base else None, verify),
        verify_timeout=(verify_timeout if verify else 0.0) + (base.verify_timeout if base and base.verify else 0.0),
        run=run,
        incident=incident,
        confirm={"yes": "yes", "type": f"type:{typed}"}.get(step.confirm.mode, ""),
        secrets=(*ready.secrets, *(base.secrets if base else ())),
        approval=_approval(step, surroundings, ready, values, run),
        details=(*(base.details if base else ()), *((name, value) for name, value in details if value)),
    )


def _in_turn(first: Verification | None, second: Verification | None) -> Verification | None:
    """What an action looks for by itself, then what its step wants beside that."""
    if first is None or second is None:
        return first or second

    async def both() -> Result:
        result = await first()
        return await second() if result.outcome in (Outcome.OK, Outcome.WARN) else result

    return both


def _approval(
    step: Step, surroundings: Surroundings, ready: "Prepared", values: Mapping[str, str], run: str
) -> "Wanted | None":
    """The approval that `step` wants: of exactly this command, with these values, of this version, by somebody else."""
    if step.confirm.mode != "approve":
        return None
    from opsconsole.actions.approval import Approvals, Subject, Wanted

    book, settings = surroundings.runbook, surroundings.environment.approvals
    seen = surroundings.visible(step, values)
    subject = Subject(
        environment=surroundings.environment.name,
        runbook=book.id,
        sha256=surroundings.book_of(step).provenance.sha256,
        commit=book.provenance.commit,
        step=step.name,
        command=mask(ready.command, ready.secrets),
        values={name: mask(str(value), ready.secrets) for name, value in sorted(seen.items())},
        requester=os.getuid(),
        count=step.confirm.count,
        approvers=step.confirm.approvers,
    )
    return Wanted(Approvals.at(settings.folder, settings.expire), subject, run)


def timeout_of(step: Step) -> float:
    """Seconds of wall time for one attempt."""
    if step.kind is Kind.WAIT and step.duration:
        return step.duration + _WAITING_SLACK
    if step.kind is Kind.CONFIRM:
        return DEFAULT_TIMEOUT
    return step.timeout or DEFAULT_TIMEOUT


def step_command(step: Step, surroundings: Surroundings, values: Mapping[str, str]) -> str:
    """The exact text of `step`, with what it mentions of values and variables."""
    from opsconsole.runbooks.preparing import prepared

    return prepared(step, surroundings, values, "").command
