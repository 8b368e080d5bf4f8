"""How an SLA stands: from slices to compliance, budget, burn rates, trend, violations, state. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsconsole.config.slas import Sla
from opsconsole.core.duration import age_text
from opsconsole.core.state import State
from opsconsole.sla.burn import DAY, HOUR, BurnWindow, burn_windows
from opsconsole.sla.periods import Excluded, Period, excluded, merged
from opsconsole.sla.shares import Share
from opsconsole.sla.slices import Slice, Tally, counted, tally
from opsconsole.sla.violations import Violation, mean_seconds_to_recovery, violations

if TYPE_CHECKING:
    from opsconsole.sla.airflow_measured import RunsMeasured

APPROACHING = 0.25
"""The share of the budget below which what is left is worth a look."""
LEAST_COVERAGE = 0.5
"""Of less than half of the time nothing can be said to be kept."""
SILENT = 1800.0
"""Seconds without anything known after which what is going on now is unknown."""
TREND_DAYS = 30
_ROUNDING = 1e-12
"""What is exactly as much as was promised is kept, whatever its fraction is in binary."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a source told of an SLA."""

    slices: tuple[Slice, ...]
    """In the order of time, without overlaps."""
    notes: tuple[str, ...] = ()
    """What could not be seen."""
    violations: tuple[Violation, ...] | None = None
    """Where the source knows better than the slices when each began and ended."""
    pending: int = 0
    """What goes on, and is neither good nor bad yet."""
    shares: tuple[Share, ...] = ()
    """Whose what was bad is, where the source knows that at once."""


@dataclass(frozen=True, slots=True)
class Burn:
    """One pair of burn windows, as it is now."""

    window: BurnWindow
    long: float | None
    """Burn rate over the long window; None where nothing was counted in it."""
    short: float | None
    possible: bool
    """Whether it can be reached at all at this objective."""

    @property
    def burning(self) -> bool:
        """Whether somebody is to be told."""
        return min(self.long or 0.0, self.short or 0.0) > self.window.factor


@dataclass(frozen=True, slots=True)
class Standing:
    """One SLA at one moment."""

    sla: Sla
    taken_at: float
    period: Period
    state: State
    why: str
    """The state in a few words."""
    tally: Tally
    budget_left: float | None = None
    """The share of the budget; negative: more was spent than there was."""
    exhausted_in: float | None = None
    """Seconds at the present rate; None: not within this window."""
    burns: tuple[Burn, ...] = ()
    windows: tuple[tuple[float, Tally], ...] = ()
    """(seconds, sums over them, up to now) of every window of the burn rates, the shortest first."""
    trend: tuple[tuple[float, float | None], ...] = ()
    """(start of the day, share that was good): None where nothing was counted."""
    before: Tally | None = None
    """The same over the period before; None where that was not asked."""
    violations: tuple[Violation, ...] = ()
    violations_before: tuple[Violation, ...] = ()
    """Those that began in the period before."""
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()
    pending: int = 0
    shares: tuple[Share, ...] = ()
    """Whose what was bad is, the worst first; empty where that was not asked, or cannot be told."""
    error: str = ""
    """Why its source told nothing."""
    waiting: bool = False
    """It was not read yet."""
    measured: "RunsMeasured | None" = None
    """Of pipelines whose Airflow cannot be asked: what metrics say meanwhile."""

    @property
    def sli(self) -> float | None:
        """The share that was good; None where nothing, or too little, was counted."""
        return self.tally.sli if self.tally.total >= self.sla.min_events else None

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept so far; None where that is not known, of too little of the time among others."""
        return (
            None if self.sli is None or self.state is State.UNKNOWN else 1.0 - self.sli <= self.sla.budget + _ROUNDING
        )

    @property
    def because(self) -> str:
        """`why`, and of an Airflow that cannot be asked what metrics say meanwhile: why it cannot is the `error`."""
        if self.measured is None:
            return self.why
        return f"{self.why}; {self.measured.words}" if self.state is State.STALE else self.measured.words

    @property
    def change(self) -> float | None:
        """By how much the share that was good differs from that of the period before; None where too little is known
        of that to compare."""
        if self.sli is None or self.before is None or self.before.sli is None:
            return None
        if (self.before.coverage or 0.0) < LEAST_COVERAGE:
            return None
        return self.sli - self.before.sli

    @property
    def mttr(self) -> float | None:
        """Mean seconds to recovery of the violations that are over."""
        return mean_seconds_to_recovery(self.violations)


def standing(sla: Sla, told: Counted, period: Period, now: float, *, earlier: Period | None = None) -> Standing:
    """How `sla` stands in `period` at `now`; `earlier` is the period that it is compared with."""
    until = min(now, period.end)
    pauses = excluded(sla.maintenance, min(period.start, earlier.start if earlier else period.start), until)
    spans = merged(pauses)
    sums = tally(told.slices, period.start, until, spans)
    whole = sla.budget * sums.total
    left = 1.0 - sums.bad / whole if whole > 0 else None
    windows = _windows(sla, told.slices, until, spans) if until == now else {}
    burns = _burns(sla, windows) if windows else ()
    exhausted_in = _exhausted_in(left, burns, period, now)
    within = [one for one in counted(told.slices, spans) if one.end > period.start and one.start < until]
    found = violations(within, sla.budget, whole, until) if told.violations is None else told.violations
    state, why = _state(sla, sums, left, burns, exhausted_in, _silence(told.slices, spans, until))
    return Standing(
        sla, now, period, state, why, sums, left, exhausted_in, burns,
        windows=tuple(sorted(windows.items())),
        trend=_trend(told.slices, until, spans),
        before=tally(told.slices, earlier.start, earlier.end, spans) if earlier else None,
        violations=tuple(
            one for one in found if one.start < period.end and (one.end is None or one.end > period.start)
        ),
        violations_before=_began_in(earlier, sla, told, spans) if earlier else (),
        excluded=tuple(one for one in pauses if one.end > period.start),
        notes=told.notes,
        pending=told.pending,
        shares=told.shares,
    )  # fmt: skip


def unread(sla: Sla, period: Period, now: float, error: str = "", measured: "RunsMeasured | None" = None) -> Standing:
    """An SLA whose source does not answer, or was not asked yet: nothing is known, and nothing is said to be kept."""
    return Standing(
        sla, now, period, State.UNKNOWN, error or "not read yet", Tally(0.0, 0.0, 0.0, 0.0), error=error,
        waiting=not error, measured=measured,
    )  # fmt: skip


def stale(known: Standing, now: float, error: str, measured: "RunsMeasured | None" = None) -> Standing:
    """What was known of an SLA while its source does not answer: the figures stay, with their age."""
    was = known.why if known.error else f"was {known.state.value}"
    return replace(
        known,
        state=State.STALE,
        why=was,
        error=f"{error}; known of {age_text(now - known.taken_at)} ago",
        measured=measured,
    )


def worst_first(found: Sequence[Standing]) -> list[Standing]:
    """By state, then by what is left; what nothing is known of after what goes wrong, what was not read yet last."""

    def badness(one: Standing) -> tuple[bool, float, float]:
        return one.waiting, -one.state.severity, one.budget_left if one.budget_left is not None else 2.0

    return sorted(found, key=badness)


def in_order(found: Sequence[Standing], sort: str) -> list[Standing]:
    """By `left` (the least first), by the `file`, or else the worst first."""
    match sort:
        case "left":
            return sorted(found, key=lambda one: one.budget_left if one.budget_left is not None else 2.0)
        case "file":
            return sorted(found, key=lambda one: one.sla.line)
    return worst_first(found)


def _windows(sla: Sla, slices: Sequence[Slice], now: float, spans: Sequence[tuple[float, float]]) -> dict[float, Tally]:
    """Seconds of each window that is looked at -> what was counted in it."""
    lengths = {length for one in burn_windows(sla.window) for length in (one.long, one.short)}
    return {length: tally(slices, now - length, now, spans) for length in lengths}


def _burns(sla: Sla, windows: Mapping[float, Tally]) -> tuple[Burn, ...]:
    return tuple(
        Burn(one, windows[one.long].burn(sla.budget), windows[one.short].burn(sla.budget), one.can_fire(sla.objective))
        for one in burn_windows(sla.window)
    )


def _exhausted_in(left: float | None, burns: Sequence[Burn], period: Period, now: float) -> float | None:
    """remaining * period / burn rate of the last hour, where that comes before what was spent is forgotten."""
    rate = burns[0].long if burns else None
    if left is None or left <= 0 or not rate:
        return None
    seconds = left * period.seconds / rate
    # A window that rolls forgets at the rate of 1; one of the calendar at its end.
    comes = rate > 1.0 if period.rolling else seconds < period.end - now
    return seconds if comes else None


def _silence(slices: Sequence[Slice], spans: Sequence[tuple[float, float]], now: float) -> float:
    """Seconds since anything was known, without what is excluded."""
    last = max((one.end for one in slices if one.known > 0 and one.end <= now + HOUR), default=None)
    return float("inf") if last is None else tally((), min(last, now), now, spans).seconds


def _state(
    sla: Sla, sums: Tally, left: float | None, burns: Sequence[Burn], exhausted_in: float | None, silence: float
) -> tuple[State, str]:
    coverage = sums.coverage
    if left is not None and left < -_ROUNDING and sums.total >= sla.min_events:
        return State.CRIT, "the budget is spent"
    for one in burns:
        if one.burning and sums.total >= sla.min_events:
            rate = f"burns {one.long:.3g}×"
            ending = f", gone in {age_text(exhausted_in)}" if exhausted_in is not None else ""
            return (State.CRIT if one.window.severity == "page" else State.WARN), rate + ending
    if left is None or sums.total < sla.min_events:
        nothing = "nothing was counted" if sums.known_seconds > 0 else "no data"
        return State.UNKNOWN, nothing if sums.total <= 0 else f"only {sums.total:.0f} counted"
    if silence > SILENT:
        return State.UNKNOWN, f"no data for {age_text(silence)}"
    if coverage is not None and coverage < LEAST_COVERAGE:
        return State.UNKNOWN, f"known of {coverage:.0%} of the time".replace("%", " %")
    if left < APPROACHING:
        return State.WARN, f"{left:.0%} of the budget left".replace("%", " %")
    return State.OK, ""


def _began_in(earlier: Period, sla: Sla, told: Counted, spans: Sequence[tuple[float, float]]) -> tuple[Violation, ...]:
    if told.violations is None:
        within = [one for one in counted(told.slices, spans) if earlier.start <= one.start < earlier.end]
        whole = sla.budget * tally(told.slices, earlier.start, earlier.end, spans).total
        return violations(within, sla.budget, whole, earlier.end)
    return tuple(one for one in told.violations if earlier.start <= one.start < earlier.end)


def _trend(
    slices: Sequence[Slice], until: float, spans: Sequence[tuple[float, float]]
) -> tuple[tuple[float, float | None], ...]:
    """The last days, each by itself, ending now."""
    days = []
    for back in range(TREND_DAYS, 0, -1):
        start = until - back * DAY
        days.append((start, tally(slices, start, start + DAY, spans).sli))
    return tuple(days)
