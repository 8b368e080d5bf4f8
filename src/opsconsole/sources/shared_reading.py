"""One reading for all who look at it: panes and pages of one screen ask within the same second."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

SERVES = 2.0
"""Seconds: less than the period of any page, more than the panes of a screen need to ask one after another."""


class SharedReading(Generic[T]):
    """The latest outcome of `take`, be it a value or an error, for whoever asks soon after it was begun.

    It belongs to nobody: who asks first may be cancelled, and the others get it all the same.
    """

    def __init__(self, take: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """`take` reads once; it has to end by itself, for nobody calls it off."""
        self._take = take
        self._taking: asyncio.Task[T] | None = None
        self._begun_at = 0.0

    async def read(self, within: float = SERVES) -> T:
        """The reading that was begun `within` these seconds, finished or not; a new one where there is none. One that
        takes longer is not waited for by those who come later: it may hang, and they may not.

        Raises:
            Exception: what `take` raised; it is as good an answer as a value, and serves as long.
        """
        loop = asyncio.get_running_loop()
        if self._taking is None or not self._serves(self._taking, loop, within):
            self._taking, self._begun_at = loop.create_task(self._take()), loop.time()
            self._taking.add_done_callback(_noticed)
        return await asyncio.shield(self._taking)

    def forget(self) -> None:
        """Something was changed: what was begun before is no answer to whoever asks from now on."""
        self._taking = None

    def _serves(self, taking: "asyncio.Task[T]", loop: asyncio.AbstractEventLoop, within: float) -> bool:
        # Of another loop: a command that runs one loop after another cannot await it.
        alive = taking.get_loop() is loop and not taking.cancelled()
        return alive and loop.time() - self._begun_at <= within


def _noticed(taking: "asyncio.Task[Any]") -> None:
    """An error that nobody is left to hear is no fault of the program: asyncio would write it to the terminal."""
    if not taking.cancelled():
        taking.exception()
