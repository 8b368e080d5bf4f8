"""DAGs that succeed, fail until somebody repairs them, are mapped, have odd names and wait. For Airflow 2 and 3."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

try:
    from airflow.sdk import Asset, Param, dag, task, task_group
except ImportError:  # Airflow 2
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import dag, task, task_group
    from airflow.models.param import Param

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
REPAIRED = Path(os.environ["TEST_REPAIRED"])
"""A file; while it is missing, `fails` fails."""


@dag(dag_id="succeeds", start_date=BEGINNING, schedule=None, catchup=False, tags=["test"], params={"size": 3})
def succeeds() -> None:
    @task
    def extract() -> list[int]:
        print("\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07 extracted")
        return [1, 2, 3]

    @task
    def load(number: int) -> int:
        return number

    load.expand(number=extract())


@dag(dag_id="fails", start_date=BEGINNING, schedule=None, catchup=False)
def fails() -> None:
    @task
    def fetch() -> None: ...

    @task(retries=1, retry_delay=timedelta(seconds=0))
    def transform() -> None:
        if not REPAIRED.exists():
            raise ConnectionError("connection to 10.1.2.3:5432 refused at 0x7f00c0ffee")

    @task
    def publish() -> None: ...

    fetch() >> transform() >> publish()


@dag(dag_id="Odd.näme-1_x", start_date=BEGINNING, schedule="@daily", catchup=False, max_active_runs=1)
def odd() -> None:
    @task_group
    def group() -> None:
        @task
        def inner() -> None: ...

        inner()

    group()


@dag(
    dag_id="typed",
    start_date=BEGINNING,
    schedule=None,
    catchup=False,
    params={
        "day": Param(type="string", format="date", description="the day to load", title="Day"),
        "size": Param(3, type="integer", minimum=1, maximum=10),
        "kind": Param("full", enum=["full", "delta"]),
        "note": Param(None, type=["null", "string"]),
        "fixed": Param("v1", const="v1"),
        "plain": 5,
    },
)
def typed() -> None:
    @task
    def report(**context: object) -> None:
        print(context["params"])

    report()


RAW, CLEAN, TARIFFS = Asset("s3://lake/raw"), Asset("s3://lake/clean"), Asset("s3://lake/tariffs")
WEATHER = Asset("s3://lake/weather")


@dag(dag_id="feeds", start_date=BEGINNING, schedule=None, catchup=False)
def feeds() -> None:
    @task(outlets=[RAW])
    def write() -> None: ...

    write()


@dag(dag_id="eats", start_date=BEGINNING, schedule=RAW & (TARIFFS | WEATHER), catchup=False)
def eats() -> None:
    @task(outlets=[CLEAN])
    def refine() -> None: ...

    refine()


typed()
feeds()
eats()
succeeds()
fails()
odd()
