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
) -> Callable[[Callable[[str, bool], object]], Awaitable[None]] | None:
    """What prolongs them, and tells what it did and whether that failed; None where there can be none, or where nothing
    may be changed.

    Args:
        opened: opens the environment's `Alerts`, the same that the screens look at.
    """
    from opsconsole.config.settings import Mode, Role

    context = wiring.acting_context(settings, environment, args)
    changes_nothing = context.read_only or context.mode is Mode.READ_ONLY or context.role is Role.VIEWER
    if opened is None or not environment.every_alertmanager or changes_nothing:
        return None

    async def keep(told: Callable[[str, bool], object]) -> None:
        await asyncio.sleep(_DELAY)
        from opsconsole.alerts.keeping import PERIOD, Keeper, failure_text

        while True:
            try:
                alerts, door = await opened(), wiring.open_door(settings, environment, args)
            except Exception as error:  # the journal's disk may be full for a while
                told(failure_text(error), True)
                await asyncio.sleep(PERIOD)
                continue
            alerts.keeps = context.actor
            await Keeper(alerts, door, environment, context.actor, told=told).keep()

    return keep
