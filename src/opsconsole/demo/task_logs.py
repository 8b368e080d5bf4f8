"""The logs of task instances on disk, laid out and written as Airflow 3 does: one JSON object a line."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
"""One line: timestamp, level, event, and what belongs to it."""


def path(root: str, dag_id: str, run_id: str, task_id: str, map_index: int, number: int) -> Path:
    """Where the log of one try is."""
    folder = Path(root, f"dag_id={dag_id}", f"run_id={run_id}", f"task_id={task_id}")
    return (folder / f"map_index={map_index}" if map_index >= 0 else folder) / f"attempt={number}.log"


def write(
    root: str, dag_id: str, run_id: str, task_id: str, map_index: int, number: int, entries: Iterable[Entry]
) -> None:
    """Append `entries` to the log of one try."""
    file = path(root, dag_id, run_id, task_id, map_index, number)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as handle:
        handle.writelines(json.dumps(entry) + "\n" for entry in entries)


def read(file: Path, begin: int = 0) -> tuple[list[Entry], int]:
    """The entries from byte `begin` on, and where the next one begins. A line that is not whole yet is left for later.

    Raises:
        OSError: there is no such log.
    """
    with file.open("rb") as handle:
        handle.seek(begin)
        text = handle.read()
    whole = text[: text.rfind(b"\n") + 1]
    return [json.loads(line) for line in whole.splitlines()], begin + len(whole)


@dataclass(frozen=True, slots=True)
class Lines:
    """What one try writes."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    number: int
    host: str

    def begun(self) -> list[Entry]:
        """At its begin."""
        return [
            self._entry("info", "DAG bundles loaded: dags-folder", "airflow.dag_processing.bundles.manager"),
            self._entry("info", f"Executing task {self.task_id} of {self.dag_id}, try {self.number}, on {self.host}"),
            self._entry("info", "reading from the gateway export"),
        ]

    def succeeded(self, seconds: float) -> list[Entry]:
        """At its end."""
        return [
            self._entry("info", f"done in {seconds:.1f} s"),
            {**self._entry("info", "Task instance in success state", "task.stdout")},
        ]

    def failed(self, peer: str) -> list[Entry]:
        """At its end, with the exception as Airflow keeps it."""
        said = f"[Errno 104] Connection reset by peer: {peer}"
        frame = {"filename": "/opt/airflow/dags/demo_dags.py", "lineno": 42, "name": self.task_id}
        what: Sequence[Entry] = [
            {"exc_type": "ConnectionResetError", "exc_value": said, "exc_notes": [], "syntax_error": None,
             "is_cause": False, "frames": [frame], "is_group": False, "exceptions": []},
        ]  # fmt: skip
        return [
            self._entry("warning", f"\x1b[33mslow answer\x1b[0m from {peer}", "task.stdout"),
            {**self._entry("error", "Task failed with exception", "task"), "error_detail": what},
        ]

    def ended_from_outside(self) -> list[Entry]:
        """When it was cleared or marked while it ran."""
        return [self._entry("warning", "State of this instance has been externally set. Terminating instance.", "task")]

    def _entry(self, level: str, event: str, logger: str = "task.stdout") -> Entry:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return {"timestamp": now, "level": level, "event": event, "logger": logger}
