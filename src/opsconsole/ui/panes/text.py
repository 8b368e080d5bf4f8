"""`text`: words of the person who made the screen, or of a query; plain, nothing in them is interpreted."""

from opsconsole.core.clean import clean
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.glyphs import Glyphs
from opsconsole.ui.lines import Line, Lines, Span, wrapped
from opsconsole.ui.panes.frame import framed
from opsconsole.ui.panes.looking import AWAY, Looking


def render(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking = AWAY) -> Lines:
    """The whole pane."""
    return framed(state, width, height, glyphs, now, looking, body)


def body(state: PaneState, width: int, height: int, glyphs: Glyphs, now: float, looking: Looking) -> Lines:
    """The pane's text, then what its queries answered, wrapped; what does not fit is counted."""
    paragraphs = [clean(state.pane.text)] if state.pane.text else []
    paragraphs += [f"{cell.legend}  {cell.text}".strip() for cell in state.cells]
    lines: list[Line] = []
    for text in "\n".join(paragraphs).strip("\n").replace("\t", "    ").split("\n"):
        # A heading of a Markdown text stands out; nothing else of it is interpreted.
        heading = text.startswith("#")
        plain = text.lstrip("#").strip() if heading else text
        lines += [(Span(part, "strong" if heading else "text"),) for part in wrapped(plain, width)]
    if len(lines) > height > 1:
        left = len(lines) - height + 1
        lines = [*lines[: height - 1], (Span(f"{left} more lines; z shows them", "dim"),)]
    return tuple(lines)
