"""What became of a silence between the look that a change of it was made from, and the moment that it is sent.

Alertmanager takes a change of whatever a silence is by then, and does not say who made the last one: so what it was is
said with the change, and compared just before it is sent.
"""

from collections.abc import Iterator, Mapping

from opsconsole.alerts import wire
from opsconsole.alerts.matching import Matcher, parse_matchers
from opsconsole.alerts.model import Silence
from opsconsole.alerts.moments import timestamp
from opsconsole.core.clean import clean_line

_EXACT = 1.0
"""Seconds: what is said of moments has no fractions."""
_NAMED = 200
"""Characters of a comment, or of matchers, in a sentence."""


def seen_text(silence: Silence) -> str:
    """A silence as it was looked at: `until="…", by="…", comment="…", matchers="…"`, in the spelling of matchers."""
    said = {
        "until": _moment_text(silence.ends_at),
        "by": silence.created_by,
        "comment": silence.comment,
        "matchers": _matchers(silence),
    }
    return ", ".join(str(Matcher.of(name, "=", value)) for name, value in said.items())


def read_seen(text: str) -> Mapping[str, str]:
    """The parts of what `seen_text` made.

    Raises:
        ValueError: it is none.
    """
    found = {one.name: one.value for one in parse_matchers(text) if one.op == "="}
    if found.keys() != {"until", "by", "comment", "matchers"}:
        raise ValueError('seen: expected until="…", by="…", comment="…", matchers="…"')
    return found


def changed(seen: Mapping[str, str], now: Silence) -> str:
    """What differs between the silence that was `seen` and what it is `now`: which part, what it is, what it
    was, and when; empty where nothing does."""
    if now.state == "expired":
        return f"it was ended at {_moment_text(now.ends_at)}; it was to last until {seen['until']}"
    parts = list(_differences(seen, now))
    if not parts:
        return ""
    when = f" at {_moment_text(now.updated_at)}" if now.updated_at is not None else ""
    return f"it was changed{when}: {'; '.join(parts)}"


def _differences(seen: Mapping[str, str], now: Silence) -> Iterator[str]:
    if now.created_by != seen["by"]:
        yield f"by {_short(now.created_by)}, was by {_short(seen['by'])}"
    # An acknowledgement is prolonged all the time, by whoever keeps it: that is not somebody else's decision.
    kept = now.acknowledges and seen["comment"].startswith("ACK!")
    if not kept and not _same_moment(seen["until"], now.ends_at):
        yield f"until {_moment_text(now.ends_at)}, was until {seen['until']}"
    if now.comment != seen["comment"]:
        yield f"comment {_short(now.comment)!r}, was {_short(seen['comment'])!r}"
    if _matchers(now) != seen["matchers"]:
        yield f"matchers {_short(_matchers(now))}, were {_short(seen['matchers'])}"


def _matchers(silence: Silence) -> str:
    return ", ".join(sorted(map(str, silence.matchers)))


def _same_moment(text: str, at: float | None) -> bool:
    then = wire.moment(text)
    return then == at if then is None or at is None else abs(then - at) <= _EXACT


def _short(text: str) -> str:
    return clean_line(text, limit=_NAMED)


def _moment_text(at: float | None) -> str:
    return timestamp(at) if at is not None else "a time that it does not say"
