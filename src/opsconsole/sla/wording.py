"""The words and numbers in which people are told of SLAs, the same on the screen, in tables and in reports."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from opsconsole.core.duration import duration_text

NOTHING = "–"


def share_text(share: float | None) -> str:
    """`99.953 %`. Never more than it is: what falls short of 100 % is not rounded up to it."""
    if share is None:
        return NOTHING
    percent = share * 100
    places = 3 if percent > 99 else 2 if percent > 90 else 1
    # An epsilon of a float is no failure: 99.5 is not 99.499.
    text = f"{math.floor(percent * 10**places + 1e-6) / 10**places:.{places}f}"
    return f"{text.rstrip('0').rstrip('.')} %"


def budget_text(left: float | None) -> str:
    """`38 %`, `-120 %`: what is left of a budget."""
    return NOTHING if left is None else f"{math.floor(left * 100 + 1e-6)} %"


def spent_text(spent: float) -> str:
    """`0.3 %`, `16 %`: what something took of a budget."""
    return f"{spent * 100:.1f} %" if spent < 0.0995 else f"{spent * 100:.0f} %"


def change_text(change: float | None) -> str:
    """`+0.12`, in percentage points."""
    if change is None:
        return NOTHING
    return "±0" if abs(change) < 0.000005 else f"{change * 100:+.3f}".rstrip("0").rstrip(".")


def burn_text(rate: float | None) -> str:
    """`14.4×`."""
    if rate is None:
        return NOTHING
    return f"{rate:.0f}×" if rate >= 9.95 else f"{rate:.1f}×" if rate >= 0.05 else "0×"


def moment_text(at: float | None, zone: str = "UTC") -> str:
    """`2026-11-20 02:35 UTC`, `2026-11-20 03:35 CET`."""
    if at is None:
        return NOTHING
    moment = datetime.fromtimestamp(at, UTC if zone == "UTC" else ZoneInfo(zone))
    return f"{moment:%Y-%m-%d %H:%M %Z}"


def days_text(start: float, end: float, zone: str) -> str:
    """The days of a week or month, `end` not in it: `2026-11-16 to 2026-11-22, Europe/Amsterdam`."""
    first, last = (datetime.fromtimestamp(at, ZoneInfo(zone)) for at in (start, end - 1))
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}, {zone}"


def target_text(kind: str, target: float) -> str:
    """What is promised of each: `within 500 ms`."""
    match kind:
        case "availability":
            return ""
        case "freshness":
            return f"less than {duration_text(target)} old"
        case "pipeline":
            return f"over, and successful, within {duration_text(target)}"
    return f"within {duration_text(target)}"
