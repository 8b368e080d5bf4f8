"""The grid that panes stand in: places from `layout.place_panes`, one column of scrolling, and zoom."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from opsconsole.screens.definition import Kind
from opsconsole.ui.layout import place_panes

if TYPE_CHECKING:
    from opsconsole.screens.definition import Pane
    from opsconsole.ui.widgets.pane import PaneView


class _GridLayout(Layout):
    """Places panes as `place_panes` says, for the panes that are displayed."""

    name = "panes"

    def __init__(self, panes_of: Callable[[list[Widget]], Sequence["Pane"]], columns: int) -> None:
        self._panes_of = panes_of
        self._columns = columns
        self.heights: Mapping[str, int] = {}

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        parent.pre_layout(self)
        panes = self._panes_of(children)
        if len(children) == 1 and panes[0].kind is not Kind.SECTION:  # zoomed
            return [_placed(children[0], 0, 0, size.width, size.height)]
        places = place_panes(panes, self._columns, size.width, size.height, self.heights)
        return [
            _placed(child, place.x, place.y, place.width, place.height)
            for child, place in zip(children, places, strict=True)
        ]


def _placed(widget: Widget, x: int, y: int, width: int, height: int) -> WidgetPlacement:
    margin = widget.styles.margin
    return WidgetPlacement(
        Region(x, y, width, height), widget.styles.offset.resolve(Size(width, height), Size()), margin, widget
    )


class PaneGrid(Widget):
    """The panes of a screen. Tells `on_scrolled` when other panes may have come into view."""

    DEFAULT_CSS = """
    PaneGrid {
        width: 100%; height: 1fr; padding: 0 1; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, views: Sequence["PaneView"], columns: int, on_scrolled: Callable[[], None]) -> None:
        super().__init__(*views)
        self._views = tuple(views)
        self._on_scrolled = on_scrolled
        self._zoomed: PaneView | None = None
        self._folded = {view.pane.id for view in views if view.pane.folded}
        if self._folded:
            self._display()
        self._grid = _GridLayout(self._panes, columns)

    @property
    def layout(self) -> Layout:
        """Ours, rather than one that a style names."""
        return self._grid

    def _panes(self, children: list[Widget]) -> Sequence["Pane"]:
        by_widget: dict[Widget, Pane] = {view: view.pane for view in self._views}
        return [by_widget[child] for child in children]

    def visible_panes(self) -> list[str]:
        """The ids of the panes of which something is in view."""
        if not self.size:
            return [view.pane.id for view in self._views]
        window = Region(0, self.scroll_offset.y, self.size.width, self.size.height)
        return [view.pane.id for view in self._views if view.display and window.overlaps(view.virtual_region or window)]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling brings other panes into view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._on_scrolled()

    def set_heights(self, heights: Mapping[str, int]) -> None:
        """The heights, by id, of panes that know theirs."""
        if heights != self._grid.heights:
            self._grid.heights = dict(heights)
            # Textual keeps an arrangement until a child asks for another one.
            for view in self._views[:1]:
                view.refresh(repaint=False, layout=True)

    def zoom(self, zoomed: "PaneView | None") -> None:
        """Give one pane all the room, or everyone theirs again."""
        self._zoomed = zoomed
        self._display()
        self.scroll_home(animate=False)

    def fold(self, section: "PaneView") -> None:
        """Put the panes below a heading away, or bring them back."""
        self._folded ^= {section.pane.id}
        section.show_folded(section.pane.id in self._folded)
        self._display()

    def reveal(self, view: "PaneView") -> None:
        """Bring a pane back whose section puts it away."""
        before = self._views[: self._views.index(view)]
        section = next((one for one in reversed(before) if one.pane.kind is Kind.SECTION), None)
        if section is not None and section.pane.id in self._folded and view.pane.kind is not Kind.SECTION:
            self.fold(section)

    def _display(self) -> None:
        folded = False
        for view in self._views:
            heading = view.pane.kind is Kind.SECTION
            if heading:
                folded = view.pane.id in self._folded
            view.display = view is self._zoomed if self._zoomed is not None else heading or not folded

    def neighbour(self, view: "PaneView", across: int, down: int) -> "PaneView | None":
        """The nearest pane in a direction: one column (`across` -1 or 1) or row (`down`) away from `view`."""
        here = view.virtual_region
        candidates: list[tuple[int, int, PaneView]] = []
        for at, other in enumerate(self._views):
            there = other.virtual_region
            if other is view or not other.display:
                continue
            if across and min(here.bottom, there.bottom) > max(here.y, there.y):
                distance = (there.x - here.right) if across > 0 else (here.x - there.right)
            elif down and min(here.right, there.right) > max(here.x, there.x):
                distance = (there.y - here.bottom) if down > 0 else (here.y - there.bottom)
            else:
                continue
            if distance >= 0:
                candidates.append((distance, at, other))
        return min(candidates, key=lambda one: one[:2])[2] if candidates else None
