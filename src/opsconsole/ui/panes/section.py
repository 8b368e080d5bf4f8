"""`section`: a heading over the panes that follow it, and whether they are put away."""

from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Lines, Span, clip_line, line, truncate, width_of
from opsconsole.ui.panes.looking import AWAY, Looking

_OPEN, _FOLDED = "▾", "▸"


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """One line: a mark, the title, and a rule to the right end."""
    if width <= 0 or height <= 0:
        return ()
    mark = {True: _FOLDED, False: _OPEN}[state.pane.folded] if glyphs.chart != "ascii" else "-+"[state.pane.folded]
    title = truncate(state.pane.title or state.pane.id, max(4, width - 4), glyphs.ellipsis)
    hint = "  enter opens" if looking.focused and state.pane.folded else ""
    rule = glyphs.horizontal * max(0, width - width_of(title) - len(hint) - 4)
    return (
        clip_line(
            line(
                Span(f"{mark} ", "dim"),
                Span(title, "title-focus" if looking.focused else "title"),
                Span(hint, "dim"),
                Span(f"  {rule}", "faint"),
            ),
            width,
            glyphs.ellipsis,
        ),
    )
