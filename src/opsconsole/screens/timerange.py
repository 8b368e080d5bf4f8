"""The time range that all panes of a screen share: how long, and up to when."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from opsconsole.core.duration import parse_duration

STEPS = (300.0, 900.0, 1800.0, 3600.0, 10800.0, 21600.0, 43200.0, 86400.0, 172800.0, 604800.0, 1209600.0, 2592000.0)
"""The spans that zooming goes through, in seconds: 5 minutes to 30 days."""

_SHORTEST, _LONGEST = 60.0, 366 * 86400.0


@dataclass(frozen=True, slots=True)
class TimeRange:
    """`window` seconds up to `end` (unix seconds; None: now, moving along).

    With `end` None it is equal across ticks, so that a query over it keeps its schedule. `chosen` says that the
    operator set it, which overrides the range that a pane asks for by itself.
    """

    window: float = 3600.0
    end: float | None = None
    chosen: bool = False

    def span(self, now: float) -> tuple[float, float]:
        """(start, end) in Unix seconds, as of `now`."""
        end = now if self.end is None else self.end
        return end - self.window, end

    def panned(self, direction: int, now: float) -> "TimeRange":
        """Half a window earlier (-1) or later (+1); coming near to now, it moves along again.

        Near is half a step: one step back and one forward lead to now, however long one has looked in between.
        """
        step = self.window / 2
        end = (now if self.end is None else self.end) + direction * step
        live = end > now - step / 2 if direction > 0 else end >= now
        return replace(self, end=None if live else end, chosen=True)

    def zoomed(self, direction: int) -> "TimeRange":
        """The next shorter (-1) or longer (+1) span of STEPS, its end staying."""
        if direction < 0:
            window = max((step for step in STEPS if step < self.window), default=self.window)
        else:
            window = min((step for step in STEPS if step > self.window), default=self.window)
        return replace(self, window=window, chosen=True)

    def text(self) -> str:
        """`last 1h`, or both ends in UTC."""
        if self.end is None:
            return f"last {span_text(self.window)}"
        start = datetime.fromtimestamp(self.end - self.window, UTC)
        until = datetime.fromtimestamp(self.end, UTC)
        same_day = start.date() == until.date()
        return f"{start:%Y-%m-%d %H:%M} to {until:%H:%M}" if same_day else f"{start:%m-%d %H:%M} to {until:%m-%d %H:%M}"


def span_text(seconds: float) -> str:
    """A span in the largest units that say it exactly: `15m`, `1h 30m`, `7d`."""
    parts = []
    rest = round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def parse_range(text: str, now: float) -> TimeRange:
    """A range as an operator types it: `6h`, `6h to -2h`, `14:00 to 15:30`, `2026-11-20 08:00 to 2026-11-20 12:00`.

    Times are UTC; a time without a date is today's, or yesterday's where today's is still to come.

    Raises:
        ValueError: for anything else, saying what can be typed.
    """
    start_text, separator, end_text = text.strip().partition(" to ")
    if not separator:
        return TimeRange(_bounded(_span(start_text)), chosen=True)
    end = _moment(end_text.strip(), now)
    start = end - _span(start_text) if _is_span(start_text) else _moment(start_text.strip(), now)
    if start >= end:
        raise ValueError("the range ends before it begins")
    return TimeRange(_bounded(end - start), None if end >= now else end, chosen=True)


def _is_span(text: str) -> bool:
    try:
        parse_duration(text.strip().replace(" ", ""))
    except ValueError:
        return False
    return True


def _span(text: str) -> float:
    return parse_duration(text.strip().removeprefix("last ").replace(" ", ""))


def _bounded(window: float) -> float:
    if not _SHORTEST <= window <= _LONGEST:
        raise ValueError(f"a range is between {span_text(_SHORTEST)} and {span_text(_LONGEST)}")
    return window


def _moment(text: str, now: float) -> float:
    if text == "now":
        return now
    if text.startswith("-"):
        return now - parse_duration(text[1:])
    today = datetime.fromtimestamp(now, UTC)
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    try:
        clock = datetime.strptime(text, "%H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 14:00, 2026-11-20 08:00, -2h or now (UTC)") from None
    moment = today.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return (moment if moment.timestamp() <= now else moment - timedelta(days=1)).timestamp()
