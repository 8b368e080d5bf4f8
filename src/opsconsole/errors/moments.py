"""Times as logs write them, as unix seconds."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_ISO = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)?")
_SYSLOG = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
_NUMBER = re.compile(r"\d{9,10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}")
_DIGITS_OF_SECONDS = 10


def zone(name: str) -> tzinfo:
    """The zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def parse_moment(value: object, local: tzinfo, *, time_format: str = "", now: float = 0.0) -> float | None:
    """Unix seconds of what a log gives as a time; None where it is none.

    Args:
        value: a number of seconds, milliseconds, microseconds or nanoseconds since 1970, or a text.
        local: the zone of times that name none.
        time_format: as `strptime` has it; tried alone where it is given.
        now: unix seconds, for times without a year.
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float):
            return _of_number(str(int(value)), float(value))
        text = str(value).strip()[:60]
        if time_format:
            return _aware(datetime.strptime(text, time_format), local)  # noqa: DTZ007
        return _of_text(text, local, now)
    except (ValueError, OverflowError, OSError):
        return None


def _of_text(text: str, local: tzinfo, now: float) -> float | None:
    if _NUMBER.fullmatch(text):
        return _of_number(text.partition(".")[0], float(text))
    iso = _ISO.match(text)
    if iso is not None:
        found = iso.group().strip().replace("/", "-").replace("UTC", "Z").replace("GMT", "Z").replace(",", ".")
        return _aware(datetime.fromisoformat(re.sub(r"\s(?=Z|[+-]\d\d:?\d\d$)", "", found)), local)
    if _SYSLOG.match(text):
        return _of_syslog(text[:15], local, now)
    return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()


def _of_number(digits: str, value: float) -> float | None:
    # 10 digits are seconds until the year 2286; more are thousandths, millionths, billionths.
    if len(digits) > _DIGITS_OF_SECONDS:
        value /= 10.0 ** (3 * -(-(len(digits) - _DIGITS_OF_SECONDS) // 3))
    return value if value > 0 else None


def _of_syslog(text: str, local: tzinfo, now: float) -> float:
    """The year is the one that makes it the latest time that is not to come."""
    today = datetime.fromtimestamp(now, local)
    found = datetime.strptime(f"{today.year} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=local)
    if found > today + timedelta(days=1):
        found = found.replace(year=today.year - 1)
    return found.timestamp()


def _aware(moment: datetime, local: tzinfo) -> float:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=local)).timestamp()
