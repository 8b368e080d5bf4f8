"""Time intervals of Alertmanager's configuration: when a route is muted, and when it is active.

What a configuration says comes as text throughout (YAML's base types), so that `17:00` is no number of seconds.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from opsconsole.core.clean import clean_line

Span = tuple[int, int]
"""First and last, both included; of minutes of a day the last is not."""

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Moments that fulfil every condition given; of several spans in one, any. Empty: no condition."""

    minutes: tuple[Span, ...] = ()
    weekdays: tuple[Span, ...] = ()
    """0 is Sunday."""
    days_of_month: tuple[Span, ...] = ()
    """Negative: from the end, -1 the last day."""
    months: tuple[Span, ...] = ()
    years: tuple[Span, ...] = ()
    zone: tzinfo = UTC

    def holds(self, at: float) -> bool:
        """Whether `at` (unix seconds) is in it."""
        then = datetime.fromtimestamp(at, self.zone)
        minute = then.hour * 60 + then.minute
        if self.minutes and not any(first <= minute < last for first, last in self.minutes):
            return False
        if self.days_of_month and not _on_day(self.days_of_month, then):
            return False
        weekday = then.isoweekday() % 7
        checks = ((self.weekdays, weekday), (self.months, then.month), (self.years, then.year))
        return all(not spans or any(first <= one <= last for first, last in spans) for spans, one in checks)


def intervals_of(entries: Any) -> tuple[TimeInterval, ...]:
    """What `time_intervals` of one named interval says.

    Raises:
        ValueError: something that cannot be worked out here.
    """
    if not isinstance(entries, list):
        raise ValueError("time_intervals: expected a list")
    return tuple(_interval(one) for one in entries)


def _interval(entry: Any) -> TimeInterval:
    if not isinstance(entry, Mapping):
        raise ValueError("a time interval that is no mapping")
    return TimeInterval(
        minutes=tuple(_times(one) for one in _list(entry, "times")),
        weekdays=tuple(_named(one, _WEEKDAYS, 0) for one in _list(entry, "weekdays")),
        days_of_month=tuple(_numbers(one) for one in _list(entry, "days_of_month")),
        months=tuple(_named(one, _MONTHS, 1) for one in _list(entry, "months")),
        years=tuple(_numbers(one) for one in _list(entry, "years")),
        zone=_zone(entry.get("location") or "UTC"),
    )


def _list(entry: Mapping[str, Any], key: str) -> list[Any]:
    found = entry.get(key) or []
    if not isinstance(found, list):
        raise ValueError(f"{key}: expected a list")
    return found


def _times(entry: Any) -> Span:
    if not isinstance(entry, Mapping):
        raise ValueError("times: expected start_time and end_time")
    return _minute(entry.get("start_time")), _minute(entry.get("end_time"))


def _minute(text: Any) -> int:
    hour, colon, minute = str(text).partition(":")
    if not colon or not hour.isdigit() or not minute.isdigit():
        raise ValueError(f"{clean_line(text, limit=40)!r} is no time of day")
    return int(hour) * 60 + int(minute)


def _numbers(text: Any) -> Span:
    first, colon, last = str(text).partition(":")
    try:
        return int(first), int(last if colon else first)
    except ValueError:
        raise ValueError(f"{clean_line(text, limit=40)!r} is no span of numbers") from None


def _named(text: Any, names: tuple[str, ...], base: int) -> Span:
    """A span of days or months, by name; months by number, too."""
    first, colon, last = str(text).lower().partition(":")
    try:
        found = [int(one) if one.isdigit() else names.index(one) + base for one in (first, last if colon else first)]
    except ValueError:
        raise ValueError(f"{clean_line(text, limit=40)!r} is no span of {names[0]} to {names[-1]}") from None
    return found[0], found[1]


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    if name == "UTC":
        return UTC
    if name == "Local":
        raise ValueError("location: Local is the time of Alertmanager's machine, which is not known here")
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"location: time zone {clean_line(name, limit=60)!r} is not known here") from None


def _on_day(spans: tuple[Span, ...], then: datetime) -> bool:
    length = monthrange(then.year, then.month)[1]
    for first, last in spans:
        begin, end = (one + length + 1 if one < 0 else one for one in (first, last))
        if begin <= length and max(begin, -length) <= then.day <= min(end, length):
            return True
    return False
