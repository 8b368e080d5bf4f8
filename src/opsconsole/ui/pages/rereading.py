"""The page that is looked at is read again and again, in a view of its own and in a pane alike."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from opsconsole.core.reading import SourceError
from opsconsole.ui import working
from opsconsole.ui.pages.reading import PageReading


class Rereading:
    """Reads a page for as long as somebody looks at it."""

    def __init__(
        self,
        source: Callable[[], Awaitable[Any]],
        *,
        clock: Callable[[], float],
        report: Callable[[Exception], object],
        changed_at: Callable[[], float],
        paused: Callable[[], bool],
        asking: Callable[[PageReading], object],
        answered: Callable[[PageReading], object],
        least: float = 0.0,
    ) -> None:
        """How pages are read, and who hears of it.

        Args:
            source: what pages take their readings of; may raise SourceError.
            clock: Unix seconds.
            report: told of a fault of ours.
            changed_at: Unix seconds of the last change that was made from here: what was read before is read anew.
            paused: whether nothing is to be read; a page that was never read is, all the same.
            asking: told when the source is about to be asked: how old the reading is shows until the answer comes.
            answered: told when there is a new reading, or why there is none.
            least: seconds between two readings at least, whatever the page says.
        """
        self._source = source
        self._clock = clock
        self._report = report
        self._changed_at = changed_at
        self._paused = paused
        self._asking = asking
        self._answered = answered
        self._least = least
        self._anew = False
        self.wake = asyncio.Event()
        """Set: do not wait for the time that it is due."""

    def ask_again(self) -> None:
        """Read now; what was remembered before now is no answer."""
        self._anew = True
        self.wake.set()

    async def go_on(self, shown: PageReading) -> None:
        """Read `shown`, at first as soon as it is due; more seldom while that fails. Ends by being cancelled."""
        pause = shown.rest(self._clock(), self._period(shown), self._changed_at())
        while True:
            if pause > 0:
                await working.pause(pause, self.wake)
            self.wake.clear()
            if not self._paused() or shown.sheet is None:
                await self._read(shown)
                self._answered(shown)
            pause = self._period(shown)

    def _period(self, shown: PageReading) -> float:
        return max(shown.pause, self._least)

    async def _read(self, shown: PageReading) -> None:
        try:
            source = await self._source()
        except SourceError as error:
            shown.fail(error.message)
            return
        anew = self._anew or (shown.taken_at or 0.0) <= self._changed_at()
        self._anew = False
        shown.asked_at = self._clock()
        self._asking(shown)
        if await shown.read(source, self._clock, self._report, anew=anew):
            self.wake.set()
