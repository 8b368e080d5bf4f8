"""What the verbs that change something have in common: what each would do is looked at and said first; one is a run of
one step, several are a run of a step each, asked about once and recorded like any.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from opsconsole.cli.pipeline import selecting
from opsconsole.cli.pipeline.opening import ask
from opsconsole.cli.repairs import has_terminal, run_repairs, says_yes
from opsconsole.cli.wiring import UsageError, environment_of

if TYPE_CHECKING:
    from opsconsole.pipelines.foresight import Foreseen
    from opsconsole.runbooks.repair import Repair

AFTERWORD = """What it would do is said first, as Airflow says it; of several, those that would do nothing are left out.
On a terminal it asks, once; elsewhere nothing happens without --yes. Each change is a step of a run, recorded as any,
and its effect is seen to. Exit codes are those of `runbook run`, by the worst of the steps."""
_TOLD = 20
"""Changes of which it is said what they would do; of the others how many they are."""


def add_arguments(
    parser: argparse.ArgumentParser, *, wait: bool = False, runs: bool = False, state: str = "--state"
) -> None:
    """The arguments of every verb that changes something; `wait` where there is something to wait for, `runs` and
    `state` as `selecting.add_arguments` has them."""
    parser.description = f"{(parser.description or '').strip()}\n\n{AFTERWORD}"
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, and do nothing at all")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    selecting.add_arguments(parser, runs=runs, state=state)
    if runs:
        selecting.run_argument(parser)
    parser.set_defaults(confirm="", wait=False)
    if wait:
        parser.add_argument("--wait", action="store_true", help="until it has ended, and not just begun")


def carry_out(
    args: argparse.Namespace, repairs: "Sequence[Repair]", title: str, left: "Sequence[Foreseen]" = ()
) -> int:
    """Look at the repairs, and run those that would do what is meant. Returns the exit code.

    Args:
        args: say where, and how it is to be printed.
        repairs: one action each.
        title: what they are together, where they are several.
        left: others, of which it is known already why nothing is sent.

    Raises:
        UsageError: an argument is wrong, no API is configured, or none of them would do what is meant.
        SourceError: Airflow refuses to say, or does not answer.
    """
    from opsconsole.cli.output import narrate, print_json
    from opsconsole.core.exit_codes import Exit

    found = [*left, *_foreseen(args, repairs)]
    out = [one for one in found if one.wrong]
    wrong = [one for one in out if not one.already]
    _narrate(found)
    sent = [one.repair for one in found if not one.wrong]
    more = {"left_out": [{**one.repair.given, "why": one.wrong} for one in out]}
    if not sent:
        if wrong:
            _refuse(wrong)
        if args.format == "json":
            print_json({"run": None, "state": "ok", "steps": [], **more})
        return Exit.DONE
    if len(found) > 1 and not (args.dry_run or args.yes) and has_terminal():
        if not says_yes(f"run {'all ' if not out else ''}{len(sent)}? [y/N] "):
            narrate("opsconsole: nothing was run")
            return Exit.DECLINED
        args.yes = True
    code = run_repairs(args, sent, title, more)
    return Exit.FAILED if code == Exit.DONE and wrong else code


def _foreseen(args: argparse.Namespace, repairs: "Sequence[Repair]") -> "list[Foreseen]":
    from opsconsole.pipelines.actions.change import settings_of
    from opsconsole.pipelines.foresight import foresee
    from opsconsole.runbooks.repair import runbook_for

    try:
        settings_of(environment_of(args))
        for one in repairs:
            runbook_for(one)  # whatever is wrong with the arguments is said before anything is asked
    except ValueError as error:
        raise UsageError(str(error)) from None
    return ask(args, lambda airflow: foresee(airflow, repairs)) if repairs else []


def _narrate(found: "Sequence[Foreseen]") -> None:
    """What each would do, and which are left out."""
    from opsconsole.cli.output import narrate

    alone, meant = len(found) == 1, [one for one in found if not one.wrong]
    for one in meant[:_TOLD]:
        if one.said or not alone:
            narrate(f"{one.subject}: {one.said}" if one.said else one.repair.title)
    if len(meant) > _TOLD:
        narrate(f"and {len(meant) - _TOLD} more; --dry-run has all of them")
    for one in found:
        if one.already or (one.wrong and not alone):
            narrate(f"{'' if alone else 'left out: '}{one.subject}: {one.wrong}")


def _refuse(wrong: "Sequence[Foreseen]") -> NoReturn:

    fault = next((one.fault for one in wrong if one.fault is not None), None)
    if fault is not None:
        raise fault
    raise UsageError(wrong[0].wrong if len(wrong) == 1 else "none of them would do what is meant; why stands above")
