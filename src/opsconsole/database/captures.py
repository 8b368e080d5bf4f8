"""Captures: what statements did over a span, as JSON. What `db queries --format json` prints, and what baselines are.

Format 1. A capture says which cluster it is of and when it was taken: numbers without that compare with nothing.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opsconsole.core.clean import clean
from opsconsole.core.paths import state_dir
from opsconsole.database.finding import Coverage
from opsconsole.database.statement_usage import Span, Usage
from opsconsole.database.statements import COUNTED, Counters, Key

FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LARGEST = 256 * 1024 * 1024
"""Bytes of a file that is read; 50,000 statements with their texts are well below."""


class CaptureError(Exception):
    """A capture cannot be had; the message says which, why, and what would do."""


def capture_of(span: Span, usages: Iterable[Usage] | None = None) -> dict[str, Any]:
    """`span` as JSON, with `usages` of it (None: all)."""
    chosen = span.usages if usages is None else usages
    return {
        "format": FORMAT,
        "kind": "queries",
        "system": span.system,
        "server_version": span.version,
        "database": span.database,
        "began_at": _time(span.began_at),
        "taken_at": _time(span.ended_at),
        "seconds": span.seconds,
        "total": span.total,
        "block_size": span.block_size,
        "statements": len(span.usages),
        "queries": [_query(usage) for usage in chosen],
        "notes": list(span.coverage.notes),
    }


def span_of(capture: Any, name: str) -> Span:
    """The span that `capture`, read from `name`, tells of.

    Raises:
        CaptureError: it is none, or of a format that this version does not know.
    """
    if not isinstance(capture, dict) or capture.get("kind") != "queries":
        raise CaptureError(f"{name} is no capture of queries; `db queries --format json` prints one")
    if capture.get("format") != FORMAT:
        raise CaptureError(f"{name} has format {clean(capture.get('format'), limit=20)}, and {FORMAT} is known here")
    try:
        span = Span(
            _seconds(capture["began_at"]),
            datetime.fromisoformat(capture["taken_at"]).timestamp(),
            (),
            float(capture["total"]),
            clean(capture["system"]),
            clean(capture["server_version"]),
            clean(capture["database"]),
            int(capture["block_size"]),
            Coverage(tuple(clean(note) for note in capture["notes"])),
        )
        usages = tuple(_usage(one, span.seconds) for one in capture["queries"])
        return replace(span, usages=usages, partial=len(usages) < int(capture["statements"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaptureError(f"{name} is a damaged capture: {type(error).__name__}: {clean(error, limit=80)}") from None


def save_baseline(name: str, span: Span) -> Path:
    """Keep `span` as baseline `name`, in place of one of that name; only this user can read it. Says where.

    Raises:
        CaptureError: no such name can be given.
        OSError: it cannot be written.
    """
    path = _baseline(name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(capture_of(span), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def load_baseline(name: str) -> Span:
    """The baseline `name`.

    Raises:
        CaptureError: there is none, or it is damaged.
    """
    path = _baseline(name)
    if not path.exists():
        there = ", ".join(baselines()) or "none"
        raise CaptureError(f"no baseline {name!r}; saved are: {there}. `db queries --save-baseline {name}` makes it")
    return _read(path, f"baseline {name}")


def latest_baseline(system: str) -> tuple[str, Span] | None:
    """The newest baseline of that cluster, with its name; None where there is none.

    Raises:
        CaptureError: it is damaged.
    """
    folder = state_dir() / "baselines"
    found = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found:
        span = _read(path, f"baseline {path.stem}")
        if span.system == system:
            return path.stem, span
    return None


def load_capture(name: str) -> Span:
    """The capture in the file `name`, or the baseline of that name where there is no such file.

    Raises:
        CaptureError: there is neither, or it is damaged.
    """
    path = Path(name)
    if path.is_file():
        return _read(path, clean(name))
    if _NAME.fullmatch(name) and _baseline(name).exists():
        return load_baseline(name)
    there = ", ".join(baselines()) or "none"
    raise CaptureError(f"{clean(name)} is neither a file nor a baseline; saved baselines: {there}")


def baselines() -> list[str]:
    """The names of those that are saved."""
    folder = state_dir() / "baselines"
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def _baseline(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise CaptureError(f"{clean(name)!r} is no name of a baseline; letters, digits, _ . - are")
    return state_dir() / "baselines" / f"{name}.json"


def _read(path: Path, name: str) -> Span:
    try:
        if path.stat().st_size > _LARGEST:
            raise CaptureError(f"{name} is larger than {_LARGEST // 1024**2} MiB; that is no capture")
        return span_of(json.loads(path.read_bytes()), name)
    except (ValueError, RecursionError):
        raise CaptureError(f"{name} is no JSON; `db queries --format json` prints a capture") from None
    except OSError as error:
        raise CaptureError(f"{name} cannot be read: {error.strerror}") from None


def _query(usage: Usage) -> dict[str, Any]:
    return {
        # As text: programs that know only floating-point numbers would round it.
        "queryid": str(usage.key.queryid),
        "user": usage.user,
        "user_id": usage.key.user_id,
        "database": usage.database,
        "database_id": usage.key.database_id,
        "toplevel": usage.key.toplevel,
        "share": usage.share,
        "mean": usage.mean,
        "stddev": usage.stddev,
        "max_ever": usage.most,
        "calls_per_second": usage.rate,
        "rows_per_call": usage.rows_per_call,
        "blocks_per_call": usage.blocks_per_call,
        **{name: getattr(usage.counters, name) for name in COUNTED},
        "slow": usage.slow,
        "n_plus_one": usage.n_plus_one,
        "restarted": usage.restarted,
        "text": usage.text,
    }


def _usage(one: Mapping[str, Any], seconds: float | None) -> Usage:
    counted: dict[str, Any] = {name: None if one[name] is None else float(one[name]) for name in COUNTED}
    key = Key(int(one["user_id"]), int(one["database_id"]), int(one["queryid"]), bool(one["toplevel"]))
    return Usage(
        key,
        clean(one["user"]),
        clean(one["database"]),
        Counters(**counted),
        seconds,
        float(one["stddev"]),
        float(one["max_ever"]),
        float(one["share"]),
        bool(one["restarted"]),
        clean(one["text"]),
    )


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
