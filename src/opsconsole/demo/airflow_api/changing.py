"""The part of the API that changes something. What was done is in the table `log`, too."""

import json
from collections.abc import Collection
from typing import Any

from opsconsole.demo.airflow_api import bodies, shapes
from opsconsole.demo.airflow_api.call import Call, Result
from opsconsole.demo.airflow_api.reading import instances, one_dag, one_run
from opsconsole.demo.airflow_api.refusal import Refusal
from opsconsole.demo.dags import BY_ID, following, preceding
from opsconsole.demo.simulation.metadata import run_binds, selection
from opsconsole.demo.statements import statement


async def patch_dag(call: Call) -> Result:
    """PATCH dags/{dag}: pause or unpause."""
    body = bodies.parse(call.request.body, bodies.PATCH_DAG)
    mask = call.query.get("update_mask")
    if mask and mask != ["is_paused"]:
        raise Refusal(400, "Only `is_paused` field can be updated through the REST API")
    await one_dag(call, "Dag with id: {dag} was not found")
    binds = {"dag": call.names["dag"], "paused": body["is_paused"]}
    await call.database.rows("update dag set is_paused = %(paused)s where dag_id = %(dag)s", binds)
    await _log(call, "patch_dag")
    return 200, shapes.dag(await one_dag(call))


async def trigger(call: Call) -> Result:
    """POST dags/{dag}/dagRuns."""
    body = bodies.parse(call.request.body, bodies.TRIGGER)
    if (body["data_interval_start"] is None) != (body["data_interval_end"] is None):
        message = "Either both data_interval_start and data_interval_end must be provided or both must be None"
        raise bodies.contradiction(call.request.body, message)
    await one_dag(call, "Dag with dag_id: '{dag}' not found")
    taken = await call.database.rows(
        """select 1 from dag_run where dag_id = %(dag)s
           and (run_id = %(run)s::text or logical_date = %(date)s::timestamptz)""",
        {"dag": call.names["dag"], "run": body["dag_run_id"], "date": body["logical_date"]},
    )
    if taken:
        hidden = {"statement": "hidden", "orig_error": "hidden", "message": "such a run is there already"}
        raise Refusal(409, {"reason": "Unique constraint violation", **hidden})
    binds = run_binds(
        call.names["dag"],
        "manual",
        "rest_api",
        run=body["dag_run_id"],
        logical_date=body["logical_date"],
        start=body["data_interval_start"],
        end=body["data_interval_end"],
        run_after=body["run_after"],
        conf=json.dumps(body["conf"] or {}),
        user=call.user.name,
        note=body["note"],
    )
    made = await call.database.rows(statement("engine/create_run"), binds)
    await _log(call, "trigger_dag_run", run=made[0][0])
    return 200, await _shown_run(call, made[0][0])


async def patch_run(call: Call) -> Result:
    """PATCH dags/{dag}/dagRuns/{run}: mark it, or write a note."""
    body = bodies.parse(call.request.body, bodies.PATCH_RUN)
    await one_run(call)
    named = {"dag": call.names["dag"], "run": call.names["run"]}
    if "note" in body["given"]:
        await call.execute("note_run", **named, note=body["note"], user=call.user.name)
    if body["state"]:
        await call.execute("mark_run", **named, state=body["state"])
    await _log(call, "patch_dag_run")
    return 200, await _shown_run(call, call.names["run"])


async def clear_run(call: Call) -> Result:
    """POST dags/{dag}/dagRuns/{run}/clear."""
    body = bodies.parse(call.request.body, bodies.CLEAR_RUN)
    await one_run(call)
    chosen = selection(call.names["dag"], run=call.names["run"], failed=body["only_failed"])
    if body["only_new"]:  # the demo's DAGs never get new tasks
        chosen["tasks"] = "[]"
    ids = await _chosen(call, chosen)
    if body["dry_run"]:
        shown = await _shown(call, ids)
        return 200, shapes.collection("task_instances", shown, len(shown))
    await _clear(call, ids, reset=True)
    await _log(call, "clear_dag_run")
    return 200, await _shown_run(call, call.names["run"])


async def clear_tasks(call: Call) -> Result:
    """POST dags/{dag}/clearTaskInstances."""
    body = bodies.parse(call.request.body, bodies.CLEAR_TASKS)
    if said := _contradicting(body):
        raise bodies.contradiction(call.request.body, said)
    await one_dag(call)
    run = body["dag_run_id"]
    if run is not None and not await call.records("dag_runs", dag=call.names["dag"], run=run):
        raise Refusal(404, f"Dag Run id {run} not found in dag {call.names['dag']}")
    if run is None and (body["include_past"] or body["include_future"]):
        raise Refusal(400, "Cannot use include_past or include_future when dag_run_id is not provided")
    chosen = selection(
        call.names["dag"],
        run=run,
        start=body["start_date"],
        end=body["end_date"],
        tasks=_with_relatives(call.names["dag"], body["task_ids"], body),
        failed=body["only_failed"],
        running=body["only_running"],
        past=body["include_past"],
        future=body["include_future"],
    )
    ids = await _chosen(call, chosen)
    if not body["dry_run"]:
        ids = await _clear(call, ids, reset=body["reset_dag_runs"])
        if body["note"] is not None:
            await call.execute("note_tasks", ids=ids, note=body["note"], user=call.user.name)
        await _log(call, "post_clear_task_instances", run=run)
    shown = await _shown(call, ids)
    return 200, shapes.collection("task_instances", shown, len(shown), cursors=True)


async def patch_task(call: Call) -> Result:
    """PATCH …/taskInstances/{task} and …/{task}/{index}: mark it, or write a note."""
    return await _patch_task(call, dry=False)


async def patch_task_dry(call: Call) -> Result:
    """PATCH …/taskInstances/{task}/dry_run: what marking would change."""
    return await _patch_task(call, dry=True)


async def _patch_task(call: Call, *, dry: bool) -> Result:
    body = bodies.parse(call.request.body, bodies.PATCH_TASK)
    dag, run, task = (call.names[name] for name in ("dag", "run", "task"))
    await one_dag(call)
    if not any(one.task_id == task for one in BY_ID[dag].tasks):
        raise Refusal(404, f"Task '{task}' not found in Dag '{dag}'")
    found = [row["id"] for row in await instances(call)]
    named: list[tuple[str, int | None]] = [(task, int(call.names["index"]) if "index" in call.names else None)]
    chosen = selection(
        dag,
        run=run,
        tasks=_with_relatives(dag, named, body),
        past=body["include_past"],
        future=body["include_future"],
    )
    ids = await _chosen(call, chosen)
    if dry:
        changed = [one for one in await _shown(call, ids) if one["state"] != body["new_state"]]
        return 200, shapes.collection("task_instances", changed, len(changed), cursors=True)
    if body["new_state"]:
        await call.execute("mark_tasks", ids=ids, state=body["new_state"])
        await _follow(call, body["new_state"])
    if "note" in body["given"]:
        await call.execute("note_tasks", ids=found, note=body["note"], user=call.user.name)
    await _log(call, "patch_task_instance")
    shown = await _shown(call, ids)
    return 200, shapes.collection("task_instances", shown, len(shown), cursors=True)


async def backfill(call: Call) -> Result:
    """POST backfills."""
    body, dates = await _backfill(call)
    binds = {
        "dag": body["dag_id"],
        "from": body["from_date"],
        "to": body["to_date"],
        "dates": dates,
        "conf": json.dumps(body["dag_run_conf"]) if body["dag_run_conf"] is not None else None,
        "behavior": body["reprocess_behavior"],
        "most": body["max_active_runs"],
        "user": call.user.name,
    }
    made = await call.records("create_backfill", **binds)
    await _log(call, "create_backfill")
    text = statement("api/backfills") + "and b.id = %(id)s"
    return 200, (await call.database.records(text, {"dag": body["dag_id"], "id": made[0]["id"]}))[0]


async def backfill_dry(call: Call) -> Result:
    """POST backfills/dry_run."""
    _, dates = await _backfill(call)
    shown = [{"logical_date": date, "partition_key": None, "partition_date": None} for date in dates]
    return 200, shapes.collection("backfills", shown, len(shown))


async def _backfill(call: Call) -> tuple[dict[str, Any], list[Any]]:
    """The body, and the logical dates that it asks for."""
    body = bodies.parse(call.request.body, bodies.BACKFILL)
    if body["dag_id"] not in BY_ID:
        raise Refusal(404, f"Could not find dag {body['dag_id']}")
    if not BY_ID[body["dag_id"]].every:
        raise Refusal(422, f"{body['dag_id']} has no schedule")
    found = await call.records(
        "backfill_dates", dag=body["dag_id"], **{"from": body["from_date"], "to": body["to_date"]}
    )
    return body, [row["at"] for row in found]


async def _follow(call: Call, state: str) -> None:
    """What failed because of the task that is marked now gets its turn; its run goes on where it had ended."""
    dag, run = call.names["dag"], call.names["run"]
    if state == "success":
        after = json.dumps([[one, None] for one in following(BY_ID[dag].tasks, [call.names["task"]])])
        ids = await _chosen(call, selection(dag, run=run, tasks=after, failed=True))
        if ids:
            await _clear(call, ids, reset=True)


def _contradicting(body: dict[str, Any]) -> str | None:
    """What in the body does not go together."""
    start, end, run = body["start_date"], body["end_date"], body["dag_run_id"]
    said = {
        "only_failed and only_running both are set to True": "only_failed" in body["given"]
        and body["only_failed"] and body["only_running"],
        "end_date is sooner than start_date": start and end and start > end,
        "Exactly one of dag_run_id or (start_date and end_date) must be provided": start and end and run,
        "Exactly one of dag_run_id or start_date must be provided": start and run,
        "Exactly one of dag_run_id or end_date must be provided": end and run,
        "task_ids list should have at least 1 element.": body["task_ids"] == [],
    }  # fmt: skip
    return next((text for text, applies in said.items() if applies), None)


def _with_relatives(dag: str, named: Collection[tuple[str, int | None]] | None, body: dict[str, Any]) -> str | None:
    """The tasks that are meant, as `select_tasks` takes them."""
    if named is None:
        return None
    meant = [list(one) for one in named]
    ids = [task for task, _ in named]
    tasks = BY_ID[dag].tasks
    if body["include_downstream"]:
        meant += [[one, None] for one in following(tasks, ids)]
    if body["include_upstream"]:
        meant += [[one, None] for one in preceding(tasks, ids)]
    return json.dumps(meant)


async def _chosen(call: Call, chosen: dict[str, Any]) -> list[Any]:
    return [key for (key,) in await call.database.rows(statement("engine/select_tasks"), chosen)]


async def _clear(call: Call, ids: list[Any], *, reset: bool) -> list[Any]:
    """Clear task instances; gives the ids that they have now."""
    cleared = await call.database.rows(statement("engine/clear"), {"ids": ids, "reset": reset})
    return [row[3] for row in cleared]


async def _shown(call: Call, ids: list[Any]) -> list[shapes.Shape]:
    rows = await call.records("task_instances", dag=None, run=None, task=None, map_index=None, ids=ids)
    return [shapes.task_instance(row) for row in rows]


async def _shown_run(call: Call, run: str) -> shapes.Shape:
    return shapes.run((await call.records("dag_runs", dag=call.names["dag"], run=run))[0])


async def _log(call: Call, event: str, run: str | None = None) -> None:
    """Enter what was done."""
    told = json.loads(call.request.body or b"{}")
    extra = json.dumps({**told, "method": call.request.method})
    names = {"dag": call.names.get("dag") or told.get("dag_id"), "task": call.names.get("task")}
    await call.execute(
        "log_event", event=event, user=call.user.name, extra=extra, run=run or call.names.get("run"), **names
    )
