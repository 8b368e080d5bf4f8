"""The demo's DAGs for a real Airflow 3: the same ids, tasks and dependencies, from `demo_dags.json` beside this file.

This file is read by Airflow, in an environment of its own. What a task does is to wait, and to fail where the file
`broken-DAG_ID` stands beside this one.
"""

import json
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


def work(task_id: str, seconds: float, flaky: float, broken: str, **context: Any) -> None:
    """What each task does."""
    print(f"working on {task_id}")
    if broken and (FOLDER / f"broken-{broken}").exists():
        raise ConnectionResetError("[Errno 104] Connection reset by peer: gateway-3.field.example:8443")
    if flaky and context["ti"].try_number == 1 and random.random() < flaky:
        raise ConnectionResetError("[Errno 104] Connection reset by peer: grid.example:443")
    time.sleep(seconds)


def asset(name: str) -> Asset:
    """The asset of that name, always the same one."""
    return ASSETS.setdefault(name, Asset(name=name, uri=f"postgres://app/public/{name}"))


def build(told: dict[str, Any]) -> DAG:
    """One DAG as it was told."""
    schedule = [asset(told["asset"])] if told["asset"] else told["timetable"]
    dag = DAG(
        told["dag_id"], description=told["description"], schedule=schedule, catchup=False, tags=told["tags"],
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), max_active_runs=3, is_paused_upon_creation=told["paused"],
        params={"note": ""}, default_args={"owner": told["owner"], "retry_delay": timedelta(seconds=2)},
    )  # fmt: skip
    made = {}
    for number, one in enumerate(told["tasks"]):
        fixed = {
            "task_id": one["task_id"], "dag": dag, "retries": one["retries"], "pool": one["pool"],
            "python_callable": work, "outlets": [asset(one["outlet"])] if one["outlet"] else [],
        }  # fmt: skip
        arguments = {"task_id": one["task_id"], "seconds": one["seconds"], "flaky": one["flaky"],
                     "broken": told["dag_id"] if number == 1 else ""}  # fmt: skip
        if one["mapped"]:
            task = PythonOperator.partial(**fixed).expand(op_kwargs=[arguments] * one["mapped"])
        else:
            task = PythonOperator(**fixed, op_kwargs=arguments)
        made[one["task_id"]] = task
        for before in one["upstream"]:
            made[before] >> task
    return dag


for told in json.loads((FOLDER / "demo_dags.json").read_text("utf-8")):
    globals()[told["dag_id"]] = build(told)
