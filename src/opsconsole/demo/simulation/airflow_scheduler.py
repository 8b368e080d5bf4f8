"""A stand-in for the Airflow scheduler: creates DAG runs when due, queues their tasks, and ends them."""

import asyncio
from collections import deque

from opsconsole.demo.dags import DAGS
from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.service import Simulation, forever, run
from opsconsole.demo.statements import statement

LOOP_SECONDS = 0.5


class Scheduler:
    """The scheduler's loop and what it measures. All state is in the metadata database."""

    def __init__(self, simulation: Simulation, database: metadata.Database) -> None:
        self.simulation = simulation
        self.metrics = simulation.metrics
        self.database = database
        self.job = 0
        self.turn = 0
        self.durations = {dag.dag_id: deque[float](maxlen=50) for dag in DAGS}
        self.struck = 0.0
        self.metrics.add("airflow_scheduler_heartbeat", 0)
        for dag in DAGS:
            for name in ("airflow_dagrun_duration", "airflow_dagrun_failed"):
                self.metrics.add(f"{name}_count", 0, dag_id=dag.dag_id)
                self.metrics.add(f"{name}_sum", 0, dag_id=dag.dag_id)

    async def step(self) -> None:
        """One turn of the loop."""
        if not self.job:
            self.job = await metadata.register(self.database, "SchedulerJob", self.simulation.instance)
        broken, struck = self._broken()
        await self._create(broken if struck else None)
        ended = await self._advance(broken)
        await self._measure(ended=ended)
        if self.turn % 4 == 0:
            await self.database.rows(statement("engine/finish_backfills"))
            await metadata.heartbeat(self.database, self.job)
            self.metrics.add("airflow_scheduler_heartbeat")
        self.turn += 1

    def _broken(self) -> tuple[str | None, bool]:
        """The DAG that is broken, and whether it has just been: it runs at once then, so that the fault is seen."""
        for dag in DAGS:
            since = self.simulation.fault("dag-failure", dag.dag_id, survives_restart=True)
            if since:
                struck, self.struck = since > self.struck, max(since, self.struck)
                return dag.dag_id, struck
        return None, False

    async def _create(self, forced: str | None) -> None:
        """The runs that are due."""
        if self.turn % 2 and not forced:
            return
        for (dag_id,) in await self.database.rows(statement("engine/due"), {"forced": forced}):
            asset = next(dag.asset for dag in DAGS if dag.dag_id == dag_id)
            if not asset:
                await self._run(dag_id, "scheduled", "timetable")
            else:  # it is due without its asset where it has been struck
                await self._run(dag_id, "asset_triggered", "asset")
        for (dag_id,) in await self.database.rows(statement("engine/due_by_asset")):
            await self._run(dag_id, "asset_triggered", "asset")

    async def _run(self, dag_id: str, kind: str, by: str) -> None:
        binds = metadata.run_binds(dag_id, kind, by, job=self.job)
        if kind == "scheduled":
            now = (await self.database.rows("select now()"))[0][0]
            binds |= {"logical_date": now, "run_after": now}
        await self.database.rows(statement("engine/create_run"), binds)

    async def _advance(self, broken: str | None) -> bool:
        """Move everything that is under way one step on; gives whether a run has ended."""
        await self.database.rows(statement("engine/start_runs"), {"forced": broken})
        while await self.database.rows(statement("engine/fail_waiting")):
            pass
        await self.database.rows(statement("engine/expand"))
        await self.database.rows(statement("engine/schedule"))
        await self.database.rows(statement("engine/enqueue"), {"job": self.job})
        ended = await self.database.rows(statement("engine/finish_runs"))
        for row in ended:
            self._count(*row)
        return bool(ended)

    def _count(self, dag_id: str, state: str, took: float, delay: float) -> None:
        """Measure a run that has ended."""
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

    async def _measure(self, *, ended: bool) -> None:
        if ended or self.turn % 2 == 0:
            latest = await self.database.rows(metadata.LATEST)
            self.metrics.replace(
                "airflow_dag_last_run_failed", (({"dag_id": dag_id}, float(failed)) for dag_id, failed in latest)
            )
        if self.turn % 4:
            return
        counts = (await self.database.rows(metadata.COUNTS))[0]
        for name, value in zip(("running", "queued", "success_today", "failed_today"), counts, strict=True):
            self.metrics.set("airflow_dag_runs", value, state=name)
        slots, running, queued = 0.0, 0.0, 0.0
        for pool, size, used, waiting in await self.database.rows(metadata.POOLS):
            slots, running, queued = slots + size, running + used, queued + waiting
            self.metrics.set("airflow_pool_used_slots", used, pool=pool)
            self.metrics.set("airflow_pool_open_slots", size - used, pool=pool)
        self.metrics.set("airflow_executor_running_tasks", running)
        self.metrics.set("airflow_executor_queued_tasks", queued)
        self.metrics.set("airflow_executor_open_slots", slots - running)


async def main(simulation: Simulation) -> None:
    """Schedule until stopped."""
    database = metadata.Database(simulation.plan["airflow_dsn"], "airflow-scheduler")
    scheduler = Scheduler(simulation, database)
    await asyncio.gather(simulation.serve(), forever(LOOP_SECONDS, scheduler.step))


if __name__ == "__main__":
    run(main)
