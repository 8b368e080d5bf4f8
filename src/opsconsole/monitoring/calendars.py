"""Weeks, months and maintenance as recording rules: PromQL knows neither time zones nor calendars.

What follows from the clock alone is worked out here and written down as moments: when clocks change in a zone, and when
maintenance begins and ends. From `FIRST` to `LAST` these are exact, and the same at every export; after that the last
offset from UTC stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from opsconsole.config.alerting import RecordingRule
from opsconsole.config.slas import Maintenance, Sla
from opsconsole.monitoring.text import prometheus_duration
from opsconsole.sla.burn import DAY, HOUR, MINUTE
from opsconsole.sla.periods import excluded

FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
STEP = 5 * MINUTE
"""Seconds in one recorded sum, which belongs to the period and to the maintenance that it lies in."""
_WEEK = 7 * DAY
_MONDAY = 3 * DAY
"""Unix time begins on a Thursday, three days after a Monday."""
_CLASSES = {"week": 2, "month": 3}
"""Into how many classes the weeks or months are told apart by their number: as far as a span of `SPANS` reaches back,
no other period has the class of the present one. Months need three: 31 days before March is January."""
SPANS = {"week": _WEEK + HOUR, "month": 31 * DAY + HOUR}
"""Seconds of the longest of each, with the hour by which clocks going back lengthen it."""
ACTIVE = "slo:maintenance:active"


def calendar_rules(slas: Iterable[Sla], group: str) -> Iterator[RecordingRule]:
    """What the rules of `slas` ask of the calendar, once for all: `slo:calendar:week`, `slo:calendar:month` and
    `slo:maintenance:active`."""
    listed = list(slas)
    for window, zone in sorted({(one.window, one.zone) for one in listed if one.window in SPANS}):
        yield RecordingRule(f"slo:calendar:{window}", group, _class_of(window, zone), {"zone": zone})
    pauses: dict[str, list[Maintenance]] = {}
    for one in dict.fromkeys(pause for sla in listed for pause in sla.maintenance):
        pauses.setdefault(one.name, []).append(one)
    for name, entries in sorted(pauses.items()):
        expr = " or ".join(span for entry in entries for span in _spans(entry))
        yield RecordingRule(ACTIVE, group, expr, {"maintenance": name})


def by_period(series: str, sla: Sla) -> str:
    """`series`, a sum of the last `STEP`, with the class of the week or month that it is of as the label `number`."""
    return f"{series} * on() group_left(number) {_present(sla)}"


def since_it_began(series: str, sla: Sla) -> str:
    """The sum of `series`, recorded as `by_period`, over the present week or month.

    A range in PromQL has a fixed length, so it is as long as the longest period, and what lies in it of the period
    before is left out by its class.
    """
    over = f"[{prometheus_duration(SPANS[sla.window])}:{prometheus_duration(STEP)}]"
    return f"sum without(number) (sum_over_time({series}{over}) and on(number) {_present(sla)})"


def _present(sla: Sla) -> str:
    return f'slo:calendar:{sla.window}{{zone="{sla.zone}"}}'


def without_maintenance(expr: str, sla: Sla) -> str:
    """`expr`, and nothing in the maintenance of `sla`."""
    if not sla.maintenance:
        return expr
    names = "|".join(dict.fromkeys(one.name.replace(".", "[.]") for one in sla.maintenance))
    return f'{expr} unless on() {ACTIVE}{{maintenance=~"{names}"}}'


def _class_of(window: str, zone: str) -> str:
    """One sample, whose label `number` is the class; by the middle of the last `STEP`: what is recorded at midnight is
    of the day before."""
    local = f"time() - {STEP / 2:.0f}{_offset(zone)}"
    if window == "month":
        number = f"month(vector({local})) % {_CLASSES[window]}"
    else:
        number = f"floor(vector({local} + {_MONDAY:.0f}) / {_WEEK:.0f}) % {_CLASSES[window]}"
    return f'count_values("number", {number})'


def _offset(zone: str) -> str:
    """Seconds that local time is ahead of UTC, as PromQL to add."""
    (_, ahead), *changes = _changes(zone)
    terms = _plus(ahead, "")
    for at, now in changes:
        terms += _plus(now - ahead, f" * (time() >= bool {at:.0f})")
        ahead = now
    return terms


def _plus(seconds: float, when: str) -> str:
    return f" {'+' if seconds > 0 else '-'} {abs(seconds):.0f}{when}" if seconds else ""


@cache
def _changes(zone: str) -> Sequence[tuple[float, float]]:
    """(unix seconds, seconds ahead of UTC from then on), the first from `FIRST` on."""
    known = ZoneInfo(zone)

    def ahead(at: float) -> float:
        offset = datetime.fromtimestamp(at, known).utcoffset()
        return offset.total_seconds() if offset is not None else 0.0

    found = [(FIRST.timestamp(), ahead(FIRST.timestamp()))]
    day = FIRST
    while day < LAST:
        low, high = day.timestamp(), (day + timedelta(days=1)).timestamp()
        after = ahead(high)
        if after != found[-1][1]:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if ahead(middle) != after else (low, middle)
            found.append((high, after))
        day += timedelta(days=1)
    return tuple(found)


def _spans(one: Maintenance) -> Iterator[str]:
    """Samples while it goes on, and for `STEP` after: until then a sum holds some of it."""
    if not one.days:
        yield f"(vector(time()) > {one.begin:.0f} < {one.end + STEP:.0f})"
        return
    for first, last in _weekly(one):
        passed = f"(vector(time() - {first:.0f}) > 0) % {_WEEK:.0f} < {one.length + STEP:.0f}"
        until = "" if last is None else f" and on() vector(time()) < {last + one.length + STEP:.0f}"
        yield f"({passed}{until})"


def _weekly(one: Maintenance) -> list[tuple[float, float | None]]:
    """(begin of the first, begin of the last) of its rows, in which each begins exactly a week after the one before: a
    change of the clocks ends a row. None: it has no end."""
    rows: list[list[float]] = []
    start = FIRST.timestamp() - _WEEK
    for begin in (found.start for found in excluded([one], start, LAST.timestamp()) if found.start > start):
        row = next((row for row in rows if begin - row[-1] == _WEEK), None)
        if row is None:
            rows.append([begin])
        else:
            row.append(begin)
    return [(row[0], None if row[-1] >= LAST.timestamp() - _WEEK else row[-1]) for row in rows]
