"""What a supervisor is asked to carry, and how it becomes a run."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from opsconsole.actions.door import Door
from opsconsole.actions.guard import Context
from opsconsole.config.secrets import remember
from opsconsole.config.settings import Environment, Roles
from opsconsole.core.secret import Secret
from opsconsole.runbooks.opening import Mode
from opsconsole.runbooks.parsing import parse_runbook
from opsconsole.runbooks.run import Run
from opsconsole.runbooks.unattended import Instructions
from opsconsole.store import open_journal

IDLE_LIMIT = 12 * 3600.0
"""Seconds that a guided run waits for an operator to come back."""


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that a run needs and that its front knows: nothing of it is looked up a second time."""

    environment: Environment
    context: Context
    store_url: Secret
    roles: Roles = field(default_factory=Roles)
    """For those who come later."""
    secrets: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    """The runbook's secrets, by name."""
    known: tuple[Secret, ...] = ()
    """What else must not be seen."""
    mode: Mode = "guided"
    instructions: Instructions | None = None
    """For `auto`: what was said beforehand."""
    folder: Path | None = None
    """Of the run to take up again; None: a new one begins, of what follows."""
    path: str = ""
    """Of the runbook."""
    source: str = ""
    """Its bytes as they were opened, in base64."""
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    incident: str = ""
    idle_limit: float = IDLE_LIMIT


def carry_out(order: Order) -> Run:
    """The run that is asked for, carried by this process.

    Raises:
        ContentError, ValueError, LockHeldError, SecretError, JournalError, OSError: as `Run.create` and `Run.resume`.
    """
    for secret in order.known:
        remember(secret)
    door = Door(order.context, open_journal(order.store_url.reveal()))
    if order.folder is not None:
        return Run.resume(
            order.folder, door=door, environment=order.environment, secrets=order.secrets, mode=order.mode
        )
    try:
        source = base64.b64decode(order.source, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the runbook did not arrive: {error}") from None
    return Run.create(
        parse_runbook(source, order.path),
        order.values,
        door=door,
        environment=order.environment,
        secrets=order.secrets,
        mode=order.mode,
        incident=order.incident,
    )
