"""`runbook attach` and `runbook resume`: back to a run that goes on, or that was left."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TextIO

from opsconsole.cli import wiring
from opsconsole.cli.guided import Guide
from opsconsole.cli.output import narrate
from opsconsole.cli.repairs import has_terminal
from opsconsole.cli.run_front import carry, exit_code, tell, until_signal
from opsconsole.cli.run_place import instructions_of
from opsconsole.cli.runbook_run import need_terminal
from opsconsole.cli.step_output import OutputPrinter
from opsconsole.cli.terminal_lines import TerminalLines
from opsconsole.core.exit_codes import Exit
from opsconsole.runbooks.client import RunClient
from opsconsole.runbooks.history import RunSummary, list_runs
from opsconsole.runbooks.unattended import Instructions


def attach(args: argparse.Namespace) -> int:
    """Go to a run that is going on. Whoever drives decides; the others watch."""
    chosen = _chosen(args.run, live=True)
    if not chosen.live:
        hint = "it is over" if chosen.over else f"to take it up again: opsconsole runbook resume {chosen.id}"
        raise wiring.UsageError(f"run {chosen.id} is not going on: {hint}")
    drive = "watch" if args.watch else "take" if args.take_over else "if-free"
    return asyncio.run(carry(lambda: _connected(args, chosen.path, drive), Instructions(), args, _front))


def resume(args: argparse.Namespace) -> int:
    """Take up a run where its record leaves it; one that is going on is attached to."""
    chosen = _chosen(args.run, live=False)
    if chosen.over:
        raise wiring.UsageError(f"run {chosen.id} is over: {chosen.state}")
    if chosen.live:
        return asyncio.run(carry(lambda: _connected(args, chosen.path, "if-free"), Instructions(), args, _front))
    instructions = instructions_of(args)
    if not args.auto:
        need_terminal()
    settings = wiring.resolve_settings(args)

    async def start() -> RunClient:
        return await wiring.resume_run(settings, args, chosen.path, instructions=instructions if args.auto else None)

    return asyncio.run(carry(start, instructions, args))


async def _connected(args: argparse.Namespace, folder: Path, drive: str) -> RunClient:
    from opsconsole.actions.guard import login_of

    return await RunClient.attach(folder, drive=drive, read_only=args.read_only, login=login_of())


def _chosen(name: str | None, *, live: bool) -> RunSummary:
    """The run that is named, by its id or a part of it that only one has; else the latest that is not over.

    Raises:
        UsageError: there is none, or more than one.
    """
    runs = list_runs()
    if name is None:
        found = next((one for one in runs if one.live if not one.over), None)
        if found is None and not live:
            found = next((one for one in runs if not one.over), None)
        if found is None:
            raise wiring.UsageError("no run is going on" if live else "there is no run that is not over")
        return found
    matching = [one for one in runs if one.id == name] or [one for one in runs if name in one.id]
    if len(matching) != 1:
        known = ", ".join(one.id for one in matching[:5])
        raise wiring.UsageError(f"more than one run has {name!r}: {known}" if matching else f"there is no run {name!r}")
    return matching[0]


async def _front(run: RunClient, printer: OutputPrinter, data: TextIO) -> int:
    if not (run.driving and run.mode == "guided" and has_terminal() and run.running is None):
        code = await _watch(run, printer)
        if code is not None:
            return code
    narrate(f"run {run.id}: {run.runbook.title}; {_who(run)}")
    return await Guide(run, Instructions(), TerminalLines(sys.stdin), data).walk()


async def _watch(run: RunClient, printer: OutputPrinter) -> int | None:
    """Show what happens until the run ends or this end goes. None: it is for this end to decide now."""
    typed = has_terminal()
    stop = run.subscribe(lambda change: tell(run, change, printer))
    try:
        received = await until_signal(_until_decided(run, printer, typed))
    finally:
        stop()
        printer.end()
    if received is not None:
        await run.detach("asked" if received is signal.SIGINT else "hangup")
        return Exit.DONE if received is signal.SIGINT else 128 + received
    if run.ended:
        return exit_code(run)
    if _mine(run):
        return None
    await run.detach()
    return Exit.DONE


async def _until_decided(run: RunClient, printer: OutputPrinter, typed: bool) -> None:
    """Until the run ends, until it is ours to decide, or until somebody types that he goes."""
    narrate(f"run {run.id}: {run.runbook.title}; {_who(run)}")
    if run.running is not None:
        step, _ = run.running
        narrate(f"-- {step.number} {step.title} ({step.risk}) is running")
    if typed:
        narrate("q or Ctrl-C goes, and leaves the run to itself; t takes it over")
    run.watch(printer)
    changed = asyncio.Event()
    stop = run.subscribe(lambda _change: changed.set())
    typing = asyncio.ensure_future(_typed(run)) if typed else None
    try:
        while not run.ended and not (_mine(run) and typed):
            changed.clear()
            waiting = {asyncio.ensure_future(changed.wait())}
            done, _ = await asyncio.wait({*waiting, *({typing} if typing else ())}, return_when=asyncio.FIRST_COMPLETED)
            for one in waiting - done:
                one.cancel()
            if typing in done:
                return
        await run.caught_up()
    finally:
        stop()
        if typing is not None:
            typing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await typing


async def _typed(run: RunClient) -> None:
    lines = TerminalLines(sys.stdin)
    while (line := await lines.read()) is not None:
        match line.strip():
            case "q":
                return
            case "t" if not run.driving:
                await run.take_over()


def _mine(run: RunClient) -> bool:
    """Whether the next thing that happens is for this end to say."""
    return run.driving and run.mode == "guided" and run.running is None


def _who(run: RunClient) -> str:
    if run.driving:
        return "you drive"
    return f"{run.driver} drives, you watch" if run.driver else "nobody drives, you watch"
