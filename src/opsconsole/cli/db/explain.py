"""The plan of a statement as a tree: where the time goes, wrong estimates, what did not fit into memory.

Without --analyze nothing is run; a text with $1 gets its generic plan. With it the statement is run and rolled back,
read only where it reads, after a confirmation and with a record. --diff says what two plans do differently.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.cli.arguments import lasting
from opsconsole.cli.db.opening import add_common, ask, database_of
from opsconsole.cli.output import narrate, print_json, print_text
from opsconsole.cli.wiring import UsageError
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.actions.action import Action, Result
    from opsconsole.actions.confirmation import Confirmation
    from opsconsole.config.settings import PostgresSettings
    from opsconsole.database.explain import Explained

EXAMPLE = """\
opsconsole db explain --sql 'select * from orders where customer = $1'
  opsconsole db explain --queryid=-4718224312345678 --save before.json
  opsconsole db explain --file slow.sql --analyze --yes
  opsconsole db explain --diff before.json after.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `db explain`."""
    parser.description = __doc__
    add_common(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--sql", metavar="TEXT", help="this statement")
    what.add_argument("--file", metavar="FILE", type=Path, help="the statement in this file; - is stdin")
    what.add_argument("--queryid", metavar="N", type=int, help="one that `db queries` lists")
    what.add_argument("--diff", metavar=("A", "B"), nargs=2, type=Path, help="two saved plans, or EXPLAIN's own JSON")
    parser.add_argument("--analyze", action="store_true", help="run it, and roll it back")
    parser.add_argument("--yes", action="store_true", help="--analyze without asking")
    parser.add_argument("--timeout", metavar="DURATION", type=lasting, default=30.0, help="the most it may take (30s)")
    parser.add_argument("--save", metavar="FILE", type=Path, help="keep the plan")


def run(args: argparse.Namespace) -> int:
    """Explain, or compare two plans."""
    from opsconsole.database.plan import PlanError

    try:
        return _diff(args) if args.diff else _explain(args)
    except PlanError as error:
        narrate(f"opsconsole: {error}")
        return Exit.FAILED


def _diff(args: argparse.Namespace) -> int:
    from opsconsole.database.explain import load_plan
    from opsconsole.database.plan_diff import diff, diff_lines

    before, after = (load_plan(path) for path in args.diff)
    found = diff(before.plan, after.plan)
    if before.sql != after.sql:
        narrate("the plans are of different statements, or one does not say of which")
    if args.format == "table":
        print_text("\n".join(diff_lines(found)))
        return Exit.DONE
    nodes = [
        {
            "before": pair.before.label if pair.before else None,
            "after": pair.after.label if pair.after else None,
            "own_before": pair.own_before,
            "own_after": pair.own_after,
        }
        for pair in found.pairs
    ]
    print_json({"summary": found.summary, "unit": "s" if found.timed else "cost", "nodes": nodes})
    return Exit.DONE


def _explain(args: argparse.Namespace) -> int:
    from opsconsole.actions.runners.explain import refused
    from opsconsole.cli.wiring import environment_of
    from opsconsole.database.explain import read_plan

    environment = environment_of(args)
    settings = environment.postgres[database_of(environment, args.conn).partition("/")[2]]
    sql = _statement(args)
    if reason := refused(sql, analyze=args.analyze):
        raise UsageError(reason)
    if not args.analyze:
        return _show(asyncio.run(read_plan(settings, sql, timeout=args.timeout)), args)
    return _analyze(args, settings, sql)


def _statement(args: argparse.Namespace) -> str:
    if args.sql is not None:
        return str(args.sql)
    if args.queryid is not None:
        from opsconsole.database.statements import read_text

        return ask(args, lambda database: read_text(database, args.queryid))
    try:
        return sys.stdin.read() if str(args.file) == "-" else str(args.file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--file {args.file}: {getattr(error, 'strerror', None) or 'no UTF-8 text'}") from None


def _analyze(args: argparse.Namespace, settings: "PostgresSettings", sql: str) -> int:
    from opsconsole.cli.wiring import open_door, pick_environment, resolve_settings
    from opsconsole.database.explain import analyze_action, explained

    everything = resolve_settings(args)
    door = open_door(everything, pick_environment(everything, args), args)
    action = analyze_action(settings, sql, timeout=args.timeout)
    output = bytearray()
    confirmation = _confirmed(action, args.yes or door.refusal(action) is not None)
    result = asyncio.run(door.perform(action, confirmation, sink=output.extend))
    if code := _failure(result):
        return code
    return _show(explained(sql, output.decode("utf-8", "replace"), settings.name), args)


def _confirmed(action: "Action", given: bool) -> "Confirmation":
    from opsconsole.actions.confirmation import Confirmation

    if given:
        return Confirmation.yes()
    if not sys.stdin.isatty():
        return Confirmation.none()
    narrate(action.command)
    narrate(f"This runs the statement. {action.undo}. Go on? [y/N]")
    return Confirmation.yes() if sys.stdin.readline().strip().lower() in ("y", "yes") else Confirmation.no()


def _failure(result: "Result") -> int:
    from opsconsole.actions.action import Outcome

    codes = {
        Outcome.OK: Exit.DONE,
        Outcome.DECLINED: Exit.DECLINED,
        Outcome.REFUSED: Exit.GUARDED,
        Outcome.TIMED_OUT: Exit.TIMED_OUT,
    }
    code = codes.get(result.outcome, Exit.FAILED)
    if code is not Exit.DONE:
        hint = "; --yes confirms it" if code is Exit.DECLINED and not sys.stdin.isatty() else ""
        narrate(f"opsconsole: {result.detail}{hint}")
    return code


def _show(one: "Explained", args: argparse.Namespace) -> int:
    from opsconsole.database.explain import saved
    from opsconsole.database.plan_costs import plan_lines

    if args.save is not None:
        _save(args.save, json.dumps(saved(one)))
    if args.format == "json":
        print_json(saved(one))
        return Exit.DONE
    print_text("\n".join(plan_lines(one.plan)))
    if one.generic:
        narrate("a generic plan: the one that holds for any value; with values the server may choose another")
    return Exit.DONE


def _save(path: Path, text: str) -> None:
    """For this user only: a plan holds values of the statement."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"--save {path}: {error.strerror}") from None
    narrate(f"saved: {path}")
