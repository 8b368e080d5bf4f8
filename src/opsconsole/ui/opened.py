"""What is open of a session: the feed, the watch, the runbooks. Made after the first paint, for it takes time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from opsconsole.core.clean import clean_line
from opsconsole.screens.overview import Overview
from opsconsole.screens.poller import Poller
from opsconsole.ui.driver import OutputMeter
from opsconsole.ui.feed import Feed
from opsconsole.ui.frame import Freshness
from opsconsole.ui.session import Session
from opsconsole.ui.watchkeeping import Watchkeeper

if TYPE_CHECKING:
    from opsconsole.runbooks.library import Library

_LIBRARY_DELAY = 1.5
"""Seconds after the first paint: values first."""
_SETTLING = 75.0
"""Seconds until the average of what watching costs is not that of starting any more."""
_PATIENCE = 0.5
"""Seconds that questions under way get to end."""


class Opened:
    """One session, being watched."""

    def __init__(self, session: Session, on_overview: Callable[[Overview], None]) -> None:
        self.session = session
        self.feed = Feed(session.read, session.clock, session.make_poller or Poller, session.derived)
        self.watchkeeper = Watchkeeper(self.feed, session.screens, session.sources, on_overview)
        self._on_overview = on_overview
        self._library: Library | None = None
        self._titles: dict[str, str] = {}
        self._opened_at = session.clock()
        self._meter = OutputMeter(session.clock)

    @property
    def library(self) -> "Library":
        """The runbooks of this environment."""
        if self._library is None:
            self._library = self.session.library()
        return self._library

    async def read_library(self) -> None:
        """Read the runbooks off the loop, so that their titles can be shown and `b` answers at once."""
        await asyncio.sleep(_LIBRARY_DELAY)
        books = await asyncio.to_thread(self.library.all)
        self._titles = {book.id: clean_line(book.title) for book in books}
        self._on_overview(self.watchkeeper.latest)

    def titles(self) -> Mapping[str, str]:
        """What screens and runbooks are called, by id, as far as that is known by now."""
        return {**{screen.id: clean_line(screen.title) for screen in self.session.screens}, **self._titles}

    def freshness(self) -> Freshness:
        """How much of what is shown can be believed, and what it costs.

        The first readings wait for connections, the first paintings are whole screens: neither is the cost of
        watching. That is said when a whole minute has been averaged.
        """
        answering, sources = self.feed.sources()
        cost = self.feed.poller.cost()
        rate = self._meter.rate()
        settled = self.session.clock() - self._opened_at > _SETTLING
        return Freshness(
            answering,
            sources,
            paused=self.feed.poller.paused,
            database_share=cost.share_of("postgres") if settled else None,
            terminal_rate=rate if settled else None,
        )

    async def close(self) -> None:
        """Stop asking, then let go of who was asked."""
        self.watchkeeper.stop()
        await self.feed.poller.close(patience=_PATIENCE)
        await self.session.close()
