"""`runbook run` and `runbook print`: from the command line to a run, its front, and its exit code."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from opsconsole.actions.confirmation import Demand, required
from opsconsole.cli import wiring
from opsconsole.cli.output import narrate, print_json, print_problems, print_text, rfc3339
from opsconsole.cli.runbook import find_runbook
from opsconsole.cli.step_output import OutputPrinter
from opsconsole.cli.terminal_lines import TerminalLines
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import ContentError
from opsconsole.core.secret import Secret
from opsconsole.runbooks.client import RunClient, SupervisorLostError
from opsconsole.runbooks.execution import Surroundings, action_for, step_command
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.lint import errors, is_checklist, lint
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.model import Kind, Runbook, Step
from opsconsole.runbooks.parameters import Filled, check, fill
from opsconsole.runbooks.run import Change
from opsconsole.runbooks.starting import Supervision
from opsconsole.runbooks.states import RunState, StepState
from opsconsole.runbooks.unattended import Instructions, questions, unapproved, unknown_names

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment, Settings


class _Place(NamedTuple):
    """Where a run takes place, and of what."""

    settings: "Settings"
    environment: "Environment"
    runbook: Runbook
    instructions: Instructions


def run(args: argparse.Namespace) -> int:
    """Walk a runbook: guided on a terminal, by itself with `--auto`, or only rehearsed with `--dry-run`."""
    if args.dry_run:
        return _run(args, None)
    supervision = Supervision.prepare()  # it loads what it needs while we read, and perhaps ask
    try:
        return _run(args, supervision)
    finally:
        supervision.dismiss()


def _run(args: argparse.Namespace, supervision: Supervision | None) -> int:
    place = _place(args)
    found = errors(lint(place.runbook))
    if found and not is_checklist(place.runbook):
        print_problems(found)
        return Exit.USAGE
    guided = not (args.auto or args.dry_run)
    if guided:
        need_terminal()
    filled = fill(place.runbook.params, pairs(args.param, "--param"))
    if guided:
        filled = _ask_for_missing(place.runbook, filled)
    if filled.complaints:
        raise wiring.UsageError("; ".join(map(str, filled.complaints)))
    if supervision is None:
        return _rehearse(place, filled.values, args)
    if args.auto and (open_questions := _open_questions(place, filled.values)):
        narrate("opsconsole: nothing was begun; this would have to be asked:")
        for question in open_questions:
            narrate(f"  {question}")
        return Exit.USAGE
    if args.auto and (missing := _missing_approvals(place, filled.values)):
        narrate("opsconsole: nothing was begun; this has to be approved first:")
        for one in missing:
            narrate(f"  {one}")
        return Exit.UNAPPROVED
    return _begin(place, filled.values, args, supervision)


def need_terminal() -> None:
    """Raises `UsageError` where there is nobody to ask."""
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise wiring.UsageError("a guided run needs a terminal; without one: --auto, or --dry-run")


def print_commands(args: argparse.Namespace) -> int:
    """Print the exact command of each step."""
    place = _place(args)
    filled = fill(place.runbook.params, pairs(args.param, "--param"))
    if filled.complaints:
        raise wiring.UsageError("; ".join(map(str, filled.complaints)))
    surroundings = Surroundings.of(place.environment, place.runbook, _masked(place.runbook), resolve=False)
    for step in place.runbook.steps:
        print_text(_heading(step))
        print_text(step_command(step, surroundings, filled.values) + "\n")
    return Exit.DONE


def pairs(given: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` arguments as a mapping.

    Raises:
        UsageError: one is no such pair, or comes twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise wiring.UsageError(f"{option} {text!r}: expected NAME=VALUE")
        if name in found:
            raise wiring.UsageError(f"{option} {name}: given twice")
        found[name] = value
    return found


def exit_code(run: RunClient) -> int:
    """What the end of `run` means for a script, or where it stands when this front leaves it."""
    if run.lost or (run.state is RunState.LEFT and StepState.UNKNOWN in run.states.values()):
        return Exit.UNKNOWN
    if run.state in (RunState.OK, RunState.WARN):
        return Exit.DONE
    if run.unapproved and run.state in (RunState.LEFT, RunState.ABORTED):
        return Exit.UNAPPROVED
    if run.locked_out and run.state is RunState.LEFT:
        return Exit.LOCKED
    if run.state in (RunState.ABORTED, RunState.LEFT) or not (run.state.over or run.driving):
        return Exit.DECLINED
    states = run.states
    bad = [states[step.name] for step in run.runbook.steps if step.critical and states[step.name].bad]
    special = {StepState.TIMED_OUT: Exit.TIMED_OUT, StepState.REFUSED: Exit.GUARDED, StepState.UNKNOWN: Exit.UNKNOWN}
    return special.get(bad[-1], Exit.FAILED) if bad else Exit.FAILED


def _place(args: argparse.Namespace) -> _Place:
    settings = wiring.resolve_settings(args)
    environment = wiring.pick_environment(settings, args)
    runbook = expand(find_runbook(args))
    instructions = instructions_of(args)
    if unknown := unknown_names(runbook, instructions):
        known = ", ".join(step.name for step in runbook.route)
        raise wiring.UsageError(f"no step {', '.join(map(repr, unknown))} in {runbook.id}; there are {known}")
    return _Place(settings, environment, runbook, instructions)


def instructions_of(args: argparse.Namespace) -> Instructions:
    """What the command line says beforehand."""
    return Instructions(
        confirmed=pairs(getattr(args, "confirm", []), "--confirm"),
        skipped=pairs(getattr(args, "skip", []), "--skip"),
        only=tuple(getattr(args, "only", [])),
        start=getattr(args, "start", ""),
        yes=getattr(args, "yes", False),
    )


def _open_questions(place: _Place, values: Mapping[str, str]) -> list[str]:
    surroundings = Surroundings.of(place.environment, place.runbook, _masked(place.runbook), resolve=False)
    return questions(place.runbook, values, surroundings, place.environment.mode, place.instructions)


def _missing_approvals(place: _Place, values: Mapping[str, str]) -> list[str]:
    from opsconsole.actions.approval import ApprovalError
    from opsconsole.runbooks.provenance import provenance_of

    if all(step.confirm.mode != "approve" for step in place.runbook.steps):
        return []
    # what is approved is a version, so it has to be known
    book = replace(place.runbook, provenance=provenance_of(Path(place.runbook.path), place.runbook.source))
    surroundings = Surroundings.of(place.environment, book, _masked(book), resolve=False)
    try:
        return unapproved(book, values, surroundings, place.instructions)
    except ApprovalError as error:
        return [str(error)]


def _begin(place: _Place, values: Mapping[str, str], args: argparse.Namespace, supervision: Supervision) -> int:
    instructions = place.instructions if args.auto else None

    async def start() -> RunClient:
        return await wiring.start_run(
            place.settings,
            place.environment,
            args,
            place.runbook,
            values,
            instructions=instructions,
            supervision=supervision,
        )

    return asyncio.run(carry(start, place.instructions, args))


async def carry(
    start: Callable[[], Awaitable[RunClient]],
    instructions: Instructions,
    args: argparse.Namespace,
    front: Callable[[RunClient, OutputPrinter, TextIO], Awaitable[int]] | None = None,
) -> int:
    """Get hold of a run, and be its front until it is over or this one goes. Returns the exit code."""
    data = sys.stderr if args.format == "json" else sys.stdout
    printer = OutputPrinter(data)
    try:
        run = await start()
    except LockHeldError as error:
        narrate(f"opsconsole: {error}")
        return Exit.LOCKED
    except ContentError:
        raise
    except SupervisorLostError as error:
        narrate(f"opsconsole: {error}")
        return Exit.FAILED
    except ValueError as error:
        raise wiring.UsageError(str(error)) from None
    run.in_order = True
    try:
        if front is not None:
            code = await front(run, printer, data)
        elif run.mode == "auto":
            code = await _unattended(run, printer)
        else:
            from opsconsole.cli.guided import Guide

            code = await Guide(run, instructions, TerminalLines(sys.stdin), data).walk()
    except SupervisorLostError:
        code = Exit.UNKNOWN
    finally:
        await run.close()
    with contextlib.suppress(OSError):  # whoever reads this may be gone
        _conclude(run, args)
    return code


def _conclude(run: RunClient, args: argparse.Namespace) -> None:
    """Say how the run stands, and how one comes back to it."""
    narrate(f"run {run.id}: {run.state}; {run.folder}")
    if run.lost:
        narrate(f"its supervisor is gone; to go on: opsconsole runbook resume {run.id}")
    elif run.state is RunState.LEFT:
        narrate(f"to go on: opsconsole runbook resume {run.id}")
    elif not run.state.over:
        narrate(f"it goes on without this terminal; to come back: opsconsole runbook attach {run.id}")
    if args.format == "json":
        print_json(_document(run))


async def _unattended(run: RunClient, printer: OutputPrinter) -> int:
    """Watch the run to its end. An interrupt ends the step that runs, and with it the run; a hangup ends neither."""
    narrate(f"run {run.id}: {run.runbook.title}")
    run.subscribe(lambda change: tell(run, change, printer))
    run.watch(printer)
    received = await until_signal(run.wait_over())
    if received is signal.SIGHUP:
        await run.detach("hangup")
        return 128 + received
    if received is not None:
        await run.abort(f"ended by {received.name}")
        return 128 + received
    printer.end()
    for report in run.reports():
        narrate(f"  {report.step.number:5} {report.step.name:32} {report.state:15} {report.detail}".rstrip())
    return exit_code(run)


async def until_signal(work: Coroutine[Any, Any, Any]) -> signal.Signals | None:
    """Do `work`, and give it up at a signal. Returns that, or None when it was done."""
    task = asyncio.ensure_future(work)
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
    return received[0] if received else None


def tell(run: RunClient, change: Change, printer: OutputPrinter) -> None:
    """Say which step begins, so that the output below it has a name."""
    step = run.runbook.step(change.step)
    if change.kind == "step" and change.state == StepState.RUNNING and step is not None:
        printer.end()
        narrate(f"-- {step.number} {step.title} ({step.risk})")
    elif change.kind == "file-changed":
        narrate(f"-- {change.detail}")
    elif change.kind == "background":
        narrate(f"-- {change.step}, in the background, {change.detail}")


def _ask_for_missing(runbook: Runbook, filled: Filled) -> Filled:
    """Ask on the terminal for what is missing or wrong, until all is well. An empty answer gives up."""
    values = dict(filled.values)
    unknown = [one for one in filled.complaints if runbook.param(one.name) is None]
    if unknown or not filled.complaints:
        return filled
    for name in dict.fromkeys(complaint.name for complaint in filled.complaints):
        param = runbook.param(name)
        assert param is not None
        narrate(f"{name}: {next(one.message for one in filled.complaints if one.name == name)}")
        while True:
            answer = _asked(f"{name}? ")
            if not answer:
                return filled
            wrong = check(param, answer)
            if wrong is None:
                break
            narrate(f"{name}: {wrong}")
        values[name] = answer
    return fill(runbook.params, values)


def _asked(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n")


def _rehearse(place: _Place, values: Mapping[str, str], args: argparse.Namespace) -> int:
    """Print what would be done. No process, no connection, no lock, no record."""
    surroundings = Surroundings.of(place.environment, place.runbook, _masked(place.runbook), resolve=False)
    shown = []
    for step in place.runbook.route:
        left_out = place.instructions.reason_to_leave_out(step, place.runbook)
        left_out = left_out or place.instructions.skipped.get(step.name, "")
        command = step_command(step, surroundings, values)
        shown.append({**_fields(step), "state": "left out" if left_out else "dry-run", "command": command})
        if args.format == "json":
            continue
        print_text(_heading(step))
        if left_out:
            print_text(f"# left out: {left_out}\n")
            continue
        print_text(f"# {_asks(step, place, surroundings, values)}\n{command}\n")
    if args.format == "json":
        print_json({"run": None, "state": "dry-run", "steps": shown})
    return Exit.DONE


def _asks(step: Step, place: _Place, surroundings: Surroundings, values: Mapping[str, str]) -> str:
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


def _masked(runbook: Runbook) -> dict[str, Secret]:
    """Stands for the runbook's secrets where nothing is run."""
    return {name: Secret("") for name in runbook.secrets}


def _fields(step: Step) -> dict[str, Any]:
    return {"name": step.name, "kind": step.kind, "risk": step.risk}


def _document(run: RunClient) -> dict[str, Any]:
    steps = [
        {
            **_fields(report.step),
            "state": report.state,
            "exit_code": report.exit_code,
            "started_at": rfc3339(report.started_at),
            "duration": report.duration,
            "output_bytes": report.output_bytes,
            "attempts": report.attempts,
            "detail": report.detail,
        }
        for report in run.reports()
    ]
    return {"run": run.id, "state": run.state, "steps": steps}
