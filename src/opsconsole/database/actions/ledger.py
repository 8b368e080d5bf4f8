"""What maintenance did, one JSON line each: how things stood before, how they stand after, and how it was judged.

The journal says who did what and when; this says what it brought, for whoever asks next month whether it was worth it.
"""

import json
import os
import time
from dataclasses import asdict, is_dataclass
from typing import Any

from opsconsole.actions.action import Result
from opsconsole.core.paths import state_dir

NAME = "maintenance.jsonl"
"""In the state folder."""


def record(action: str, database: str, target: str, before: Any, after: Any, result: Result) -> None:
    """Append one line. A ledger that cannot be written is no reason to call work failed that succeeded: that it could
    not is lost with the line, and the journal has the result all the same.
    """
    line = json.dumps(
        {
            "at": time.time(),
            "action": action,
            "database": database,
            "target": target,
            "before": _plain(before),
            "after": _plain(after),
            "outcome": str(result.outcome),
            "detail": result.detail,
        },
        default=str,
    )
    try:
        folder = state_dir()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, f"{line}\n".encode())
        finally:
            os.close(handle)
    except OSError:
        return


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
