"""The one Textual screen: header, tabs, a view, the key line, and a prompt when something is asked.

Views are swapped inside it rather than pushed as Textual screens, so that changing what one looks at writes the
view and nothing else.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import Reactive
from textual.screen import Screen as TextualScreen
from textual.widget import Widget

from opsconsole.core.clean import clean_line
from opsconsole.core.state import State
from opsconsole.ui import frame
from opsconsole.ui.actions import KeyAction, Place, Registry, key_name
from opsconsole.ui.commands import COMMANDS
from opsconsole.ui.dialogs.prompt import Ask, Choice, Prompt
from opsconsole.ui.lines import Line, Lines, Span, fit_line, line, spread
from opsconsole.ui.screens.view import View
from opsconsole.ui.widgets.canvas import Canvas

if TYPE_CHECKING:
    from opsconsole.ui.app import OpsConsole
    from opsconsole.ui.session import Session

CLOCK_PERIOD = 5
"""Seconds between two paintings of the clock: one a second would be most of what a quiet screen writes."""
_FLASH = 8
"""Seconds that a message stays in the key line."""
_FRESHNESS_WIDTH = 44


class Console(TextualScreen[None], inherit_bindings=False):
    """Frame and dispatch. What is asked of a view goes to its `do_ID`, else to the one here."""

    DEFAULT_CSS = """
    Console { layout: vertical; layers: default above; overflow: hidden; }
    #top { height: 1; layout: horizontal; }
    #header { width: 1fr; height: 1; }
    #clock { width: 14; height: 1; }
    #tabs, #rule { height: 1; width: 100%; }
    #body { height: 1fr; width: 100%; }
    #opening { width: 100%; height: 1fr; }
    #bottom { height: 1; layout: horizontal; }
    #hints { width: 1fr; height: 1; }
    #freshness { width: 44; height: 1; }
    """

    # Textual paints the whole screen again at every change of focus; the two panes paint themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, session: "Session", registry: Registry) -> None:
        super().__init__()
        self.session = session
        self.registry = registry
        self._views: list[View] = []
        self._counts: Mapping[State, int] = {}
        self._run = ""
        self.changed_at = -math.inf
        """Unix seconds of the last change that was made from here: lists that were read before it are old."""
        self._fresh = frame.Freshness()
        self._flash: tuple[str, str] | None = None
        self._flash_until = 0.0
        self._history: dict[str, list[str]] = {}
        self._ahead: list[KeyAction] = []
        """Keys for the view on screen, which has nothing in it yet."""
        self.header = Canvas(self._paint_header, id="header")
        self.clock = Canvas(lambda _w, _h: (frame.clock(self.session.clock()),), id="clock")
        self.tabs = Canvas(self._paint_tabs, id="tabs")
        self.rule = Canvas(self._paint_rule, id="rule")
        self.body = Container(id="body")
        self.hint_line = Canvas(self._paint_hints, id="hints")
        self.fresh_line = Canvas(self._paint_freshness, id="freshness")
        self.prompt = Prompt()
        self._opening = Canvas(self._paint_opening, id="opening")

    def compose(self) -> ComposeResult:
        with Container(id="top"):
            yield self.header
            yield self.clock
        yield self.tabs
        yield self.rule
        with self.body:
            yield self._opening
        with Container(id="bottom"):
            yield self.hint_line
            yield self.fresh_line
        yield self.prompt

    def when_painted(self, then: Callable[[], None]) -> None:
        """Call `then` when the frame is on the terminal, not only in its place."""
        painted = bool(self.header.lines)
        self.call_after_refresh(then if painted else lambda: self.when_painted(then))

    @property
    def console_app(self) -> "OpsConsole":
        """The application around it."""
        return cast("OpsConsole", self.app)

    # Views

    @property
    def view(self) -> View | None:
        """What is on screen."""
        return self._views[-1] if self._views else None

    @property
    def place(self) -> Place:
        """What kind of view is on screen."""
        return self.view.place if self.view is not None else Place.DASHBOARD

    @property
    def views(self) -> tuple[View, ...]:
        """The way here, the view on screen last."""
        return tuple(self._views)

    def open_view(self, view: View, *, root: bool = False) -> None:
        """Put `view` on screen: on top of the present one or, as a `root`, in the place of all."""
        self._opening.display = False
        leaving = self.view
        if leaving is not None:
            # Before the first view a question is about none: what was begun while the console started is typed on.
            self.prompt.cancel()
        if leaving is view:
            return
        if leaving is not None:
            self._ahead.clear()
            self._clear_flash()  # it was about what is left; keys of the new view stand there
            self._hide(leaving)
        if root:
            for other in self._views:
                if other is not view:
                    self._retire(other)
            self._views = []
        self._views.append(view)
        if view.is_attached:
            view.display = True
            self.arrived(view)
        else:
            self.body.mount(view)
        self.refresh_frame()

    def close_view(self) -> bool:
        """Back to the view before this one; False where there is none."""
        if len(self._views) < 2:
            return False
        self.prompt.cancel()
        self._ahead.clear()
        closing = self._views.pop()
        self._hide(closing)
        self._retire(closing)
        view = self._views[-1]
        view.display = True
        self.arrived(view)
        self.refresh_frame()
        return True

    def drop_views(self) -> None:
        """Take every view down, kept ones too: what they show is about to be of another environment."""
        self.prompt.cancel()
        for view in {*self._views, *self.session_views.values(), *self.console_app.kept_runs}:
            view.left()
            view.closed()
            if view.is_attached:
                view.remove()
        self._views = []
        self.session_views.clear()

    def arrived(self, view: View) -> None:
        """`view` is mounted and painted, and is to begin unless something else is on screen by now."""
        if view is self.view and view.composed:
            view.entered()
            self.refresh_frame()
            ahead, self._ahead = self._ahead, []
            for action in ahead:
                self.perform(action)

    def _hide(self, view: View) -> None:
        view.left()
        self.set_focus(None)
        view.display = False

    def _retire(self, view: View) -> None:
        if self.session_views.get(view.title) is view:
            return  # a root view stays mounted, out of sight: coming back to it costs nothing
        if view.kept:
            self.console_app.keep(view)
            return
        view.closed()
        if view.is_attached:
            view.remove()

    @property
    def session_views(self) -> dict[str, View]:
        """The root views that were opened, by title."""
        return self.console_app.roots

    # Keys

    async def on_key(self, event: events.Key) -> None:
        """Every key comes here first: to the prompt, to a view that is being typed into, or through the registry."""
        if self.prompt.asking:
            self.prompt.press(event)
            event.stop()
            event.prevent_default()
            return
        view = self.view
        if view is not None and view.take_key(event):
            event.stop()
            event.prevent_default()
            return
        action = self.registry.find(key_name(event.key, event.character), self.place)
        if action is not None:
            event.stop()
            event.prevent_default()
            self.perform(action)

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text goes where something is being typed, and nowhere else."""
        event.stop()
        if self.prompt.asking:
            self.prompt.paste(event.text)
        elif self.view is not None:
            self.view.take_paste(event.text)

    def perform(self, action: KeyAction) -> None:
        """Carry an action out: by the view, else by the console."""
        self._clear_flash()
        name = "do_" + action.id.replace("-", "_")
        view = self.view
        early = not self.body.is_attached if view is None else not view.composed and hasattr(view, name)
        if early:
            # Typed ahead, to a view that was opened just now, or to the first: it is meant for what will be there. It
            # must not be tried again and again meanwhile: that would leave no turn for the view to get there.
            self._ahead.append(action)
            return
        handler = getattr(view, name, None) or getattr(self, name, None)
        if handler is None and action.id.startswith("screen-"):
            self.console_app.open_numbered(action.id.removeprefix("screen-"))
            return
        if handler is None:
            self.tell(f"{action.title}: not possible here")
            return
        try:
            outcome = handler()
        except Exception as error:
            # One key that fails must not take away the other ones, least of all when something is on fire.
            self.console_app.report(error)
            return
        if asyncio.iscoroutine(outcome):
            self.run_worker(self._carried_out(outcome), group=f"action:{action.id}")

    async def _carried_out(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.console_app.report(error)

    # Asking and telling

    def ask(self, ask: Ask) -> None:
        """Put a question at the bottom of the screen."""
        self.prompt.ask(ask)

    def history(self, kind: str) -> list[str]:
        """Earlier answers to questions of one kind, of this session."""
        return self._history.setdefault(kind, [])

    def tell(self, text: str, role: str = "text") -> None:
        """Say something in the key line for some seconds, or until the next key."""
        self._flash = (clean_line(text, limit=400), role)
        self._flash_until = self.session.clock() + _FLASH
        self.hint_line.repaint()

    def _clear_flash(self) -> None:
        if self._flash is not None:
            self._flash = None
            self.hint_line.repaint()

    # What every view can do

    def do_back(self) -> None:
        """The view before this one."""
        self.close_view()

    def do_back_to_run(self) -> None:
        """The run that goes on."""
        view = self.console_app.unfinished()
        if view is None:
            self.tell("no run is going on")
        else:
            self.open_view(view)

    def do_help(self) -> None:
        """The keys of the view on screen."""
        from opsconsole.ui.screens.text import TextView, help_page

        if self.place is Place.HELP:
            self.close_view()
            return
        title = f"Keys: {self.view.title}" if self.view is not None else "Keys"
        self.open_view(TextView(title, help_page(self.registry, self.place, COMMANDS)))

    def do_command(self) -> None:
        """The `:` line."""
        self.console_app.commander.ask()

    def do_palette(self) -> None:
        """Everything that can be done here, by name."""
        from opsconsole.ui.commands import ranking

        actions = {action.id: action for action in self.registry.at(self.place) if action.id != "palette"}
        named = [(action.id, action.title) for action in actions.values()]

        def choices(text: str) -> list[Choice]:
            return [Choice(name, actions[name].title, self.registry.key(name)) for name in ranking(text, named)]

        def accept(name: str) -> str | None:
            if name not in actions:
                return f"nothing is called {name!r} here"
            self.call_next(self.perform, actions[name])
            return None

        self.ask(Ask("do", accept, choices, picks=True, hint="enter do it   esc back"))

    def do_note(self) -> None:
        """A note to the timeline."""
        self.console_app.commander.ask_note()

    def do_quit(self) -> None:
        """Leave the program."""
        self.console_app.leave()

    def do_next_theme(self) -> None:
        """The theme after this one."""
        self.console_app.next_theme()

    # Painting

    def show_counts(self, counts: Mapping[State, int]) -> None:
        """How many checks are in which state, for the header."""
        if counts != self._counts:
            self._counts = dict(counts)
            self.header.repaint()

    def show_run(self, text: str) -> None:
        """Which run goes on, for the header."""
        if text != self._run:
            self._run = text
            self.header.repaint()

    @property
    def sources_shown(self) -> tuple[int, int]:
        """(answering, asked), as the key line says."""
        return self._fresh.answering, self._fresh.sources

    def show_freshness(self, fresh: frame.Freshness) -> None:
        """What can be believed, and what looking costs."""
        if fresh != self._fresh:
            self._fresh = fresh
            self.fresh_line.repaint()

    def refresh_frame(self) -> None:
        """The lines that depend on the view on screen."""
        self.fresh_line.display = self.place in (Place.DASHBOARD, Place.RUNBOOKS)
        self.header.repaint()
        self.tabs.repaint()
        self.hint_line.repaint()

    def tick(self) -> None:
        """A second has passed."""
        now = self.session.clock()
        if int(now) % CLOCK_PERIOD == 0:
            self.clock.repaint()
        if self._flash is not None and now > self._flash_until:
            self._clear_flash()
        if self.view is not None:
            self.view.tick(now)

    def _paint_header(self, width: int, _height: int) -> Lines:
        return (frame.header(self.session.identity, self._counts, width, self._run),)

    def _paint_tabs(self, width: int, _height: int) -> Lines:
        crumbs = [clean_line(view.title) for view in self._views[1:]]
        if not self.session.loaded:
            return (fit_line((), width),)
        root = self._views[0].title if self._views else ""
        right = clean_line(self.view.subtitle()) if self.view is not None else ""
        going = self.console_app.unfinished()
        if going is not None and going not in self._views:
            right = f"{right}   {self.registry.key('back-to-run')} back to {clean_line(going.title, limit=30)}".strip()
        line_ = frame.tabs(
            self.console_app.numbered_titles(), root, line(Span(right, "dim"), " ") if right else (), width
        )
        return (fit_line(_with_crumbs(line_, crumbs, right, width), width),)

    def _paint_opening(self, width: int, height: int) -> Lines:
        """What stands there before anything is read."""
        return (line(Span(" connecting…", "dim")),)

    def _paint_rule(self, width: int, _height: int) -> Lines:
        return (line(Span(self.session.glyphs.horizontal * width, "faint")),)

    def _paint_hints(self, width: int, _height: int) -> Lines:
        if self._flash is not None:
            text, role = self._flash
            return (fit_line(line(Span(f" {text}", role)), width),)
        if self.view is None:
            return (fit_line((), width),)
        keys = {action: (self.registry.key(action), word) for action, word in self.view.hints()}
        return (frame.hints([pair for pair in keys.values() if pair[0]], width, keys.get("help")),)

    def _paint_freshness(self, width: int, _height: int) -> Lines:
        return (frame.freshness(self._fresh, width),)

    def on_resize(self, event: events.Resize) -> None:
        """On a narrow terminal the key line needs the room more."""
        self.fresh_line.styles.width = _FRESHNESS_WIDTH if event.size.width >= 110 else 18


def _with_crumbs(tabs: Line, crumbs: list[str], right: str, width: int) -> Line:
    """Where views lie on top of a screen, the way there instead of the other screens' names."""
    if not crumbs:
        return tabs
    here = [span for span in tabs if span.role == "title-focus"]
    spans: list[Span] = [Span(" "), *here]
    for crumb in crumbs[:-1]:
        spans += [Span(" › ", "dim"), Span(crumb, "dim")]
    spans += [Span(" › ", "dim"), Span(crumbs[-1], "title")]
    return spread(line(*spans), line(Span(right, "dim"), " ") if right else (), width)
