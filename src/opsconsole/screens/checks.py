"""What is right and what is wrong, one line each: for `status`, the header's counts and the overview."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.core.units import format_value
from opsconsole.screens.definition import Drill, Pane, RunbookLink, Screen
from opsconsole.screens.evaluation import PaneState
from opsconsole.screens.series import Cell
from opsconsole.screens.variables import natural

UNANSWERED = "unanswered"
"""The label by which a source that the console works out from others says why it does not know one of its samples:
`SOURCE: why that does not answer`."""
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has a state."""

    id: str
    """`SCREEN/PANE` or `SCREEN/PANE/LEGEND`; the same as long as the thing is the same."""
    title: str
    """`Services: energy-service app-2`."""
    screen: str
    area: str
    state: State
    subject: str = ""
    """What it is about, without the pane: `energy-service app-2`."""
    value: float | None = None
    unit: str = "none"
    text: str = ""
    """What it is like, in a few words: `down`, `Error rate 33 % (limit 5 %)`, `no data`."""
    source: str = ""
    taken_at: float | None = None
    """Unix seconds."""
    age_seconds: float | None = None
    error: str | None = None
    runbook: str = ""
    """The id of the runbook for it, or empty."""
    params: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    """The parameters of the runbook as far as labels fill them."""
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    since: float | None = None
    """Unix seconds of the first evaluation that found it in this state; None where nobody keeps track."""
    drill: Drill | None = None
    pane: str = ""
    """The pane's id."""
    was: State | None = None
    """While the reading is stale: the state that its last good value had."""


def is_check(pane: Pane) -> bool:
    """Whether a pane's state counts: it has thresholds, or cannot even say."""
    return (bool(pane.thresholds) and pane.check) or bool(pane.broken)


def checks_of(screen: Screen, state: PaneState) -> list[Check]:
    """The checks of one pane: one for each series that its legend tells apart, else one for the pane."""
    pane = state.pane
    if not is_check(pane):
        return []
    current = [cell for cell in state.cells if cell.current]
    if not current:
        if pane.optional and state.empty:
            return []
        return [_pane_check(screen, state)]
    names = Counter(cell.legend for cell in current)
    return [_cell_check(screen, state, cell, alone=len(current) == 1, distinct=names[cell.legend] == 1, number=number)
            for number, cell in enumerate(current)]  # fmt: skip


def all_checks(
    screens: Iterable[Screen], states: Mapping[tuple[str, str], PaneState], configured: Collection[str] = ()
) -> list[Check]:
    """Every check of `screens`, worst first.

    Args:
        states: by (screen id, pane id); panes without one are left out.
        configured: the names of the sources that there are; panes of a kind of source of which there is none at
            all are no checks. Empty: all are taken to be there.
    """
    kinds = {name.partition("/")[0] for name in configured}
    found: list[Check] = []
    for screen in screens:
        for pane in screen.panes:
            state = states.get((screen.id, pane.id))
            if state is None or (kinds and pane.source.partition("/")[0] not in kinds and not pane.broken):
                continue
            found += checks_of(screen, state)
    return worst_first(found)


def worst_first(checks: Iterable[Check]) -> list[Check]:
    """By state, then area and title, so that equals keep their places."""
    return sorted(checks, key=lambda check: (-check.state.severity, check.area, natural(check.title), check.id))


def counts(checks: Iterable[Check]) -> Mapping[State, int]:
    """How many checks are in each state, worst first; states nobody is in are left out."""
    found = Counter(check.state for check in checks)
    return {state: found[state] for state in sorted(found, key=lambda state: -state.severity)}


def link_params(link: RunbookLink | None, labels: Mapping[str, str]) -> Mapping[str, str]:
    """The runbook parameters that labels fill; a label that is missing leaves its parameter open."""
    if link is None:
        return _NO_LABELS
    filled = {name: labels[label] for name, label in link.params.items() if labels.get(label)}
    return MappingProxyType(filled)


class Tracker:
    """Remembers since when each check is in its state."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[State, float]] = {}

    def track(self, checks: Sequence[Check], now: float) -> list[Check]:
        """`checks` with `since` filled in. What is no longer among them is forgotten."""
        since: dict[str, tuple[State, float]] = {}
        for check in checks:
            known = self._since.get(check.id)
            since[check.id] = known if known is not None and known[0] is check.state else (check.state, now)
        self._since = since
        return [replace(check, since=since[check.id][1]) for check in checks]


def _base(screen: Screen, state: PaneState) -> Check:
    pane = state.pane
    return Check(
        id=f"{screen.id}/{pane.id}",
        title=pane.title,
        screen=screen.id,
        area=pane.area,
        state=state.state,
        subject=pane.title,
        unit=pane.unit,
        source=state.source,
        taken_at=state.taken_at,
        age_seconds=state.age,
        error=state.error,
        runbook=pane.runbook.id if pane.runbook else "",
        drill=pane.drill,
        pane=pane.id,
    )


def _pane_check(screen: Screen, state: PaneState) -> Check:
    """A pane that has nothing to show."""
    if state.error:
        text = state.error
    elif state.waiting:
        text = "not read yet"
    else:
        text = "none" if state.state is State.OK else "no data"
    return replace(_base(screen, state), text=text)


def _cell_check(screen: Screen, state: PaneState, cell: Cell, *, alone: bool, distinct: bool, number: int) -> Check:
    pane = state.pane
    base = _base(screen, state)
    named = bool(cell.legend) and not (alone and not any(target.legend for target in pane.targets))
    key = cell.legend if distinct else f"{cell.legend}#{number + 1}"
    return replace(
        base,
        id=f"{base.id}/{key}" if named or not alone else base.id,
        title=f"{pane.title}: {cell.legend}" if named else pane.title,
        subject=cell.legend if named else pane.title,
        # A pane of which one query fails still knows the state of its other series.
        state=State.STALE if state.state is State.STALE else cell.state,
        was=cell.was,
        value=cell.value,
        text=_cell_text(pane, cell, named=named),
        params=link_params(pane.runbook, cell.labels),
        labels=cell.labels,
    )


def _cell_text(pane: Pane, cell: Cell, *, named: bool) -> str:
    mapped = any(cell.value == number for number, _ in pane.mappings)
    if cell.state is State.UNKNOWN and not mapped:
        return "not known"
    text = cell.text if mapped or not named else f"{pane.title} {cell.text}"
    limit = "" if mapped else _limit(pane, cell)
    return f"{text} (limit {limit})" if limit else text


def _limit(pane: Pane, cell: Cell) -> str:
    """The bound that the value is beyond."""
    if cell.value is None or cell.state in (State.OK, State.UNKNOWN):
        return ""
    broken = [one for one in pane.thresholds if one.state is (cell.was or cell.state) and one.holds(cell.value)]
    bound = next((_bound(one) for one in broken if _bound(one) is not None), None)
    return "" if bound is None else format_value(bound, pane.unit, pane.decimals)


def _bound(threshold: Threshold) -> float | None:
    if threshold.lowest is not None and threshold.below is not None:
        return None
    return threshold.lowest if threshold.lowest is not None else threshold.below
