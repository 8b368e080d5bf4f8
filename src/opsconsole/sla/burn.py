"""Burn rates: which windows are looked at, and from which rate on somebody is told.

The burn rate is the share that is bad by the share that may be: at 1 the budget lasts exactly one window of the SLA.
Somebody is told when it is above a factor over a long window (enough was lost to matter) and over a short one, a
twelfth of it (it still goes on). SRE Workbook, chapter 5; the factors of seven days are sloth's (`windows/7d.yaml`):
those of thirty days would ring there for a twentieth of the loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

PERIODS = {"7d": 7 * DAY, "28d": 28 * DAY, "30d": 30 * DAY, "week": 7 * DAY, "month": 30 * DAY}
"""Window of an SLA -> its length, seconds; a month counts as thirty days, so that an alert does not change with it."""


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """A pair of windows. Somebody is told when both burn faster than `factor`."""

    severity: str
    """`page`, now, or `ticket`, in working hours."""
    long: float
    """Seconds."""
    short: float
    factor: float
    budget: float
    """The share of the budget that is gone when the long window has burnt at `factor` throughout."""

    def exhausts_in(self, period: float) -> float:
        """Seconds within which a whole budget of `period` seconds is gone at this rate."""
        return period / self.factor

    def error_ratio(self, objective: float) -> float:
        """The share of bad above which somebody is told."""
        return self.factor * (1.0 - objective)

    def can_fire(self, objective: float) -> bool:
        """Whether there is a share of bad above it: everything bad is a burn rate of 1 / (1 - objective)."""
        return self.error_ratio(objective) < 1.0


# (severity, share of the budget, long, short)
_MONTHLY = (
    ("page", 0.02, HOUR, 5 * MINUTE),
    ("page", 0.05, 6 * HOUR, 30 * MINUTE),
    ("ticket", 0.10, DAY, 2 * HOUR),
    ("ticket", 0.10, 3 * DAY, 6 * HOUR),
)
_WEEKLY = (
    ("page", 0.08, HOUR, 5 * MINUTE),
    ("page", 0.125, 6 * HOUR, 30 * MINUTE),
    ("ticket", 0.20, DAY, 2 * HOUR),
    ("ticket", 0.42, 3 * DAY, 6 * HOUR),
)


def burn_windows(window: str) -> tuple[BurnWindow, ...]:
    """The pairs for an SLA over `window` (one of `config.slas.WINDOWS`), the fastest first."""
    period = PERIODS[window]
    table = _WEEKLY if period <= 7 * DAY else _MONTHLY
    # The factor follows from what may be gone: budget * period / long. 14.4 = 2 % of thirty days in one hour.
    return tuple(
        BurnWindow(severity, long, short, budget * period / long, budget) for severity, budget, long, short in table
    )


def effective(windows: Sequence[BurnWindow], objective: float) -> tuple[BurnWindow, ...]:
    """Those of `windows` that can fire at all; the others' alerts would be silence that looks like safety."""
    return tuple(one for one in windows if one.can_fire(objective))


def silent(windows: Sequence[BurnWindow], objective: float) -> tuple[BurnWindow, ...]:
    """Those of `windows` that can never fire."""
    return tuple(one for one in windows if not one.can_fire(objective))
