"""The watch that goes on whatever one looks at: every check of every screen, for the header and the overview."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from opsconsole.core.reading import Query, Reading
from opsconsole.screens.areas import overview_areas
from opsconsole.screens.checks import Tracker, all_checks
from opsconsole.screens.definition import Screen
from opsconsole.screens.overview import Overview
from opsconsole.screens.poller import Watch
from opsconsole.screens.watchlist import watchlist
from opsconsole.ui.feed import Feed

_GATHERING = 0.1
"""Seconds in which readings are gathered before the checks are judged again: one judgement for a whole tick."""


class Watchkeeper:
    """Keeps the checks of all screens read, and tells `on_overview` what they come to."""

    def __init__(
        self,
        feed: Feed,
        screens: Sequence[Screen],
        sources: Sequence[str],
        on_overview: Callable[[Overview], None],
    ) -> None:
        """`sources`: the names of those that are configured; checks of other kinds are left out."""
        self._feed = feed
        self._screens = screens
        self._sources = sources
        self._kinds = {name.partition("/")[0] for name in sources}
        self._on_overview = on_overview
        self._tracker = Tracker()
        self._list = watchlist(screens, areas_of=next((screen for screen in screens if overview_areas(screen)), None))
        self._watches: list[Watch] = []
        self._stop_listening: Callable[[], None] | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self.latest = Overview()

    def start(self) -> None:
        """Begin to watch."""
        if self._stop_listening is not None:
            return
        self._stop_listening = self._feed.listen(self._changed)
        for query, interval in self._list.intervals.items():
            if self._configured(query.source):
                self._watches.append(self._feed.poller.watch(query, interval))
        self.judge()

    def stop(self) -> None:
        """Watch no more."""
        for watch in self._watches:
            watch.cancel()
        self._watches = []
        self._gather_no_more()
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def judge(self) -> None:
        """Look at all readings as they are now, and tell what they come to. What was never read does not count yet."""
        self._gather_no_more()
        now, poller = self._feed.now(), self._feed.poller
        states, awaited = {}, set()
        for one in self._list.panes:
            state = one.state(poller.latest, now, ageing=not poller.paused)
            if not state.waiting:
                states[one.screen.id, one.pane.id] = state
            elif self._configured(one.pane.source):
                awaited.add(one.pane.area)
        checks = self._tracker.track(all_checks(self._screens, states, self._sources), now)
        self.latest = self._list.overview(checks, poller.latest, now, awaited)
        self._on_overview(self.latest)

    def _configured(self, source: str) -> bool:
        """Whether there is one of its kind; all are taken to be there where that is not known."""
        return not self._kinds or source.partition("/")[0] in self._kinds

    def _gather_no_more(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _changed(self, changed: Mapping[Query, Reading]) -> None:
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(_GATHERING, self.judge)
