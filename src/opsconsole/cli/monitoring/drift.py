"""What every Prometheus and every Alertmanager have loaded, against what `monitoring export` would write now.

Rules by name and labels, their expressions in one spelling; scrape jobs and their targets; routes, receivers,
inhibitions and quiet hours. Code 1: something differs, or a server did not show what it has. Nothing is changed.
"""

import argparse
import asyncio
from typing import TYPE_CHECKING

from opsconsole.cli.output import narrate, print_json, print_text
from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opsconsole.monitoring.drift.asking import Standing
    from opsconsole.monitoring.drift.difference import Drift

EXAMPLE = """\
opsconsole monitoring drift
  opsconsole monitoring drift --ignore-extra --env production --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `monitoring drift`."""
    parser.description = __doc__
    parser.add_argument("--ignore-extra", action="store_true", help="leave out what only the servers have")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def run(args: argparse.Namespace) -> int:
    """Ask, compare, print, and choose the exit code."""
    found = _asked(args)
    drift = [one for one in found.drift if not (args.ignore_extra and one.state == "extra")]
    if args.format == "json":
        print_json(
            {"sources": list(found.sources), "drift": [_fields(one) for one in drift], "notes": list(found.notes)}
        )
    else:
        print_text("\n".join(_lines(drift))) if drift else None
        for source in found.sources:
            narrate(_count(source, sum(one.source == source for one in drift), unseen=source in found.unseen))
    for note in found.notes:
        narrate(note)
    return Exit.FAILED if drift or found.unseen else Exit.DONE


def _count(source: str, many: int, *, unseen: bool) -> str:
    """How many differences a server has; of one that does not show all, that it may have more."""
    said = f"{many or 'no'} difference{'' if many == 1 else 's'}"
    return f"{source}: {'not seen' if unseen and not many else said}{', not all was seen' if unseen and many else ''}"


def _fields(one: "Drift") -> dict[str, object]:
    changes = [{"part": change.part, "here": change.here, "loaded": change.loaded} for change in one.changes]
    return {"source": one.source, "kind": one.kind, "name": one.name, "state": one.state, "changes": changes}


def _lines(drift: "list[Drift]") -> "Iterator[str]":
    """By server: a line for each difference, and below it what is how on either side."""
    source = ""
    for one in drift:
        if one.source != source:
            source = one.source
            yield source
        yield f"  {one.state:7}  {one.kind} {one.name}"
        for change in one.changes:
            yield f"             {change.part}"
            yield f"               here    {' '.join(change.here.split()) or '-'}"
            yield f"               loaded  {' '.join(change.loaded.split()) or '-'}"


def _asked(args: argparse.Namespace) -> "Standing":
    from opsconsole.cli.wiring import UsageError, environment_of, open_sources
    from opsconsole.monitoring.content import load_content
    from opsconsole.monitoring.drift.asking import standing
    from opsconsole.monitoring.export import export

    environment = environment_of(args)
    if not environment.every_prometheus and not environment.every_alertmanager:
        raise UsageError(f"neither prometheus nor alertmanager is configured in environment {environment.name}")
    files = export(load_content(environment), environment)
    sources = open_sources(environment)

    async def asked() -> "Standing":
        try:
            return await standing(environment, files, sources)
        finally:
            await sources.close()

    return asyncio.run(asked())
