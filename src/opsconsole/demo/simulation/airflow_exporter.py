"""The metrics of a real Airflow, from its metadata database, under the names that the stand-ins have.

A component without a recent sign of life is down: there is no page for it.
"""

import asyncio

from opsconsole.demo.simulation import metadata
from opsconsole.demo.simulation.metrics import Metrics

JOBS = {
    "airflow-scheduler": "SchedulerJob",
    "airflow-triggerer": "TriggererJob",
    "airflow-dag-processor": "DagProcessorJob",
}
_BEAT = """
select extract(epoch from max(latest_heartbeat))::float8,
       max(latest_heartbeat) > now() - interval '15 s' and bool_or(state = 'running') from job where job_type = %(type)s
"""
_RUNS = """
select dag_id, state, count(*)::float8, coalesce(sum(extract(epoch from end_date - start_date)), 0)::float8
from dag_run where state in ('success', 'failed') group by 1, 2
"""
_BAG = "select (select count(*) from dag where not is_stale), (select count(*) from import_error)"


async def page(database: metadata.Database, service: str, port: int) -> str:
    """What Prometheus scrapes of one component.

    Raises:
        OSError: it is down.
    """
    metrics = Metrics()
    if service == "airflow-api-server":
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return metrics.render()
    beat, alive = (await database.rows(_BEAT, {"type": JOBS[service]}))[0]
    if not alive:
        raise ConnectionError(f"{service} has given no sign of life for 15 s")
    # A counter that grows by one a second while it lives.
    name = {"airflow-scheduler": "airflow_scheduler_heartbeat", "airflow-triggerer": "airflow_triggerer_heartbeat"}
    if service in name:
        metrics.add(name[service], beat)
    if service == "airflow-dag-processor":
        dags, errors = (await database.rows(_BAG))[0]
        metrics.set("airflow_dagbag_size", dags)
        metrics.set("airflow_dag_processing_import_errors", errors)
    if service == "airflow-scheduler":
        await _runs(database, metrics)
        await _pools(database, metrics)
    return metrics.render()


async def _runs(database: metadata.Database, metrics: Metrics) -> None:
    for dag_id, failed in await database.rows(metadata.LATEST):
        metrics.set("airflow_dag_last_run_failed", float(failed), dag_id=dag_id)
    for dag_id, state, runs, seconds in await database.rows(_RUNS):
        name = "airflow_dagrun_duration" if state == "success" else "airflow_dagrun_failed"
        metrics.add(f"{name}_count", runs, dag_id=dag_id)
        metrics.add(f"{name}_sum", seconds, dag_id=dag_id)
    counts = (await database.rows(metadata.COUNTS))[0]
    for state, value in zip(("running", "queued", "success_today", "failed_today"), counts, strict=True):
        metrics.set("airflow_dag_runs", value, state=state)


async def _pools(database: metadata.Database, metrics: Metrics) -> None:
    slots, running, queued = 0.0, 0.0, 0.0
    for pool, size, used, waiting in await database.rows(metadata.POOLS):
        slots, running, queued = slots + size, running + used, queued + waiting
        metrics.set("airflow_pool_used_slots", used, pool=pool)
        metrics.set("airflow_pool_open_slots", size - used, pool=pool)
    metrics.set("airflow_executor_running_tasks", running)
    metrics.set("airflow_executor_queued_tasks", queued)
    metrics.set("airflow_executor_open_slots", slots - running)
