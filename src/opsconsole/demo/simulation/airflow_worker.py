"""A stand-in for an Airflow worker: takes queued tasks, works for a moment, loads the DAG's table at its end."""

import asyncio
import os
import random
import sys
import uuid
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from opsconsole.demo.dags import BY_ID, DAGS, Task
from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.loads import load
from opsconsole.demo.simulation.service import Simulation, forever, run
from opsconsole.demo.statements import statement
from opsconsole.demo.task_logs import Lines, write

LOOP_SECONDS = 0.5
HANDS = 4
"""Tasks at once."""


@dataclass(frozen=True, slots=True)
class Try:
    """One try of one task instance."""

    key: uuid.UUID
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    number: int
    last: int
    """As many tries follow the first, at most."""

    @property
    def task(self) -> Task:
        """What is to be done."""
        return next(task for task in BY_ID[self.dag_id].tasks if task.task_id == self.task_id)

    @property
    def stumbles(self) -> bool:
        """Whether it is the first try of an unsteady task, and a bad one: the same for the same run, whoever asks."""
        draw = zlib.crc32(f"{self.run_id} {self.task_id}".encode()) % 100
        return self.number == 1 and draw < self.task.flaky * 100


class Worker:
    """Runs up to four tasks at once."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.metrics = simulation.metrics
        self.database = metadata.Database(simulation.plan["airflow_dsn"], "airflow-worker")
        self.app = metadata.Database(simulation.plan["app_dsn"], "airflow-task")
        self.under_way: set[asyncio.Task[None]] = set()
        self.metrics.add("airflow_ti_successes", 0)
        self.metrics.add("airflow_ti_failures", 0)
        for dag in DAGS:
            for task in dag.tasks:
                self.metrics.add("airflow_task_duration_count", 0, dag_id=dag.dag_id, task_id=task.task_id)
                self.metrics.add("airflow_task_duration_sum", 0, dag_id=dag.dag_id, task_id=task.task_id)

    async def step(self) -> None:
        """Take what is queued, as far as there are hands."""
        while len(self.under_way) < HANDS:
            binds = {"host": self.simulation.instance, "pid": os.getpid()}
            taken = await self.database.rows(statement("engine/take_task"), binds)
            if not taken:
                return
            task = asyncio.create_task(self._guarded(Try(*taken[0])))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)

    async def _guarded(self, one: Try) -> None:
        try:
            await self._work(one)
        except Exception as error:  # its database may be away: it is tried again
            sys.stderr.write(f"{one.dag_id} {one.run_id} {one.task_id}: {type(error).__name__}: {error}\n")
            with suppress(Exception):
                await self.database.rows(
                    "update task_instance set state = 'up_for_retry', end_date = now()"
                    " where id = %(id)s and state = 'running'",
                    {"id": one.key},
                )

    async def _work(self, one: Try) -> None:
        tasks = BY_ID[one.dag_id].tasks
        lines = Lines(one.dag_id, one.run_id, one.task_id, one.map_index, one.number, self.simulation.instance)
        self._write(one, lines.begun())
        broken = self.simulation.fault("dag-failure", one.dag_id, survives_restart=True) is not None
        if broken and one.task_id == tasks[1].task_id:
            if not await self._is_asked_for(one):
                await self._fail(one, lines.failed("gateway-3.field.example:8443"))
                return
            self.simulation.end_fault("dag-failure")
            broken = False
        await asyncio.sleep(0.0 if broken else random.uniform(0.4, 1.3) * one.task.seconds)
        if one.stumbles:
            await self._fail(one, lines.failed("grid.example:443"))
            return
        if one.task_id == tasks[-1].task_id:
            await self._load(one)
        took = await self.database.rows(statement("engine/end_task"), {"id": one.key, "state": "success"})
        if not took:  # cleared or marked meanwhile
            self._write(one, lines.ended_from_outside())
            return
        self._write(one, lines.succeeded(float(took[0][0])))
        self.metrics.add("airflow_ti_successes")
        self.metrics.add("airflow_task_duration_count", dag_id=one.dag_id, task_id=one.task_id)
        self.metrics.add("airflow_task_duration_sum", float(took[0][0]), dag_id=one.dag_id, task_id=one.task_id)

    async def _load(self, one: Try) -> None:
        """Load the table of the DAG, unless loads of it have stopped."""
        table = BY_ID[one.dag_id].loads
        stale = self.simulation.fault("stale-data", table, survives_restart=True)
        if stale is not None and await self._is_asked_for(one):
            self.simulation.end_fault("stale-data")
            stale = None
        if table and stale is None:
            await load(self.app, table)

    async def _is_asked_for(self, one: Try) -> bool:
        """Whether an operator wants this run: cleared or triggered by hand. The cause of a fault is gone by then."""
        found = await self.database.rows(metadata.ASKED_FOR, {"dag": one.dag_id, "run": one.run_id})
        return bool(found and found[0][0])

    def _write(self, one: Try, entries: list[dict[str, Any]]) -> None:
        """Add to the log of this try, where and as Airflow writes it."""
        logs = self.simulation.plan["task_logs"]
        write(logs, one.dag_id, one.run_id, one.task_id, one.map_index, one.number, entries)

    async def _fail(self, one: Try, entries: list[dict[str, Any]]) -> None:
        """The try failed: another follows, or it was the last."""
        self._write(one, entries)
        if one.number <= one.last:
            await self.database.rows(statement("engine/end_try"), {"id": one.key})
            return
        await self.database.rows(statement("engine/end_task"), {"id": one.key, "state": "failed"})
        self.metrics.add("airflow_ti_failures")


async def main(simulation: Simulation) -> None:
    """Work until stopped. What an earlier worker left running goes back to the queue first."""
    worker = Worker(simulation)

    async def adopt() -> None:
        await worker.database.rows("update task_instance set state = 'queued' where state = 'running'")

    serving = asyncio.create_task(simulation.serve())
    for _ in range(30):
        try:
            await adopt()
            break
        except Exception:  # the database is still starting
            await asyncio.sleep(1.0)
    await asyncio.gather(serving, forever(LOOP_SECONDS, worker.step))


if __name__ == "__main__":
    run(main)
