"""Which function draws which kind of pane."""

from typing import Protocol

from opsconsole.screens.definition import Kind
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Lines
from opsconsole.ui.panes import bars, gauge, heatmap, section, stat, status, table, text, timeline, timeseries
from opsconsole.ui.panes.looking import AWAY, Looking


class Render(Protocol):
    """A pane kind: from what is known and how it is looked at, to at most `height` lines of at most `width` cells."""

    def __call__(
        self, state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY
    ) -> Lines: ...


RENDERERS: dict[Kind, Render] = {
    Kind.STAT: stat.render,
    Kind.GAUGE: gauge.render,
    Kind.TIMESERIES: timeseries.render,
    Kind.BARS: bars.render,
    Kind.TABLE: table.render,
    Kind.STATUS: status.render,
    Kind.TIMELINE: timeline.render,
    Kind.HEATMAP: heatmap.render,
    Kind.TEXT: text.render,
    Kind.SECTION: section.render,
    # What a view shows depends on the view; until one is registered for it, its state and reason are shown.
    Kind.VIEW: text.render,
}


def renderer(kind: Kind) -> Render:
    """The function that draws panes of a kind."""
    return RENDERERS[kind]
