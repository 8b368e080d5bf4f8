"""Durations as people write them (`500ms`, `90s`, `1h30m`) and as they read them (`3m`, `2d 4h`)."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w|y))+")


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `5s`, `500ms`, `1h30m`, `7d`.

    Raises:
        ValueError: anything else, a bare number included, for its unit would be a guess.
    """
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write for example 500ms, 5s, 10m, 2h, 1d")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def age_text(seconds: float) -> str:
    """An age in at most four characters or so, for lists: `0s`, `59s`, `3m`, `12h`, `5d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(max(0.0, seconds))}s"


def duration_text(seconds: float) -> str:
    """A duration in its two largest units, for detail: `0.3 s`, `41 s`, `2m 10s`, `1d 4h`."""
    if seconds < 0:
        return "-" + duration_text(-seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    parts: list[str] = []
    rest = int(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0"))
