"""Walking a runbook without an operator: it begins only if nothing will have to be asked."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from opsconsole.actions.action import Action, Risk, Sink
from opsconsole.actions.confirmation import Confirmation, Demand, required, shortfall
from opsconsole.config.settings import Mode
from opsconsole.runbooks.execution import Surroundings, action_for
from opsconsole.runbooks.model import Condition, Kind, Runbook, Step
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.states import RunState, StepState, Verdict
from opsconsole.runbooks.together import at_once


@dataclass(frozen=True, slots=True)
class Instructions:
    """What was said beforehand, for want of anybody to ask."""

    confirmed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Step -> the text that it wants typed, `yes`, or for a manual step `done` or `n/a`."""
    skipped: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Step -> why it is left out."""
    only: Collection[str] = ()
    """Run these and no others; empty: all."""
    start: str = ""
    """Begin with this one; empty: the first."""
    yes: bool = False
    """Yes to every step that asks for a yes, and no more than that."""

    def reason_to_leave_out(self, step: Step, runbook: Runbook) -> str:
        """Why `step` is no part of the walk; empty where it is."""
        names = [one.name for one in runbook.route]
        if self.only:
            return "" if step.name in self.only else f"only {', '.join(self.only)}"
        if self.start and names.index(step.name) < names.index(self.start):
            return f"the walk begins with {self.start}"
        if step.exclude_from_run_all and step.risk is Risk.READ and step.name not in self.confirmed:
            return "excluded from running all"
        return ""

    def confirmation(self, step: Step, demand: Demand) -> Confirmation:
        """What was said of `step`, which asks for `demand`."""
        said = self.confirmed.get(step.name)
        if said is not None:
            return Confirmation.yes() if said == "yes" and demand is not Demand.TYPED else Confirmation.typed(said)
        if self.yes and demand is Demand.YES:
            return Confirmation.yes()
        return Confirmation.none()


def unknown_names(runbook: Runbook, instructions: Instructions) -> list[str]:
    """The names in `instructions` that are no steps of the walk."""
    walked = {step.name for step in runbook.route}
    known = walked | {step.undo for step in runbook.steps if step.undo}
    said = dict.fromkeys(instructions.only, walked)
    said |= dict.fromkeys(instructions.confirmed, known)
    said |= dict.fromkeys(instructions.skipped, walked)
    said |= {instructions.start: walked} if instructions.start else {}
    return [name for name, allowed in said.items() if name not in allowed]


def questions(
    runbook: Runbook, values: Mapping[str, str], surroundings: Surroundings, mode: Mode, instructions: Instructions
) -> list[str]:
    """What would have to be asked on the way, one sentence each. With any of these a walk must not begin.

    Steps whose `when` cannot hold, by parameters and choices, ask nothing. Others whose `when` may not hold count as if
    it does; values captured on the way are taken for what they are now.
    """
    found = []
    asking: list[Step] = []
    for step in _on_the_way(runbook, values, instructions):
        if step.kind is Kind.MANUAL:
            if instructions.confirmed.get(step.name) not in ("done", "n/a"):
                found.append(
                    f"{step.name}: for a person to do ({step.title}); --confirm {step.name}=done, or --skip it"
                )
            continue
        if step.kind is Kind.CHOICE:
            if instructions.confirmed.get(step.name) not in step.options:
                options = "|".join(step.options)
                found.append(f"{step.name}: a choice ({step.title}); --confirm {step.name}={options}, or --skip it")
            continue
        asking.append(step)
        if step.interactive:
            found.append(f"{step.name}: for a person at a terminal ({step.title}); --skip {step.name}=REASON")
            continue
        found += _unconfirmed(action_for(step, runbook, surroundings, values, run=""), step, mode, instructions)
    if any(step.on_fail == "rollback" for step in asking):
        for undo in (runbook.step(name) for name in dict.fromkeys(step.undo for step in asking if step.undo)):
            assert undo is not None
            if undo.interactive:
                found.append(f"{undo.name}: for a person at a terminal, and a failure would lead to it")
                continue
            found += _unconfirmed(action_for(undo, runbook, surroundings, values, run=""), undo, mode, instructions)
    return found


def _unconfirmed(action: Action, step: Step, mode: Mode, instructions: Instructions) -> list[str]:
    requirement = required(action, mode)
    missing = shortfall(requirement, instructions.confirmation(step, requirement.demand))
    if not missing:
        return []
    if requirement.demand is Demand.TYPED:
        return [f"{step.name}: {missing}; --confirm {step.name}={requirement.text}"]
    return [f"{step.name}: {missing}; --yes, or of this one --confirm {step.name}=yes"]


def unapproved(
    runbook: Runbook, values: Mapping[str, str], surroundings: Surroundings, instructions: Instructions
) -> list[str]:
    """The approvals that are missing now, one sentence each; they are asked for. With any of these a walk that asks
    nothing must not begin.

    Steps that work with captured values are left out: nobody can approve them before the values are known.

    Raises:
        ApprovalError: they cannot be asked for.
    """
    found = []
    open_names = {name for step in runbook.steps for name in (*step.capture, step.sets) if name}
    for step in _on_the_way(runbook, values, instructions):
        approval = action_for(step, runbook, surroundings, values, run="").approval if step.executable else None
        if approval is None or (open_names if step.env is None else open_names.intersection(step.env)):
            continue
        if missing := approval.missing():
            approval.ask()
            found.append(f"{step.name}: {missing}; opsconsole runbook approve {runbook.id} {step.name}")
    return found


def _on_the_way(runbook: Runbook, values: Mapping[str, str], instructions: Instructions) -> Iterator[Step]:
    """The steps of the walk that may come to be run: all but those left out, and those whose `when` cannot hold by
    parameters, and choices already made."""
    route = runbook.route
    aside = {name for step in runbook.steps if step not in route for name in (*step.capture, step.sets)}
    known = {name: value for name, value in values.items() if name not in aside}
    for step in route:
        if step.name in instructions.skipped or instructions.reason_to_leave_out(step, runbook):
            continue
        if any(_cannot_hold(term, known) for term in step.when):
            continue
        yield step
        for name in (*step.capture, step.sets):
            known.pop(name, None)  # what it will be is not known yet
        if step.kind is Kind.CHOICE and step.name in instructions.confirmed:
            known[step.sets] = instructions.confirmed[step.name]


def _cannot_hold(term: Condition, known: Mapping[str, str]) -> bool:
    if term.is_step or term.scope or term.subject not in known:
        return False
    return (known[term.subject] == term.value) is not term.equal


async def walk(run: Run, instructions: Instructions, sink: Sink) -> RunState:
    """Walk `run` to its end. A step that fails ends it, unless its `onFail` leads on.

    Args:
        run: that has not begun to walk.
        instructions: for which `questions` had nothing to ask.
        sink: gets the output of all steps.

    Raises:
        asyncio.CancelledError: the calling task was cancelled; the step that ran has been ended and recorded.
    """
    try:
        await follow(run, instructions, sink)
    finally:
        await run.end_background()
    step = run.current
    if step is not None and run.states[step.name] is StepState.PENDING:
        run.leave()  # it goes on where it is, once somebody approved or confirmed, or the lock is free
        return run.state
    return run.finish()


async def follow(run: Run, instructions: Instructions, sink: Sink) -> None:
    """As `walk`, but the run is left open at the end of the way: more can be done in it."""
    await _together(run, instructions, sink)
    while (step := run.current) is not None:
        if run.states[step.name] is not StepState.PENDING:
            await _roll_back(run, step, instructions, sink)
            break  # it failed, and leads nowhere
        if reason := instructions.reason_to_leave_out(step, run.runbook):
            run.exclude(step, reason)
        elif step.name in instructions.skipped:
            run.skip(step, instructions.skipped[step.name])
        elif step.kind is Kind.MANUAL:
            said = instructions.confirmed[step.name]
            verdict = Verdict.DONE if said == "done" else Verdict.NOT_APPLICABLE
            run.complete_manual(step, verdict, "said on the command line")
        elif step.kind is Kind.CHOICE:
            run.choose(step, instructions.confirmed[step.name])
        elif step.interactive:
            break  # there is nobody to talk to
        else:
            await run.execute(step, instructions.confirmation(step, run.requirement(step).demand), sink)
            if run.states[step.name] is StepState.PENDING:
                break  # declined, or it could not be recorded


async def _together(run: Run, instructions: Instructions, sink: Sink) -> None:
    """Run beside each other what may be run like that; nothing, where the way has an order."""
    beside = at_once(run.runbook)
    if beside < 2 or instructions.only or instructions.start or instructions.skipped:
        return
    said = {step.name: instructions.confirmation(step, run.requirement(step).demand) for step in run.runbook.route}
    await run.execute_together(said, sink, beside)


async def _roll_back(run: Run, step: Step, instructions: Instructions, sink: Sink) -> None:
    """Run the undo steps, where `step` says that its failure leads to that."""

    async def said(undo: Step) -> Confirmation:
        return instructions.confirmation(undo, run.requirement(undo).demand)

    if step.on_fail == "rollback" and run.states[step.name].bad:
        await run.rollback(said, sink)
