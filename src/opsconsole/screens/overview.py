"""The overview: what needs attention, and one line for each area of the platform. docs/screens.md has the keys."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Query, Reading
from opsconsole.core.state import State, worst
from opsconsole.core.units import NO_VALUE
from opsconsole.core.values import Scalar, Table, Value, Vector
from opsconsole.screens.areas import AREAS_VIEW, SLOT, TREND_WINDOW, Area, Fact, overview_areas, overview_queries
from opsconsole.screens.checks import UNANSWERED, Check, counts, worst_first
from opsconsole.screens.definition import Kind, Pane, Target
from opsconsole.screens.series import Points, as_number, cells_of, shown

__all__ = [
    "AREAS_VIEW",
    "ATTENTION_VIEW",
    "TREND_WINDOW",
    "AreaState",
    "AttentionRow",
    "Next",
    "Overview",
    "next_for",
    "overview",
    "overview_areas",
    "overview_queries",
]

ATTENTION_VIEW = "overview.attention"

_NEEDS_NOBODY = frozenset({State.OK})
_WORKED_OUT = frozenset({"alerts", "errors", "sla"})
"""Sources that the console works out from others."""
_HANGS = "no answer within "
"""How every source says that it was not answered in time."""


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
    """How many stand behind the state; 0: nothing of this area is watched here, or all of it is `awaited`."""
    age_seconds: float | None = None
    """Of the oldest of its values."""
    awaited: bool = False
    """Something of it was asked, and never answered yet."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview and the header's counts show."""

    attention: tuple[AttentionRow, ...] = ()
    """Worst first, then the newest first."""
    areas: tuple[AreaState, ...] = ()
    """In the order of the file, for eyes find a line by its place."""
    counts: Mapping[State, int] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()


def overview(
    areas: Sequence[Area],
    checks: Sequence[Check],
    readings: Mapping[Query, Reading],
    now: float,
    awaited: Collection[str] = (),
) -> Overview:
    """The overview at `now`, from the checks of all screens and the readings of `overview_queries`; `awaited`: the ids
    of areas of which something was never answered yet."""
    ordered = worst_first(checks)
    return Overview(
        attention=_attention(ordered, now),
        areas=tuple(replace(_area_state(area, ordered, readings, now), awaited=area.id in awaited) for area in areas),
        counts=counts(ordered),
        checks=tuple(ordered),
    )


def _attention(checks: Sequence[Check], now: float) -> tuple[AttentionRow, ...]:
    rows: list[AttentionRow] = []
    silent: dict[tuple[str, str, State], int] = {}
    unseen: dict[int, str] = {}
    for check in checks:
        if check.state in _NEEDS_NOBODY:
            continue
        row = _attention_row(check, now)
        if check.error and check.state in (State.STALE, State.ERROR):
            key = (check.source, _reason(check), check.state)
            if key in silent:
                rows[silent[key]] = replace(rows[silent[key]], count=rows[silent[key]].count + 1)
                continue
            silent[key] = len(rows)
            row = replace(row, area="", subject=check.source, text=_reason(check))
        elif (why := _unanswered(check)) and check.state is State.UNKNOWN:
            unseen[len(rows)] = why
            row = replace(row, text=f"{row.text}: {why}")
        rows.append(row)
    rows = [row if row.count == 1 else replace(row, text=f"{row.text} ({row.count} checks)") for row in rows]
    rows = _folded(rows, {place: reason for (_, reason, _), place in silent.items()}, unseen)
    return tuple(sorted(rows, key=lambda row: (-row.state.severity, -(row.check.since or 0.0))))


def _folded(rows: Sequence[AttentionRow], silent: Mapping[int, str], unseen: Mapping[int, str]) -> list[AttentionRow]:
    """One cause is one row: what cannot be worked out because another source does not answer is said beside that.

    Args:
        rows: all of them.
        silent: place of a row that is about a source that does not answer -> why it does not.
        unseen: place of a row that is about one thing that is not known -> whose silence that is.
    """
    causes = {place: why for place, why in silent.items() if rows[place].subject not in _WORKED_OUT}
    followers: dict[int, list[AttentionRow]] = {}
    for place, why in (*silent.items(), *unseen.items()):
        cause = next((at for at in causes if place not in causes and _follows(why, rows[at].subject, causes[at])), None)
        if cause is not None:
            followers.setdefault(cause, []).append(rows[place])
    gone = {id(one) for found in followers.values() for one in found}
    return [_with_followers(row, followers.get(place, ())) for place, row in enumerate(rows) if id(row) not in gone]


def _follows(why: str, source: str, its: str) -> bool:
    """Whether something does not answer for this reason because `source` does not, for `its` reason."""
    return why.startswith(f"{source}: ") or (why.startswith(_HANGS) and its.startswith(_HANGS))


def _with_followers(row: AttentionRow, followers: Sequence[AttentionRow]) -> AttentionRow:
    if not followers:
        return row
    names = ", ".join(sorted({one.check.source for one in followers}))
    return replace(row, text=f"{row.text}, and so {names}", count=row.count + sum(one.count for one in followers))


def _unanswered(check: Check) -> str:
    """Whose silence it is that this is not known, and why; empty where nobody's is."""
    return clean_line(check.labels.get(UNANSWERED, ""), limit=200)


def _reason(check: Check) -> str:
    """Why there is nothing newer; the source is named beside it."""
    return clean_line((check.error or "").removeprefix(f"{check.source}: "), limit=200)


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
    """How many of a pane's series are in order; nothing where it has none. Of what is stale, the last known counts."""
    own = [
        check.was or check.state
        for check in checks
        if f"{check.screen}/{check.pane}" == pane and check.value is not None
    ]
    ok = own.count(State.OK)
    return {"ok": float(ok), "bad": float(len(own) - ok), "all": float(len(own))} if own else {}


def _fact_text(fact: Fact, readings: Mapping[Query, Reading], checks: Sequence[Check]) -> str:
    values = {name: _single(readings.get(query)) for name, query in fact.queries}
    if fact.pane:
        values = _counted(fact.pane, checks)
    if all(value is None or (fact.hide_zero and value == 0) for value in values.values()):
        return ""

    def filled(slot: re.Match[str]) -> str:
        value = values.get(slot.group(1))
        return NO_VALUE if value is None else shown(value, fact.unit, fact.decimals, ())

    return SLOT.sub(filled, fact.text)


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
