"""Look at Prometheus rule files of any kind: structure, PromQL, and traps that Prometheus and promtool let through.

A trap is a rule that is valid and does not do what it says: it can never fire, or always does, divides by nothing, asks
for labels that an aggregation has dropped. Without files it is told, too, where the rules of SLAs differ from what
`sla status` says. Code 2: Prometheus would refuse a file. Code 1, with --strict: warnings.
"""

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from opsconsole.cli.output import narrate, print_json, print_problems, problem_fields
from opsconsole.core.exit_codes import Exit

EXAMPLE = """\
opsconsole monitoring check
  opsconsole monitoring check /etc/prometheus/rules --strict
  opsconsole monitoring check rules/*.yml --ignore no-runbook --scrape-interval 1m --format json"""

_GROUPS = re.compile(r"^[ \t{\"']*groups[\"']?[ \t]*:", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `monitoring check`."""
    parser.description = __doc__
    parser.add_argument("files", metavar="FILE|FOLDER", nargs="*", type=Path, help="rule files (else those exported)")
    parser.add_argument("--scrape-interval", metavar="DURATION", default="15s", help="between two samples (15s)")
    parser.add_argument("--ignore", metavar="CODE", action="append", default=[], help="leave out; can be repeated")
    parser.add_argument("--strict", action="store_true", help="code 1 for warnings, too")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print the findings")


def run(args: argparse.Namespace) -> int:
    """Look at them, print, and choose the exit code."""
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.duration import parse_duration
    from opsconsole.monitoring.lint.linting import lint_files
    from opsconsole.sources.promqltree import MissingParserError

    try:
        scrape = parse_duration(args.scrape_interval)
    except ValueError as error:
        raise UsageError(f"--scrape-interval: {error}") from None
    files = list(_files(args.files or _exported(args)))
    if not files:
        looked = ", ".join(map(str, args.files or _exported(args)))
        raise UsageError(f"no rule files in {looked}; expected *.yml, *.yaml or *.rules with groups")
    found, parsed = lint_files(files, scrape=scrape)
    problems = [one for one in found if one.code not in args.ignore]
    notes = [] if parsed else [str(MissingParserError())]
    notes += [] if args.files else _approximated(args)
    errors = sum(one.severity == "error" for one in problems)
    if args.format == "json":
        print_json({"files": files, "problems": [problem_fields(one) for one in problems], "notes": notes})
    else:
        print_problems(problems, on_stdout=True)
        warnings = len(problems) - errors
        narrate(f"{_count(len(files), 'file')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    for note in notes:
        narrate(note)
    if errors:
        return Exit.USAGE
    return Exit.FAILED if problems and args.strict else Exit.DONE


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _exported(args: argparse.Namespace) -> list[Path]:
    from opsconsole.cli.wiring import environment_of

    environment = environment_of(args)
    folder = (environment.monitoring or Path("monitoring")) / "prometheus"
    return [folder / "alerts", folder / "rules"]


def _approximated(args: argparse.Namespace) -> list[str]:
    """Where the exported rules differ from the SLAs that they were made of; nothing where these cannot be read, which
    `check` and `export` say."""
    from opsconsole.cli.wiring import environment_of
    from opsconsole.config.slas import load_slas
    from opsconsole.core.problem import ContentError
    from opsconsole.monitoring.approximations import approximations

    environment = environment_of(args)
    try:
        return approximations(load_slas(environment.slas)[0]) if environment.slas else []
    except ContentError:
        return []


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and in the folders named those with groups of rules: unit tests may stand beside them."""
    for path in paths:
        if path.is_dir():
            found = (one for pattern in ("*.yml", "*.yaml", "*.rules") for one in path.rglob(pattern))
            yield from sorted(one for one in found if one.is_file() and _GROUPS.search(_text(one)))
        else:
            yield path


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")
