"""Readings made by hand, of which a test changes what it is about. Times are seconds after an arbitrary midnight."""

from typing import Any

from opsconsole.config.slas import Sla
from opsconsole.pipelines.model import Dag, Run, Task

MIDNIGHT = 1_764_374_400.0


def at(seconds: float) -> float:
    """A moment."""
    return MIDNIGHT + seconds


def dag(dag_id: str = "load", **given: Any) -> Dag:
    """A DAG that is not paused and has no schedule."""
    return Dag(**{"dag_id": dag_id, "title": dag_id, "paused": False, "schedule": "", "next_run_at": None, **given})


def run(state: str = "success", start: float = 0.0, took: float | None = 60.0, **given: Any) -> Run:
    """A run that began when it could, and ended after `took` seconds; None: it goes on."""
    fields = {
        "dag_id": "load", "run_id": f"run-{start:.0f}", "state": state, "kind": "scheduled", "run_after_at": at(start),
        "started_at": at(start), "ended_at": None if took is None else at(start + took),
    }  # fmt: skip
    return Run(**{**fields, **given})


def task(task_id: str, start: float | None = None, end: float | None = None, **given: Any) -> Task:
    """A task instance that ran from `start` to `end`, successfully, in its first try."""
    fields: dict[str, Any] = {
        "dag_id": "load", "run_id": "run-0", "task_id": task_id, "map_index": -1,
        "state": "success" if end is not None else "running" if start is not None else "", "try_number": 1,
        "max_tries": 0, "started_at": None if start is None else at(start),
        "ended_at": None if end is None else at(end),
    }  # fmt: skip
    return Task(**{**fields, **given})


def sla(target: float = 3600.0, **given: Any) -> Sla:
    """One that covers every DAG."""
    return Sla(**{"name": "all", "kind": "pipeline", "dag": "*", "target": target, **given})
