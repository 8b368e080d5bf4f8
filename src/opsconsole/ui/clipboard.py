"""Copying over SSH: OSC 52 where the text is small enough, a file where it is not."""

import base64
import os
import time
from pathlib import Path

from opsconsole.core.paths import state_dir

LARGEST = 74_000
"""Bytes of base64 that terminals accept in one OSC 52; larger ones drop it without a word (xterm's limit)."""

_KEPT = 20


def fits(text: str) -> bool:
    """Whether a terminal can be expected to take `text`."""
    return len(base64.b64encode(text.encode("utf-8", "replace"))) <= LARGEST


def save(text: str, *, folder: Path | None = None) -> Path:
    """Keep `text` in a file that only its owner can read, and say where.

    Raises:
        OSError: when it cannot be written.
    """
    copies = folder or state_dir() / "copies"
    copies.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = copies / time.strftime("copy-%Y%m%dT%H%M%SZ.txt", time.gmtime())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as out:
        out.write(text)
    for old in sorted(copies.glob("copy-*.txt"))[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path
