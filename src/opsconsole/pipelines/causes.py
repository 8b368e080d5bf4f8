"""What failed over all DAGs, by cause: the same error in fifty runs is one line.

The cause is the error that a task's log ends with, without what differs each time: numbers, addresses, ids, times,
paths' last parts stay. Where there is no log, tasks of the same name are one cause.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsconsole.pipelines.model import LogLine, Task

_ERROR = re.compile(
    r"^(?:[A-Za-z_][\w.]*\.)?(?:[A-Z]\w*)?(?:Error|Exception|Warning|Timeout|Interrupt|Failure|Exit|Skip\w*)\b"
)
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<address>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d+(?:\.\d+)*\b"), "<n>"),
)
_LONGEST = 300
"""Characters of a cause."""

TaskKey = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, and what it made fail."""

    cause: str
    example: str
    """The error as it stands in the latest log; empty where there is none."""
    count: int
    """Task instances that failed by it."""
    first_at: float | None
    last_at: float | None
    dags: tuple[str, ...]
    tasks: tuple[str, ...]
    """`DAG task`, each once."""
    latest: Task
    """The one that failed last: whose log to read."""


def key_of(task: Task) -> TaskKey:
    """What tells a task instance from all others."""
    return task.dag_id, task.run_id, task.task_id, task.map_index


def by_cause(failed: Iterable[Task], errors: Mapping[TaskKey, str]) -> list[Cause]:
    """The failed task instances by cause, what happened last first. `errors`: the error of each, where it is known."""
    groups: dict[str, list[Task]] = {}
    for task in failed:
        error = errors.get(key_of(task), "")
        name = normalized(error) if error else f"no log was read: {task.dag_id} {task.task_id}"
        groups.setdefault(name, []).append(task)
    causes = [_cause(name, members, errors) for name, members in groups.items()]
    return sorted(causes, key=lambda one: (-(one.last_at or 0.0), one.cause))


def _cause(name: str, members: list[Task], errors: Mapping[TaskKey, str]) -> Cause:
    latest = max(members, key=lambda one: one.ended_at or 0.0)
    times = [one.ended_at for one in members if one.ended_at is not None]
    return Cause(
        cause=name,
        example=errors.get(key_of(latest), ""),
        count=len(members),
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        dags=tuple(sorted({one.dag_id for one in members})),
        tasks=tuple(sorted({f"{one.dag_id} {one.task_id}" for one in members})),
        latest=latest,
    )


def normalized(error: str) -> str:
    """`error` without what differs from one time to the next."""
    text = " ".join(error.split())
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text[:_LONGEST]


class ErrorFinder:
    """Finds, in a log that passes by line after line, the error that it ends with. Holds two lines."""

    def __init__(self) -> None:
        self._named = ""
        self._marked = ""

    def see(self, line: LogLine) -> None:
        """Take the next line."""
        for text in line.text.splitlines():
            stripped = text.strip()
            if _ERROR.match(stripped):
                self._named = stripped
            elif line.level in ("error", "critical") and stripped:
                self._marked = stripped

    @property
    def error(self) -> str:
        """The last line that names an error, else the last one that is marked as one; empty where there is neither."""
        return self._named or self._marked
