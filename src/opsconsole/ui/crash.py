"""What is left of an error nobody expected: a short message, and a log without local variables or secrets."""

import os
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from opsconsole.core.clean import clean_line
from opsconsole.core.paths import state_dir
from opsconsole.core.secret import Secret, mask

_KEPT = 50
_LONGEST = 200_000


def write_log(error: BaseException, secrets: Iterable[Secret] = (), *, folder: Path | None = None) -> Path | None:
    """Write the traceback of `error` to a file that only its owner can read; None where that is impossible.

    Frames are written with file, line and source text, never with values: those are where the passwords are.
    """
    text = "".join(traceback.format_exception(error))[-_LONGEST:]
    try:
        logs = folder or state_dir() / "logs"
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = logs / time.strftime(f"crash-%Y%m%dT%H%M%SZ-{os.getpid()}.log", time.gmtime())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(mask(text, secrets) + "\n")
        _forget_old(logs)
    except OSError:
        return None
    return path


def message(error: BaseException, path: Path | None, secrets: Iterable[Secret] = ()) -> str:
    """What the operator sees after a crash: kind and place, the log, and that nothing runs on unseen."""
    what = clean_line(mask(f"{type(error).__name__}: {error}", secrets), limit=200)
    where = f"\nThe details are in {path}" if path else "\nThe details could not be written to the state folder."
    return f"opsconsole has ended after an unexpected error: {what}{where}"


def _forget_old(logs: Path) -> None:
    for old in sorted(logs.glob("crash-*.log"))[:-_KEPT]:
        old.unlink(missing_ok=True)
