"""Numbers as people read them: `312 ms`, `1.2 GiB`, `99.1 %`, `4m12s`. The unit ids are Grafana's.

A text is at most eight cells wide where the number of decimals is left to this module (calendar units apart; a
minus sign may be the ninth).
It never claims more than it knows: no value is `–`, and 99.97 % is not rounded to 100 %.
"""

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from opsconsole.core.clean import clean_line

NO_VALUE = "–"
WIDTH = 8
"""Cells that an automatically formatted value takes at most."""

_SI = ("", "k", "M", "G", "T", "P", "E")
_IEC = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


class _Scaled(NamedTuple):
    """A unit whose prefix grows with the value."""

    suffix: str
    factor: float = 1.0
    prefixes: tuple[str, ...] = _SI
    base: float = 1000.0
    attached: bool = False
    """The prefix stands at the number (`1.2k /s`), not at the suffix (`1.2 kB`)."""


def _bytes(factor: float = 1.0, suffix: str = "B") -> _Scaled:
    return _Scaled(suffix, factor, _IEC, 1024.0)


_PER_SECOND = ("ops", "reqps", "rps", "wps", "iops", "cps", "eps", "mps", "recps", "rowsps")

_SCALED: dict[str, _Scaled] = {
    "short": _Scaled("", attached=True),
    "sishort": _Scaled("", attached=True),
    # data
    "bytes": _bytes(),
    "bits": _bytes(suffix="b"),
    "kbytes": _bytes(2.0**10),
    "mbytes": _bytes(2.0**20),
    "gbytes": _bytes(2.0**30),
    "tbytes": _bytes(2.0**40),
    "decbytes": _Scaled("B"),
    "decbits": _Scaled("b"),
    "deckbytes": _Scaled("B", 1e3),
    "decmbytes": _Scaled("B", 1e6),
    "decgbytes": _Scaled("B", 1e9),
    "dectbytes": _Scaled("B", 1e12),
    # data rates
    "Bps": _Scaled("B/s"),
    "bps": _Scaled("b/s"),
    "binBps": _bytes(suffix="B/s"),
    "binbps": _bytes(suffix="b/s"),
    "KBs": _Scaled("B/s", 1e3),
    "MBs": _Scaled("B/s", 1e6),
    "GBs": _Scaled("B/s", 1e9),
    "Kbits": _Scaled("b/s", 1e3),
    "Mbits": _Scaled("b/s", 1e6),
    "Gbits": _Scaled("b/s", 1e9),
    "TBs": _Scaled("B/s", 1e12),
    "Kibits": _bytes(2.0**10, "b/s"),
    "Mibits": _bytes(2.0**20, "b/s"),
    "Gibits": _bytes(2.0**30, "b/s"),
    "KiBs": _bytes(2.0**10, "B/s"),
    "MiBs": _bytes(2.0**20, "B/s"),
    "GiBs": _bytes(2.0**30, "B/s"),
    # things per time; what is counted is said by the title
    **{unit: _Scaled("/s", attached=True) for unit in _PER_SECOND},
    "pps": _Scaled("p/s", attached=True),
    **{unit: _Scaled("/min", attached=True) for unit in ("opm", "rpm", "wpm", "cpm", "reqpm")},
    # physical
    "hertz": _Scaled("Hz"),
    "rotrpm": _Scaled("rpm", attached=True),
    "watt": _Scaled("W"),
    "kwatt": _Scaled("W", 1e3),
    "watth": _Scaled("Wh"),
    "kwatth": _Scaled("Wh", 1e3),
    "megwatt": _Scaled("W", 1e6),
    "joule": _Scaled("J"),
    "volt": _Scaled("V"),
    "amp": _Scaled("A"),
    "voltamp": _Scaled("VA"),
    "lengthm": _Scaled("m"),
    "velocityms": _Scaled("m/s", attached=True),
    # money
    "currencyUSD": _Scaled("$", attached=True),
    "currencyEUR": _Scaled("€", attached=True),
    "currencyGBP": _Scaled("£", attached=True),
}

_PLAIN: dict[str, str] = {
    "none": "",
    "celsius": "°C",
    "fahrenheit": "°F",
    "kelvin": "K",
    "humidity": "%H",
    "dB": "dB",
    "dBm": "dBm",
    "degree": "°",
    "ppm": "ppm",
    "pressurehpa": "hPa",
    "pressurembar": "mbar",
    "pressurebar": "bar",
}

_PERCENT: dict[str, float] = {"percent": 1.0, "percentunit": 100.0}

_SECONDS: dict[str, float] = {
    "ns": 1e-9,
    "µs": 1e-6,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "dtdurations": 1.0,
    "dtdurationms": 1e-3,
    "clocks": 1.0,
    "clockms": 1e-3,
    "dthms": 1.0,
    "dtdhms": 1.0,
    "timeticks": 1e-2,
}

_BOOLEANS: dict[str, tuple[str, str]] = {
    "bool": ("false", "true"),
    "bool_on_off": ("off", "on"),
    "bool_yes_no": ("no", "yes"),
}

_CALENDAR: dict[str, Callable[[float, float], str]] = {
    # Grafana's calendar units take milliseconds since the epoch.
    "dateTimeFromNow": lambda value, now: _from_now(value / 1000.0, now),
    "dateTimeAsIso": lambda value, _: _iso(value / 1000.0),
}

UNITS: frozenset[str] = frozenset({*_SCALED, *_PLAIN, *_PERCENT, *_SECONDS, *_BOOLEANS, *_CALENDAR})
"""Every unit that content may name, besides words of its own: `suffix:WORDS`."""

_SUFFIX = re.compile(r"suffix:\S.{0,19}")


def is_unit(name: str) -> bool:
    """Whether content may name a unit so: one of `UNITS`, or `suffix:` and one to twenty characters of its own."""
    return name in UNITS or (_SUFFIX.fullmatch(name) is not None and clean_line(name) == name)


def format_value(value: float | None, unit: str = "short", decimals: int | None = None, *, now: float = 0.0) -> str:
    """`value` with its unit, in the prefix that keeps it short.

    Args:
        value: in the unit's base, as the source gives it (`percentunit` 0.5 is `50 %`). None and NaN are "no value".
        unit: one of `UNITS`; of `suffix:WORDS` the words stand after the plain number, as any other unit does.
        decimals: digits after the point; None keeps three significant digits in at most `WIDTH` cells.
        now: Unix seconds for `dateTimeFromNow`; 0 takes the clock.
    """
    if value is None or math.isnan(value):
        return NO_VALUE
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit in _SECONDS:
        return _duration(value * _SECONDS[unit], decimals)
    if unit in _PERCENT:
        return _percent(value * _PERCENT[unit], decimals)
    if unit in _SCALED:
        return _scaled(value, _SCALED[unit], decimals)
    if unit in _BOOLEANS:
        return _BOOLEANS[unit][value != 0]
    if unit in _CALENDAR:
        return _CALENDAR[unit](value, now or time.time())
    return _plain(value, _PLAIN.get(unit, unit.removeprefix("suffix:")), decimals)


def _digits(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _trimmed(value: float, decimals: int) -> str:
    """Without the zeros that an automatic number of decimals would leave: `0.5`, not `0.50`."""
    text = _digits(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _automatic(value: float) -> int:
    """Decimals that leave three significant digits, and none where the value is whole."""
    size = abs(float(value))
    if size.is_integer() or size >= 99.95:
        return 0
    if size >= 9.995:
        return 1
    return 2 if size >= 0.01 else 4


def _fit(value: float, suffix: str, decimals: int | None, *, mark: str = "") -> str:
    """Number, prefix mark and suffix.

    An automatic number loses decimals, then the space, before it outgrows `WIDTH`; but it never becomes zero by that.
    """
    space = " " if suffix else ""
    if decimals is not None:
        return f"{_digits(value, decimals)}{mark}{space}{suffix}"
    for gap in (space, ""):
        for places in range(_automatic(value), -1, -1):
            number = _trimmed(value, places)
            text = f"{number}{mark}{gap}{suffix}"
            if len(text) <= WIDTH and (number != "0" or value == 0):
                return text
    number = _trimmed(value, 0) if 1 <= abs(value) < 1000 else _scientific(value)
    return f"{number}{mark}{suffix}"


def _scaled(value: float, scale: _Scaled, decimals: int | None) -> str:
    value *= scale.factor
    prefix = 0
    # 999.6 would be shown as 1000 of the smaller prefix.
    while abs(value) >= 999.5 and prefix < len(scale.prefixes) - 1:
        value /= scale.base
        prefix += 1
    mark = scale.prefixes[prefix]
    if scale.attached:
        return _fit(value, scale.suffix, decimals, mark=mark)
    return _fit(value, mark + scale.suffix, decimals)


def _percent(value: float, decimals: int | None) -> str:
    if 99.0 <= value < 100.0:
        # "100 %" is a promise; what falls short of it must not be rounded up to it.
        places = 2 if decimals is None else decimals
        value = math.floor(value * 10**places) / 10**places
        return f"{_trimmed(value, places) if decimals is None else _digits(value, places)} %"
    return _fit(value, "%", decimals)


def _plain(value: float, suffix: str, decimals: int | None) -> str:
    if decimals is not None or abs(value) < 100:
        return _fit(value, suffix, decimals)
    whole = f"{_trimmed(value, 2)}{' ' if suffix else ''}{suffix}"
    return whole if len(whole) <= WIDTH else _scaled(value, _Scaled(suffix, attached=True), None)


_YEAR = 365 * 86400
_SUBMINUTE = ((999.5e-9, 1e9, "ns"), (999.5e-6, 1e6, "µs"), (0.9995, 1e3, "ms"), (59.95, 1.0, "s"))


def _duration(seconds: float, decimals: int | None) -> str:
    size = abs(seconds)
    if size == 0:
        return "0 s"
    for limit, factor, unit in _SUBMINUTE:
        if size < limit:
            return _fit(seconds * factor, unit, decimals)
    if size >= 999 * 86400:
        return _scaled(seconds / _YEAR, _Scaled("y", attached=True), None)
    return ("-" if seconds < 0 else "") + _two_units(round(size))


def _two_units(seconds: int) -> str:
    """The two largest units of at least a minute: `4m12s`, `2h05m`, `3d04h`."""
    if seconds >= 86400:
        days, rest = divmod(seconds, 86400)
        return f"{days}d{rest // 3600:02d}h" if rest >= 3600 else f"{days}d"
    if seconds >= 3600:
        hours, rest = divmod(seconds, 3600)
        return f"{hours}h{rest // 60:02d}m" if rest >= 60 else f"{hours}h"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest:02d}s" if rest else f"{minutes}m"


def _from_now(at: float, now: float) -> str:
    distance = abs(now - at)
    text = f"{round(distance)}s" if distance < 59.5 else _two_units(round(distance))
    return f"in {text}" if at > now else f"{text} ago"


def _iso(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return NO_VALUE
