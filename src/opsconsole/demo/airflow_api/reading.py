"""The part of the API that only tells."""

import asyncio
from typing import Any

from opsconsole.demo import task_logs
from opsconsole.demo.airflow_api import listing, shapes
from opsconsole.demo.airflow_api.bodies import Wrong, whole
from opsconsole.demo.airflow_api.call import Call, Result
from opsconsole.demo.airflow_api.refusal import Refusal, wrong
from opsconsole.demo.statements import statement

VERSION = "3.3.2"
"""The Airflow whose answers these are; `tests/airflow_conformance.py` was run against it."""


async def version(call: Call) -> Result:
    """GET version."""
    return 200, {"version": VERSION, "git_version": None}


async def dags(call: Call) -> Result:
    """GET dags."""
    rows, total = await listing.page(call.database, listing.DAGS, call.query)
    return 200, shapes.collection("dags", [shapes.dag(row) for row in rows], total)


async def dag(call: Call) -> Result:
    """GET dags/{dag}."""
    return 200, shapes.dag(await one_dag(call))


async def details(call: Call) -> Result:
    """GET dags/{dag}/details."""
    row = await one_dag(call)
    more = (await call.records("dag_details", dag=row["dag_id"]))[0]
    return 200, shapes.details(row, more)


async def tasks(call: Call) -> Result:
    """GET dags/{dag}/tasks."""
    await one_dag(call)
    shown = shapes.tasks(await call.records("tasks", dag=call.name("dag")))
    return 200, shapes.collection("tasks", shown, len(shown))


async def task(call: Call) -> Result:
    """GET dags/{dag}/tasks/{task}."""
    await one_dag(call)
    for shown in shapes.tasks(await call.records("tasks", dag=call.name("dag"))):
        if shown["task_id"] == call.names["task"]:
            return 200, shown
    raise Refusal(404, f"Task with id {call.names['task']} was not found")


async def runs(call: Call) -> Result:
    """GET dags/{dag}/dagRuns."""
    if call.name("dag"):
        await one_dag(call)
    binds = {"dag": call.name("dag"), "run": None}
    rows, total = await listing.page(call.database, listing.RUNS, call.query, binds)
    return 200, shapes.collection("dag_runs", [shapes.run(row) for row in rows], total, cursors=True)


async def run(call: Call) -> Result:
    """GET dags/{dag}/dagRuns/{run}."""
    return 200, shapes.run(await one_run(call))


async def task_instances(call: Call) -> Result:
    """GET dags/{dag}/dagRuns/{run}/taskInstances."""
    if call.name("run"):
        found = await call.records("dag_runs", dag=call.name("dag"), run=call.name("run"))
        if not found:
            detail = f"DagRun with dag_id: `{call.names['dag']}` and run_id: `{call.names['run']}` was not found"
            raise Refusal(404, detail)
    elif call.name("dag"):
        await one_dag(call)
    binds = {"dag": call.name("dag"), "run": call.name("run"), "task": None, "map_index": None, "ids": None}
    rows, total = await listing.page(call.database, listing.TASK_INSTANCES, call.query, binds)
    shown = [shapes.task_instance(row) for row in rows]
    return 200, shapes.collection("task_instances", shown, total, cursors=True)


async def task_instance(call: Call) -> Result:
    """GET …/taskInstances/{task} and …/taskInstances/{task}/{index}."""
    rows = await instances(call)
    if "index" not in call.names and any(row["map_index"] >= 0 for row in rows):
        raise Refusal(404, "Task instance is mapped, add the map_index value to the URL")
    return 200, shapes.task_instance(rows[0])


async def mapped(call: Call) -> Result:
    """GET …/taskInstances/{task}/listMapped."""
    rows = [row for row in await instances(call) if row["map_index"] >= 0]
    if not rows:
        raise Refusal(404, f"Task id {call.names['task']} is not mapped")
    shown = [shapes.task_instance(row) for row in sorted(rows, key=lambda row: row["map_index"])]
    return 200, shapes.collection("task_instances", shown, len(shown), cursors=True)


async def tries(call: Call) -> Result:
    """GET …/taskInstances/{task}/tries and …/{task}/{index}/tries."""
    index = _index(call)
    rows = await call.records(
        "tries", dag=call.names["dag"], run=call.names["run"], task=call.names["task"], map_index=index
    )
    if not rows:
        raise Refusal(404, _no_instance(call, index))
    return 200, shapes.collection("task_instances", [shapes.one_try(row) for row in rows], len(rows))


async def log(call: Call) -> Result:
    """GET …/taskInstances/{task}/logs/{try}: what there is from where the token leads; a new token while it runs."""
    number, index = _number(call, "try", call.names["try"]), _index(call)
    token = call.query.get("token", [""])[-1]
    begin = shapes.position(token, call.key) if token else 0
    if begin is None:
        raise Refusal(400, "Bad Signature. Please use only the tokens provided by the API.")
    rows = await call.records(
        "tries", dag=call.names["dag"], run=call.names["run"], task=call.names["task"], map_index=index
    )
    this = next((row for row in rows if row["try_number"] == number), None)
    if this is None:
        raise Refusal(404, "TaskInstance not found")
    file = task_logs.path(
        call.logs, this["dag_id"], this["dag_run_id"], this["task_id"], this["map_index"], this["try_number"]
    )
    try:
        entries, end = await asyncio.to_thread(task_logs.read, file, begin)
    except OSError:
        entries, end = [{"event": f"No logs found on disk for {file}", "level": "error"}], begin
    over = this["state"] not in ("running", "queued", "scheduled", None)
    header: list[dict[str, Any]] = [
        {"event": "::group::Log message source details"}, {"event": str(file)}, {"event": "::endgroup::"},
    ]  # fmt: skip
    content = entries if begin else [*header, *entries]
    return 200, {"content": content, "continuation_token": None if over else shapes.continuation(end, call.key)}


async def pools(call: Call) -> Result:
    """GET pools."""
    return await _plain(call, listing.POOLS, "pools")


async def import_errors(call: Call) -> Result:
    """GET importErrors."""
    return await _plain(call, listing.IMPORT_ERRORS, "import_errors")


async def jobs(call: Call) -> Result:
    """GET jobs."""
    return await _plain(call, listing.JOBS, "jobs")


async def event_logs(call: Call) -> Result:
    """GET eventLogs."""
    return await _plain(call, listing.EVENT_LOGS, "event_logs")


async def assets(call: Call) -> Result:
    """GET assets."""
    return await _plain(call, listing.ASSETS, "assets")


async def warnings(call: Call) -> Result:
    """GET dagWarnings: there are none."""
    return 200, shapes.collection("dag_warnings", [], 0)


async def backfills(call: Call) -> Result:
    """GET backfills?dag_id=…"""
    if "dag_id" not in call.query:
        raise Refusal(422, [wrong("missing", ("query", "dag_id"), "Field required", None)])
    binds = {"dag": call.query["dag_id"][-1]}
    rows, total = await listing.page(call.database, listing.BACKFILLS, call.query, binds)
    return 200, shapes.collection("backfills", rows, total)


async def stats(call: Call) -> Result:
    """GET dagStats."""
    wanted = call.query.get("dag_ids")
    shown = [one for one in shapes.stats(await call.records("dag_stats")) if not wanted or one["dag_id"] in wanted]
    return 200, {"dags": shown, "total_entries": len(shown)}


async def one_dag(call: Call, missing: str = "The Dag with ID: `{dag}` was not found") -> dict[str, Any]:
    """The DAG of the path.

    Raises:
        Refusal: 404, there is none.
    """
    text = statement("api/dags") + "and d.dag_id = %(dag)s::text"
    rows = await call.database.records(text, {"dag": call.names["dag"]})
    if not rows:
        raise Refusal(404, missing.format(dag=call.names["dag"]))
    return rows[0]


async def one_run(call: Call) -> dict[str, Any]:
    """The run of the path.

    Raises:
        Refusal: 404, there is none.
    """
    rows = await call.records("dag_runs", dag=call.names["dag"], run=call.names["run"])
    if not rows:
        detail = f"The DagRun with dag_id: `{call.names['dag']}` and run_id: `{call.names['run']}` was not found"
        raise Refusal(404, detail)
    return rows[0]


async def instances(call: Call) -> list[dict[str, Any]]:
    """The task instances of the path: one, or all of a mapped task.

    Raises:
        Refusal: 404, there is none.
    """
    binds = {"dag": call.names["dag"], "run": call.names["run"], "task": call.names["task"], "ids": None}
    index = _number(call, "map_index", call.names["index"]) if "index" in call.names else None
    rows = await call.records("task_instances", **binds, map_index=index)
    if not rows:
        names = call.names
        detail = f"The Task Instance with dag_id: `{names['dag']}`, run_id: `{names['run']}`"
        if index is None:
            raise Refusal(404, f"{detail} and task_id: `{names['task']}` was not found")
        detail = detail.replace("The Task", "The Mapped Task")
        raise Refusal(404, f"{detail}, task_id: `{names['task']}`, and map_index: `{index}` was not found")
    return rows


async def _plain(call: Call, of: listing.Listing, name: str) -> Result:
    """A list whose rows are what is told."""
    rows, total = await listing.page(call.database, of, call.query)
    return 200, shapes.collection(name, rows, total)


def _index(call: Call) -> int:
    """The map index, of the path or the query."""
    if "index" in call.names:
        return _number(call, "map_index", call.names["index"])
    told = call.query.get("map_index", ["-1"])[-1]
    return -1 if told == "-1" else _number(call, "map_index", told)


def _number(call: Call, name: str, value: str) -> int:
    try:
        return whole(value, ("path", name))
    except Wrong as error:
        raise Refusal(422, [error.entry]) from None


def _no_instance(call: Call, index: int) -> str:
    names = call.names
    return (
        f"The Task Instance with dag_id: `{names['dag']}`, run_id: `{names['run']}`, task_id: `{names['task']}`"
        f" and map_index: `{index}` was not found"
    )
