"""Work that goes on while something is looked at."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker


def go_on(node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
    """Have `node` do `work` from now on, in place of what it did in that group.

    It takes a function, not a coroutine: who looks away at once ends a worker before it has begun, and a coroutine that
    was made by then would never be awaited.
    """
    worker: Worker[None] = node.run_worker(work, group=group, exclusive=True, exit_on_error=False)
    del worker


async def pause(seconds: float, wake: asyncio.Event) -> None:
    """Do nothing for `seconds`, or until `wake` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wake.wait()
