"""All that is known of one kind of error: how often, since when, its latest samples with their traces.

The first digits of its fingerprint are enough. Code 1: a source did not answer.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.errors.model import Kind, Survey

EXAMPLE = "opsconsole errors show 3f9c1a2b7d04"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `errors show`."""
    from opsconsole.cli.errors.opening import add_common

    parser.description = __doc__
    add_common(parser)
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="as opsconsole errors lists it")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from opsconsole.cli.errors.opening import ask, chosen, narrate_survey
    from opsconsole.cli.errors.printing import kind_json
    from opsconsole.cli.output import print_json, print_text, rfc3339
    from opsconsole.errors.asking import Errors

    async def read(errors: Errors) -> "tuple[Survey, str]":
        survey = await errors.survey()
        return survey, errors.runbook_of(chosen(survey, args.fingerprint).source)

    survey, runbook = ask(args, read)
    kind = chosen(survey, args.fingerprint)
    if args.format == "json":
        print_json({"taken_at": rfc3339(survey.taken_at), "error": {**kind_json(kind), "runbook": runbook or None}})
    else:
        print_text("\n".join(_lines(kind, survey, runbook)))
        narrate_survey(survey)
    return Exit.FAILED if survey.failed else Exit.DONE


def _lines(kind: "Kind", survey: "Survey", runbook: str) -> Iterator[str]:
    from opsconsole.cli.errors.printing import sparks
    from opsconsole.errors.report import facts

    yield kind.example
    for name, value in facts(kind, survey, runbook):
        yield f"  {name:<12} {value}"
    yield f"  {'trend':<12} {sparks(kind.trend) or 'nothing in the window'}"
    for sample in kind.samples:
        yield ""
        yield f"{_moment(sample.at)}  {sample.where}"
        yield f"  {sample.message}"
        yield from (f"  {line}" for line in sample.trace.splitlines())


def _moment(at: float) -> str:
    from opsconsole.cli.output import rfc3339

    return rfc3339(at) or ""
