"""From a pane, the chosen variables and the time range to the questions that are really asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.core.reading import Query
from opsconsole.screens.definition import Kind, Pane, Screen, Target
from opsconsole.screens.interpolation import interpolate
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import Selections, is_sql, sql_binds

SCRAPE_INTERVAL = 15.0
"""Seconds between two samples of a series, where nobody said; Prometheus' own default is 60, most set 15."""

OVER_TIME = frozenset({Kind.TIMESERIES, Kind.TIMELINE, Kind.HEATMAP})
"""The kinds that show history; the others do so only where the pane has a `range`."""

# More points than a wide terminal has cells cannot be seen.
_POINTS = {Kind.TIMESERIES: 240, Kind.TIMELINE: 120, Kind.HEATMAP: 120}
_SPARKLINE_POINTS = 60
_NICE_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a range is cut into points, and what the `$__…` globals stand for with it. Seconds."""

    window: float
    step: float
    scrape: float = SCRAPE_INTERVAL

    @property
    def rate_interval(self) -> float:
        """A window in which `rate` always finds enough samples: Grafana's rule."""
        return max(self.step + self.scrape, 4 * self.scrape)

    def globals(self) -> Mapping[str, str]:
        """The values of `$__interval` and its kin."""
        step = self.step or self.scrape
        return {
            "__interval": f"{_whole(step)}s",
            "__interval_ms": str(_whole(step * 1000)),
            "__rate_interval": f"{_whole(self.rate_interval)}s",
            "__range": f"{_whole(self.window)}s",
            "__range_s": str(_whole(self.window)),
            "__range_ms": str(_whole(self.window * 1000)),
        }


def nice_step(window: float, points: int, scrape: float = SCRAPE_INTERVAL) -> float:
    """A round step with which `window` takes about `points` points, never finer than the data."""
    wanted = max(window / points, min(scrape, window / 20))
    return float(next((step for step in _NICE_STEPS if step >= wanted), _NICE_STEPS[-1]))


def resolution(pane: Pane, time: TimeRange, scrape: float = SCRAPE_INTERVAL) -> Resolution:
    """The span and step of a pane: its own range, unless the operator chose one."""
    window = pane.window if pane.window is not None and not time.chosen else time.window
    if pane.kind not in OVER_TIME and pane.window is None:
        return Resolution(window, 0.0, scrape)
    return Resolution(window, nice_step(window, _POINTS.get(pane.kind, _SPARKLINE_POINTS), scrape), scrape)


def pane_queries(
    pane: Pane, selections: Selections, time: TimeRange, *, scrape: float = SCRAPE_INTERVAL
) -> tuple[Query, ...]:
    """One query for each of the pane's targets, in their order. A broken pane asks nothing.

    Raises:
        ValueError: a variable that is unknown, or whose value cannot stand where it is used.
    """
    if pane.broken:
        return ()
    grain = resolution(pane, time, scrape)
    return tuple(_query(pane, target, selections, time, grain) for target in pane.targets)


def _query(pane: Pane, target: Target, selections: Selections, time: TimeRange, grain: Resolution) -> Query:
    if is_sql(pane.source):
        # A database knows only the present; the range reaches it as a value, where the text asks for it.
        range_ = {"__range": f"{_whole(grain.window)} seconds"}
        binds = sql_binds(target.query, selections, range_)
        return Query(pane.source, target.query, binds=binds, max_rows=_max_rows(pane))
    text = interpolate(target.query, selections, grain.globals()).strip()
    window = grain.window if grain.step else 0.0
    return Query(pane.source, text, window=window, step=grain.step, end=time.end, max_rows=_max_rows(pane))


def _max_rows(pane: Pane) -> int:
    wanted = pane.options.get("limit", 500)
    return wanted if isinstance(wanted, int) else 500


def refresh_of(pane: Pane, screen: Screen, time: TimeRange, *, scrape: float = SCRAPE_INTERVAL) -> float:
    """Seconds between two readings of a pane.

    A chart has a new point only once per step, so it is not asked for more often, unless thresholds depend on it.
    """
    if pane.refresh is not None:
        return pane.refresh
    step = resolution(pane, time, scrape).step
    return screen.refresh if pane.thresholds and pane.check else max(screen.refresh, min(step, 60.0))


def _whole(seconds: float) -> int:
    return max(1, round(seconds))
