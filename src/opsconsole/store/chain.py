"""The chain that ties each record to the one before, so that a change to the past can be seen.

A record's body is one line of canonical JSON, and its hash is the SHA-256 of the previous record's hash, a newline,
and the body. Whoever can write the file can rewrite the whole chain; whoever noted a hash down before can tell.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

GENESIS = "0" * 64
"""What stands before the first record."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it is stored. The first four repeat what the body says, for searching."""

    seq: int
    kind: str
    """`intent` or `conclusion`."""
    attempt: str
    at: float
    body: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign of damage, and the number of the record it was found at."""

    seq: int
    code: str
    message: str


def canonical(fields: Mapping[str, Any]) -> str:
    """`fields` as the one JSON text they have: sorted keys, ASCII, no spaces."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=str)


def link(previous: str, body: str) -> str:
    """The hash of a record, hexadecimal."""
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


@dataclass(slots=True)
class _Walk:
    """What is known while walking the records from the first to the last."""

    seq: int = 0
    hash: str = GENESIS
    open: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)


def examine(records: Iterable[Record], issued: int) -> Iterator[Finding]:
    """What is wrong with `records`, which come by ascending `seq`; `issued` is the last number ever given out."""
    walk = _Walk()
    for record in records:
        if record.seq > walk.seq + 1:
            yield Finding(record.seq, "gap", f"{_span(walk.seq + 1, record.seq - 1)} missing before this one")
        yield from _examine_link(record, walk)
        yield from _examine_pairing(record, walk)
        walk.seq, walk.hash = record.seq, record.hash
    if issued > walk.seq:
        yield Finding(issued, "removed", f"{_span(walk.seq + 1, issued)} missing at the end")


def _examine_link(record: Record, walk: _Walk) -> Iterator[Finding]:
    if link(record.previous, record.body) != record.hash or not _columns_agree(record):
        yield Finding(record.seq, "edited", f"record {record.seq} is not what was written")
    elif record.previous != walk.hash and record.seq == walk.seq + 1:
        yield Finding(record.seq, "chain", f"record {record.seq} does not follow from the one before; one was replaced")


def _examine_pairing(record: Record, walk: _Walk) -> Iterator[Finding]:
    if record.kind == "intent":
        if record.attempt in walk.open or record.attempt in walk.closed:
            yield Finding(record.seq, "repeated", f"attempt {record.attempt} begins a second time")
        walk.open.add(record.attempt)
    elif record.attempt in walk.open:
        walk.open.discard(record.attempt)
        walk.closed.add(record.attempt)
    else:
        code, what = (
            ("repeated", "is already concluded") if record.attempt in walk.closed else ("orphan", "never began")
        )
        yield Finding(record.seq, code, f"this concludes attempt {record.attempt}, which {what}")


def _columns_agree(record: Record) -> bool:
    try:
        body = json.loads(record.body)
        said = (body["seq"], body["kind"], body["attempt"], body["at"])
    except (ValueError, KeyError, TypeError):
        return False
    return said == (record.seq, record.kind, record.attempt, record.at)


def _span(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
