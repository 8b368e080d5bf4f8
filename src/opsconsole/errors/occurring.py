"""From what a source says of one error to an occurrence, and from that to its fingerprint."""

import hashlib
import json
from collections.abc import Mapping

from opsconsole.core.clean import clean, clean_line
from opsconsole.errors.masking import normalized
from opsconsole.errors.model import Occurrence
from opsconsole.errors.redacting import redacted
from opsconsole.errors.traces import named_error, parse_trace

LONGEST_MESSAGE = 2000
LONGEST_TRACE = 8000
"""Characters."""
_DIGITS = 12
"""Of a fingerprint: 48 bits, for some thousands of kinds."""


def occurrence(
    at: float,
    service: str,
    message: str,
    *,
    trace: str = "",
    error_type: str = "",
    where: str = "",
    labels: Mapping[str, str] | None = None,
) -> Occurrence:
    """What happened, with all text cleaned, and what looks like a secret left out of it.

    Args:
        message: of any length; its first line that says something becomes the message, the rest belongs to the trace.
        trace: the lines below it.
        error_type: what the source itself calls it; else the trace names it, else the message does.
    """
    lines = [line for line in message.splitlines() if line.strip()] or [""]
    whole = "\n".join(part for part in (*lines[1:], trace) if part)
    # The line before the first `at` names the exception: it may be the message itself.
    parsed = parse_trace("\n".join((lines[0], whole))) if whole else None
    said = lines[0].strip()
    named = error_type or (parsed.type if parsed is not None else named_error(said))
    if parsed is not None and parsed.message and parsed.message not in said:
        # What was logged is often only "request failed": the exception says why.
        said = f"{said}: {parsed.message}" if said and parsed.type not in said else f"{parsed.type}: {parsed.message}"
    return Occurrence(
        at=at,
        service=clean_line(service, limit=100),
        type=clean_line(named, limit=200),
        message=redacted(clean_line(said, limit=LONGEST_MESSAGE)),
        trace=redacted(clean(whole, limit=LONGEST_TRACE)),
        frame=clean_line(parsed.frame, limit=200) if parsed is not None else "",
        where=clean_line(where, limit=300),
        labels={} if labels is None else {name: clean_line(value, limit=300) for name, value in labels.items()},
    )


def fingerprint(source: str, one: Occurrence, message: str) -> str:
    """What tells a kind of error from others, the same in every process: twelve hexadecimal digits.

    Args:
        message: the normalized one.
    """
    said = json.dumps([source, one.service, one.type, one.frame, message])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def normal_message(one: Occurrence) -> str:
    """Its message without what differs; what PostgreSQL quotes as a name stays."""
    return normalized(one.message, names="sqlstate" in one.labels)
