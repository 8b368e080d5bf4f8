"""Which span of time a pane draws."""

from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.panes.looking import Looking

_LEAST_WINDOW = 3600.0


def span_of_time(state: PaneState, now: float, looking: Looking) -> tuple[float, float]:
    """(start, end) in Unix seconds: as the operator chose, as the pane says, or as far as its points go.

    A series that has only begun does not fill the chart: an hour is shown at least.
    """
    window = looking.window or state.pane.window or max(_span_of_points(state), _LEAST_WINDOW)
    end = now if looking.end is None else looking.end
    return end - window, end


def _span_of_points(state: PaneState) -> float:
    ends = [(cell.points[0][0], cell.points[-1][0]) for cell in state.cells if len(cell.points) > 1]
    return max(last for _, last in ends) - min(first for first, _ in ends) if ends else 0.0
