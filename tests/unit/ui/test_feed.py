"""Variables of a screen that nobody chose: they take the first of what there is, and panes wait for that."""

import asyncio
from collections.abc import Mapping

from opsconsole.core.reading import Answer, Query, Reading, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Sample, Vector
from opsconsole.screens.definition import Kind, Pane, Screen, Target, Variable
from opsconsole.screens.evaluation import PaneState
from opsconsole.ui.feed import Feed, ScreenFeed

SCREEN = Screen(
    "s",
    "S",
    (Pane("a", "A", Kind.STAT, targets=(Target('up{instance="$node"}'),)),),
    variables=(
        Variable("job", "label_values(up, job)", default=""),
        Variable("node", 'label_values(up{job="$job"}, instance)', default=""),
    ),
)
JOBS, NODES = "group by (job) (up)", 'group by (instance) (up{job="web"})'


class _Platform:
    """A source that answers by the text of the query."""

    def __init__(self, answers: Mapping[str, tuple[dict[str, str], ...]]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []

    async def read(self, query: Query) -> Answer:
        self.asked.append(query.text)
        found = self.answers.get(query.text, ())
        return Answer(Vector(tuple(Sample(labels, 1.0, 0.0) for labels in found)), 0.0, 0.0)


class _House:
    """A screen that is looked at, on a platform."""

    def __init__(self, platform: _Platform) -> None:
        self.states: dict[str, PaneState] = {}
        self.changed = asyncio.Event()
        self.feed = Feed(platform.read, lambda: 0.0)
        self.screen = ScreenFeed(self.feed, SCREEN, self._show)

    def _show(self, states: Mapping[str, PaneState]) -> None:
        self.states.update(states)
        self.changed.set()

    async def shown(self, state: State) -> PaneState:
        """The pane, once it is in a state."""
        self.screen.start(["a"])
        async with asyncio.timeout(10):
            while "a" not in self.states or self.states["a"].state is not state:
                self.changed.clear()
                await self.changed.wait()
        self.screen.stop()
        return self.states["a"]


async def test_a_variable_takes_its_first_option_and_those_below_it_follow() -> None:
    platform = _Platform(
        {
            JOBS: ({"job": "web"}, {"job": "zoo"}),
            NODES: ({"instance": "n2"}, {"instance": "n10"}),
            'up{instance="n2"}': ({"instance": "n2"},),
        }
    )
    house = _House(platform)
    assert house.screen.states()["a"].waiting
    await house.shown(State.OK)
    assert {name: one.values for name, one in house.screen.selections.items()} == {"job": ("web",), "node": ("n2",)}


async def test_what_somebody_chose_stays() -> None:
    house = _House(_Platform({JOBS: ({"job": "web"},), NODES: ({"instance": "n2"},), 'up{instance="n7"}': ({},)}))
    house.screen.choose("node", ["n7"])
    await house.shown(State.OK)
    assert house.screen.selections["node"].values == ("n7",)


async def test_where_there_is_nothing_to_choose_series_without_the_label_are_shown() -> None:
    platform = _Platform({JOBS: (), 'group by (instance) (up{job=""})': (), 'up{instance=""}': ({},)})
    house = _House(platform)
    await house.shown(State.OK)
    assert {name: one.values for name, one in house.screen.selections.items()} == {"job": ("",), "node": ("",)}


async def test_a_pane_says_why_its_variable_cannot_be_known() -> None:
    platform = _Platform({})

    async def refuse(query: Query) -> Answer:
        raise SourceError("prometheus", "unreachable", "connection refused")

    platform.read = refuse  # type: ignore[method-assign]
    shown = await _House(platform).shown(State.ERROR)
    assert shown.error == "what $job can be is not known: prometheus: connection refused"


async def test_what_is_worked_out_from_a_source_is_no_source_that_answers() -> None:
    async def read(query: Query) -> Answer:
        if query.source == "prometheus":
            raise SourceError("prometheus", "unreachable", "connection refused")
        return Answer(Vector(()), 0.0, 0.0)  # from memory

    heard: set[str] = set()
    both = asyncio.Event()
    feed = Feed(read, lambda: 0.0, derived=("errors",))

    def listen(changed: Mapping[Query, Reading]) -> None:
        heard.update(query.source for query in changed)
        if heard == {"prometheus", "errors"}:
            both.set()

    feed.listen(listen)
    watches = [feed.poller.watch(Query(source, "new"), 5.0) for source in ("prometheus", "errors")]
    async with asyncio.timeout(10):
        await both.wait()
    for watch in watches:
        watch.cancel()
    assert feed.sources() == (0, 1)
