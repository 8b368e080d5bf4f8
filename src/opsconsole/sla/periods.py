"""Which time is counted: windows that roll, weeks and months of the calendar, and maintenance that is left out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opsconsole.config.slas import Maintenance
from opsconsole.sla.burn import DAY, HOUR

_ROLLING = {"7d": 7, "28d": 28, "30d": 30}


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, unix seconds; `end` is not in it."""

    start: float
    end: float
    title: str
    """`rolling 30 d`, `2026-W46`, `2026-11`."""
    rolling: bool = False

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Excluded:
    """A stretch of maintenance within a period."""

    start: float
    end: float
    name: str
    why: str = ""


def current(window: str, zone: str, now: float) -> Period:
    """The period of `window` at `now`: one that rolls ends now, one of the calendar goes on to its end."""
    if window in _ROLLING:
        days = _ROLLING[window]
        # Counted by the hour: the oldest hour leaves as a whole.
        return Period((now - days * DAY) // HOUR * HOUR, now, f"rolling {days} d", rolling=True)
    today = datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    return _week(today, zone) if window == "week" else _month(today, zone)


def before(period: Period, zone: str) -> Period:
    """The period of the same kind just before."""
    if period.rolling:
        return Period(period.start - period.seconds, period.start, period.title, rolling=True)
    day = datetime.fromtimestamp(period.start, ZoneInfo(zone)).date() - timedelta(days=1)
    return _week(day, zone) if "W" in period.title else _month(day, zone)


def week_of(text: str, zone: str) -> Period:
    """`2026-W46`, as ISO 8601 counts weeks: Monday to Sunday.

    Raises:
        ValueError: no such week.
    """
    found = re.fullmatch(r"(\d{4})-W(\d{2})", text)
    if found is None:
        raise ValueError(f"{text!r} is no week; expected such as 2026-W46")
    try:
        return _week(date.fromisocalendar(int(found[1]), int(found[2]), 1), zone)
    except ValueError:
        raise ValueError(f"{text!r}: that year has no such week") from None


def month_of(text: str, zone: str) -> Period:
    """`2026-11`.

    Raises:
        ValueError: no such month.
    """
    try:
        return _month(date.fromisoformat(f"{text}-01"), zone)
    except ValueError:
        raise ValueError(f"{text!r} is no month; expected such as 2026-11") from None


def excluded(maintenance: Iterable[Maintenance], start: float, end: float) -> tuple[Excluded, ...]:
    """The maintenance between `start` and `end`, cut to them, in the order of time."""
    found = [
        Excluded(max(start, begin), min(end, until), one.name, one.why)
        for one in maintenance
        for begin, until in _stretches(one, start, end)
        if begin < end and until > start
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def merged(stretches: Iterable[Excluded]) -> list[tuple[float, float]]:
    """(start, end) of what is covered by any of them, without overlaps."""
    spans: list[tuple[float, float]] = []
    for one in sorted(stretches, key=lambda one: one.start):
        if spans and one.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], one.end))
        else:
            spans.append((one.start, one.end))
    return spans


def seconds_of(spans: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """How much of `start` to `end` the spans, which do not overlap, cover."""
    return sum(max(0.0, min(end, until) - max(start, begin)) for begin, until in spans)


def _stretches(one: Maintenance, start: float, end: float) -> Iterable[tuple[float, float]]:
    if not one.days:
        yield one.begin, one.end
        return
    zone = ZoneInfo(one.zone)
    day = datetime.fromtimestamp(start, zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(end, zone).date()
    at = time(one.at // 3600, one.at % 3600 // 60)
    while day <= last:
        if day.weekday() in one.days:
            begin = datetime.combine(day, at, zone).timestamp()
            yield begin, begin + one.length
        day += timedelta(days=1)


def _week(day: date, zone: str) -> Period:
    monday = day - timedelta(days=day.weekday())
    year, number, _ = monday.isocalendar()
    return Period(_midnight(monday, zone), _midnight(monday + timedelta(days=7), zone), f"{year}-W{number:02d}")


def _month(day: date, zone: str) -> Period:
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(_midnight(first, zone), _midnight(following, zone), f"{first:%Y-%m}")


def _midnight(day: date, zone: str) -> float:
    return datetime.combine(day, time(), ZoneInfo(zone)).timestamp()
