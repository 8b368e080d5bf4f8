"""Calling things what they are: `airflow.mark`, `airflow.pause`, `airflow.unpause`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Sink
from opsconsole.config.settings import Environment
from opsconsole.pipelines.actions.change import Change, Refused, action_of, dag_at, run_named, settings_of
from opsconsole.pipelines.actions.waiting import Patience
from opsconsole.pipelines.api import api_of
from opsconsole.pipelines.asking import structure_of
from opsconsole.pipelines.choosing import unknown_task
from opsconsole.pipelines.consequences import of_marking_a_run, of_marking_a_task
from opsconsole.pipelines.model import Run, Task, instance_of
from opsconsole.pipelines.way import Asking
from opsconsole.sources.airflow.client import AirflowSource, path

_SOON = 60.0
"""Seconds within which the effect has to be seen."""


def mark(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Give `task` of `run` of `dag` the state `state`; without a task the run itself."""
    state, task = arguments["state"], arguments.get("task", "")
    if state == "skipped" and not task:
        raise ValueError("state: a run cannot be skipped, only a task; expected success or failed")
    work = _Marking(settings_of(environment), arguments["dag"], arguments.get("run", ""), task, state)
    what = f"{task} of a run" if task else "a run"
    return action_of(
        "airflow.mark",
        f"mark {what} of {work.dag} {state}",
        f"PATCH {work.where(work.run_id or '(the newest)')}\n{json.dumps(work.body(3))}",
        work.dag,
        work,
        undo="airflow.mark with the state before, which the output says; or airflow.clear",
    )


def pause(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Let no new runs of `dag` begin, and those that go on stand where they are."""
    return _pausing("airflow.pause", arguments["dag"], True, environment)


def unpause(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Let runs of `dag` begin and go on again."""
    return _pausing("airflow.unpause", arguments["dag"], False, environment)


async def foreseen_marking(client: AirflowSource, arguments: Mapping[str, str]) -> tuple[str, str]:
    """(the id of the run that `mark` is about, what marking would change, in words).

    Raises:
        Refused: there is no such run, or no such task in it.
        SourceError: Airflow refuses, or does not answer.
    """
    way, dag, title, state = await api_of(client), arguments["dag"], arguments.get("task", ""), arguments["state"]
    run = await run_named(way, dag, arguments.get("run", ""))
    tasks = await way.tasks(dag, run.run_id)
    if title:
        task = _task_in(tasks, run, title)
        before, more = task.state or "none", of_marking_a_task(task, tasks, await structure_of(way, dag))
    else:
        before, more = run.state, of_marking_a_run(run, tasks, state, (await client.version()).major)
    return run.run_id, "; ".join(filter(None, (f"it is {before}, and would be {state}", more)))


async def already_so(client: AirflowSource, dag_id: str, *, paused: bool) -> str:
    """That the DAG is paused (or not) already, in words; empty where it would be a change. Raises as `dag_at`."""
    if (await dag_at(client, dag_id)).paused is not paused:
        return ""
    return f"it is {'paused' if paused else 'not paused'} already; nothing was changed"


def _pausing(action_id: str, dag: str, paused: bool, environment: Environment) -> Action:
    verb = "pause" if paused else "unpause"
    work = _Pausing(settings_of(environment), dag, paused)
    return action_of(
        action_id,
        f"{verb} {dag}",
        f"PATCH {path('dags', dag)}?update_mask=is_paused\n{json.dumps({'is_paused': paused})}",
        dag,
        work,
        undo="airflow.unpause" if paused else "airflow.pause",
    )


@dataclass(slots=True)
class _Marking(Change):
    """The state of a run, or of a task."""

    dag: str
    run_id: str
    task: str
    state: str
    before: str = field(default="", init=False)

    def where(self, run_id: str) -> str:
        """What is marked."""
        parts = ["dags", self.dag, "dagRuns", run_id]
        if self.task:
            task, index = instance_of(self.task)
            parts += ["taskInstances", task, *(() if index is None else (str(index),))]
        return path(*parts)

    def body(self, major: int) -> dict[str, Any]:
        """The request. Version 1 rehearses unless it is told not to; version 2 knows no such field."""
        if not self.task:
            return {"state": self.state}
        return {"new_state": self.state} if major >= 3 else {"new_state": self.state, "dry_run": False}

    async def change(self, client: AirflowSource, sink: Sink) -> str:
        way = await api_of(client)
        run = await run_named(way, self.dag, self.run_id)
        self.run_id = run.run_id
        self.before = await _state_in(way, self.dag, run, self.task)
        sink(f"run {self.run_id}: {self.task or 'the run'} was {self.before}\n".encode())
        body = self.body((await client.version()).major)
        what = f"mark {self.task or 'the run'} {self.state}"
        await self.send(client, "PATCH", self.where(self.run_id), body, what)
        return f"{self.task or 'the run'} of {self.run_id}: {self.before} -> {self.state}"

    async def effect(self, way: Asking, client: AirflowSource) -> Result | None:
        try:
            now = await self._now(way)
        except Refused as error:
            return Result(Outcome.FAILED, detail=str(error))
        return Result(Outcome.OK, detail=f"it is {now}") if now == self.state else None

    @property
    def patience(self) -> Patience:
        return Patience(_SOON)

    async def _now(self, way: Asking) -> str:
        return await _state_in(way, self.dag, await run_named(way, self.dag, self.run_id), self.task)


async def _state_in(way: Asking, dag_id: str, run: Run, task: str) -> str:
    """The state of `task` of `run`; without a task that of the run itself."""
    if not task:
        return run.state
    return _task_in(await way.tasks(dag_id, run.run_id), run, task).state or "none"


def _task_in(tasks: Sequence[Task], run: Run, title: str) -> Task:
    found = next((one for one in tasks if one.title == title), None)
    if found is None:
        raise Refused(unknown_task(title, run.run_id, [one.title for one in tasks]))
    return found


@dataclass(slots=True)
class _Pausing(Change):
    """Whether a DAG is paused."""

    dag: str
    paused: bool

    async def change(self, client: AirflowSource, sink: Sink) -> str:
        wanted = "paused" if self.paused else "not paused"
        if (await dag_at(client, self.dag)).paused is self.paused:
            return f"{self.dag} is {wanted} already"
        where = f"{path('dags', self.dag)}?update_mask=is_paused"
        await self.send(client, "PATCH", where, {"is_paused": self.paused}, f"change whether {self.dag} is paused")
        return f"{self.dag} is {wanted}"

    async def effect(self, way: Asking, client: AirflowSource) -> Result | None:
        if (await dag_at(client, self.dag)).paused is self.paused:
            return Result(Outcome.OK, detail="and Airflow says so")
        return None

    @property
    def patience(self) -> Patience:
        return Patience(_SOON)
