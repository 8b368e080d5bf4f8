"""Everything that has to be read to say how the platform is, and what comes of it: for the overview and `status`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from opsconsole.core.reading import Query, Reading
from opsconsole.screens.areas import Area, overview_areas, overview_queries
from opsconsole.screens.checks import Check, all_checks, is_check
from opsconsole.screens.definition import Pane, Screen
from opsconsole.screens.evaluation import PaneState, evaluate_pane
from opsconsole.screens.naming import named
from opsconsole.screens.overview import Overview, overview
from opsconsole.screens.queries import pane_queries, refresh_of
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import default_selections

STALE_AFTER = 2.5
"""Intervals after which a reading that nobody refreshed is stale."""


@dataclass(frozen=True, slots=True)
class WatchedPane:
    """A pane that makes checks, with what it asks."""

    screen: Screen
    pane: Pane
    queries: tuple[Query, ...]
    interval: float
    """Seconds."""
    problem: str = ""
    """Why its queries cannot be made."""

    def state(self, latest: Callable[[Query], Reading], now: float, *, ageing: bool = True) -> PaneState:
        """The pane at `now`; without `ageing`, readings do not turn stale by their age (while paused)."""
        readings = [latest(query) for query in self.queries]
        known = [reading if reading.taken_at is not None or reading.error else None for reading in readings]
        limit = STALE_AFTER * self.interval if ageing else 0.0
        return evaluate_pane(self.pane, known, now, stale_after=limit, problem=self.problem)


@dataclass(frozen=True, slots=True)
class Watchlist:
    """What is watched of a set of screens. Made once; the queries never change with time."""

    screens: tuple[Screen, ...]
    panes: tuple[WatchedPane, ...]
    areas: tuple[Area, ...] = ()
    intervals: Mapping[Query, float] = field(default_factory=dict)
    """Each distinct query, and every how many seconds it is to be read."""

    def checks(
        self,
        latest: Callable[[Query], Reading],
        now: float,
        *,
        configured: Collection[str] = (),
        ageing: bool = True,
    ) -> list[Check]:
        """All checks, worst first. `configured`: the names of the sources that there are (empty: not known)."""
        states = {(one.screen.id, one.pane.id): one.state(latest, now, ageing=ageing) for one in self.panes}
        return all_checks(self.screens, states, configured)

    def overview(
        self,
        checks: Sequence[Check],
        latest: Callable[[Query], Reading],
        now: float,
        awaited: Collection[str] = (),
    ) -> Overview:
        """The overview, of `checks` (which a `Tracker` may have given their `since`); `awaited` are areas of which
        something was never answered yet."""
        return overview(self.areas, checks, {query: latest(query) for query in self.intervals}, now, awaited)


def watchlist(screens: Sequence[Screen], *, areas_of: Screen | None = None) -> Watchlist:
    """The panes of `screens` that make checks, with their variables at the defaults.

    Args:
        areas_of: the overview, whose area lines are read as well.
    """
    panes = tuple(_watched(screen, pane) for screen in screens for pane in screen.panes if is_check(pane))
    areas = overview_areas(areas_of) if areas_of is not None else ()
    intervals = overview_queries(areas, areas_of.refresh) if areas_of is not None else {}
    for one in panes:
        for query in one.queries:
            intervals[query] = min(one.interval, intervals.get(query, one.interval))
    return Watchlist(tuple(screens), panes, areas, intervals)


def _watched(screen: Screen, pane: Pane) -> WatchedPane:
    time = TimeRange(screen.window)
    interval = refresh_of(pane, screen, time)
    selections = default_selections(screen)
    shown = named(pane, selections)
    try:
        return WatchedPane(screen, shown, pane_queries(pane, selections, time), interval)
    except ValueError as error:
        return WatchedPane(screen, shown, (), interval, str(error))
