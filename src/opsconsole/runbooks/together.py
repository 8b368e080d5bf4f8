"""Which steps may run beside each other: actions about different things, none of which waits for another."""

import asyncio
from collections.abc import Sequence
from typing import Any

from opsconsole.actions import registry
from opsconsole.runbooks.model import Kind, Runbook, Step


def at_once(book: Runbook) -> int:
    """How many steps of `book` may run beside each other; 1: one after the other.

    Only of a runbook that was made here of several actions: what somebody wrote is walked in its order.
    """
    if not book.made_here or len(book.route) < 2:
        return 1
    return min(map(_at_once, book.route))


def _at_once(step: Step) -> int:
    registration = registry.find(step.action) if step.kind is Kind.ACTION else None
    if registration is None or step.on_fail != "continue" or step.when or step.interactive:
        return 1
    return registration.at_once


async def all_ended(tasks: "Sequence[asyncio.Task[Any]]") -> None:
    """Wait for the end of all. One that fails does not end the others; its error is raised when they have.

    Raises:
        asyncio.CancelledError: the calling task was cancelled; so were they, and all of them have ended.
        Exception: the first that one of them raised.
    """
    cancelled = False
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError:
            cancelled = True
            for task in pending:
                task.cancel()
    if cancelled:
        raise asyncio.CancelledError
    for task in tasks:
        task.result()
