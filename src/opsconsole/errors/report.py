"""What there is to say about one kind of error, in words: the same on the screen and on the command line."""

from datetime import UTC, datetime

from opsconsole.core.duration import age_text, duration_text
from opsconsole.errors.model import Kind, Mute, Survey


def facts(kind: Kind, survey: Survey, runbook: str = "") -> tuple[tuple[str, str], ...]:
    """(name, value), what is known of it."""
    now = survey.taken_at
    told = (
        ("fingerprint", kind.fingerprint),
        ("source", kind.source),
        ("service", kind.service),
        ("type", kind.type),
        ("place", kind.frame),
        ("kind", kind.message),
        ("count", f"{kind.count:,} in {duration_text(survey.window)}{_against(kind)}"),
        ("rate", f"{rate_text(kind.rate)} over the last ten minutes"),
        ("first seen", moment(kind.first_at, now)),
        ("last seen", moment(kind.last_at, now)),
        ("new", newness(kind)),
        ("muted", muted(kind)),
        ("runbook", runbook),
    )
    return tuple((name, value) for name, value in told if value)


def rate_text(rate: float) -> str:
    """Occurrences a second, in the unit that reads well."""
    if rate <= 0:
        return "none"
    if rate >= 1:
        return f"{rate:.1f}/s"
    return f"{rate * 60:.1f}/min" if rate * 60 >= 1 else f"{rate * 3600:.0f}/h"


def newness(kind: Kind) -> str:
    """Whether it was there before yesterday."""
    if kind.new is None:
        return "not known: nobody looked a day ago"
    return "yes: it was not there before yesterday at this time" if kind.new else "no"


def muted(kind: Kind) -> str:
    """By whom, and until when; empty where it is not."""
    mute = kind.mute
    if mute is None:
        return ""
    until = "for good" if mute.until is None else f"until {stamp(mute.until)}"
    return f"by {mute.by} {until}{f': {mute.note}' if mute.note else ''}"


def muting_title(kind: Kind, mute: Mute | None) -> str:
    """What the journal says that was done; `mute` None: it was taken back."""
    name = f"{kind.service or kind.source}: {kind.type or kind.message}"
    if mute is None:
        return f"take back the mute of {name}"
    until = "for good" if mute.until is None else f"until {stamp(mute.until)}"
    return f"mute {name} {until}{f': {mute.note}' if mute.note else ''}"


def moment(at: float | None, now: float) -> str:
    """When, and how long ago."""
    return "not known" if at is None else f"{stamp(at)} ({age_text(max(0.0, now - at))} ago)"


def stamp(at: float) -> str:
    """`2026-11-29 14:09:27 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _against(kind: Kind) -> str:
    return "" if kind.before is None else f"; {kind.before:,} in as long before"
