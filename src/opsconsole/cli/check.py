"""Validate every content file, and probe each source.

Content: the configuration, services, screens and runbooks, with all problems at once. Sources: each one configured,
with what it is and what it does not allow. Exit code 2 for content that is not valid, 1 for a source that does not
answer, 0 when all is well; warnings change nothing.
"""

import argparse

from opsconsole.cli.content import Findings, check_content
from opsconsole.cli.output import narrate, print_json, print_problems, print_table, problem_fields
from opsconsole.cli.probing import Probe, probe_all
from opsconsole.cli.wiring import pick_environment, resolve_settings
from opsconsole.config.settings import Environment, Settings
from opsconsole.core.exit_codes import Exit
from opsconsole.core.problem import ContentError

EXAMPLE = "opsconsole check --offline --format json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check`."""
    parser.description = __doc__
    parser.add_argument("--offline", action="store_true", help="only the files; ask no source")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print the findings")


def run(args: argparse.Namespace) -> int:
    """Check, print, and choose the exit code."""
    try:
        settings = resolve_settings(args)
        environments = _environments(settings, args)
        findings = check_content(settings, environments)
    except ContentError as error:
        environments, findings = [], Findings()
        for problem in error.problems:
            findings.add(problem.file, [problem])
    probes = {} if args.offline else probe_all(environments)
    if args.format == "json":
        _print_json(findings, probes, offline=args.offline)
    else:
        _print_text(findings, probes)
    if findings.errors:
        return Exit.USAGE
    silent = any(probe.capabilities is None for found in probes.values() for probe in found)
    return Exit.FAILED if silent else Exit.DONE


def _environments(settings: Settings, args: argparse.Namespace) -> list[Environment]:
    """The one that is asked for, or all."""
    if args.env:
        return [pick_environment(settings, args)]
    return list(settings.environments.values())


def _print_json(findings: Findings, probes: dict[str, list[Probe]], *, offline: bool) -> None:
    document: dict[str, object] = {
        "files": findings.files,
        "problems": [problem_fields(problem) for problem in findings.problems],
    }
    if not offline:
        document["sources"] = [
            {"environment": name, **probe.fields()} for name, found in probes.items() for probe in found
        ]
    print_json(document)


def _print_text(findings: Findings, probes: dict[str, list[Probe]]) -> None:
    print_problems(findings.problems, on_stdout=True)
    rows = [_row(name, probe) for name, found in probes.items() for probe in found]
    if rows:
        print_table(("ENVIRONMENT", "SOURCE", "STATE", "TOOK", "WHAT"), rows, wrap=True)
    for name, found in probes.items():
        for probe in found:
            for note in probe.capabilities.notes if probe.capabilities else ():
                narrate(f"{name}: {probe.source}: {note}")
    errors = len(findings.errors)
    warnings = len(findings.problems) - errors
    narrate(f"{_count(len(findings.files), 'file')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")


def _row(environment: str, probe: Probe) -> tuple[str, ...]:
    found = probe.capabilities
    what = f"{found.product} {found.version}" if found else probe.error
    return (environment, probe.source, "OK" if found else "ERROR", f"{probe.took * 1000:.0f} ms", what)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
