"""Equal questions under way at the same time are asked once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class SingleFlight(Generic[T]):
    """Shares the outcome of one request among all who want it while it is under way.

    A waiter that is cancelled leaves the others alone; when the last one goes, the request is cancelled.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `ask`, started only if nothing under `key` is under way.

        Raises:
            LandedEarly: the flight was called off by `cancel`, not by this waiter.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(_as_coroutine(ask)))
            flight.task.add_done_callback(lambda _: self._forget(key, flight))
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if flight.task.cancelled() and not (this and this.cancelling()):
                raise LandedEarly from None
            raise
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                self._forget(key, flight)  # whoever asks now starts anew
                flight.task.cancel()
                await asyncio.wait({flight.task})

    async def cancel(self) -> None:
        """Call off everything that is under way."""
        tasks = {flight.task for flight in self._flights.values()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _forget(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class LandedEarly(Exception):  # noqa: N818 - it is news, and the caller turns it into its own error
    """The request was called off while others waited for it."""


async def _as_coroutine(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()
