"""What the command line says of a run: of which runbook, where, and what was decided beforehand."""

import argparse
from typing import TYPE_CHECKING, NamedTuple

from opsconsole.cli import wiring
from opsconsole.cli.runbook import find_runbook
from opsconsole.core.secret import Secret
from opsconsole.runbooks.includes import expand
from opsconsole.runbooks.model import Runbook
from opsconsole.runbooks.unattended import Instructions, unknown_names

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment, Settings


class Place(NamedTuple):
    """Where a run takes place, and of what."""

    settings: "Settings"
    environment: "Environment"
    runbook: Runbook
    instructions: Instructions


def place_of(args: argparse.Namespace) -> Place:
    """What the arguments name.

    Raises:
        UsageError: no such runbook, environment, or step.
    """
    settings = wiring.resolve_settings(args)
    environment = wiring.pick_environment(settings, args)
    runbook = expand(find_runbook(args))
    instructions = instructions_of(args)
    if unknown := unknown_names(runbook, instructions):
        known = ", ".join(step.name for step in runbook.route)
        raise wiring.UsageError(f"no step {', '.join(map(repr, unknown))} in {runbook.id}; there are {known}")
    return Place(settings, environment, runbook, instructions)


def instructions_of(args: argparse.Namespace) -> Instructions:
    """What the command line says beforehand."""
    return Instructions(
        confirmed=pairs(getattr(args, "confirm", []), "--confirm"),
        skipped=pairs(getattr(args, "skip", []), "--skip"),
        only=tuple(getattr(args, "only", [])),
        start=getattr(args, "start", ""),
        yes=getattr(args, "yes", False),
    )


def pairs(given: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` arguments as a mapping.

    Raises:
        UsageError: one is no such pair, or comes twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise wiring.UsageError(f"{option} {text!r}: expected NAME=VALUE")
        if name in found:
            raise wiring.UsageError(f"{option} {name}: given twice")
        found[name] = value
    return found


def masked_secrets(runbook: Runbook) -> dict[str, Secret]:
    """Stands for the runbook's secrets where nothing is run."""
    return {name: Secret("") for name in runbook.secrets}
