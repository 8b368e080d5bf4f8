"""A screen of panes, as its file describes it: what `1` to `8` show."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult

from opsconsole.core.clean import clean_line
from opsconsole.screens.definition import Kind, Pane, Screen
from opsconsole.screens.overview import AREAS_VIEW, ATTENTION_VIEW, Overview
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.views import page_of
from opsconsole.ui.actions import Place
from opsconsole.ui.feed import ScreenFeed
from opsconsole.ui.lines import Lines, Span, fit_line, line
from opsconsole.ui.pane_grid import PaneGrid
from opsconsole.ui.screens import choosing, leading
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.canvas import Canvas
from opsconsole.ui.widgets.guarded_pane import GuardedOverviewPane, GuardedPane
from opsconsole.ui.widgets.overview import OverviewPane
from opsconsole.ui.widgets.pane import PaneView

if TYPE_CHECKING:
    from opsconsole.screens.evaluation import PaneState
    from opsconsole.ui.widgets.page_pane import PagePane

AGE_PERIOD = 5
"""Seconds between two looks at what has become stale meanwhile, and at the ages that are shown."""
_ATTENTION_STEP = 4


class DashboardView(View):
    """The panes of one screen."""

    place: ClassVar[Place] = Place.DASHBOARD

    DEFAULT_CSS = """
    DashboardView { layout: vertical; }
    DashboardView .variables { height: 1; width: 100%; }
    """

    def __init__(
        self, definition: Screen, preset: Mapping[str, Sequence[str]] | None = None, first_pane: str = ""
    ) -> None:
        """`preset` sets variables from the start, as a drill-down does; `first_pane` is where the eye begins."""
        super().__init__()
        self.definition = definition
        self.title = clean_line(definition.title)
        self._preset = dict(preset or {})
        self._first_pane = first_pane
        self._feed: ScreenFeed | None = None
        self._states: dict[str, PaneState] = {}
        self._filter = ""
        self._zoomed: PaneView | None = None
        self._last_focus: PaneView | None = None
        self._variables = Canvas(self._paint_variables, classes="variables")
        self._views: dict[str, PaneView] = {}
        self._readers: list[PagePane] = []

    def compose(self) -> ComposeResult:
        self._feed = ScreenFeed(self.console.console_app.opened.feed, self.definition, self._show)
        for name, values in self._preset.items():
            self._feed.choose(name, values)
        self._views = {pane.id: self._made(pane) for pane in self.definition.panes}
        self._show(self._feed.states())
        if self.definition.variables:
            yield self._variables
        yield PaneGrid(tuple(self._views.values()), self.definition.columns, self._scrolled)

    def _made(self, pane: Pane) -> PaneView:
        session, app = self.console.session, self.console.console_app
        if pane.view in (ATTENTION_VIEW, AREAS_VIEW) and not pane.broken:
            titles, keys = app.opened.titles(), app.screen_keys()
            view = GuardedOverviewPane(pane, glyphs=session.glyphs, clock=session.clock, titles=titles, keys=keys)
            view.show_overview(app.opened.watchkeeper.latest)
            return view
        if page_of(pane.view) is not None and not pane.broken:
            from opsconsole.ui.screens.page_panes import page_pane

            page = page_pane(self.console, pane)
            self._readers.append(page)
            return page
        link = pane.runbook.id if pane.runbook is not None else ""
        title = app.opened.titles().get(link) or link.replace("-", " ")
        return GuardedPane(pane, glyphs=session.glyphs, clock=session.clock, runbook=title)

    def show_overview(self, overview: Overview) -> None:
        """The checks of all screens have been judged again."""
        for view in self._views.values():
            if isinstance(view, OverviewPane):
                view.titles = self.console.console_app.opened.titles()
                view.show_overview(overview)
        self._fit_overview(overview)

    def _fit_overview(self, overview: Overview) -> None:
        """Room for what needs attention, in steps: the areas below do not move with every check that comes and goes."""
        heights = {}
        for pane in self.definition.panes:
            if pane.view == ATTENTION_VIEW:
                heights[pane.id] = 1 + max(
                    _ATTENTION_STEP, -(-len(overview.attention) // _ATTENTION_STEP) * _ATTENTION_STEP
                )
            elif pane.view == AREAS_VIEW:
                heights[pane.id] = 1 + max(1, len(overview.areas))
        if heights and self.is_mounted:
            room = self.grid.size.height - sum(heights.values())
            for pane in self.definition.panes:
                if pane.view == ATTENTION_VIEW and room < 1 and self.grid.size.height:
                    heights[pane.id] = max(4, heights[pane.id] + room - 1)
            self.grid.set_heights(heights)

    @property
    def feed(self) -> ScreenFeed:
        """What it shows, kept up to date."""
        assert self._feed is not None, "a view has its feed from its composition on"
        return self._feed

    @property
    def grid(self) -> PaneGrid:
        """Where the panes stand."""
        return self.query_one(PaneGrid)

    # Coming and going

    def entered(self) -> None:
        """Read what is in view."""
        self.feed.start(self.grid.visible_panes())
        self._watch_pages()
        if self._last_focus is None and self._views:
            self._last_focus = self._views.get(self._first_pane) or next(iter(self._views.values()))
        if self._last_focus is not None:
            self.grid.reveal(self._last_focus)
            self.console.set_focus(self._last_focus)
        self._show(self.feed.states())

    def left(self) -> None:
        """Read no more."""
        if self._feed is not None:
            self._feed.stop()
        for view in self._readers:
            view.watch_page(False)

    def on_resize(self, _event: events.Resize) -> None:
        """Another size shows other panes."""
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self._fit_overview(self.console.console_app.opened.watchkeeper.latest)
        self._scrolled()

    def _scrolled(self) -> None:
        if self._feed is not None and self._feed.running:
            self._feed.set_visible(self.grid.visible_panes())
            self._watch_pages()

    def _watch_pages(self) -> None:
        if self._readers:
            visible = self.grid.visible_panes()
            for view in self._readers:
                view.watch_page(view.pane.id in visible)

    def _show(self, states: Mapping[str, "PaneState"]) -> None:
        self._states.update(states)
        time = self.feed.time
        for pane_id, state in states.items():
            self._views[pane_id].show_state(state, window=time.window if time.chosen else None, end=time.end)
        if self._variables.is_mounted:  # one that nobody chose may have taken its first option
            self._variables.repaint()

    def tick(self, now: float) -> None:
        """Values age also when nobody reads them."""
        if int(now) % AGE_PERIOD == 0 and self._feed is not None and self._feed.running:
            self._show(self._feed.states())
        for view in self._readers:
            if view.reading.trouble(now) is not None:
                view.tick()

    # What is selected

    @property
    def pane(self) -> PaneView | None:
        """The pane that keys are about."""
        focused = self.console.focused
        if isinstance(focused, PaneView) and focused in self._views.values():
            self._last_focus = focused
        return self._last_focus

    def state_of(self, pane_id: str) -> "PaneState":
        """What a pane shows."""
        return self._states[pane_id]

    @property
    def filter(self) -> str:
        """What is filtered for; empty for nothing."""
        return self._filter

    def labels(self) -> Mapping[str, str]:
        """The labels of what is selected in the present pane."""
        pane = self.pane
        return pane.selected_labels if pane is not None else {}

    # Moving

    def do_next_pane(self) -> None:
        self._focus_by(1)

    def do_previous_pane(self) -> None:
        self._focus_by(-1)

    def _focus_by(self, step: int) -> None:
        views = [view for view in self._views.values() if view.display]
        if not views or self._zoomed is not None:
            return
        at = views.index(self.pane) if self.pane in views else -1
        self._focus(views[(at + step) % len(views)])

    def _focus(self, view: PaneView) -> None:
        self._last_focus = view
        self.console.set_focus(view)
        self.grid.scroll_to_widget(view, animate=False)
        self.console.refresh_frame()

    def do_up(self) -> None:
        if self.pane is not None and not self.pane.move(-1):
            self._neighbour(0, -1)

    def do_down(self) -> None:
        if self.pane is not None and not self.pane.move(1):
            self._neighbour(0, 1)

    def do_left(self) -> None:
        if self.pane is not None and not self.pane.sideways(-1):
            self._neighbour(-1, 0)

    def do_right(self) -> None:
        if self.pane is not None and not self.pane.sideways(1):
            self._neighbour(1, 0)

    def _neighbour(self, across: int, down: int) -> None:
        """To the pane beside the present one, where there is one."""
        if self._zoomed is None and self.pane is not None:
            found = self.grid.neighbour(self.pane, across, down)
            if found is not None:
                self._focus(found)

    def do_page_up(self) -> None:
        if self.pane is None or not self.pane.page(-1):
            self._scroll("page", -1)

    def do_page_down(self) -> None:
        if self.pane is None or not self.pane.page(1):
            self._scroll("page", 1)

    def do_top(self) -> None:
        if self.pane is None or not self.pane.to_top():
            self._scroll("top")

    def do_bottom(self) -> None:
        if self.pane is None or not self.pane.to_bottom():
            self._scroll("bottom")

    def _scroll(self, how: str, pages: int = 0) -> None:
        match how:
            case "top":
                self.grid.scroll_home(animate=False)
            case "bottom":
                self.grid.scroll_end(animate=False)
            case _:
                self.grid.scroll_relative(y=pages * max(1, self.grid.size.height - 2), animate=False)

    def fold(self, section: PaneView) -> None:
        """Put the panes below a heading away, or bring them back and read them."""
        self.grid.fold(section)
        self.call_after_refresh(self._scrolled)

    def do_zoom(self) -> None:
        """One pane as the screen, and back."""
        if self._zoomed is None and self.pane is not None and self.pane.pane.kind is Kind.SECTION:
            self.fold(self.pane)
            return
        self._zoomed = None if self._zoomed is not None else self.pane
        self.grid.zoom(self._zoomed)
        self.call_after_refresh(self._scrolled)

    def do_back(self) -> None:
        """Out of what one is in: a selection, a zoom, a filter, then the screen."""
        pane = self.pane
        if pane is not None and pane.release():
            return
        if self._zoomed is not None:
            self.do_zoom()
        elif self._filter:
            self.set_filter("")
        elif self.feed.time.chosen:
            self.set_range(TimeRange(self.definition.window))
        else:
            self.console.do_back()

    # Opening

    def do_open(self) -> None:
        """Where the selected item leads: another screen, or the pane in full."""
        leading.open_selected(self)

    def on_pane_view_selected(self, event: PaneView.Selected) -> None:
        """A click on the line that is selected already."""
        event.stop()
        self._last_focus = event.view
        self.do_open()

    def open_screen(self, screen: str, variables: Mapping[str, str], pane: str = "") -> None:
        """Go to another screen, some of its variables set, to one of its panes; `esc` comes back here."""
        target = next((one for one in self.console.session.screens if one.id == screen), None)
        if target is None:
            self.console.tell(f"this leads to a screen {screen!r}, which is not there", "warn")
        elif target.id == self.definition.id:
            self.do_zoom()
        else:
            preset = {name: [value] for name, value in variables.items()}
            self.console.open_view(DashboardView(target, preset, first_pane=pane))

    def do_runbook(self) -> None:
        """The runbook for what is selected, its parameters filled from the labels."""
        leading.open_runbook(self)

    def do_workbench(self) -> None:
        """The workbench of the database that the pane asks, of the first one where it asks none."""
        leading.open_workbench(self)

    def do_last_error(self) -> None:
        """Why this pane has no fresh value, in full."""
        leading.open_last_error(self)

    def do_copy(self) -> None:
        """The text of the pane to the clipboard of the terminal, or to a file where it is too long for that."""
        leading.copy_pane(self)

    # Reading

    def do_refresh(self) -> None:
        """Read everything in view now."""
        self.feed.refresh()
        for view in self._readers:
            view.ask_again()

    def do_pause(self) -> None:
        """Stand still, and go on."""
        self.console.console_app.toggle_pause()

    def do_filter(self) -> None:
        """Show only what matches, while it is typed."""
        choosing.ask_filter(self)

    def set_filter(self, text: str) -> None:
        """Show only the items that match `text`, in every pane that has items.

        Raises:
            ValueError: an invalid regular expression.
        """
        for view in self._views.values():
            view.set_filter(text)
        self._filter = text.strip()
        self.console.refresh_frame()

    # Time

    def set_range(self, time: TimeRange) -> None:
        """Show another time range in all panes."""
        self.feed.set_time(time)
        self.console.refresh_frame()

    def do_time_range(self) -> None:
        """Choose a range from the list, or type one."""
        choosing.ask_time_range(self)

    def do_earlier(self) -> None:
        self.set_range(self.feed.time.panned(-1, self.console.session.clock()))

    def do_later(self) -> None:
        self.set_range(self.feed.time.panned(1, self.console.session.clock()))

    def do_closer(self) -> None:
        self.set_range(self.feed.time.zoomed(-1))

    def do_wider(self) -> None:
        self.set_range(self.feed.time.zoomed(1))

    # Variables

    def options(self, name: str) -> tuple[str, ...]:
        """What a variable can be set to."""
        return ("all", *self.feed.options(name))

    def set_variable(self, name: str, values: Sequence[str]) -> None:
        """Set a variable of this screen."""
        self.feed.choose(name, values)
        self._variables.repaint()

    def do_variable(self) -> None:
        """Choose a variable, then its value."""
        choosing.ask_variable(self)

    def _paint_variables(self, width: int, _height: int) -> Lines:
        spans: list[Span] = [Span(" ")]
        for variable in self.definition.variables:
            selection = self.feed.selections[variable.name]
            value = "all" if selection.everything else ", ".join(selection.values) or "none"
            spans += [
                Span(f"{clean_line(variable.title or variable.name)} ", "dim"),
                Span(clean_line(value)),
                Span("   "),
            ]
        spans.append(Span("v changes", "faint"))
        return (fit_line(line(*spans), width),)

    def subtitle(self) -> str:
        """The range, where it is not the screen's own, and what is filtered."""
        if self._feed is None:
            return ""
        parts = [f"filter {self._filter}"] if self._filter else []
        if self._feed.time.chosen:
            parts.append(self._feed.time.text())
        return "   ".join(parts)
