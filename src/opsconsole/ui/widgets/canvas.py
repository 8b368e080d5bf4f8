"""The widget that paints lines, and repaints only the cells that changed.

Textual writes a whole widget again for any change, which over SSH is what makes a console heavy. A canvas compares
what it is shown with what stands on the terminal and asks for the changed part of the changed rows only, each row
once (the compositor writes a row from its widget's left edge to the end of the range, so two ranges
in a row would write the first twice).
"""

from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from opsconsole.ui.lines import Line, Lines, as_ascii, changed_cells, cut, inert, width_of
from opsconsole.ui.theme import styles_of

Painter = Callable[[int, int], Lines]
"""From a width and a height in cells to what is to be seen."""


class Looks:
    """Roles as Rich styles for one widget: made once for each theme and base style, then looked up."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self.ascii_only = False
        """For a terminal that shows nothing else."""
        self._known: dict[str, Style] = {}
        self._made_for: tuple[str, Style] | None = None
        self._base = Style()

    def refreshed(self) -> bool:
        """Take the theme and the widget's own colours as they are now; True when they have changed."""
        now = (self._widget.app.theme, self._widget.visual_style.rich_style)
        if now == self._made_for:
            return False
        self._made_for = now
        self._base = _unsaid(now[1])
        self._known = {role: self._base + style for role, style in styles_of(now[0]).items()}
        return True

    def of(self, role: str) -> Style:
        """The style of `role`; the widget's own where the theme does not know it."""
        return self._known.get(role, self._base)

    def strip(self, spans: Line, width: int) -> Strip:
        """One line as a strip of exactly `width` cells."""
        segments: list[Segment] = []
        room = width
        for span in spans:
            text = as_ascii(inert(span.text)) if self.ascii_only else inert(span.text)
            size = width_of(text)
            if size > room:
                text = cut(text, room)
                size = width_of(text)
                room = size if size < room else room  # a wide character that did not fit leaves a blank
            if text:
                segments.append(Segment(text, self.of(span.role)))
            room -= size
            if room <= 0:
                break
        used = sum(width_of(segment.text) for segment in segments)
        if used < width:
            segments.append(Segment(" " * (width - used), self._base))
        return Strip(segments, width)


def _unsaid(style: Style) -> Style:
    """`style`, or nothing where it only spells out the terminal's own colours: 8 bytes less for each plain span."""
    default = all(colour is not None and colour.is_default for colour in (style.color, style.bgcolor))
    bare = style == Style(color=style.color, bgcolor=style.bgcolor)
    return Style() if default and bare else style


class Canvas(Widget):
    """Paints `Lines`.

    Either call `show` with what is to be seen, or give a `painter`, which is asked on mounting and on each
    change of size, and again at each `repaint()`. Never asks for a new layout: give it its height by CSS or
    `styles.height`.
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        painter: Painter | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - the name Textual gives it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._painter = painter
        self._lines: Lines = ()
        self._painted_for = Size()
        self._looks = Looks(self)

    def show_ascii_only(self) -> None:
        """The terminal shows nothing but ASCII: paint what is not as the nearest that is."""
        self._looks.ascii_only = True

    @property
    def lines(self) -> Lines:
        """What is painted, or will be with the next frame."""
        return self._lines

    def paint(self, width: int, height: int) -> Lines:
        """What is to be seen in `width` x `height` cells; for subclasses, by default what the painter says."""
        return self._painter(width, height) if self._painter is not None else self._lines

    def show(self, lines: Lines) -> int:
        """Paint `lines` from now on.

        Returns:
            How many rows have to be written to the terminal for that; 0 when nothing changed.
        """
        old, self._lines = self._lines, lines
        if old is lines or not self.is_mounted or not self.size:
            return 0
        width, height = self.size
        regions = changed_regions(old, lines, width, height)
        if regions:
            self.refresh(*regions)
        return len(regions)

    def repaint(self) -> int:
        """Ask the painter again and show what has changed; returns the number of rows written."""
        width, height = self.size
        if width <= 0 or height <= 0:
            return 0
        return self.show(self.paint(width, height))

    def render_line(self, y: int) -> Strip:
        """A full row, as the line API asks for it."""
        self._looks.refreshed()
        if self._painted_for != self.size:
            # Textual does not tell a widget of its first size when somebody asked where it is before it was laid out.
            self._paint_anew(*self.size)
        spans = self._lines[y] if y < len(self._lines) else ()
        return self._looks.strip(spans, self.size.width)

    def on_focus(self, event: events.Focus) -> None:
        """Take the focus, in place of Textual's own handler, which would have the whole widget written again."""
        self._focus_changed(event, events.DescendantFocus(self), focused=True)

    def on_blur(self, event: events.Blur) -> None:
        """Give the focus away; as above."""
        self._focus_changed(event, events.DescendantBlur(self), focused=False)

    def _focus_changed(self, event: events.Event, told: events.Event, *, focused: bool) -> None:
        event.prevent_default()
        self.has_focus = focused
        if self.parent is not None:
            self.parent.post_message(told)

    def on_resize(self, event: events.Resize) -> None:
        """A new size: what was painted is gone from the terminal anyway, so no comparison is needed."""
        self._paint_anew(*event.size)
        self.refresh()

    def _paint_anew(self, width: int, height: int) -> None:
        self._painted_for = Size(width, height)
        self._lines = self.paint(width, height)


def changed_regions(old: Lines, new: Lines, width: int, height: int) -> list[Region]:
    """One region for each row in view that looks different, from its first to its last changed cell."""
    regions: list[Region] = []
    for y in range(min(height, max(len(old), len(new)))):
        before = old[y] if y < len(old) else ()
        after = new[y] if y < len(new) else ()
        if before is after:
            continue
        cells = changed_cells(before, after)
        if cells is not None and cells[0] < width:
            start, end = cells[0], min(cells[1], width)
            regions.append(Region(start, y, end - start, 1))
    return regions
