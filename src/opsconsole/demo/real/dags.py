"""The demo's DAGs for a real Airflow 3: the same ids, tasks and dependencies, from `demo_dags.json` beside this file.

Airflow reads this file, in an environment of its own. What a task does is to wait; the last one of a DAG loads its
table in the database of `$DEMO_APP_DSN`. The faults of the demo are the files in `$DEMO_FAULTS`: `dag-failure` makes
the second task fail until it is cleared, `stale-data` keeps loads from being done until the DAG is triggered by hand.
"""

import json
import os
import random
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, Asset

FOLDER = Path(__file__).parent
ASSETS: dict[str, Asset] = {}


def work(one: dict[str, Any], dag_id: str, second: bool, table: str, load: str, **context: Any) -> None:
    """What each task does."""
    print(f"working on {one['task_id']}, try {context['ti'].try_number}")
    if second and (flag := fault("dag-failure", dag_id)):
        if context["ti"].try_number <= one["retries"] + 1:
            raise ConnectionResetError("[Errno 104] Connection reset by peer: gateway-3.field.example:8443")
        flag.unlink(missing_ok=True)  # somebody has cleared it: the cause is gone
    if one["flaky"] and context["ti"].try_number == 1 and random.random() < one["flaky"]:
        raise ConnectionResetError("[Errno 104] Connection reset by peer: grid.example:443")
    time.sleep(one["seconds"])
    if load and "DEMO_APP_DSN" in os.environ:
        if flag := fault("stale-data", table):
            if context["dag_run"].run_type != "manual":
                return
            flag.unlink(missing_ok=True)
        import psycopg2

        with psycopg2.connect(os.environ["DEMO_APP_DSN"]) as connection, connection.cursor() as cursor:
            cursor.execute(load)
        print(f"loaded {table}")


def fault(name: str, target: str) -> Path | None:
    """The file of a fault, where that is there and strikes `target`."""
    flag = Path(os.environ.get("DEMO_FAULTS", "/nowhere"), f"{name}.json")
    try:
        return flag if json.loads(flag.read_text("utf-8"))["target"] == target else None
    except (OSError, ValueError):
        return None


def asset(name: str) -> Asset:
    """The asset of that name, always the same one."""
    return ASSETS.setdefault(name, Asset(name=name, uri=f"postgres://app/public/{name}"))


def build(told: dict[str, Any]) -> DAG:
    """One DAG as it was told."""
    dag = DAG(
        told["dag_id"],
        description=told["description"],
        schedule=[asset(told["asset"])] if told["asset"] else told["timetable"],
        catchup=False,
        tags=told["tags"],
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        max_active_runs=3,
        is_paused_upon_creation=told["paused"],
        params={"note": ""},
        default_args={"owner": told["owner"], "retry_delay": timedelta(seconds=2)},
    )
    made: dict[str, Any] = {}
    last = len(told["tasks"]) - 1
    for number, one in enumerate(told["tasks"]):
        fixed = {
            "task_id": one["task_id"],
            "dag": dag,
            "retries": one["retries"],
            "pool": one["pool"],
            "python_callable": work,
            "outlets": [asset(one["outlet"])] if one["outlet"] else [],
        }
        loads = {"table": told["loads"], "load": told["load"]} if number == last else {"table": "", "load": ""}
        arguments = {"one": one, "dag_id": told["dag_id"], "second": number == 1, **loads}
        if one["mapped"]:
            made[one["task_id"]] = PythonOperator.partial(**fixed).expand(op_kwargs=[arguments] * one["mapped"])
        else:
            made[one["task_id"]] = PythonOperator(**fixed, op_kwargs=arguments)
        for before in one["upstream"]:
            made[one["task_id"]].set_upstream(made[before])
    return dag


for told_dag in json.loads((FOLDER / "demo_dags.json").read_text("utf-8")):
    globals()[told_dag["dag_id"]] = build(told_dag)
