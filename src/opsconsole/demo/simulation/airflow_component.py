"""Stand-ins for the Airflow components that only have to be alive: DAG processor and triggerer."""

import asyncio
import shutil
import time
from pathlib import Path

from opsconsole.demo.dags import DAGS
from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.service import Simulation, forever, run

_JOBS = {"airflow-dag-processor": "DagProcessorJob", "airflow-triggerer": "TriggererJob"}


TURNS_BETWEEN_CLEANING = 150
"""Five minutes."""
KEPT_HOURS = 6
"""Of the runs that the demo itself makes; it may run for days."""
_OLD_RUNS = """
delete from dag_run where creating_job_id is not null and state in ('success', 'failed')
  and end_date < now() - make_interval(hours => %(hours)s)
"""


async def main(simulation: Simulation) -> None:
    """Beat until stopped."""
    database = metadata.Database(simulation.plan["airflow_dsn"], simulation.service)
    job, turn = 0, 0

    async def beat() -> None:
        nonlocal job, turn
        job = job or await metadata.register(database, _JOBS[simulation.service], simulation.instance)
        await metadata.heartbeat(database, job)
        if simulation.service == "airflow-triggerer":
            simulation.metrics.add("airflow_triggerer_heartbeat")
            return
        turn += 1
        if turn % TURNS_BETWEEN_CLEANING == 0:
            await _clean(simulation, database)
        errors = await database.rows("select count(*) from import_error")
        await database.rows("update dag set last_parsed_time = now() where last_parsed_time < now() - interval '30 s'")
        simulation.metrics.set("airflow_dag_processing_import_errors", errors[0][0])
        simulation.metrics.set("airflow_dagbag_size", len(DAGS))

    await asyncio.gather(simulation.serve(), forever(2.0, beat))


async def _clean(simulation: Simulation, database: metadata.Database) -> None:
    """Forget old runs, and the logs that nobody wrote to since."""
    await database.rows(_OLD_RUNS, {"hours": KEPT_HOURS})
    await asyncio.to_thread(remove_old, Path(simulation.plan["task_logs"]), time.time() - KEPT_HOURS * 3600)


def remove_old(logs: Path, before: float) -> None:
    """Remove the logs of runs whose folder was last changed before that moment, unix seconds."""
    for folder in logs.glob("dag_id=*/run_id=*"):
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run(main)
