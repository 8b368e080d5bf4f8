"""The two panes of the overview as widgets: they move, filter and hold their order like every other pane."""

import time
from collections.abc import Callable, Mapping, Sequence

from opsconsole.screens.definition import Pane
from opsconsole.screens.overview import ATTENTION_VIEW, AreaState, AttentionRow, Overview
from opsconsole.ui.glyphs import UNICODE, Glyphs
from opsconsole.ui.lines import Lines
from opsconsole.ui.panes.looking import Item
from opsconsole.ui.panes.overview import area_items, attention_items, render_areas, render_attention
from opsconsole.ui.widgets.pane import PaneView


class OverviewPane(PaneView):
    """A pane with the view `overview.attention` or `overview.areas`."""

    def __init__(
        self,
        pane: Pane,
        *,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.time,
        titles: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        id: str | None = None,  # noqa: A002 - the name Textual gives it
        classes: str | None = None,
    ) -> None:
        """`titles` are the titles of runbooks, by id, for the next step of each line; `keys` the keys of screens, by
        id."""
        super().__init__(pane, glyphs=glyphs, clock=clock, id=id, classes=classes)
        self.titles: Mapping[str, str] = titles or {}
        self._keys: Mapping[str, str] = keys or {}
        self._overview = Overview()

    def show_overview(self, overview: Overview) -> int:
        """Show the overview as it is now; returns how many lines have to be written to the terminal."""
        self._overview = overview
        self._arrange()
        return self.repaint()

    @property
    def attention(self) -> AttentionRow | None:
        """The line under the cursor of what needs attention; the worst where there is no cursor."""
        subject = self._subject
        return subject if isinstance(subject, AttentionRow) else None

    @property
    def area(self) -> AreaState | None:
        """The area under the cursor."""
        subject = self._subject
        return subject if isinstance(subject, AreaState) else None

    @property
    def _subject(self) -> object:
        item = self.selected_item
        return item.subject if item is not None else None

    @property
    def selectable(self) -> bool:
        """Both have a cursor."""
        return True

    def find_items(self) -> Sequence[Item]:
        """Lines of attention, or areas."""
        return attention_items(self._overview) if self.pane.view == ATTENTION_VIEW else area_items(self._overview)

    def paint(self, width: int, height: int) -> Lines:
        """The pane as it stands."""
        now, looking = self._clock(), self._looking()
        if self.pane.view == ATTENTION_VIEW:
            return render_attention(self._overview, width, height, self._glyphs, now, looking, self.titles)
        return render_areas(self._overview, width, height, self._glyphs, now, looking, self._keys)
