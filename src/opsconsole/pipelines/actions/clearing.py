"""Running tasks of a run again: `airflow.clear`, and `airflow.retry` for those that failed.

What would be cleared is asked of Airflow first (its dry run), and shown; what is sent then is the same request.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Sink
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.pipelines.actions.change import (
    Change,
    Refused,
    action_of,
    judged_end,
    must_run,
    patience_for,
    run_named,
    settings_of,
    waits_for_end,
)
from opsconsole.pipelines.actions.waiting import Patience, hold_on
from opsconsole.pipelines.api import api_of
from opsconsole.pipelines.choosing import unknown_task
from opsconsole.pipelines.holding import Hold
from opsconsole.pipelines.model import FAILED, Task, instance_of
from opsconsole.pipelines.way import MOST_TASKS, Asking
from opsconsole.sources.airflow.client import AirflowSource, path


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be cleared."""

    dag: str
    run: str
    """Empty: the newest."""
    tasks: tuple[str, ...] = ()
    """Task ids, `load[3]` for one of a mapped task; none: all."""
    only_failed: bool = False
    downstream: bool = False
    upstream: bool = False

    @classmethod
    def of(cls, arguments: Mapping[str, str], *, retry: bool) -> "Wish":
        """What the arguments of an action ask for."""
        return cls(
            dag=arguments["dag"],
            run=arguments.get("run", ""),
            tasks=tuple(one.strip() for one in arguments.get("tasks", "").split(",") if one.strip()),
            only_failed=retry or arguments.get("only_failed") == "yes",
            downstream=arguments.get("downstream") == "yes",
            upstream=arguments.get("upstream") == "yes",
        )

    def body(self, major: int) -> dict[str, Any]:
        """The request, but for `dry_run`.

        Raises:
            Refused: this Airflow cannot do that.
        """
        body: dict[str, Any] = {
            "dag_run_id": self.run,
            "only_failed": self.only_failed,
            "include_downstream": self.downstream,
            "include_upstream": self.upstream,
            "reset_dag_runs": True,
        }
        if self.tasks:
            body["task_ids"] = [_named(one, major) for one in self.tasks]
        return body


def clear(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Run `tasks` of `run` of `dag` again; without tasks all of them."""
    return _clearing("airflow.clear", "clear", Wish.of(arguments, retry=False), arguments, environment)


def retry(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Run the failed tasks of `run` of `dag` again, and those that could not run because of them."""
    return _clearing("airflow.retry", "retry", Wish.of(arguments, retry=True), arguments, environment)


def _clearing(action_id: str, verb: str, wish: Wish, arguments: Mapping[str, str], environment: Environment) -> Action:
    work = _Clearing(settings_of(environment), wish, waits_for_end(arguments))
    what = ", ".join(wish.tasks) or ("the failed tasks" if wish.only_failed else "all tasks")
    body = {**wish.body(3), "dag_run_id": wish.run or "(the newest)", "dry_run": False}
    return action_of(
        action_id,
        f"{verb} {what} of {wish.dag}",
        f"POST {path('dags', wish.dag, 'clearTaskInstances')}\n{json.dumps(body, ensure_ascii=False)}",
        wish.dag,
        work,
        undo="none: what has run again has run; mark the run failed to stop it",
    )


async def preview(client: AirflowSource, wish: Wish) -> tuple[str, tuple[str, ...]]:
    """(run id, the tasks that would be cleared), as Airflow's dry run says.

    Raises:
        Refused: there is no such run, not every task in it, or this Airflow cannot do that.
        SourceError: Airflow refuses, or does not answer.
    """
    way = await api_of(client)
    run = await run_named(way, wish.dag, wish.run)
    if wish.tasks:
        _must_have(run.run_id, wish.tasks, await way.tasks(wish.dag, run.run_id))
    body = {**wish.body((await client.version()).major), "dag_run_id": run.run_id, "dry_run": True}
    where, what = path("dags", wish.dag, "clearTaskInstances"), f"clear tasks of {wish.dag}"
    return run.run_id, _titles(await client.send("POST", where, body, what=what))


def _must_have(run_id: str, wanted: Sequence[str], tasks: Sequence[Task]) -> None:
    """Airflow clears what it knows of the names, and says nothing of the others."""
    names = {name for one in tasks for name in (one.title, one.task_id)}
    for one in wanted:
        if one not in names and len(tasks) < MOST_TASKS:
            raise Refused(unknown_task(one, run_id, [task.title for task in tasks]))


@dataclass(slots=True)
class _Clearing(Change):
    """The cleared tasks of one run."""

    wish: Wish
    to_end: bool
    run_id: str = field(default="", init=False)
    before: dict[tuple[str, int], Task] = field(default_factory=dict, init=False)
    titles: Sequence[str] = field(default=(), init=False)

    async def change(self, client: AirflowSource, sink: Sink) -> str:
        await must_run(client, self.wish.dag)
        self.run_id, self.titles = await preview(client, self.wish)
        sink(f"run {self.run_id}\n".encode())
        sink("".join(f"clears {one}\n" for one in self.titles).encode())
        if not self.titles:
            failed = "failed " if self.wish.only_failed else ""
            raise Refused(f"there is nothing to clear: no such {failed}task in {self.run_id}")
        tasks = await (await api_of(client)).tasks(self.wish.dag, self.run_id)
        # Airflow 2 does not say which of a mapped task it clears: it is all of them.
        self.before = {one.key: one for one in tasks if one.title in self.titles or one.task_id in self.titles}
        body = {**self.wish.body((await client.version()).major), "dag_run_id": self.run_id, "dry_run": False}
        where = path("dags", self.wish.dag, "clearTaskInstances")
        await self.send(client, "POST", where, body, f"clear tasks of {self.wish.dag}")
        return f"cleared {len(self.titles)} of {self.run_id}: {', '.join(self.titles[:10])}"

    async def effect(self, way: Asking, client: AirflowSource) -> Result | None:
        tasks = [one for one in await way.tasks(self.wish.dag, self.run_id) if one.key in self.before]
        again = [one for one in tasks if self._ran_again(one)]
        run = await way.run(self.wish.dag, self.run_id)
        if run is None:
            return Result(Outcome.FAILED, detail=f"there is no run {self.run_id} any more")
        if failed := [one.title for one in again if one.state in FAILED]:
            return Result(Outcome.FAILED, detail=f"it failed again: {', '.join(failed[:5])} of {self.run_id}")
        if not self.to_end:
            named = ", ".join(one.title for one in again[:5])
            return Result(Outcome.OK, detail=f"{named} of {self.run_id} has begun again") if again else None
        return judged_end(run) if again and run.ended else None

    async def held(self, way: Asking, client: AirflowSource) -> Hold | None:
        run = await way.run(self.wish.dag, self.run_id)
        return None if run is None else await hold_on(way, client, run)

    @property
    def patience(self) -> Patience:
        return patience_for(self.to_end)

    def _ran_again(self, task: Task) -> bool:
        """Whether it has begun since it was cleared."""
        before = self.before[task.key]
        begun = task.started_at is not None and task.state not in ("", "scheduled", "queued")
        return begun and task.started_at != before.started_at


def _named(text: str, major: int) -> Any:
    """A task as `task_ids` has it."""
    task, index = instance_of(text)
    if index is None:
        return task
    if major < 3:
        raise Refused(f"{text}: Airflow 2 clears all of a mapped task; name it without its number: {task}")
    return [task, index]


def _titles(answer: Any) -> tuple[str, ...]:
    """The task instances in the answer of a dry run, each once, in order."""
    entries = answer.get("task_instances", ()) if isinstance(answer, dict) else ()
    found: dict[str, None] = {}
    for one in entries:
        index = one.get("map_index", -1)
        name = clean_line(one.get("task_id", ""))
        found[name if not isinstance(index, int) or index < 0 else f"{name}[{index}]"] = None
    return tuple(found)
