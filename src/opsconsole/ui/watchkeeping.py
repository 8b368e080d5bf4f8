"""The watch that goes on whatever one looks at: every check of every screen, for the header and the overview."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.core.reading import Query, Reading
from opsconsole.screens.checks import Tracker, all_checks, is_check
from opsconsole.screens.definition import Pane, Screen
from opsconsole.screens.evaluation import PaneState, evaluate_pane
from opsconsole.screens.overview import Overview, overview, overview_areas, overview_queries
from opsconsole.screens.poller import Watch
from opsconsole.screens.queries import pane_queries, refresh_of
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import default_selections
from opsconsole.ui.feed import STALE_AFTER, Feed, known

_GATHERING = 0.1
"""Seconds in which readings are gathered before the checks are judged again: one judgement for a whole tick."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """One pane that counts, as it is with the screen's own variables and range."""

    screen: Screen
    pane: Pane
    queries: tuple[Query, ...]
    refresh: float
    problem: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.screen.id, self.pane.id


class Watchkeeper:
    """Keeps the checks of all screens read, and tells `on_overview` what they come to."""

    def __init__(
        self,
        feed: Feed,
        screens: Sequence[Screen],
        sources: Sequence[str],
        on_overview: Callable[[Overview], None],
    ) -> None:
        """`sources`: the names of those that are configured; checks of others are left out."""
        self._feed = feed
        self._screens = screens
        self._sources = sources
        self._on_overview = on_overview
        self._tracker = Tracker()
        self._areas = [area for screen in screens for area in overview_areas(screen)]
        self._extra: dict[Query, float] = {}
        for screen in screens:
            self._extra |= overview_queries(overview_areas(screen), screen.refresh)
        self._watched = [_watched(screen, pane) for screen in screens for pane in screen.panes if is_check(pane)]
        self._watches: list[Watch] = []
        self._stop_listening: Callable[[], None] | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self.latest = Overview()

    def start(self) -> None:
        """Begin to watch."""
        if self._stop_listening is not None:
            return
        self._stop_listening = self._feed.listen(self._changed)
        kinds = {name.partition("/")[0] for name in self._sources}
        for one in self._watched:
            if not kinds or one.pane.source.partition("/")[0] in kinds:
                self._watches += [self._feed.poller.watch(query, one.refresh) for query in one.queries]
        for query, interval in self._extra.items():
            if not kinds or query.source.partition("/")[0] in kinds:
                self._watches.append(self._feed.poller.watch(query, interval))
        self.judge()

    def stop(self) -> None:
        """Watch no more."""
        for watch in self._watches:
            watch.cancel()
        self._watches = []
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def judge(self) -> None:
        """Look at all readings as they are now, and tell what they come to."""
        self._gathering = None
        now = self._feed.now()
        states = {one.key: state for one in self._watched if not (state := self._state(one, now)).waiting}
        checks = self._tracker.track(all_checks(self._screens, states, self._sources), now)
        readings = {query: self._feed.poller.latest(query) for query in self._extra}
        self.latest = overview(self._areas, checks, readings, now)
        self._on_overview(self.latest)

    def _state(self, one: _Watched, now: float) -> PaneState:
        poller = self._feed.poller
        limit = 0.0 if poller.paused else STALE_AFTER * one.refresh
        return evaluate_pane(
            one.pane, known(map(poller.latest, one.queries)), now, stale_after=limit, problem=one.problem
        )

    def _changed(self, changed: Mapping[Query, Reading]) -> None:
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(_GATHERING, self.judge)


def _watched(screen: Screen, pane: Pane) -> _Watched:
    time = TimeRange(screen.window)
    refresh = refresh_of(pane, screen, time)
    try:
        return _Watched(screen, pane, pane_queries(pane, default_selections(screen), time), refresh)
    except ValueError as error:
        return _Watched(screen, pane, (), refresh, str(error))
