"""List, show, check and run runbooks.

A runbook is named by its id or by the path of its file. Exit codes of `run`: 0 done, 1 a step failed, 2 usage or
content that is not valid, 3 the operator left or aborted, 4 somebody else runs it, 5 an approval is missing, 6 the end
of a step is not known, 7 refused by the guard, 124 timed out, 128+n ended by a signal. A run is carried by a process
of its own: it goes on when this terminal is gone, and `attach` comes back to it.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsconsole.cli import runbook_approve, runbook_test, wiring
from opsconsole.cli.output import narrate, print_json, print_problems, print_table, print_text, problem_fields
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import Problem, nearest

if TYPE_CHECKING:
    from opsconsole.runbooks.history import RunSummary
    from opsconsole.runbooks.model import Runbook

EXAMPLE = "opsconsole runbook run service-restart-procedures --param SERVICE=energy-service"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `runbook`."""
    parser.description = __doc__
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    listing = _verb(verbs, "list", "what runbooks there are", "opsconsole runbook list --format json")
    listing.add_argument("--alert", metavar="NAME", help="only those for this alert")
    _verb(
        verbs, "show", "one runbook: text, parameters, steps", "opsconsole runbook show dag-failure-recovery", one=True
    )
    checking = _verb(verbs, "check", "what is wrong with runbooks", "opsconsole runbook check runbooks/*.md")
    checking.add_argument("names", metavar="RUNBOOK", nargs="*", help="ids or files; all where left out")
    running = _verb(verbs, "run", "walk one, step by step", EXAMPLE, one=True)
    _add_params(running)
    _add_run_options(running)
    runbook_test.add_arguments(_verb(verbs, "test", "run the tests of runbooks", runbook_test.EXAMPLE))
    runs = _verb(verbs, "runs", "what was run, newest first", "opsconsole runbook runs --limit 5")
    runs.add_argument("--limit", metavar="N", type=_count, default=20, help="at most so many (20)")
    attaching = _verb(
        verbs, "attach", "go to a run that is going on: decide, or watch", "opsconsole runbook attach --watch"
    )
    attaching.add_argument("run", metavar="RUN", nargs="?", help="its id; else the latest that is going on")
    how = attaching.add_mutually_exclusive_group()
    how.add_argument("--watch", action="store_true", help="only watch, also where nobody drives")
    how.add_argument("--take-over", action="store_true", help="drive, whoever drives now")
    resuming = _verb(
        verbs, "resume", "take up a run that was left, or whose supervisor is gone", "opsconsole runbook resume"
    )
    resuming.add_argument("run", metavar="RUN", nargs="?", help="its id; else the latest that is not over")
    _add_run_options(resuming, rehearsal=False)
    approving = _verb(
        verbs, "approve", "approve a step that somebody else wants to run", "opsconsole runbook approve RUN STEP"
    )
    runbook_approve.add_approve_arguments(approving)
    _verb(verbs, "approvals", "what waits for approval by a second person", "opsconsole runbook approvals")
    printing = _verb(
        verbs,
        "print",
        "the exact commands of one, for where nothing may be executed",
        "opsconsole runbook print service-restart-procedures --param SERVICE=nginx",
        one=True,
    )
    _add_params(printing)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    match args.verb:
        case "list":
            return _list(args)
        case "show":
            return _show(args)
        case "check":
            return _check(args)
        case "runs":
            return _runs(args)
        case "attach" | "resume":
            from opsconsole.cli import runbook_attach

            return runbook_attach.attach(args) if args.verb == "attach" else runbook_attach.resume(args)
        case "test":
            return runbook_test.run(args)
        case "approve":
            return runbook_approve.approve(args)
        case "approvals":
            return runbook_approve.show(args)
    from opsconsole.cli import runbook_print, runbook_run

    return runbook_print.print_commands(args) if args.verb == "print" else runbook_run.run(args)


def find_runbook(args: argparse.Namespace) -> "Runbook":
    """The runbook that `args.name` names: an id in the library, or a file.

    Raises:
        UsageError: there is none.
    """
    from opsconsole.runbooks.library import UnreadableError, load_runbook

    name: str = args.name
    try:
        if _is_path(name):
            return load_runbook(Path(name))
    except UnreadableError as error:
        raise wiring.UsageError(f"{name}: {error.problem.message}") from None
    settings = wiring.resolve_settings(args)
    environment = wiring.pick_environment(settings, args)
    library = wiring.open_library(environment)
    found = library.get(name) or library.get(name.lower())  # the file's name is in capitals
    if found is None:
        known = [runbook.id for runbook in library.all()]
        hint = nearest(name, known) or (f"; there are {', '.join(sorted(known))}" if known else "")
        raise wiring.UsageError(f"no runbook {name!r} in {environment.runbooks}{hint}")
    return found


def _verb(verbs: Any, name: str, summary: str, example: str, *, one: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=f"example:\n  {example}"
    )
    if one:
        parser.add_argument("name", metavar="RUNBOOK", help="id, or the path of a file")
    if name != "print":
        parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print")
    return parser


def _add_params(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--param", metavar="NAME=VALUE", action="append", default=[], help="a parameter; may be given more than once"
    )


def _add_run_options(parser: argparse.ArgumentParser, *, rehearsal: bool = True) -> None:
    parser.add_argument("--auto", action="store_true", help="ask nothing; refuse to begin if something had to be asked")
    if rehearsal:
        parser.add_argument("--dry-run", action="store_true", help="print the exact commands, and do nothing at all")
    parser.add_argument("--only", metavar="STEP", action="append", default=[], help="only this step; may be repeated")
    parser.add_argument("--from", metavar="STEP", dest="start", default="", help="begin with this step")
    parser.add_argument("--yes", action="store_true", help="with --auto: yes to steps that ask for a yes")
    parser.add_argument(
        "--confirm",
        metavar="STEP=TEXT",
        action="append",
        default=[],
        help="with --auto: what the step wants typed; for a manual step done or n/a",
    )
    parser.add_argument(
        "--skip", metavar="STEP=REASON", action="append", default=[], help="with --auto: leave this step out"
    )


def _list(args: argparse.Namespace) -> int:
    settings = wiring.resolve_settings(args)
    library = wiring.open_library(wiring.pick_environment(settings, args))
    runbooks = library.matching(alert=args.alert) if args.alert else library.all()
    problems = library.problems()
    if args.format == "json":
        print_json([_listed(runbook) for runbook in runbooks])
    else:
        rows = [
            (
                one.id,
                one.title,
                len(one.route),
                one.executable_steps,
                ", ".join(one.alerts) or None,
                one.review_by or None,
            )
            for one in runbooks
        ]
        print_table(("ID", "TITLE", "STEPS", "RUN BY ITSELF", "ALERTS", "REVIEW BY"), rows)
    print_problems(problems)
    return Exit.USAGE if problems else Exit.DONE


def _listed(runbook: "Runbook") -> dict[str, object]:
    return {
        "id": runbook.id,
        "title": runbook.title,
        "path": runbook.path,
        "owner": runbook.owner,
        "steps": len(runbook.route),
        "executable": runbook.executable_steps,
        "alerts": runbook.alerts,
        "review_by": runbook.review_by or None,
    }


def _show(args: argparse.Namespace) -> int:
    from opsconsole.cli.runbook_text import runbook_document, runbook_text

    runbook = find_runbook(args)
    if args.format == "json":
        print_json(runbook_document(runbook))
    else:
        print_text(runbook_text(runbook))
    return Exit.DONE


def _check(args: argparse.Namespace) -> int:
    from opsconsole.runbooks.lint import lint

    runbooks, problems = _chosen(args)
    files = [runbook.path for runbook in runbooks]
    for runbook in runbooks:
        problems += lint(runbook)
    problems.sort()
    errors = sum(problem.severity == "error" for problem in problems)
    if args.format == "json":
        print_json({"files": files, "problems": [problem_fields(problem) for problem in problems]})
    else:
        print_problems(problems, on_stdout=True)
    narrate(f"runbooks: {len(files)}, errors: {errors}, warnings: {len(problems) - errors}")
    return Exit.USAGE if errors else Exit.DONE


def _chosen(args: argparse.Namespace) -> "tuple[list[Runbook], list[Problem]]":
    """The runbooks to check, and what is wrong with reaching them."""
    from opsconsole.runbooks.library import UnreadableError, load_runbook

    if not args.names:
        settings = wiring.resolve_settings(args)
        library = wiring.open_library(wiring.pick_environment(settings, args))
        return sorted(library.all(), key=lambda one: one.path), library.problems()
    runbooks: list[Runbook] = []
    problems: list[Problem] = []
    for name in args.names:
        if not _is_path(name):
            runbooks.append(find_runbook(argparse.Namespace(**{**vars(args), "name": name})))
            continue
        try:
            runbooks.append(load_runbook(Path(name)))
        except UnreadableError as error:
            problems.append(error.problem)
    return runbooks, problems


def _runs(args: argparse.Namespace) -> int:
    from opsconsole.runbooks.history import list_runs

    runs = list_runs(limit=args.limit)
    if args.format == "json":
        names = ("id", "runbook", "state", "step", "started_at", "ended_at", "actor", "host", "params")
        more = ("live", "driver", "step_started_at", "environment")
        print_json([{name: getattr(one, name) for name in (*names, *more)} for one in runs])
        return Exit.DONE
    rows = [
        (
            one.id,
            one.runbook,
            one.state,
            one.step,
            _elapsed(one),
            one.started_at,
            one.actor,
            _driver(one),
            _pairs(dict(one.params)),
        )
        for one in runs
    ]
    print_table(("RUN", "RUNBOOK", "STATE", "STEP", "FOR", "STARTED", "BY", "DRIVEN BY", "PARAMETERS"), rows)
    return Exit.DONE


def _elapsed(run: "RunSummary") -> str | None:
    """How long the step has been under way."""
    from datetime import UTC, datetime

    from opsconsole.core.duration import duration_text

    if not run.step_started_at:
        return None
    began = datetime.fromisoformat(run.step_started_at)
    return duration_text(max(0.0, round((datetime.now(UTC) - began).total_seconds())))


def _driver(run: "RunSummary") -> str | None:
    return (run.driver or "nobody") if run.live else None


def _pairs(params: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items() if value)


def _is_path(name: str) -> bool:
    return "/" in name or name.lower().endswith((".md", ".mdx", ".markdown"))


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100000")
    return int(text)
