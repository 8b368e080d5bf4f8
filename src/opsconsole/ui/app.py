"""The application: it puts a session on the terminal, and sees to it that it can leave it again."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Coroutine, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import events
from textual.app import App
from textual.filter import Monochrome
from textual.notifications import SeverityLevel
from textual.screen import Screen as TextualScreen

from opsconsole.core.clean import clean, clean_line
from opsconsole.core.exit_codes import Exit
from opsconsole.core.secret import mask
from opsconsole.ui.actions import SCREEN_KEYS, Registry
from opsconsole.ui.console import Console
from opsconsole.ui.departure import Departure
from opsconsole.ui.driver import ConsoleDriver
from opsconsole.ui.garbage import GarbageRounds
from opsconsole.ui.screens.view import View
from opsconsole.ui.session import Session
from opsconsole.ui.theme import THEMES, textual_themes, theme_for

if TYPE_CHECKING:
    from opsconsole.runbooks.history import RunSummary
    from opsconsole.runbooks.library import Library
    from opsconsole.runbooks.model import Runbook
    from opsconsole.screens.definition import Screen
    from opsconsole.screens.overview import Overview
    from opsconsole.ui.commander import Commander
    from opsconsole.ui.opened import Opened

RUNBOOKS_KEY = "9"
RUNBOOKS_TITLE = "Runbooks"
AGE_PERIOD = 5
"""Seconds between two looks at what has become stale meanwhile."""
FRESHNESS_PERIOD = 10
"""Seconds between two looks at what the console costs."""
_CLOSING = 1.0
"""Seconds that runs and sources get to end by themselves; what hangs is left behind."""


class OpsConsole(App[int], inherit_bindings=False):
    """The console on one session."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    CLOSE_TIMEOUT = 0.5
    TITLE = "opsconsole"

    def __init__(self, session: Session, departure: Departure | None = None) -> None:
        super().__init__(driver_class=ConsoleDriver)
        self.session = session
        self.registry = Registry(session.keys)
        self.roots: dict[str, View] = {}
        """Root views by title, mounted and kept."""
        self._opened: Opened | None = None
        self.kept_runs: list[View] = []
        self._last_things: set[asyncio.Task[None]] = set()
        self._departure = departure
        self._commander: Commander | None = None
        self.garbage = GarbageRounds()
        for theme in textual_themes():
            self.register_theme(theme)
        self.theme = theme_for(session.theme, os.environ)
        # For NO_COLOR the theme has no colours; Textual's own filter would paint the terminal's background black.
        self._filters = [one for one in self._filters if not isinstance(one, Monochrome)]
        self.animation_level = "none"

    def get_default_screen(self) -> TextualScreen[Any]:
        """The console itself; made here because Textual asks for it before anything is mounted."""
        return Console(self.session, self.registry)

    @property
    def console_screen(self) -> Console:
        """The one screen."""
        screen = self.screen_stack[0]
        assert isinstance(screen, Console)
        return screen

    @property
    def commander(self) -> "Commander":
        """Carries out the `:` line; made at its first use."""
        if self._commander is None:
            from opsconsole.ui.commander import Commander

            self._commander = Commander(self)
        return self._commander

    # Life

    def on_mount(self) -> None:
        """Paint first; everything that takes time comes after."""
        asyncio.get_running_loop().set_exception_handler(self._loop_error)
        if self._departure is not None:
            loop = asyncio.get_running_loop()

            def leave() -> None:
                loop.call_soon_threadsafe(self._end_by_signal)

            self._departure.on_leave(leave)
        self.set_interval(1.0, self._tick)

    def on_ready(self) -> None:
        """Everything is in its place. Once it is painted, too, comes what takes time, values first."""
        self.console_screen.when_painted(self._open)

    def _open(self) -> None:
        self._tell_problems()
        if self.console_screen.view is None:  # a key pressed before has gone somewhere already
            self.console_screen.open_view(self.first_view(), root=True)
        self.call_after_refresh(self._start_watching)

    def _start_watching(self) -> None:
        self.opened.watchkeeper.start()
        self.run_worker(self.opened.read_library(), group="library", exit_on_error=False)
        self.workers.cancel_group(self, "keep")
        if self.session.keep is not None:
            self.run_worker(self.session.keep(self._tell_kept), group="keep", exit_on_error=False)

    def _tell_kept(self, text: str, failed: bool) -> None:
        if self.screen_stack:
            self.console_screen.tell(text, "error" if failed else "text")

    @property
    def opened(self) -> "Opened":
        """What is open of the session; made at its first use, after the first paint."""
        if self._opened is None:
            from opsconsole.ui.opened import Opened

            self._opened = Opened(self.session, self._show_overview)
        return self._opened

    @property
    def library(self) -> "Library":
        """The runbooks of this environment."""
        return self.opened.library

    async def on_event(self, event: events.Event) -> None:
        """Everything that the operator does comes by here first."""
        if isinstance(event, events.InputEvent):
            self.garbage.typed()
        await super().on_event(event)

    def on_unmount(self) -> None:
        """However it ends: nothing is asked or painted any more."""
        if self._opened is not None:
            self._opened.watchkeeper.stop()

    def _show_overview(self, overview: "Overview") -> None:
        if not self.screen_stack:
            return  # the end has come meanwhile
        self.console_screen.show_counts(overview.counts)
        for view in self.roots.values():
            view.show_overview(overview)

    def _tick(self) -> None:
        if not self.screen_stack:
            return  # the end has come meanwhile
        self.garbage.tick()
        self.console_screen.tick()
        if self._opened is None:
            return
        second = int(self.session.clock())
        if second % AGE_PERIOD == 0:
            self._opened.watchkeeper.judge()
            self.run_worker(self._look_for_runs(), group="runs", exclusive=True, exit_on_error=False)
        if second % FRESHNESS_PERIOD == 0 or self.console_screen.sources_shown != self._opened.feed.sources():
            self.show_freshness()

    async def _look_for_runs(self) -> None:
        """Say in the header which run goes on, this console's or anybody's."""
        runs = await asyncio.to_thread(self.session.live_runs)
        self.console_screen.show_run(run_in_words(runs))

    def first_screen(self) -> "Screen | None":
        """The screen that the session asks for, or the first there is."""
        screens = self.session.screens
        wanted = next((screen for screen in screens if screen.id == self.session.first_screen), None)
        return wanted or next(iter(screens), None)

    def first_view(self) -> View:
        """The view to begin with; not mounted yet."""
        screen = self.first_screen()
        title = screen.title if screen is not None else RUNBOOKS_TITLE
        view = self.roots[title] = self._make_root(title)
        return view

    def _tell_problems(self) -> None:
        problems = self.registry.problems
        if problems:
            self.console_screen.tell(f"keys: {problems[0].action}: {problems[0].message}", "warn")
        elif self.session.problems:
            count = len(self.session.problems)
            self.console_screen.tell(f"{count} problems in content; opsconsole check lists them", "warn")

    def _end_by_signal(self) -> None:
        self.leave(Exit.DONE if self._departure is None else self._departure.exit_code, ask=False)

    def leave(self, code: int = 0, *, ask: bool = True) -> None:
        """End the program; where a run is going, only after asking."""
        if ask and (going := self.going_run()) is not None:
            from opsconsole.ui.dialogs.confirm import confirm

            question = f"{going} is running. It goes on without the console, and is recorded. Leave?"
            confirm(self.console_screen, question, lambda: self.leave(code, ask=False))
            return
        self.run_worker(self._leaving(code), exclusive=True, group="leaving")

    async def _leaving(self, code: int) -> None:
        """Conclude what runs, let go of the sources, and go; whoever does not answer is not waited for."""
        if self._departure is not None:
            self._departure.promise(code)
        for view in self._all_views():
            view.left()
        closing = self._opened.close() if self._opened is not None else self.session.close()
        await self._bounded(closing, *(view.conclude() for view in self._all_views()), *self._last_things)
        self.exit(code, return_code=code)

    def _all_views(self) -> set[View]:
        return {*self.roots.values(), *self.console_screen.views, *self.kept_runs}

    async def _bounded(self, *work: Awaitable[None]) -> None:
        if not work:
            return
        tasks = [asyncio.ensure_future(one) for one in work]
        _, hanging = await asyncio.wait(tasks, timeout=_CLOSING)
        for task in hanging:
            task.cancel()

    @property
    def hung_up(self) -> bool:
        """Whether the program ends because of a signal or a lost terminal: nobody said that he leaves."""
        return self._departure is not None and bool(self._departure.signal)

    def see_off(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the last thing there is to do for a view that is gone by then."""
        task = asyncio.ensure_future(work)
        self._last_things.add(task)
        task.add_done_callback(self._last_things.discard)

    def going_run(self) -> str | None:
        """The title of a run with a step under way, if there is one."""
        return next((busy for view in self._all_views() if (busy := view.busy())), None)

    # Runs

    def keep(self, view: View) -> None:
        """A run goes on while something else is looked at."""
        if view not in self.kept_runs:
            self.kept_runs.append(view)

    def unfinished(self, book: "Runbook | None" = None) -> View | None:
        """The view of a run that is not over: of `book`, or the latest one."""
        self.kept_runs = [view for view in self.kept_runs if view.kept]
        return next((view for view in reversed(self.kept_runs) if book is None or view.matches(book)), None)

    # Screens

    def numbered_titles(self) -> list[tuple[str, str]]:
        """(key, title) of every tab."""
        titles = [screen.title for screen in self.session.screens]
        numbered = list(zip(SCREEN_KEYS, titles[: len(SCREEN_KEYS) - 1], strict=False))
        return [*numbered, (RUNBOOKS_KEY, RUNBOOKS_TITLE)]

    def screen_keys(self) -> dict[str, str]:
        """The key of every screen that has one, by the screen's id."""
        keys = {title: key for key, title in self.numbered_titles()}
        return {screen.id: keys[screen.title] for screen in self.session.screens if screen.title in keys}

    def open_numbered(self, key: str) -> None:
        """The screen behind a number key."""
        title = dict(self.numbered_titles()).get(key)
        if title is None:
            self.console_screen.tell(f"there is no screen {key}; ? shows what there is")
        else:
            self.open_root(title)

    def open_root(self, title: str) -> View:
        """Go to a screen, or to the list of runbooks, by title."""
        view = self.roots.get(title)
        if view is None:
            view = self.roots[title] = self._make_root(title)
        self.console_screen.open_view(view, root=True)
        return view

    def _make_root(self, title: str) -> View:
        screen = next((screen for screen in self.session.screens if screen.title == title), None)
        if screen is None:
            from opsconsole.ui.screens.runbooks import RunbooksView

            return RunbooksView()
        from opsconsole.ui.screens.dashboard import DashboardView

        return DashboardView(screen)

    def enter(self, environment: str) -> None:
        """Switch to another environment: everything of the present one is closed."""
        if self.session.enter is None or environment == self.session.context.environment:
            self.console_screen.tell(f"this is {self.session.context.environment} already")
            return
        if (going := self.going_run()) is not None:
            self.console_screen.tell(f"{going} is running; end or leave it first", "warn")
            return
        leaving, session = self._opened, self.session.enter(environment)
        console = self.console_screen
        console.drop_views()
        self.kept_runs.clear()
        if leaving is not None:
            self.run_worker(leaving.close(), group="closing", exit_on_error=False)
        self.session = console.session = session
        self._opened = None
        console.show_counts({})
        self._open()

    def toggle_pause(self) -> None:
        """Stop all reading, or go on."""
        poller = self.opened.feed.poller
        if poller.paused:
            poller.resume()
        else:
            poller.pause()
        self.show_freshness()

    def show_freshness(self) -> None:
        """Tell the operator how much of what is shown can be believed, and what it costs."""
        self.console_screen.show_freshness(self.opened.freshness())

    # Colours

    def next_theme(self) -> None:
        """The theme after the present one."""
        place = THEMES.index(self.theme) if self.theme in THEMES else -1
        self.set_theme(THEMES[(place + 1) % len(THEMES)])

    def set_theme(self, name: str) -> None:
        """Change the colours of everything."""
        self.theme = name
        self.console_screen.tell(f"theme {name}")

    # Trouble

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Toasts are never markup, whoever sends them."""
        super().notify(clean(message), title=clean(title), severity=severity, timeout=timeout, markup=False)

    def _handle_exception(self, error: Exception) -> None:
        """An error nobody expected: a log without values, a short message, and the terminal given back.

        Textual would print a traceback with local variables, passwords among them, into the scrollback.
        """
        from opsconsole.ui import crash

        self._return_code = Exit.FAILED
        # What Textual's pilot waits for and raises again in tests; mypy takes the cached property for Never.
        noticed: asyncio.Event = attrgetter("_exception_event")(self)
        if noticed.is_set():
            self._close_messages_no_wait()  # one crash is enough to tell of
            return
        self._exception = error
        noticed.set()
        secrets = tuple(self.session.secrets())
        self.panic(Text(crash.message(error, crash.write_log(error, secrets), secrets)))

    def _loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error in a task that nobody waits for: written down, not fatal, said in the key line."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self.report(error)

    def report(self, error: Exception) -> None:
        """An error nobody expected, of something that can fail alone: logged, said in the key line, and lived with."""
        from opsconsole.ui import crash

        secrets = tuple(self.session.secrets())
        log = crash.write_log(error, secrets)
        kind = mask(f"{type(error).__name__}: {error}", secrets)
        if self.is_running:
            self.console_screen.tell(f"that failed unexpectedly, {kind}; the details are in {log or 'no log'}", "error")


def run_in_words(runs: "Sequence[RunSummary]") -> str:
    """The runs that go on, for the header: the latest one, and how many there are beside it."""
    if not runs:
        return ""
    latest = runs[0]
    more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    return clean_line(f"run: {latest.title}, {latest.step or 'at the start'} {latest.state}{more}", limit=120)


def run_console(session: Session, departure: Departure | None = None) -> int:
    """Show `session` until the operator leaves; returns the exit code.

    `departure` may be watching already, from before the session was built.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        sys.stderr.write("opsconsole: the console needs a terminal; `opsconsole status` is for scripts\n")
        return Exit.USAGE
    watch = departure or Departure()
    if departure is None:
        watch.watch()
    app = OpsConsole(session, watch)
    app.garbage.begin()
    try:
        app.run(mouse=session.mouse)
    finally:
        watch.settled()
    return watch.exit_code or app.return_code or 0
