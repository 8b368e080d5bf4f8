"""A stand-in for an Airflow worker: takes queued tasks, works for a moment, loads the DAG's table at its end."""

import asyncio
import random
import sys
import uuid
from contextlib import suppress
from pathlib import Path

from opsconsole.demo.catalogue import DAGS
from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.loads import load
from opsconsole.demo.simulation.service import Simulation, forever, run

LOOP_SECONDS = 0.5
_LOG = """\
INFO - Executing task {task_id} of {dag_id}
INFO - reading from the gateway export
ERROR - Task failed with exception
Traceback (most recent call last):
  File "/opt/airflow/dags/{dag_id}.py", line 42, in {task_id}
    for batch in source.read(since):
ConnectionResetError: [Errno 104] Connection reset by peer: gateway-3.field.example:8443
"""


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
            for task, _ in dag.tasks:
                self.metrics.add("airflow_task_duration_count", 0, dag_id=dag.dag_id, task_id=task)
                self.metrics.add("airflow_task_duration_sum", 0, dag_id=dag.dag_id, task_id=task)

    async def step(self) -> None:
        """Take what is queued, as far as there are hands."""
        while len(self.under_way) < 4:
            taken = await self.database.rows(metadata.TAKE_TASK, {"host": self.simulation.instance})
            if not taken:
                return
            task = asyncio.create_task(self._guarded(*taken[0]))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)

    async def _guarded(
        self, key: uuid.UUID, dag_id: str, run_id: str, task_id: str, try_number: int, max_tries: int
    ) -> None:
        try:
            await self._work(key, dag_id, run_id, task_id, try_number, max_tries)
        except Exception as error:  # its database may be away: it is tried again
            sys.stderr.write(f"{dag_id} {run_id} {task_id}: {type(error).__name__}: {error}\n")
            with suppress(Exception):
                await self.database.rows(
                    "update task_instance set state = 'up_for_retry' where id = %(id)s and state = 'running'",
                    {"id": key},
                )

    async def _work(
        self, key: uuid.UUID, dag_id: str, run_id: str, task_id: str, try_number: int, max_tries: int
    ) -> None:
        tasks = [task for task, _ in metadata.TASKS[dag_id]]
        broken = self.simulation.fault("dag-failure", dag_id, survives_restart=True) is not None
        if broken and task_id == tasks[1]:
            if not await self._is_asked_for(dag_id, run_id):
                self._write_logs(dag_id, run_id, task_id, try_number, max_tries)
                await self._fail(key, try_number, max_tries)
                return
            self.simulation.end_fault("dag-failure")
        await asyncio.sleep(0.0 if broken else random.uniform(0.3, 1.6))
        if task_id == tasks[-1]:
            table = next(dag.loads for dag in DAGS if dag.dag_id == dag_id)
            stale = self.simulation.fault("stale-data", table, survives_restart=True)
            if stale is not None and await self._is_asked_for(dag_id, run_id):
                self.simulation.end_fault("stale-data")
                stale = None
            if table and stale is None:
                await load(self.app, table)
        took = await self.database.rows(metadata.END_TASK, {"id": key, "state": "success"})
        self.metrics.add("airflow_ti_successes")
        self.metrics.add("airflow_task_duration_count", dag_id=dag_id, task_id=task_id)
        self.metrics.add("airflow_task_duration_sum", float(took[0][0]), dag_id=dag_id, task_id=task_id)

    async def _is_asked_for(self, dag_id: str, run_id: str) -> bool:
        """Whether an operator wants this run: cleared or triggered by hand. The cause of a fault is gone by then."""
        found = await self.database.rows(metadata.ASKED_FOR, {"dag": dag_id, "run": run_id})
        return bool(found and found[0][0])

    def _write_logs(self, dag_id: str, run_id: str, task_id: str, first: int, last: int) -> None:
        """The logs of the tries that fail, where and as Airflow writes them."""
        folder = Path(self.simulation.plan["task_logs"], f"dag_id={dag_id}", f"run_id={run_id}", f"task_id={task_id}")
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, last + 2):
            (folder / f"attempt={number}.log").write_text(_LOG.format(dag_id=dag_id, task_id=task_id), "utf-8")

    async def _fail(self, key: uuid.UUID, try_number: int, max_tries: int) -> None:
        """Fail all tries that are left, one after the other, without the pause that a real retry makes."""
        for _ in range(try_number, max_tries + 1):
            await self.database.rows(metadata.KEEP_TRY, {"id": key})
            await self.database.rows(
                "update task_instance set try_number = try_number + 1, start_date = now() where id = %(id)s",
                {"id": key},
            )
        await self.database.rows(metadata.END_TASK, {"id": key, "state": "failed"})
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
