"""Stand-ins for the Airflow components that only have to be alive: DAG processor and triggerer."""

import asyncio

from opsconsole.demo.dags import DAGS
from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.service import Simulation, forever, run

_JOBS = {"airflow-dag-processor": "DagProcessorJob", "airflow-triggerer": "TriggererJob"}


async def main(simulation: Simulation) -> None:
    """Beat until stopped."""
    database = metadata.Database(simulation.plan["airflow_dsn"], simulation.service)
    job = 0

    async def beat() -> None:
        nonlocal job
        job = job or await metadata.register(database, _JOBS[simulation.service], simulation.instance)
        await metadata.heartbeat(database, job)
        if simulation.service == "airflow-triggerer":
            simulation.metrics.add("airflow_triggerer_heartbeat")
            return
        errors = await database.rows("select count(*) from import_error")
        await database.rows("update dag set last_parsed_time = now() where last_parsed_time < now() - interval '30 s'")
        simulation.metrics.set("airflow_dag_processing_import_errors", errors[0][0])
        simulation.metrics.set("airflow_dagbag_size", len(DAGS))

    await asyncio.gather(simulation.serve(), forever(2.0, beat))


if __name__ == "__main__":
    run(main)
