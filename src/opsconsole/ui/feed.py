"""What the screens show, kept up to date: from panes to watched queries, and from readings to pane states.

One `Feed` for the application holds the poller; each screen in sight has a `ScreenFeed` in it. The overview's
stays when another screen is looked at, because the header counts its states.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from opsconsole.core.reading import Query, Reading
from opsconsole.core.state import State
from opsconsole.screens.definition import Pane, Screen, Variable
from opsconsole.screens.evaluation import PaneState, evaluate_pane
from opsconsole.screens.interpolation import Selection, UnchosenError
from opsconsole.screens.naming import named
from opsconsole.screens.poller import OnReadings, Poller, Read, Watch
from opsconsole.screens.queries import pane_queries, refresh_of
from opsconsole.screens.timerange import TimeRange
from opsconsole.screens.variables import chosen, default_selections, options, options_query
from opsconsole.screens.watchlist import STALE_AFTER

_OPTIONS_REFRESH = 60.0
"""Seconds between two readings of what a variable can be set to."""

OnStates = Callable[[Mapping[str, PaneState]], None]


class Feed:
    """The poller, and who is told of what it reads."""

    def __init__(
        self,
        read: Read,
        now: Callable[[], float],
        make_poller: Callable[[Read, OnReadings], Poller] = Poller,
        derived: Collection[str] = (),
    ) -> None:
        """`derived`: names of sources that are worked out from others, and answer from memory while those do not."""
        self.now = now
        self._derived = frozenset(derived)
        self.poller = make_poller(read, self._arrived)
        self._listeners: list[Callable[[Mapping[Query, Reading]], None]] = []
        self._sources: dict[str, State] = {}

    def listen(self, listener: Callable[[Mapping[Query, Reading]], None]) -> Callable[[], None]:
        """Tell `listener` of every change, until the function returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def sources(self) -> tuple[int, int]:
        """(how many sources answer, how many were asked), those apart that are worked out from others."""
        answering = sum(state in (State.OK, State.UNKNOWN) for state in self._sources.values())
        return answering, len(self._sources)

    def _arrived(self, changed: Mapping[Query, Reading]) -> None:
        for reading in changed.values():
            if reading.source in self._derived:
                continue
            # One good answer is enough: a source of which one query is wrong still answers.
            failing = reading.error is not None and reading.state in (State.ERROR, State.STALE)
            known = self._sources.get(reading.source)
            if not failing or known is None or reading.failing_since is not None:
                self._sources[reading.source] = State.ERROR if failing else State.OK
        for listener in tuple(self._listeners):
            listener(changed)


class ScreenFeed:
    """The panes of one screen: the variables chosen, the time range, what is watched, and what that shows."""

    def __init__(self, feed: Feed, screen: Screen, on_states: OnStates) -> None:
        self.screen = screen
        self.time = TimeRange(screen.window)
        self.selections: dict[str, Selection] = default_selections(screen)
        self._feed = feed
        self._on_states = on_states
        self._queries: dict[str, tuple[Query, ...]] = {}
        self._problems: dict[str, str] = {}
        self._waiting: dict[str, str] = {}
        """Pane id -> the variable without a value that it waits for."""
        self._first = {name for name, chosen_ in self.selections.items() if chosen_ == Selection()}
        """The variables that take their first option, as long as nobody chose another."""
        self._asking: dict[Query, list[str]] = {}
        self._watches: dict[str, list[Watch]] = {}
        self._options: dict[str, Query] = {}
        self._option_watches: list[Watch] = []
        self._visible: frozenset[str] = frozenset()
        self._stop_listening: Callable[[], None] | None = None
        self._plan()

    # What is asked

    def start(self, visible: Sequence[str]) -> None:
        """Begin to read what these panes show, and what the variables can be."""
        if self._stop_listening is None:
            self._stop_listening = self._feed.listen(self._changed)
        self.set_visible(visible)
        self._watch_options()

    def set_visible(self, visible: Sequence[str]) -> None:
        """These panes are in view: read them and no others."""
        self._visible = frozenset(visible)
        for pane in self.screen.panes:
            if pane.id in self._visible and pane.id not in self._watches:
                self._watches[pane.id] = self._watch(pane)
            elif pane.id not in self._visible and pane.id in self._watches:
                self._unwatch(pane.id)

    def stop(self) -> None:
        """Nobody looks any more."""
        for pane_id in tuple(self._watches):
            self._unwatch(pane_id)
        for watch in self._option_watches:
            watch.cancel()
        self._option_watches = []
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    @property
    def running(self) -> bool:
        """Whether it reads."""
        return self._stop_listening is not None

    def refresh(self, pane_id: str | None = None) -> None:
        """Read everything in view (or one pane) at once."""
        wanted = [pane_id] if pane_id is not None else sorted(self._visible)
        self._feed.poller.refresh_now([query for one in wanted for query in self._queries.get(one, ())])

    def set_time(self, time: TimeRange) -> None:
        """Show another range."""
        self.time = time
        self._replan()

    def choose(self, name: str, values: Sequence[str]) -> None:
        """Set a variable; one that the screen does not have is left alone."""
        variable = self.variable(name)
        if variable is not None:
            self.selections[name] = chosen(variable, values)
            self._first.discard(name)
            self._replan()
            if self.running:
                self._watch_options()

    def variable(self, name: str) -> Variable | None:
        """The variable of that name."""
        return next((variable for variable in self.screen.variables if variable.name == name), None)

    def options(self, name: str) -> tuple[str, ...]:
        """What a variable can be set to, as far as that is known by now."""
        variable = self.variable(name)
        if variable is None:
            return ()
        query = self._options.get(name)
        return options(variable, self._feed.poller.latest(query).value if query is not None else None)

    def _plan(self) -> None:
        """Make the queries of every pane for the variables and the range as they are."""
        self._queries, self._problems, self._waiting = {}, {}, {}
        for pane in self.screen.panes:
            try:
                self._queries[pane.id] = pane_queries(pane, self.selections, self.time)
            except UnchosenError as error:
                self._queries[pane.id], self._waiting[pane.id] = (), error.name
            except ValueError as error:
                self._queries[pane.id], self._problems[pane.id] = (), str(error)
        self._asking = {}
        for pane_id, queries in self._queries.items():
            for query in queries:
                self._asking.setdefault(query, []).append(pane_id)

    def _replan(self) -> None:
        earlier = self._watches
        self._watches = {}
        self._plan()
        if self.running:
            # The new watches first: what both plans ask stays under way instead of being asked again.
            self.set_visible(sorted(self._visible))
        for watches in earlier.values():
            for watch in watches:
                watch.cancel()
        if self.running:
            self._on_states(self.states())

    def _watch(self, pane: Pane) -> list[Watch]:
        interval = refresh_of(pane, self.screen, self.time)
        return [self._feed.poller.watch(query, interval) for query in self._queries[pane.id]]

    def _unwatch(self, pane_id: str) -> None:
        for watch in self._watches.pop(pane_id, []):
            watch.cancel()

    def _watch_options(self) -> None:
        earlier, self._option_watches = self._option_watches, []
        for variable in self.screen.variables:
            try:
                query = options_query(variable, self.selections)
            except ValueError:
                query = None
            if query is not None:
                self._options[variable.name] = query
                self._option_watches.append(self._feed.poller.watch(query, _OPTIONS_REFRESH))
        for watch in earlier:
            watch.cancel()

    def queries(self, pane_id: str) -> tuple[Query, ...]:
        """What a pane asks."""
        return self._queries.get(pane_id, ())

    # What that shows

    def states(self) -> dict[str, PaneState]:
        """Every pane as it is now, by id."""
        return {pane.id: self.state(pane) for pane in self.screen.panes}

    def state(self, pane: Pane) -> PaneState:
        """One pane as it is now."""
        poller = self._feed.poller
        readings = known(poller.latest(query) for query in self._queries[pane.id])
        # A paused screen stands still because somebody wanted it; its values are old, and say so by their age.
        limit = STALE_AFTER * refresh_of(pane, self.screen, self.time) if not poller.paused else 0.0
        problem = self._problems.get(pane.id) or self._not_chosen(pane)
        shown = named(pane, self.selections)
        return evaluate_pane(shown, readings, self._feed.now(), stale_after=limit, problem=problem)

    def _not_chosen(self, pane: Pane) -> str:
        """Why a pane that waits for a variable may wait long: what it, or one above it, can be is not known."""
        if pane.id not in self._waiting:
            return ""
        errors = ((name, self._feed.poller.latest(query).error) for name, query in self._options.items())
        return next((f"what ${name} can be is not known: {error}" for name, error in errors if error), "")

    def _take_first(self, changed: Mapping[Query, Reading]) -> None:
        """Give the variables that nobody chose their first option; anew when what they had is no longer there.

        Without any option it is the empty text, which matches series that do not have the label: what a dashboard for
        many clusters asks then works on the one that never says its name.
        """
        taken = False
        for name in self._first:
            reading = changed.get(self._options[name]) if name in self._options else None
            if reading is None or reading.value is None:
                continue
            found = self.options(name) or ("",)
            if not set(self.selections[name].values) & set(found):
                self.selections[name] = Selection(found[:1])
                taken = True
        if taken:
            self._replan()
            self._watch_options()
            return
        if self._waiting and any(query in changed for query in self._options.values()):
            self._on_states({pane.id: self.state(pane) for pane in self.screen.panes if pane.id in self._waiting})

    def _changed(self, changed: Mapping[Query, Reading]) -> None:
        self._take_first(changed)
        touched = {pane_id for query in changed for pane_id in self._asking.get(query, ())}
        if touched:
            panes = [pane for pane in self.screen.panes if pane.id in touched]
            self._on_states({pane.id: self.state(pane) for pane in panes})


def known(readings: Iterable[Reading]) -> list[Reading | None]:
    """The readings as `evaluate_pane` wants them: None for what was never answered nor failed."""
    return [reading if reading.taken_at is not None or reading.error else None for reading in readings]
