"""A time as an operator writes it, and as it is said."""

from datetime import UTC, datetime

from opsconsole.core.duration import parse_duration


def moment_of(text: str, now: float) -> float:
    """Unix seconds of `now`, `+2h`, or a date and time (UTC unless it says otherwise).

    Raises:
        ValueError: anything else.
    """
    try:
        if text == "now":
            return now
        if text.startswith("+"):
            return datetime.fromtimestamp(now + parse_duration(text[1:]), UTC).timestamp()
        then = datetime.fromisoformat(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r}; expected for example 2026-12-24T22:00, now or +2h") from None


def timestamp(seconds: float) -> str:
    """RFC 3339 of unix seconds, in UTC, without fractions."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
