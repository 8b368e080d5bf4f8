"""A stand-in for the Airflow scheduler: creates DAG runs when due, queues their tasks, and ends them."""

import asyncio
from collections import deque
from typing import Any

from opsconsole.demo.catalogue import DAGS
from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.service import Simulation, forever, run

LOOP_SECONDS = 0.5
SLOTS = 16
"""Of the default pool."""


class Scheduler:
    """The scheduler's loop and what it measures."""

    def __init__(self, simulation: Simulation, database: metadata.Database) -> None:
        self.simulation = simulation
        self.metrics = simulation.metrics
        self.database = database
        self.job = 0
        self.turn = 0
        self.durations = {dag.dag_id: deque[float](maxlen=50) for dag in DAGS}
        self.forced = 0.0
        self.metrics.add("airflow_scheduler_heartbeat", 0)
        for dag in DAGS:
            for name in ("airflow_dagrun_duration", "airflow_dagrun_failed"):
                self.metrics.add(f"{name}_count", 0, dag_id=dag.dag_id)
                self.metrics.add(f"{name}_sum", 0, dag_id=dag.dag_id)

    async def step(self) -> None:
        """One turn of the loop."""
        if not self.job:
            self.job = await metadata.register(self.database, "SchedulerJob", self.simulation.instance)
        broken = self._broken()
        for dag in DAGS:
            force = dag.dag_id == broken
            if force or self.turn % 2 == 0:
                await self._create(dag.dag_id, force=force)
        for row in await self.database.rows(metadata.UNFINISHED):
            await self._advance(*row)
        await self._measure()
        if self.turn % 4 == 0:
            await metadata.heartbeat(self.database, self.job)
            self.metrics.add("airflow_scheduler_heartbeat")
        self.turn += 1

    def _broken(self) -> str | None:
        """The DAG that has just been broken: it runs at once, so that the fault is seen at once."""
        for dag in DAGS:
            since = self.simulation.fault("dag-failure", dag.dag_id, survives_restart=True)
            if since and since > self.forced:
                self.forced = since
                return dag.dag_id
        return None

    async def _create(self, dag_id: str, *, force: bool) -> None:
        dag = next(one for one in DAGS if one.dag_id == dag_id)
        binds = {
            "dag": dag_id,
            "every": dag.every,
            "force": force,
            "job": self.job,
            "tasks": [task for task, _ in dag.tasks],
            "operators": [operator for _, operator in dag.tasks],
        }
        await self.database.rows(metadata.CREATE_RUN, binds)

    async def _advance(self, dag_id: str, run_id: str, tasks: list[str], states: list[str]) -> None:
        """Queue the next task of a run, or end the run."""
        state = dict(zip(tasks, states, strict=True))
        order = [task for task, _ in metadata.TASKS[dag_id] if task in state]
        binds: dict[str, Any] = {"dag": dag_id, "run": run_id}
        if any(state[task] == "failed" for task in order):
            waiting = [task for task in order if state[task] == "none"]
            await self.database.rows(metadata.SET_TASK, {**binds, "state": "upstream_failed", "tasks": waiting})
            await self._finish(binds, "failed")
            return
        pending = [task for task in order if state[task] != "success"]
        if not pending:
            await self._finish(binds, "success")
        elif state[pending[0]] in ("none", "upstream_failed", "up_for_retry"):
            await self.database.rows(metadata.SET_TASK, {**binds, "state": "queued", "tasks": pending[:1]})

    async def _finish(self, binds: dict[str, Any], state: str) -> None:
        found = await self.database.rows(metadata.FINISH_RUN, {**binds, "state": state})
        dag_id, (took, delay) = binds["dag"], found[0]
        name = "airflow_dagrun_duration" if state == "success" else "airflow_dagrun_failed"
        self.metrics.add(f"{name}_count", dag_id=dag_id)
        self.metrics.add(f"{name}_sum", took, dag_id=dag_id)
        self.metrics.set("airflow_dagrun_schedule_delay", delay, dag_id=dag_id)
        if state == "success":
            latest = self.durations[dag_id]
            latest.append(took)
            for quantile in (0.5, 0.9, 0.99):
                value = sorted(latest)[min(len(latest) - 1, int(quantile * len(latest)))]
                self.metrics.set(name, value, dag_id=dag_id, quantile=f"{quantile:g}")

    async def _measure(self) -> None:
        latest = await self.database.rows(metadata.LATEST)
        self.metrics.replace(
            "airflow_dag_last_run_failed", (({"dag_id": dag_id}, float(failed)) for dag_id, failed in latest)
        )
        if self.turn % 4:
            return
        counts = (await self.database.rows(metadata.COUNTS))[0]
        for name, value in zip(("running", "queued", "success_today", "failed_today"), counts, strict=True):
            self.metrics.set("airflow_dag_runs", value, state=name)
        busy = await self.database.rows(
            "select count(*) filter (where state = 'running'), count(*) filter (where state = 'queued')"
            " from task_instance where state in ('running', 'queued')"
        )
        running, queued = busy[0]
        self.metrics.set("airflow_executor_running_tasks", running)
        self.metrics.set("airflow_executor_queued_tasks", queued)
        self.metrics.set("airflow_executor_open_slots", SLOTS - running)
        self.metrics.set("airflow_pool_used_slots", running, pool="default_pool")
        self.metrics.set("airflow_pool_open_slots", SLOTS - running, pool="default_pool")


async def main(simulation: Simulation) -> None:
    """Schedule until stopped."""
    database = metadata.Database(simulation.plan["airflow_dsn"], "airflow-scheduler")
    scheduler = Scheduler(simulation, database)
    await asyncio.gather(simulation.serve(), forever(LOOP_SECONDS, scheduler.step))


if __name__ == "__main__":
    run(main)
