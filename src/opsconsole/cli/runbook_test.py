"""`runbook test`: runs the cases in the test files of runbooks, on stubs or on the demo platform."""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from opsconsole.cli import wiring
from opsconsole.cli.output import narrate, print_json, print_problems, print_text, problem_fields
from opsconsole.core.clean import clean_line
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import ContentError, Problem, nearest

if TYPE_CHECKING:
    from opsconsole.runbooks.model import Runbook
    from opsconsole.runbooks.testfile import RunbookTests
    from opsconsole.runbooks.testing import CaseResult, Stage

EXAMPLE = "opsconsole runbook test dag-failure-recovery --demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `runbook test`."""
    parser.add_argument(
        "names",
        metavar="RUNBOOK",
        nargs="*",
        help="ids, runbooks or test files; every runbook that has tests where left out",
    )
    parser.add_argument("--demo", action="store_true", help="start the demo platform where none is running")
    parser.add_argument("--case", metavar="TEXT", default="", help="only cases whose title has this text")


def run(args: argparse.Namespace) -> int:
    """Exit codes: 0 all passed (or were skipped), 1 one failed, 2 a file is not valid, or there is no test."""
    from opsconsole.runbooks.testing import run_case

    ready, problems = _load(_test_files(args))
    if problems:
        print_problems(problems)
    results: list[tuple[RunbookTests, Runbook, CaseResult]] = []
    if not any(problem.severity == "error" for problem in problems):
        chosen = [(tests, runbook, case) for tests, runbook in ready for case in tests.cases if args.case in case.title]
        if not chosen:
            raise wiring.UsageError(f"no case with {args.case!r} in its title" if args.case else "there are no tests")
        wanted = any(case.demo is not None for _, _, case in chosen)
        with _stage(wanted, start=args.demo) as stage, TemporaryDirectory(prefix="opsconsole-test-") as shared:
            for tests, runbook, case in chosen:
                place = Path(shared, f"{runbook.id}-{case.scratch}") if case.scratch else None
                result = asyncio.run(run_case(runbook, case, stage, place))
                results.append((tests, runbook, result))
                if args.format == "table":
                    _print(tests, runbook, result)
    if args.format == "json":
        files = [str(tests.path) for tests, _ in ready]
        listed = [problem_fields(problem) for problem in problems]
        print_json({"files": files, "problems": listed, "cases": [_fields(*one) for one in results]})
    counts = _counts([result for _, _, result in results])
    narrate(", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing was run")
    if any(problem.severity == "error" for problem in problems):
        return Exit.USAGE
    return Exit.FAILED if counts["failed"] else Exit.DONE


def _test_files(args: argparse.Namespace) -> list[Path]:
    from opsconsole.cli.runbook import find_runbook
    from opsconsole.runbooks.testfile import SUFFIX, tests_of

    if not args.names:
        environment = wiring.environment_of(args)
        files = sorted(environment.runbooks.glob(f"*{SUFFIX}"))
        without = [one.id for one in wiring.open_library(environment).all() if tests_of(Path(one.path)) not in files]
        if without:
            narrate(f"without tests: {', '.join(sorted(without))}")
        return files
    files = []
    for name in args.names:
        path = Path(name)
        if not name.endswith(SUFFIX):
            path = tests_of(Path(find_runbook(argparse.Namespace(**{**vars(args), "name": name})).path))
        if not path.exists():
            hint = nearest(path.name, [one.name for one in path.parent.glob(f"*{SUFFIX}")])
            raise wiring.UsageError(f"{name}: no tests; expected them in {path}{hint}")
        files.append(path)
    return files


def _load(files: list[Path]) -> "tuple[list[tuple[RunbookTests, Runbook]], list[Problem]]":
    from opsconsole.runbooks.library import UnreadableError
    from opsconsole.runbooks.testfile import load_test_file
    from opsconsole.runbooks.testing import check_tests

    ready: list[tuple[RunbookTests, Runbook]] = []
    problems: list[Problem] = []
    for path in files:
        try:
            tests, found = load_test_file(path)
            problems += found
            if tests is not None:
                runbook, found = check_tests(tests)
                problems += found
                ready.append((tests, runbook))
        except ContentError as error:
            problems += error.problems
        except UnreadableError as error:
            problems.append(error.problem)
    return ready, sorted(set(problems))


@contextmanager
def _stage(wanted: bool, *, start: bool) -> "Iterator[Stage | None]":
    """The demo that runs, or with `start` one of its own that ends with this; None where there is none."""
    if not wanted:
        yield None
        return
    from opsconsole.demo.binaries import MissingBinary
    from opsconsole.demo.platform import PlatformError, running, stop
    from opsconsole.demo.platform import start as start_demo
    from opsconsole.demo.stage import DemoStage

    platform, started = running(), False
    if platform is None and start:
        try:
            platform, started = start_demo(narrate, tied=True)
        except (MissingBinary, PlatformError) as error:
            raise wiring.UsageError(f"the demo cannot be started: {error}") from error
    try:
        yield DemoStage(platform) if platform else None
    finally:
        if started:
            stop()


def _print(tests: "RunbookTests", runbook: "Runbook", result: "CaseResult") -> None:
    words = f"{result.outcome:8} {runbook.id}: {result.case.title} ({result.duration:.1f} s)"
    print_text(clean_line(words, limit=400))
    for complaint in result.complaints:
        print_text(clean_line(f"         {tests.path}:{result.case.line}: {complaint}", limit=2000))


def _fields(tests: "RunbookTests", runbook: "Runbook", result: "CaseResult") -> dict[str, Any]:
    return {
        "runbook": runbook.id,
        "file": str(tests.path),
        "line": result.case.line,
        "title": result.case.title,
        "outcome": result.outcome,
        "complaints": result.complaints,
        "run": result.run or None,
        "steps": result.steps,
        "executed": result.executed,
        "duration": round(result.duration, 3),
    }


def _counts(results: "list[CaseResult]") -> dict[str, int]:
    words = ("passed", "failed", "skipped")
    return {word: sum(result.outcome == word for result in results) for word in words}
