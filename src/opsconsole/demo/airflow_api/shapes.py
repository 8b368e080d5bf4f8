"""From a row of `sql/api/` to what Airflow says of it."""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Row = Mapping[str, Any]
Shape = dict[str, Any]


def encoded(value: Any) -> str:
    """JSON as Airflow writes it: moments in UTC with a Z."""
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def dag(row: Row) -> Shape:
    """A DAG of a list."""
    names, owners = row["tags"], row["owners"] or ""
    told = {"bundle_name": row["bundle_name"], "relative_fileloc": row["relative_fileloc"]}
    return {
        **row,
        "tags": [
            {"name": name, "dag_id": row["dag_id"], "dag_display_name": row["dag_display_name"]} for name in names
        ],
        "owners": [one.strip() for one in owners.split(",")],
        "is_backfillable": row["timetable_periodic"],
        "file_token": base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode(),
    }


def details(row: Row, more: Row) -> Shape:
    """A DAG with all there is to say."""
    shown = dag(row)
    return {
        **shown,
        "catchup": False,
        "dag_run_timeout": None,
        "asset_expression": more["asset_expression"],
        "doc_md": None,
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": None,
        "is_paused_upon_creation": None,
        "params": {"note": {"value": "", "schema": {}, "description": None, "source": None}},
        "render_template_as_native_obj": False,
        "template_search_path": None,
        "timezone": "UTC",
        "last_parsed": more["last_parsed"],
        "default_args": {"owner": shown["owners"][0]},
        "rerun_with_latest_version": None,
        "owner_links": {},
        "is_favorite": False,
        "active_runs_count": more["active_runs_count"],
        "concurrency": row["max_active_tasks"],
        "latest_dag_version": _version({**row, **more}),
    }


def run(row: Row) -> Shape:
    """A run."""
    shown = _without_version(row)
    version = _version(row)
    return {**shown, "dag_versions": [version] if version else []}


def task_instance(row: Row) -> Shape:
    """A task instance."""
    return {
        **_without_version(row),
        "executor_config": "{}",
        "rendered_fields": {},
        "trigger": None,
        "triggerer_job": None,
        "dag_version": _version(row),
    }


def one_try(row: Row) -> Shape:
    """A try of a task instance."""
    return {**_without_version(row), "executor_config": "{}", "dag_version": _version(row)}


def tasks(rows: Sequence[Row]) -> list[Shape]:
    """All tasks of a DAG."""
    return [_task(row, [one["task_id"] for one in rows if row["task_id"] in one["upstream"]]) for row in rows]


def _task(row: Row, downstream: list[str]) -> Shape:
    return {
        "task_id": row["task_id"],
        "task_display_name": row["task_id"],
        "owner": row["owners"],
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": None,
        "trigger_rule": "all_success",
        "depends_on_past": False,
        "wait_for_downstream": False,
        "retries": float(row["retries"]),
        "queue": "default",
        "pool": row["pool"],
        "pool_slots": 1.0,
        "execution_timeout": None,
        "retry_delay": {"__type": "TimeDelta", "days": 0, "seconds": 0, "microseconds": 500_000},
        "retry_exponential_backoff": 0.0,
        "priority_weight": 1.0,
        "weight_rule": "downstream",
        "ui_color": "#ffefeb",
        "ui_fgcolor": "#000",
        "template_fields": [],
        "downstream_task_ids": sorted(downstream),
        "doc_md": None,
        "operator_name": row["operator"],
        "params": {},
        "class_ref": {"module_path": "opsconsole.demo", "class_name": row["operator"]},
        "is_mapped": row["mapped"] > 0,
        "extra_links": [],
    }


def stats(rows: Iterable[Row]) -> list[Shape]:
    """How many runs of each DAG are in which state."""
    found: dict[str, Shape] = {}
    for row in rows:
        names = {"dag_id": row["dag_id"], "dag_display_name": row["dag_display_name"], "stats": []}
        entry = found.setdefault(row["dag_id"], names)
        entry["stats"].append({"state": row["state"], "count": row["count"]})
    return list(found.values())


def health(rows: Iterable[Row]) -> Shape:
    """The components, as the health check tells them."""
    jobs = {row["job_type"]: row for row in rows}

    def component(job_type: str, name: str) -> Shape:
        job = jobs.get(job_type)
        beat = job["latest_heartbeat"].astimezone(UTC).isoformat() if job else None
        # Airflow says nothing of a triggerer or DAG processor that never was.
        usual = "unhealthy" if name == "scheduler" else None
        status = ("healthy" if job["alive"] else "unhealthy") if job else usual
        return {"status": status, f"latest_{name}_heartbeat": beat}

    return {
        "metadatabase": {"status": "healthy"},
        "scheduler": component("SchedulerJob", "scheduler"),
        "triggerer": component("TriggererJob", "triggerer"),
        "dag_processor": component("DagProcessorJob", "dag_processor"),
    }


NO_DATABASE: Shape = {
    "metadatabase": {"status": "unhealthy"},
    "scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": None},
    "triggerer": {"status": "unhealthy", "latest_triggerer_heartbeat": None},
    "dag_processor": {"status": "unhealthy", "latest_dag_processor_heartbeat": None},
}


def collection(name: str, shown: Sequence[Any], total: int, *, cursors: bool = False) -> Shape:
    """A page of a list."""
    more = {"total_entries_limit": None, "next_cursor": None, "previous_cursor": None} if cursors else {}
    return {name: list(shown), "total_entries": total, **more}


def continuation(position: int, key: bytes) -> str:
    """The token that leads on in a log from byte `position`."""
    return f"{position}.{zlib.crc32(key + str(position).encode()):08x}"


def position(token: str, key: bytes) -> int | None:
    """Where the token leads, or None where it is none of ours."""
    told = token.partition(".")[0]
    return int(told) if told.isdigit() and continuation(int(told), key) == token else None


_VERSION = ("version_id", "version_number", "version_bundle", "version_bundle_version", "version_created")


def _without_version(row: Row) -> Shape:
    return {name: value for name, value in row.items() if name not in _VERSION}


def _version(row: Row) -> Shape | None:
    if row["version_id"] is None:
        return None
    return {
        "id": row["version_id"],
        "version_number": row["version_number"],
        "dag_id": row["dag_id"],
        "bundle_name": row["version_bundle"],
        "bundle_version": row["version_bundle_version"],
        "created_at": row["version_created"],
        "dag_display_name": row["dag_display_name"],
        "bundle_url": None,
    }
