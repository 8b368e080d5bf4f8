"""What is wrong with a step for its kind: what it lacks, and what it cannot have."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opsconsole.actions import registry
from opsconsole.actions.action import Risk
from opsconsole.core.problem import Severity, nearest
from opsconsole.runbooks.model import ARGUMENT_SLOT, Kind, Step


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding, at one attribute of a step."""

    attribute: str
    code: str
    message: str
    severity: Severity = "error"


def kind_faults(step: Step, steps: Mapping[str, Step]) -> Iterator[Fault]:
    """What is wrong with `step`, among the other `steps` of its runbook, by name."""
    match step.kind:
        case Kind.CHOICE:
            yield from _choice(step)
        case Kind.WAIT:
            yield from _wait(step, steps)
        case Kind.ACTION:
            yield from _action(step)
        case Kind.INCLUDE if not step.includes:
            yield Fault("name", "no-runbook", 'nothing to include; add "runbook":"ID"')
        case Kind.PROM if step.capture and not step.capture_pattern:
            yield Fault("capture", "capture", 'add "captureRegex": only shell steps have $OPS_OUT')
        case Kind.HTTP | Kind.SQL if step.capture and not step.capture_pattern:
            yield Fault("capture", "capture", 'add "captureRegex": only shell steps have $OPS_OUT')
    if step.hosts and step.capture and not step.capture_pattern:
        yield Fault("capture", "capture", 'add "captureRegex": $OPS_OUT does not come back from another host')
    yield from _pattern(step)
    yield from _beside(step)
    yield from _approval(step)
    if step.txn and step.risk is Risk.READ:
        yield Fault("txn", "txn", "a reading step is one statement in a transaction anyway")


def needs_timeout(step: Step) -> bool:
    """Whether `step` can go on for ever, for want of a timeout."""
    if step.kind in (Kind.CONFIRM, Kind.CHOICE, Kind.MANUAL, Kind.INCLUDE):
        return False
    return not (step.kind is Kind.WAIT and step.duration)


def wants_risk(step: Step) -> bool:
    """Whether the risk is the author's to say, rather than what follows from the step."""
    return step.kind in (Kind.SHELL, Kind.SQL)


def waited_for(step: Step) -> bool:
    """Whether `step` ends by itself, and so can verify another one, or be waited for."""
    return not (step.interactive or step.background)


_WAITED_FOR = (Kind.SHELL, Kind.SQL, Kind.HTTP, Kind.PROM)


def _choice(step: Step) -> Iterator[Fault]:
    if len(step.options) < 2:
        yield Fault("options", "options", 'a choice needs "options":["one","other"]')
    if len(set(step.options)) != len(step.options):
        yield Fault("options", "options", "an option is there twice")
    if not step.sets:
        yield Fault("set", "options", 'a choice needs "set":"NAME", for `when` of later steps')


def _wait(step: Step, steps: Mapping[str, Step]) -> Iterator[Fault]:
    until = step.attributes.get("until", "")
    if bool(step.duration) == bool(until):
        yield Fault("name", "wait", 'how long? "duration":"30s", or "until":"step:NAME" with a timeout')
        return
    if not until:
        return
    target = steps.get(step.wait_for)
    if not step.wait_for:
        yield Fault("until", "wait", 'until: expected step:NAME, a step with "risk":"read"')
    elif target is None:
        message = f"until: no step {step.wait_for!r}{nearest(step.wait_for, steps)}"
        yield Fault("until", "unknown-step", message)
    elif target.risk is not Risk.READ or target.kind not in _WAITED_FOR or not waited_for(target):
        yield Fault(
            "until", "wait", f'until: {step.wait_for!r} has to be a shell, sql, http or prom step with "risk":"read"'
        )


def _action(step: Step) -> Iterator[Fault]:
    if not step.action:
        yield Fault("name", "no-action", 'which action? add "action":"service.restart", for example')
        return
    registration = registry.find(step.action)
    if registration is None:
        known = [one.id for one in registry.known()]
        hint = nearest(step.action, known) or f"; there are {', '.join(known)}"
        yield Fault("action", "unknown-action", f"no action {step.action!r}{hint}")
        return
    # what comes from a parameter is checked when it is known
    given = dict(step.arguments)
    open_names = {name for name, value in given.items() if ARGUMENT_SLOT.search(value)}
    for complaint in registration.complaints(given):
        if complaint.partition(":")[0] not in open_names:
            yield Fault("action", "bad-argument", f"{step.action}: {complaint}")


_ONE_TIME = ("retries", "until")
_AT_THE_END = ("retries", "capture", "captureRegex", "expect", "reject", "expectExit")


def _beside(step: Step) -> Iterator[Fault]:
    """What does not go with a terminal, or with not being waited for."""
    for attribute, applies, others in (
        ("interactive", step.interactive, _ONE_TIME),
        ("background", step.background, _AT_THE_END),
    ):
        if not applies:
            continue
        for other in (one for one in others if one in step.attributes):
            yield Fault(other, attribute, f"{other} means nothing for a step with {attribute}")
        if step.hosts:
            yield Fault(attribute, attribute, f"{attribute} is for steps that run here, not on other hosts")
    if step.interactive and step.background:
        yield Fault("background", "background", "interactive and background; one of them")


def _pattern(step: Step) -> Iterator[Fault]:
    if not step.capture_pattern:
        return
    compiled = re.compile(step.capture_pattern)
    if not step.capture:
        yield Fault("captureRegex", "capture", 'which names? add "capture":["NAME"]')
    elif not (set(step.capture) <= set(compiled.groupindex) or compiled.groups >= len(step.capture)):
        message = f"captureRegex has {compiled.groups} groups for {len(step.capture)} names"
        yield Fault("captureRegex", "capture", message)


def _approval(step: Step) -> Iterator[Fault]:
    if step.attributes.get("approvers") and step.confirm.mode != "approve":
        yield Fault("approvers", "approvers", 'approvers without "confirm":"approve:N"')
    named = [name for name in step.confirm.approvers if not name.startswith("%")]
    if named and len(named) == len(step.confirm.approvers) and len(set(named)) < step.confirm.count:
        message = f"{step.confirm.count} approvals are wanted, and {len(set(named))} may give one"
        yield Fault("approvers", "approvers", message)
