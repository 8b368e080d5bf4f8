"""Violations: stretches in which less was good than was promised, with start, end and what they took of the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.sla.slices import Slice

BRIDGE = 600.0
"""Seconds: bad again within these is the same violation, which otherwise would end and begin with every slice."""
UNKNOWN_BRIDGE = 3600.0
"""Seconds for which nothing known does not end a violation."""
NOTEWORTHY = 0.005
"""The share of the window's budget from which on one is listed: one failed request at night is none."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One of them."""

    start: float
    end: float | None
    """Unix seconds; None: it goes on."""
    bad: float
    total: float
    spent: float
    """The share of the whole budget of the window that it took; above 1: more than there was."""
    grain: float
    """Seconds to which start and end are known."""
    subject: str = ""
    """What it is about, where that is known: a DAG."""

    @property
    def seconds(self) -> float | None:
        """From its start to its recovery; None while it goes on."""
        return None if self.end is None else self.end - self.start

    @property
    def bad_share(self) -> float:
        """The share that was bad in it."""
        return self.bad / self.total if self.total > 0 else 0.0


def violations(slices: Sequence[Slice], budget: float, whole: float, now: float) -> tuple[Violation, ...]:
    """The violations in `slices` (in the order of time, without what is excluded), the first first.

    Args:
        budget: the share that may be bad.
        whole: the budget of the window as a count, by which what each spent is measured.
        now: unix seconds; one that was bad within `BRIDGE` before goes on.
    """
    found: list[Violation] = []
    run: list[Slice] = []
    for one in slices:
        share = one.bad_share
        if share is None or share <= budget:
            continue
        if run and _apart(run[-1], one, slices):
            found.append(_made(run, whole, now))
            run = []
        run.append(one)
    if run:
        found.append(_made(run, whole, now))
    return tuple(one for one in found if one.spent >= NOTEWORTHY or one.end is None)


def mean_seconds_to_recovery(found: Sequence[Violation]) -> float | None:
    """Of those that are over; None without any. One that goes on has no time to recovery yet."""
    closed = [one.seconds for one in found if one.seconds is not None]
    return sum(closed) / len(closed) if closed else None


def _apart(last: Slice, following: Slice, slices: Sequence[Slice]) -> bool:
    """Whether two bad slices are of two violations: a gap may be longer where nothing was known in it."""
    gap = following.start - last.end
    if gap <= BRIDGE:
        return False
    return gap > UNKNOWN_BRIDGE or any(
        one.total > 0 and one.known > 0 and one.start >= last.end and one.end <= following.start for one in slices
    )


def _made(run: Sequence[Slice], whole: float, now: float) -> Violation:
    bad, total = sum(one.bad for one in run), sum(one.total for one in run)
    goes_on = now - run[-1].end < BRIDGE
    return Violation(
        start=run[0].start,
        end=None if goes_on else run[-1].end,
        bad=bad,
        total=total,
        spent=bad / whole if whole > 0 else 0.0,
        grain=max(run[0].seconds, run[-1].seconds),
    )
