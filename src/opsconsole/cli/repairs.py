"""Changes that a command makes: a run of a step each, asked about on a terminal and recorded like any."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsconsole.runbooks.repair import Repair


def run_repairs(
    args: argparse.Namespace, repairs: "Sequence[Repair]", title: str, more: Mapping[str, Any] = MappingProxyType({})
) -> int:
    """Run the repairs where `args` say. Returns the exit code.

    Args:
        args: with `yes`, `confirm` (what would have to be typed; implies `yes`) and `dry_run`. Without a terminal
            nobody is asked.
        repairs: one action each, at least one.
        title: what they are together, where they are several.
        more: said in the JSON beside the run.

    Raises:
        UsageError: an argument is wrong.
    """
    from opsconsole.cli.run_place import Place
    from opsconsole.cli.runbook_run import walk
    from opsconsole.cli.wiring import UsageError, pick_environment, resolve_settings
    from opsconsole.runbooks.includes import expand
    from opsconsole.runbooks.repair import STEP, runbook_for, runbook_for_all, values_of, values_of_all
    from opsconsole.runbooks.starting import Supervision
    from opsconsole.runbooks.unattended import Instructions

    alone = len(repairs) == 1
    try:
        book = expand(runbook_for(repairs[0]) if alone else runbook_for_all(repairs, title))
    except ValueError as error:
        raise UsageError(str(error)) from None
    values = values_of(repairs[0]) if alone else values_of_all(repairs)
    confirmed = {STEP: args.confirm.removeprefix(f"{STEP}=")} if args.confirm else {}
    settings = resolve_settings(args)
    instructions = Instructions(confirmed=confirmed, yes=args.yes)
    place = Place(settings, pick_environment(settings, args), book, instructions)
    args.auto = not args.dry_run and (args.yes or bool(args.confirm) or not has_terminal())
    supervision = None if args.dry_run else Supervision.prepare()
    try:
        return walk(place, values, args, supervision, more)
    finally:
        if supervision is not None:
            supervision.dismiss()


def has_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def says_yes(question: str) -> bool:
    """Ask on stderr, for stdout is data; whether the answer is yes."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
