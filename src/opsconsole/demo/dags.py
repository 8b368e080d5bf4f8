"""The DAGs of the demo: tasks, what each waits for, and what follows from that."""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

CONSUMPTION = "consumption_hourly"
"""The asset that `aggregate_consumption` writes and `consumption_report` waits for."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a DAG."""

    task_id: str
    operator: str
    upstream: tuple[str, ...] = ()
    """The tasks that have to succeed before it."""
    seconds: float = 0.9
    """What it usually takes in the demo."""
    mapped: int = 0
    """Into how many instances it expands; 0: it is not mapped."""
    retries: int = 2
    pool: str = "default_pool"
    flaky: float = 0.0
    """The part of its first tries that fail."""
    outlet: str = ""
    """The asset that it writes."""


@dataclass(frozen=True, slots=True)
class Dag:
    """One DAG."""

    dag_id: str
    description: str
    every: float
    """Seconds between runs in the demo, where an hour is too long to wait for; 0: not by time."""
    timetable: str
    tasks: tuple[Task, ...]
    """Each after those that it waits for."""
    loads: str = ""
    """The table of `app` that its last task has loaded."""
    paused: bool = False
    asset: str = ""
    """The asset whose events start a run."""
    tags: tuple[str, ...] = ("energy",)
    owner: str = "data-platform"


def _chain(*tasks: tuple[str, str], seconds: float = 0.7) -> tuple[Task, ...]:
    before = [(), *((task,) for task, _ in tasks)]
    pairs = zip(tasks, before, strict=False)
    return tuple(Task(task, operator, upstream, seconds) for (task, operator), upstream in pairs)


DAGS = (
    Dag(
        "ingest_meter_readings",
        "Meter readings of the last interval, from the field gateways",
        60,
        "* * * * *",
        (
            Task("wait_for_files", "FileSensor"),
            Task("load_readings", "PythonOperator", ("wait_for_files",), 1.2),
            Task("validate", "SQLTableCheckOperator", ("load_readings",), 0.6, mapped=3),
            Task("publish", "PythonOperator", ("validate",)),
        ),
        loads="readings",
        tags=("energy", "ingestion"),
    ),
    Dag(
        "refresh_tariffs",
        "Tariffs of all suppliers",
        120,
        "*/2 * * * *",
        _chain(("fetch_tariffs", "HttpOperator"), ("load_tariffs", "PythonOperator"), ("publish", "PythonOperator")),
        loads="tariffs",
        tags=("energy", "ingestion"),
    ),
    Dag(
        "sync_customers",
        "Customer master data from the profile service",
        180,
        "*/3 * * * *",
        _chain(("extract_profiles", "HttpOperator"), ("load_customers", "PythonOperator")),
        loads="customers",
        tags=("energy", "ingestion"),
    ),
    Dag(
        "aggregate_consumption",
        "Hourly consumption per customer",
        120,
        "*/2 * * * *",
        (
            Task("aggregate_hourly", "SQLExecuteQueryOperator", pool="database"),
            Task(
                "refresh_views",
                "SQLExecuteQueryOperator",
                ("aggregate_hourly",),
                pool="database",
                outlet=CONSUMPTION,
            ),
        ),
        loads="consumption_hourly",
        tags=("energy", "reporting"),
    ),
    Dag(
        "import_weather",
        "Weather forecast for the load model",
        180,
        "*/3 * * * *",
        _chain(("fetch_forecast", "HttpOperator"), ("load_weather", "PythonOperator")),
        loads="weather",
        tags=("energy", "ingestion"),
    ),
    Dag(
        "data_quality_checks",
        "Completeness, ranges and freshness of all tables",
        120,
        "*/2 * * * *",
        (
            Task("check_completeness", "SQLTableCheckOperator", pool="database"),
            Task("check_ranges", "SQLColumnCheckOperator", pool="database"),
            Task("publish_score", "PythonOperator", ("check_completeness", "check_ranges")),
        ),
        tags=("energy", "quality"),
    ),
    Dag(
        "consumption_report",
        "Report per customer, whenever the hourly consumption was written",
        0,
        "Asset",
        (
            Task("collect", "SQLExecuteQueryOperator", pool="database"),
            Task("render_pdf", "PythonOperator", ("collect",), 1.4),
            Task("render_csv", "PythonOperator", ("collect",), 0.5),
            Task("publish", "PythonOperator", ("render_pdf", "render_csv")),
        ),
        asset=CONSUMPTION,
        tags=("energy", "reporting"),
    ),
    Dag(
        "forecast_load",
        "Load forecast of the next day, one model per region",
        240,
        "*/4 * * * *",
        (
            Task("prepare_features", "PythonOperator"),
            Task("train_region", "PythonOperator", ("prepare_features",), 2.0, mapped=4),
            Task("evaluate", "PythonOperator", ("train_region",)),
            Task("plot", "PythonOperator", ("train_region",), 1.5),
            Task("publish_forecast", "PythonOperator", ("evaluate", "plot")),
        ),
        tags=("energy", "forecast"),
        owner="data-science",
    ),
    Dag(
        "reconcile_grid",
        "Grid losses against the readings; the grid operator's gateway drops connections now and then",
        180,
        "*/3 * * * *",
        (
            Task("fetch_grid", "HttpOperator", flaky=0.4),
            Task("reconcile", "SQLExecuteQueryOperator", ("fetch_grid",), pool="database"),
            Task("report_losses", "PythonOperator", ("reconcile",)),
        ),
        tags=("energy", "quality"),
    ),
    Dag(
        "export_billing",
        "Billing export; paused outside of the billing week",
        86400,
        "@daily",
        _chain(("export", "PythonOperator"), ("upload", "SFTPOperator")),
        paused=True,
        tags=("billing",),
        owner="energy-team",
    ),
)

BY_ID = {dag.dag_id: dag for dag in DAGS}


def following(tasks: Iterable[Task], chosen: Collection[str]) -> set[str]:
    """The ids of the tasks that wait, directly or not, for those `chosen`, without these themselves."""
    found: set[str] = set()
    for task in tasks:  # each stands after those that it waits for
        if any(one in chosen or one in found for one in task.upstream):
            found.add(task.task_id)
    return found - set(chosen)


def preceding(tasks: Iterable[Task], chosen: Collection[str]) -> set[str]:
    """The ids of the tasks that those `chosen` wait for, directly or not, without these themselves."""
    found: set[str] = set()
    for task in reversed(tuple(tasks)):
        if task.task_id in chosen or task.task_id in found:
            found.update(task.upstream)
    return found - set(chosen)


def offsets(dag: Dag) -> dict[str, float]:
    """Task -> seconds from the begin of a run to its own, where nothing has to wait for a worker."""
    ends: dict[str, float] = {}
    begins: dict[str, float] = {}
    for task in dag.tasks:
        begins[task.task_id] = max((ends[one] for one in task.upstream), default=0.0) + 0.5
        ends[task.task_id] = begins[task.task_id] + task.seconds
    return begins


def length(dag: Dag) -> float:
    """Seconds that a run usually takes."""
    begins = offsets(dag)
    return max(begins[task.task_id] + task.seconds for task in dag.tasks)


def interval(dag: Dag) -> float:
    """Seconds between two runs: its own, or those of the DAG that writes its asset."""
    writers = (one for one in DAGS if any(task.outlet == dag.asset for task in one.tasks))
    return next(writers).every if dag.asset else dag.every


def as_json() -> str:
    """All DAGs, for a program that cannot import this one."""
    return json.dumps([asdict(dag) for dag in DAGS], indent=1)
