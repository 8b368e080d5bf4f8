"""The overview: what needs attention, and one line for each area of the platform. docs/screens.md has the keys."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opsconsole.config.schema import IDENTIFIER, INVALID, ListOf, MapOf, Number, Place, Record, Text
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Query, Reading
from opsconsole.core.state import State, worst
from opsconsole.core.units import NO_VALUE
from opsconsole.core.values import Scalar, Table, Value, Vector
from opsconsole.screens.checks import Check, counts, worst_first
from opsconsole.screens.definition import Kind, Pane, Screen, Target
from opsconsole.screens.format import LABEL, QUERY, SourceName, UnitName
from opsconsole.screens.queries import nice_step
from opsconsole.screens.series import Points, as_number, cells_of, shown

ATTENTION_VIEW = "overview.attention"
AREAS_VIEW = "overview.areas"

TREND_WINDOW = 3600.0
TREND_POINTS = 60
_SLOW_REFRESH = 60.0
"""Seconds between two readings of what hardly moves: the hour's trend, and yesterday."""
_SLOT = re.compile(r"\{([A-Za-z_]\w*)\}")
_NEEDS_NOBODY = frozenset({State.OK})
_COUNTS = ("ok", "bad", "all")


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


@dataclass(frozen=True, slots=True)
class Next:
    """What to do about it."""

    kind: str
    """`runbook`, `screen` or `error`; the last: look at the error in full."""
    target: str
    """The id of the runbook or screen; empty for an error."""
    params: Mapping[str, str] = field(default_factory=dict)
    """For a runbook, its parameters; for a screen, its variables."""


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """One thing that is not right."""

    state: State
    area: str
    subject: str
    text: str
    since_seconds: float | None
    age_seconds: float | None
    next: Next
    check: Check
    count: int = 1
    """How many checks this row stands for: a source that does not answer is one row, not thirty."""


@dataclass(frozen=True, slots=True)
class AreaState:
    """One line of the overview, as it is now."""

    id: str
    title: str
    screen: str
    state: State
    """The worst of the area's checks; UNKNOWN without any."""
    now_text: str = ""
    trend: Points = ()
    day_ago_text: str = ""
    checks: int = 0
    """How many stand behind the state; 0: nothing of this area is watched here."""
    age_seconds: float | None = None
    """Of the oldest of its values."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview and the header's counts show."""

    attention: tuple[AttentionRow, ...] = ()
    """Worst first, then the newest first."""
    areas: tuple[AreaState, ...] = ()
    """In the order of the file, for eyes find a line by its place."""
    counts: Mapping[State, int] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()


# --- what the file says ---------------------------------------------------------------------------------------

_FACT = Record(
    {
        "query": QUERY,
        "queries": MapOf(QUERY, name=LABEL, what="a mapping of names to queries"),
        "pane": Text(pattern=r"[\w.-]+/[\w.-]+", expected="SCREEN/PANE"),
        "text": Text(lenient=True, limit=100),
        "unit": UnitName(),
        "decimals": Number(minimum=0, maximum=9, whole=True),
        "source": SourceName(),
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
        names = set(_COUNTS)
    if not names:
        place.report("missing-key", f"{place.name}: expected query, queries or pane")
    for slot in _SLOT.findall(str(fact.get("text", ""))):
        if slot not in names:
            place.report("unknown-slot", f"{place.name}: no query {slot!r} for {{{slot}}} in the text")


def areas_of(pane: Pane) -> tuple[Area, ...]:
    """The areas of an `overview.areas` pane that was loaded without an error."""
    return tuple(_area(said) for said in pane.options.get("areas", ()))


def _area(said: Mapping[str, Any]) -> Area:
    trend = said.get("trend")
    return Area(
        id=said["id"],
        title=said.get("title", said["id"]),
        screen=said.get("screen", ""),
        now=_facts(said.get("now", ())),
        trend=_trend(trend["query"]) if trend else None,
        day_ago=_facts(said.get("day_ago", ())),
    )


def _trend(text: str) -> Query:
    return Query("prometheus", text.strip(), window=TREND_WINDOW, step=nice_step(TREND_WINDOW, TREND_POINTS))


def _facts(said: Any) -> tuple[Fact, ...]:
    return tuple(_fact(one) for one in ([said] if isinstance(said, Mapping) else said))


def _fact(said: Mapping[str, Any]) -> Fact:
    if "pane" in said:
        return Fact(str(said.get("text", "{ok} of {all}")), pane=said["pane"], unit="none")
    texts = said.get("queries") or {"value": said["query"]}
    source = said.get("source", "prometheus")
    queries = tuple((name, Query(source, text.strip())) for name, text in texts.items())
    return Fact(
        str(said.get("text", "{value}")), queries, unit=said.get("unit", "short"), decimals=said.get("decimals")
    )


# --- what it needs, and what it shows -------------------------------------------------------------------------


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


def overview(areas: Sequence[Area], checks: Sequence[Check], readings: Mapping[Query, Reading], now: float) -> Overview:
    """The overview at `now`, from the checks of all screens and the readings of `overview_queries`."""
    ordered = worst_first(checks)
    return Overview(
        attention=_attention(ordered, now),
        areas=tuple(_area_state(area, ordered, readings, now) for area in areas),
        counts=counts(ordered),
        checks=tuple(ordered),
    )


def _attention(checks: Sequence[Check], now: float) -> tuple[AttentionRow, ...]:
    rows: list[AttentionRow] = []
    silent: dict[tuple[str, str, State], int] = {}
    for check in checks:
        if check.state in _NEEDS_NOBODY:
            continue
        row = _attention_row(check, now)
        if check.error and check.state in (State.STALE, State.ERROR):
            key = (check.source, _reason(check.error), check.state)
            if key in silent:
                rows[silent[key]] = replace(rows[silent[key]], count=rows[silent[key]].count + 1)
                continue
            silent[key] = len(rows)
            row = replace(row, area="", subject=check.source, text=_reason(check.error))
        rows.append(row)
    rows = [row if row.count == 1 else replace(row, text=f"{row.text} ({row.count} checks)") for row in rows]
    return tuple(sorted(rows, key=lambda row: (-row.state.severity, -(row.check.since or 0.0))))


def _reason(error: str) -> str:
    return clean_line(error, limit=200)


def _attention_row(check: Check, now: float) -> AttentionRow:
    since = None if check.since is None else max(0.0, now - check.since)
    text = check.text
    return AttentionRow(check.state, check.area, check.subject, text, since, check.age_seconds, next_for(check), check)


def next_for(check: Check) -> Next:
    """The next useful step: the error itself where nothing is known, else the runbook, else the screen."""
    if check.error and check.state in (State.STALE, State.ERROR):
        return Next("error", "")
    if check.runbook:
        return Next("runbook", check.runbook, check.params)
    if check.drill is not None:
        filled = {name: check.labels[label] for name, label in check.drill.variables.items() if label in check.labels}
        return Next("screen", check.drill.screen, filled)
    return Next("screen", check.screen)


def _area_state(area: Area, checks: Sequence[Check], readings: Mapping[Query, Reading], now: float) -> AreaState:
    own = [check for check in checks if check.area == area.id]
    ages = [check.age_seconds for check in own if check.age_seconds is not None]
    return AreaState(
        id=area.id,
        title=area.title,
        screen=area.screen,
        state=worst(check.state for check in own),
        now_text=_facts_text(area.now, readings, checks),
        trend=_points(area.trend, readings),
        day_ago_text=_facts_text(area.day_ago, readings, checks),
        checks=len(own),
        age_seconds=max(ages, default=None),
    )


def _facts_text(facts: Sequence[Fact], readings: Mapping[Query, Reading], checks: Sequence[Check]) -> str:
    """The facts of which anything is known, side by side."""
    return "  ".join(filter(None, (_fact_text(fact, readings, checks) for fact in facts)))


def _counted(pane: str, checks: Sequence[Check]) -> dict[str, float | None]:
    """How many of a pane's series are in order; nothing where it has none."""
    own = [check.state for check in checks if f"{check.screen}/{check.pane}" == pane and check.value is not None]
    ok = own.count(State.OK)
    return {"ok": float(ok), "bad": float(len(own) - ok), "all": float(len(own))} if own else {}


def _fact_text(fact: Fact, readings: Mapping[Query, Reading], checks: Sequence[Check]) -> str:
    values = {name: _single(readings.get(query)) for name, query in fact.queries}
    if fact.pane:
        values = _counted(fact.pane, checks)
    if all(value is None for value in values.values()):
        return ""

    def filled(slot: re.Match[str]) -> str:
        value = values.get(slot.group(1))
        return NO_VALUE if value is None else shown(value, fact.unit, fact.decimals, ())

    return _SLOT.sub(filled, fact.text)


def _single(reading: Reading | None) -> float | None:
    """The one number of an answer; None where it has none, or several."""
    value: Value | None = reading.value if reading else None
    match value:
        case Scalar(number, _):
            return number
        case Vector(samples) if len(samples) == 1:
            return samples[0].value
        case Table(_, rows) if len(rows) == 1 and rows[0]:
            return as_number(rows[0][0])
        case _:
            return None


_TREND_PANE = Pane("trend", "", Kind.TIMESERIES)


def _points(query: Query | None, readings: Mapping[Query, Reading]) -> Points:
    reading = readings.get(query) if query else None
    if reading is None or reading.value is None:
        return ()
    cells = cells_of(_TREND_PANE, Target(""), reading.value)
    return cells[0].points if cells else ()
