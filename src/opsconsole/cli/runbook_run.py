"""`runbook run`: from the command line to a run and its front."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.cli import wiring
from opsconsole.cli.output import narrate, print_problems
from opsconsole.cli.repairs import has_terminal
from opsconsole.cli.run_front import carry
from opsconsole.cli.run_place import Place, masked_secrets, pairs, place_of
from opsconsole.cli.runbook_print import rehearse
from opsconsole.core.exit_codes import Exit
from opsconsole.runbooks.client import RunClient
from opsconsole.runbooks.execution import Surroundings
from opsconsole.runbooks.lint import errors, is_checklist, lint
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.parameters import Filled, check, fill
from opsconsole.runbooks.starting import Supervision
from opsconsole.runbooks.unattended import questions, unapproved


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
    return walk(place_of(args), pairs(args.param, "--param"), args, supervision)


def walk(
    place: Place,
    given: Mapping[str, str],
    args: argparse.Namespace,
    supervision: Supervision | None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Walk the runbook of `place` with the parameters `given`; without `supervision` it is only rehearsed. `more` is
    said in the JSON beside the run."""
    found = errors(lint(place.runbook))
    if found and not is_checklist(place.runbook):
        print_problems(found)
        return Exit.USAGE
    guided = not (args.auto or args.dry_run)
    if guided:
        need_terminal()
    filled = fill(place.runbook.params, given)
    if guided:
        filled = _ask_for_missing(place.runbook, filled)
    if filled.complaints:
        raise wiring.UsageError("; ".join(map(str, filled.complaints)))
    if supervision is None:
        return rehearse(place, filled.values, args, more)
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
    return _begin(place, filled.values, args, supervision, more)


def need_terminal() -> None:
    """Raises `UsageError` where there is nobody to ask."""
    if not has_terminal():
        raise wiring.UsageError("a guided run needs a terminal; without one: --auto, or --dry-run")


def _open_questions(place: Place, values: Mapping[str, str]) -> list[str]:
    surroundings = Surroundings.of(place.environment, place.runbook, masked_secrets(place.runbook), resolve=False)
    return questions(place.runbook, values, surroundings, place.environment.mode, place.instructions)


def _missing_approvals(place: Place, values: Mapping[str, str]) -> list[str]:
    from opsconsole.actions.approval import ApprovalError
    from opsconsole.runbooks.provenance import provenance_of

    if all(step.confirm.mode != "approve" for step in place.runbook.steps):
        return []
    # what is approved is a version, so it has to be known
    book = replace(place.runbook, provenance=provenance_of(Path(place.runbook.path), place.runbook.source))
    surroundings = Surroundings.of(place.environment, book, masked_secrets(book), resolve=False)
    try:
        return unapproved(book, values, surroundings, place.instructions)
    except ApprovalError as error:
        return [str(error)]


def _begin(
    place: Place,
    values: Mapping[str, str],
    args: argparse.Namespace,
    supervision: Supervision,
    more: Mapping[str, Any],
) -> int:
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

    return asyncio.run(carry(start, place.instructions, args, more=more))


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
