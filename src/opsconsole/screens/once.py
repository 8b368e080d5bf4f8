"""One reading of everything, within a bounded time: what the poller is for a screen, this is for a command."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from opsconsole.core.reading import Answer, Query, Reading, SourceError


async def read_once(
    queries: Iterable[Query],
    read: Callable[[Query], Awaitable[Answer]],
    *,
    timeout: float,
    now: Callable[[], float] = time.time,
) -> dict[Query, Reading]:
    """A reading of each of `queries`, all asked at once (a source limits its own concurrency).

    Never raises for a source: what cannot be read, or not within `timeout` seconds, has its error in its reading.
    A reader that does not listen to its cancellation is left behind.
    """
    tasks = {asyncio.ensure_future(read(query)): query for query in dict.fromkeys(queries)}
    began = time.monotonic()
    if not tasks:
        return {}
    finished, late = await asyncio.wait(tasks, timeout=timeout)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=0.5)
    took = time.monotonic() - began
    readings = {}
    for task, query in tasks.items():
        if task in finished:
            readings[query] = _reading(query, task, now(), took)
        else:
            error = f"{query.source}: no answer within {timeout:g} s"
            readings[query] = Reading(query.source).failed(error, now=now(), took=took)
    return readings


def _reading(query: Query, task: "asyncio.Task[Answer]", now: float, took: float) -> Reading:
    blank = Reading(query.source)
    if task.cancelled():
        return blank.failed(f"{query.source}: the question was cancelled", now=now, took=took)
    error = task.exception()
    if error is None:
        return blank.succeeded(task.result())
    text = str(error) if isinstance(error, SourceError) else f"{query.source}: {type(error).__name__}: {error}"
    return blank.failed(text, now=now, took=took)
