"""Where the demo's Alertmanager sends everything: one path a receiver, one line a message in `notifications.jsonl`.

It stands for pager, chat and mail, and for the one outside who waits for the dead-man's switch.
"""

import json
import time
from pathlib import Path
from typing import Any

from opsconsole.demo.simulation.service import Answer, Request

PATH = "/notify"
LARGEST = 2_000_000
"""Bytes of the file before it is begun anew; one older one is kept."""


def receive(request: Request, file: Path) -> Answer:
    """Take one message of Alertmanager's webhook (version 4), for the receiver that the path names."""
    receiver = request.path.removeprefix(f"{PATH}/")
    try:
        line = _line(receiver, json.loads(request.body))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return Answer(400, f"not a message of Alertmanager: {type(error).__name__}: {error}\n")
    if file.exists() and file.stat().st_size > LARGEST:
        file.replace(file.with_name(f"{file.name}.1"))
    with file.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line, ensure_ascii=False) + "\n")
    return Answer(200, "")


def _line(receiver: str, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "receiver": receiver,
        "status": message["status"],
        "alerts": [
            {"status": one["status"], "labels": one["labels"], "summary": one["annotations"].get("summary", "")}
            for one in message["alerts"]
        ],
    }
