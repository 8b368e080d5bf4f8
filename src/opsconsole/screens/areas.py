"""The lines of the overview as its file has them: what each asks, and in which words it says the answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsconsole.config.schema import IDENTIFIER, INVALID, Flag, ListOf, MapOf, Number, Place, Record, Text
from opsconsole.core.reading import Query
from opsconsole.screens.definition import Pane, Screen
from opsconsole.screens.format import LABEL, QUERY, SourceName, UnitName
from opsconsole.screens.queries import nice_step

AREAS_VIEW = "overview.areas"

TREND_WINDOW = 3600.0
"""Seconds."""
TREND_POINTS = 60
COUNTS = ("ok", "bad", "all")
"""The slots of a fact that counts a pane's checks."""
SLOT = re.compile(r"\{([A-Za-z_]\w*)\}")

_SLOW_REFRESH = 60.0
"""Seconds between two readings of what hardly moves: the hour's trend, and yesterday."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A few words with numbers in them: `{up} of {all} up`."""

    text: str
    queries: tuple[tuple[str, Query], ...] = ()
    """(slot, query)."""
    pane: str = ""
    """`SCREEN/PANE`: count that pane's checks into the slots `ok`, `bad` and `all`, instead of asking again."""
    unit: str = "short"
    decimals: int | None = None
    hide_zero: bool = False
    """Say nothing where every number is 0."""


@dataclass(frozen=True, slots=True)
class Area:
    """One line of the overview, as its file has it."""

    id: str
    title: str
    screen: str = ""
    """Where `enter` leads."""
    now: tuple[Fact, ...] = ()
    trend: Query | None = None
    day_ago: tuple[Fact, ...] = ()

    def queries(self, refresh: float) -> Iterable[tuple[Query, float]]:
        """(query, seconds between two readings)."""
        for fact in self.now:
            yield from ((query, refresh) for _, query in fact.queries)
        for fact in self.day_ago:
            yield from ((query, _SLOW_REFRESH) for _, query in fact.queries)
        if self.trend is not None:
            yield self.trend, _SLOW_REFRESH


_FACT = Record(
    {
        "query": QUERY,
        "queries": MapOf(QUERY, name=LABEL, what="a mapping of names to queries"),
        "pane": Text(pattern=r"[\w.-]+/[\w.-]+", expected="SCREEN/PANE"),
        "text": Text(lenient=True, limit=100),
        "unit": UnitName(),
        "decimals": Number(minimum=0, maximum=9, whole=True),
        "source": SourceName(),
        "hide_zero": Flag(),
    },
    what="a mapping with query and text",
    exclusive=(("query", "queries", "pane"),),
)
_AREA = Record(
    {
        "id": IDENTIFIER,
        "title": Text(lenient=True, limit=40),
        "screen": IDENTIFIER,
        "now": ListOf(_FACT, maximum=5, single=True),
        "trend": Record({"query": QUERY}, required=("query",), what="a mapping with query"),
        "day_ago": ListOf(_FACT, maximum=3, single=True),
    },
    required=("id",),
    what="an area with id, title, screen, …",
)
_OPTIONS = Record({"areas": ListOf(_AREA, minimum=1, maximum=30)}, required=("areas",), what="a mapping with areas")


def lint_areas(place: Place, options: Mapping[str, Any]) -> None:
    """Report what is wrong with the options of an `overview.areas` pane."""
    found = _OPTIONS.read(dict(options), place)
    if found is INVALID:
        return
    for index, area in enumerate(options.get("areas") or ()):
        for key in ("now", "day_ago"):
            facts = area.get(key) if isinstance(area, dict) else None
            for fact in facts if isinstance(facts, list) else [facts]:
                _lint_fact(place.child("areas").child(index).child(key), fact)


def _lint_fact(place: Place, fact: Any) -> None:
    if not isinstance(fact, dict):
        return
    named = fact.get("queries")
    names = set(named) if isinstance(named, dict) else {"value"} if "query" in fact else set()
    if "pane" in fact:
        names = set(COUNTS)
    if not names:
        place.report("missing-key", f"{place.name}: expected query, queries or pane")
    for slot in SLOT.findall(str(fact.get("text", ""))):
        if slot not in names:
            place.report("unknown-slot", f"{place.name}: no query {slot!r} for {{{slot}}} in the text")


def areas_of(pane: Pane) -> tuple[Area, ...]:
    """The areas of an `overview.areas` pane that was loaded without an error."""
    return tuple(_area(said) for said in pane.options.get("areas", ()))


def _area(said: Mapping[str, Any]) -> Area:
    trend = said.get("trend")
    return Area(
        id=said["id"],
        title=str(said.get("title", said["id"])),
        screen=said.get("screen", ""),
        now=_facts(said.get("now", ())),
        trend=_trend(trend["query"]) if trend else None,
        day_ago=_facts(said.get("day_ago", ())),
    )


def _trend(text: str) -> Query:
    return Query("prometheus", text.strip(), window=TREND_WINDOW, step=nice_step(TREND_WINDOW, TREND_POINTS))


def _facts(said: Any) -> tuple[Fact, ...]:
    return tuple(_fact(one) for one in ([said] if isinstance(said, Mapping) else said or ()))


def _fact(said: Mapping[str, Any]) -> Fact:
    if "pane" in said:
        return Fact(str(said.get("text", "{ok} of {all}")), pane=said["pane"], unit="none")
    texts = said.get("queries") or {"value": said["query"]}
    source = said.get("source", "prometheus")
    queries = tuple((name, Query(source, text.strip())) for name, text in texts.items())
    return Fact(
        str(said.get("text", "{value}")), queries, unit=said.get("unit", "short"), decimals=said.get("decimals"),
        hide_zero=said.get("hide_zero", False),
    )  # fmt: skip


def overview_areas(screen: Screen) -> tuple[Area, ...]:
    """The areas of a screen; none where it has no (working) pane for them."""
    return tuple(
        area for pane in screen.panes if pane.view == AREAS_VIEW and not pane.broken for area in areas_of(pane)
    )


def overview_queries(areas: Sequence[Area], refresh: float) -> dict[Query, float]:
    """What the area lines ask, and every how many seconds. The checks' own queries come on top."""
    wanted: dict[Query, float] = {}
    for area in areas:
        for query, interval in area.queries(refresh):
            wanted[query] = min(interval, wanted.get(query, interval))
    return wanted
