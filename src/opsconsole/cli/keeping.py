"""What goes on for as long as the console is open: the operator's acknowledgements are prolonged while they fire."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from opsconsole.cli import wiring

if TYPE_CHECKING:
    from opsconsole.config.settings import Environment, Settings

_DELAY = 5.0
"""Seconds after the first paint until they are looked at: values first."""


def keeping(
    settings: "Settings",
    environment: "Environment",
    args: argparse.Namespace,
    opened: Callable[[], Awaitable[Any]] | None,
) -> Callable[[], Awaitable[None]] | None:
    """What prolongs them; None where there can be none, or where nothing may be changed.

    Args:
        opened: opens the environment's `Alerts`, the same that the screens look at.
    """
    from opsconsole.config.settings import Mode, Role

    context = wiring.acting_context(settings, environment, args)
    changes_nothing = context.read_only or context.mode is Mode.READ_ONLY or context.role is Role.VIEWER
    if opened is None or not environment.every_alertmanager or changes_nothing:
        return None

    async def keep() -> None:
        await asyncio.sleep(_DELAY)
        from opsconsole.alerts.keeping import Keeper

        alerts = await opened()
        alerts.keeps = context.actor
        await Keeper(alerts, wiring.open_door(settings, environment, args), environment, context.actor).keep()

    return keep
