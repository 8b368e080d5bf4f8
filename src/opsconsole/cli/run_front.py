"""The command line as a front of a run: what it says while the run goes on, and the exit code in the end."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, TextIO

from opsconsole.cli import wiring
from opsconsole.cli.output import narrate, print_json, rfc3339
from opsconsole.cli.step_output import OutputPrinter
from opsconsole.cli.terminal_lines import TerminalLines
from opsconsole.core.clean import clean_line
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import ContentError
from opsconsole.runbooks.client import RunClient, SupervisorLostError
from opsconsole.runbooks.ending import ending
from opsconsole.runbooks.lock import LockHeldError
from opsconsole.runbooks.model import Runbook, Step
from opsconsole.runbooks.scopes import with_arguments
from opsconsole.runbooks.states import RunState, StepState
from opsconsole.runbooks.told import Change
from opsconsole.runbooks.unattended import Instructions

_WORST = (Exit.GUARDED, Exit.FAILED, Exit.TIMED_OUT, Exit.UNKNOWN)
"""From the mildest on: nothing was done, it failed, it went on for too long, nobody knows."""
_TITLE = 70
"""Characters of one in the list of what came of each."""


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
    codes = [special.get(state, Exit.FAILED) for state in bad] or [Exit.FAILED]
    # Actions beside each other end by the worst of them, steps on a way by the one that it ended with.
    return max(codes, key=_WORST.index) if run.runbook.made_here else codes[-1]


async def carry(
    start: Callable[[], Awaitable[RunClient]],
    instructions: Instructions,
    args: argparse.Namespace,
    front: Callable[[RunClient, OutputPrinter, TextIO], Awaitable[int]] | None = None,
    *,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Get hold of a run, and be its front until it is over or this one goes. Returns the exit code. `more` is said in
    the JSON beside the run."""
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
        _conclude(run, args, more)
    return code


def _conclude(run: RunClient, args: argparse.Namespace, more: Mapping[str, Any]) -> None:
    """Say how the run stands, and how one comes back to it."""
    narrate(f"run {run.id}: {ending(run.state, run.states.values())}; {run.folder}")
    if run.lost:
        narrate(f"its supervisor is gone; to go on: opsconsole runbook resume {run.id}")
    elif run.state is RunState.LEFT:
        narrate(f"to go on: opsconsole runbook resume {run.id}")
    elif not run.state.over:
        narrate(f"it goes on without this terminal; to come back: opsconsole runbook attach {run.id}")
    if args.format == "json":
        print_json({**_document(run), **more})


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
        printer.end()
        _tell_of_stopped(run)
        return 128 + received
    printer.end()
    for report in run.reports():
        # Actions that were made here have no names that anybody gave them.
        name = clean_line(report.step.title, limit=_TITLE) if run.runbook.made_here else report.step.name
        narrate(f"  {report.step.number:5} {name:32} {report.state:15} {report.detail}".rstrip())
    return exit_code(run)


def _tell_of_stopped(run: RunClient) -> None:
    """What came of each step that was begun before it was stopped; of several actions also which were not tried."""
    actions = run.runbook.made_here
    for report in run.reports():
        begun = report.state is not StepState.PENDING
        if begun or actions:
            state = report.state if begun else "not tried"
            narrate(f"  {state:15} {report.step.title if actions else report.step.name} {report.detail}".rstrip())


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


def _document(run: RunClient) -> dict[str, Any]:
    steps = [
        {
            **step_fields(report.step, run.runbook, run.values),
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


def step_fields(step: Step, runbook: Runbook, values: Mapping[str, str]) -> dict[str, Any]:
    """What every list of steps says of one, for JSON. Of an action that was asked for by itself also what it is done
    to, by the `values` of the run."""
    said: dict[str, Any] = {"name": step.name, "title": step.title, "kind": step.kind, "risk": step.risk}
    if runbook.made_here:
        said["arguments"] = {name: with_arguments(text, values) for name, text in step.arguments}
    return said
