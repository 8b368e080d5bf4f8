"""Units: Grafana's ids and ours. Most are the same word; here is what differs, in both directions."""

from opsconsole.core.clean import clean_line
from opsconsole.core.units import UNITS, is_unit

_ALIASES: dict[str, str] = {
    "": "short",
    "string": "none",
    "locale": "none",
    "sci": "none",
    "percent01": "percentunit",
    "farenheit": "fahrenheit",
    **dict.fromkeys(("dateTimeAsIsoNoDateIfToday", "dateTimeAsUS", "dateTimeAsUSNoDateIfToday"), "dateTimeAsIso"),
    **dict.fromkeys(("dateTimeAsLocal", "dateTimeAsLocalNoDateIfToday", "dateTimeAsSystem"), "dateTimeAsIso"),
}
"""Grafana's id -> ours, where ours reads the same number in another word."""

_SUFFIXES: dict[str, str] = {
    "pressurekpa": "kPa", "pressurepsi": "psi", "lengthkm": "km", "lengthmm": "mm", "velocitykmh": "km/h",
    "litre": "L", "mlitre": "mL", "m3": "m³", "massg": "g", "masskg": "kg", "lux": "lx", "ohm": "Ω", "mvolt": "mV",
    "mamp": "mA", "mwatt": "mW", "Hs": "H/s", "flops": "FLOP/s", "lumens": "lm", "radian": "rad", "conppm": "ppm",
    "conngm3": "ng/m³", "conugm3": "µg/m³", "ipm": "/min", "counts": "/s",
}  # fmt: skip
"""Grafana's id -> the words to show after the number, for those that ours has no unit for."""

_GRAFANAS = {"us": "µs"}
"""Our id -> Grafana's, where Grafana knows only another word for it."""

_LONGEST_SUFFIX = 20


def unit_from_grafana(name: str) -> tuple[str, str]:
    """(our unit, what is lost).

    A unit that Grafana does not know either is words of the dashboard's author, as Grafana shows them.
    """
    if name in UNITS:
        return name, ""
    if name in _ALIASES:
        return _ALIASES[name], ""
    kind, colon, words = name.partition(":")
    if name.startswith("time:"):
        return "dateTimeAsIso", f"times are written as ISO 8601, not as {clean_line(words, limit=40)!r}"
    if name.startswith("currency") and not colon:
        return _suffix(name.removeprefix("currency"))
    if colon and kind in ("suffix", "prefix", "si", "count", "currency"):
        return _suffix(words)
    return _suffix(_SUFFIXES.get(name, name))


def unit_to_grafana(unit: str) -> str:
    """The id under which Grafana shows `unit` in the same way."""
    return _GRAFANAS.get(unit, unit)


def _suffix(words: str) -> tuple[str, str]:
    """The unit for words of one's own, shortened to what may stand beside a number."""
    plain = clean_line(words.strip(), limit=200)
    unit = f"suffix:{plain[:_LONGEST_SUFFIX].rstrip()}"
    if not is_unit(unit):
        return "none", f"unit {plain[:40]!r} cannot be shown" if plain else ""
    return unit, "" if len(plain) <= _LONGEST_SUFFIX else f"unit {plain!r} is shortened"
