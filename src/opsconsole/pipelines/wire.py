"""From the JSON of Airflow's API, version 1 or 2, to the model. What is missing or of another type reads as unknown."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from opsconsole.core.clean import clean, clean_line
from opsconsole.pipelines.awaiting import awaited_of
from opsconsole.pipelines.model import (
    Asset,
    Awaited,
    BrokenFile,
    Component,
    Dag,
    DagParam,
    Pool,
    Queued,
    Run,
    Structure,
    Task,
    Try,
)

Entry = Mapping[str, Any]


def moment(value: object) -> float | None:
    """RFC 3339 as unix seconds."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def rfc3339(seconds: float) -> str:
    """Unix seconds as both versions take them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def dag_of(entry: Entry) -> Dag:
    """An entry of `/dags`."""
    return Dag(
        dag_id=_text(entry, "dag_id"),
        title=_text(entry, "dag_display_name") or _text(entry, "dag_id"),
        paused=entry.get("is_paused") is True,
        schedule=_schedule(entry),
        next_run_at=moment(entry.get("next_dagrun_run_after") or entry.get("next_dagrun_create_after")),
        owners=tuple(clean_line(one) for one in _list(entry, "owners")),
        tags=tuple(clean_line(one.get("name", "")) for one in _list(entry, "tags") if isinstance(one, dict)),
        description=_text(entry, "description"),
        file=_text(entry, "fileloc"),
        broken=entry.get("has_import_errors") is True,
        most_runs=_whole(entry, "max_active_runs"),
    )


def params_of(answer: object) -> tuple[DagParam, ...]:
    """The parameters in the answer of `/dags/…/details`, in the DAG's order."""
    given = answer.get("params") if isinstance(answer, dict) else None
    return tuple(param_of(str(name), entry) for name, entry in given.items()) if isinstance(given, dict) else ()


def serialized_params(text: str) -> tuple[DagParam, ...]:
    """The parameters of a serialized DAG: an object by name, or (3) a list of pairs; each may be wrapped in `__var`."""
    try:
        found = json.loads(text or "null")
    except (ValueError, RecursionError):
        return ()
    pairs = found.items() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return tuple(
        param_of(str(pair[0]), _unwrapped(pair[1]))
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2
    )


def _unwrapped(entry: Any) -> Any:
    """A value without the wrapping that serialization gives to objects (`{"__var": …, "__type": "dict"}`)."""
    if isinstance(entry, dict):
        if "__var" in entry and "__type" in entry:
            return _unwrapped(entry["__var"])
        return {name: _unwrapped(value) for name, value in entry.items()}
    return [_unwrapped(one) for one in entry] if isinstance(entry, list) else entry


def param_of(name: str, entry: object) -> DagParam:
    """One parameter: as the API has it (`value`), as a serialized DAG has it (`default`), or only its default."""
    if not isinstance(entry, dict) or not {"value", "default", "schema"} & entry.keys():
        return DagParam(name, entry, {})
    schema = entry.get("schema")
    schema = schema if isinstance(schema, dict) else {}
    said = [schema.get("title"), entry.get("description") or schema.get("description")]
    about = ": ".join(clean_line(one, limit=200) for one in said if isinstance(one, str) and one)
    default = entry.get("value", entry.get("default"))
    # What has no default is told as an object of a class that is no JSON.
    return DagParam(name, None if isinstance(default, dict) and "__type" in default else default, schema, about)


def asset_of(entry: Entry) -> Asset:
    """An entry of `/assets` (3) or `/datasets` (2)."""
    last = entry.get("last_asset_event")
    started = _list(entry, "scheduled_dags") or _list(entry, "consuming_dags")
    return Asset(
        name=_text(entry, "name") or _text(entry, "uri"),
        uri=_text(entry, "uri"),
        producers=tuple(
            (_text(one, "dag_id"), _text(one, "task_id"))
            for one in _list(entry, "producing_tasks")
            if isinstance(one, dict)
        ),
        consumers=tuple(_text(one, "dag_id") for one in started if isinstance(one, dict)),
        updated_at=moment(last.get("timestamp")) if isinstance(last, dict) else None,
    )


def numbered_asset_of(entry: Entry) -> tuple[int, Asset]:
    """As `asset_of`, with the number by which queued updates name it in version 2 of the API."""
    return _whole(entry, "id"), asset_of(entry)


def awaited_by(answer: object) -> Awaited | None:
    """What starts a DAG, in the answer of `/dags/…/details`; None where time does, or nothing."""
    entry = answer if isinstance(answer, dict) else {}
    return awaited_of(entry.get("asset_expression") or entry.get("dataset_expression"))


def queued_of(entry: Entry, uris: Mapping[int, str]) -> Queued:
    """An entry of `…/queuedEvents`, which names an asset by its id (3) or its URI (2)."""
    uri = _text(entry, "uri") or clean_line(uris.get(_whole(entry, "asset_id"), ""))
    return Queued(_text(entry, "dag_id"), uri, moment(entry.get("created_at")))


def _schedule(entry: Entry) -> str:
    interval = entry.get("schedule_interval")  # version 1: an object by kind
    if isinstance(interval, dict):
        return clean_line(interval.get("value") or entry.get("timetable_description") or "")
    return _text(entry, "timetable_summary")


def run_of(entry: Entry) -> Run:
    """An entry of `/dags/…/dagRuns`. Version 1 has no `run_after`: it is the end of the data interval."""
    logical = moment(entry.get("logical_date") or entry.get("execution_date"))
    after = moment(entry.get("run_after")) or moment(entry.get("data_interval_end")) or logical
    conf = entry.get("conf")
    return Run(
        dag_id=_text(entry, "dag_id"),
        run_id=_text(entry, "dag_run_id"),
        state=_text(entry, "state"),
        kind=_text(entry, "run_type"),
        run_after_at=after,
        logical_at=logical,
        queued_at=moment(entry.get("queued_at")),
        started_at=moment(entry.get("start_date")),
        ended_at=moment(entry.get("end_date")),
        conf=clean(json.dumps(conf, ensure_ascii=False)) if conf else "",
        note=clean(entry.get("note") or ""),
    )


def task_of(entry: Entry) -> Task:
    """An entry of `…/taskInstances`."""
    index = entry.get("map_index")
    return Task(
        dag_id=_text(entry, "dag_id"),
        run_id=_text(entry, "dag_run_id"),
        task_id=_text(entry, "task_id"),
        map_index=index if isinstance(index, int) else -1,
        state=_text(entry, "state"),
        try_number=_whole(entry, "try_number"),
        max_tries=_whole(entry, "max_tries"),
        operator=_text(entry, "operator_name") or _text(entry, "operator"),
        pool=_text(entry, "pool"),
        queue=_text(entry, "queue"),
        hostname=_text(entry, "hostname"),
        scheduled_at=moment(entry.get("scheduled_when")),
        queued_at=moment(entry.get("queued_when")),
        started_at=moment(entry.get("start_date")),
        ended_at=moment(entry.get("end_date")),
    )


def try_of(entry: Entry) -> Try:
    """An entry of `…/tries`."""
    return Try(
        number=_whole(entry, "try_number"),
        state=_text(entry, "state"),
        queued_at=moment(entry.get("queued_when")),
        started_at=moment(entry.get("start_date")),
        ended_at=moment(entry.get("end_date")),
        hostname=_text(entry, "hostname"),
    )


def pool_of(entry: Entry) -> Pool:
    """An entry of `/pools`."""
    return Pool(
        name=_text(entry, "name"),
        slots=_whole(entry, "slots"),
        running=_whole(entry, "running_slots"),
        queued=_whole(entry, "queued_slots"),
        deferred=_whole(entry, "deferred_slots"),
        description=_text(entry, "description"),
        scheduled=_whole(entry, "scheduled_slots"),
        counts_deferred=entry.get("include_deferred") is True,
    )


def broken_file_of(entry: Entry) -> BrokenFile:
    """An entry of `/importErrors`."""
    return BrokenFile(
        file=_text(entry, "filename"),
        seen_at=moment(entry.get("timestamp")),
        trace=clean(entry.get("stack_trace") or ""),
    )


def structure_of(entries: tuple[Entry, ...]) -> Structure:
    """The entries of `/dags/…/tasks`."""
    return {
        _text(one, "task_id"): tuple(clean_line(name) for name in _list(one, "downstream_task_ids")) for one in entries
    }


def components_of(answer: object) -> tuple[Component, ...]:
    """The answer of `/monitor/health`. One that has no status does not run, or never did."""
    found = []
    for key, name in (
        ("metadatabase", "metadatabase"),
        ("scheduler", "scheduler"),
        ("dag_processor", "dag-processor"),
        ("triggerer", "triggerer"),
    ):
        entry = answer.get(key) if isinstance(answer, dict) else None
        if isinstance(entry, dict):
            status, beat = entry.get("status"), entry.get(f"latest_{key}_heartbeat")
            found.append(Component(name, None if status is None else status == "healthy", moment(beat)))
    return tuple(found)


def _text(entry: Entry, key: str) -> str:
    value = entry.get(key)
    return clean_line(value) if isinstance(value, str) else ""


def _whole(entry: Entry, key: str) -> int:
    value = entry.get(key)
    return int(value) if isinstance(value, int | float) and isfinite(value) else 0


def _list(entry: Entry, key: str) -> list[Any]:
    value = entry.get(key)
    return value if isinstance(value, list) else []
