"""What an Airflow 3 answers, as checks that run against any: the demo's API, or a real one.

It needs the demo's DAGs (`opsconsole.demo.dags`; `opsconsole.demo.real.dags` builds them in a real Airflow), unpaused
but for `export_billing`, and somebody who may only look.

    python -m tests.airflow_conformance check URL ADMIN PASSWORD VIEWER PASSWORD
    python -m tests.airflow_conformance record URL > tests/airflow_fields.json      (from a real one)

`airflow_fields.json` has the fields of its answers and their JSON types, from the description that Airflow 3.3.2 gives
of its own API. A check raises AssertionError. Some only look; some trigger, clear and mark runs of `refresh_tariffs`.
"""

import base64
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

FIELDS: dict[str, dict[str, list[str]]] = {}
RECORDED = Path(__file__).with_name("airflow_fields.json")
SCHEMAS = (
    "AssetResponse", "BackfillResponse", "DAGDetailsResponse", "DAGResponse", "DAGRunResponse", "DagStatsResponse",
    "DagVersionResponse", "EventLogResponse", "HealthInfoResponse", "ImportErrorResponse", "JobResponse",
    "PoolResponse", "TaskInstanceHistoryResponse", "TaskInstanceResponse", "TaskInstancesLogResponse",
    "TaskResponse", "VersionInfo",
)  # fmt: skip
DAG = "refresh_tariffs"
"""A chain of three tasks."""
TASKS = ["fetch_tariffs", "load_tariffs", "publish"]
MAPPED = ("ingest_meter_readings", "validate", 3)
"""A DAG that runs each minute, a mapped task of it, and its instances."""
PAUSED = "export_billing"
PATIENCE = 120.0
"""Seconds for a run to end; a real Airflow on a busy machine starts a process for each task."""


@dataclass(frozen=True)
class Account:
    """Who logs in."""

    name: str
    password: str


@dataclass
class Airflow:
    """One Airflow, and a client for each of two users."""

    url: str
    admin: Account
    viewer: Account

    def __post_init__(self) -> None:
        self.anonymous = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        self.as_admin = self._client(self.admin)
        self.as_viewer = self._client(self.viewer)

    def _client(self, account: Account) -> httpx.Client:
        answer = self.login(account.name, account.password)
        assert answer.status_code == 201, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=f"{self.url}/api/v2/", headers=headers, timeout=30, trust_env=False)

    def close(self) -> None:
        """Let go of the connections."""
        for client in (self.anonymous, self.as_admin, self.as_viewer):
            client.close()

    def login(self, name: str, password: str) -> httpx.Response:
        """Ask for a token."""
        return self.anonymous.post("/auth/token", json={"username": name, "password": password})

    def get(self, path: str, **parameters: Any) -> Any:
        """What is told, which has to be a 200."""
        answer = self.as_admin.get(path, params=parameters)
        assert answer.status_code == 200, f"{path} {parameters}: {answer.status_code} {answer.text}"
        return answer.json()

    def send(self, method: str, path: str, body: Any, expected: int = 200) -> Any:
        """Change something."""
        answer = self.as_admin.request(method, path, json=body)
        assert answer.status_code == expected, f"{method} {path} {body}: {answer.status_code} {answer.text}"
        return answer.json()

    def ended(self, run: str) -> dict[str, Any]:
        """The run of `DAG`, when it has ended."""
        limit = time.monotonic() + PATIENCE
        while (found := self.get(f"dags/{DAG}/dagRuns/{run}"))["state"] not in ("success", "failed"):
            assert time.monotonic() < limit, f"still {found['state']}: {run}"
            time.sleep(0.1)
        return dict(found)

    @property
    def finished(self) -> str:
        """A run of `DAG` that was asked for and has ended: one for all checks."""
        for run in self.get(f"dags/{DAG}/dagRuns", run_id_pattern="conformance-life", order_by="-run_after")[
            "dag_runs"
        ]:
            return str(self.ended(run["dag_run_id"])["dag_run_id"])
        name = f"conformance-life-{uuid.uuid4().hex[:8]}"
        self.send("POST", f"dags/{DAG}/dagRuns", {"logical_date": None, "dag_run_id": name, "conf": {"a": 1}})
        assert self.ended(name)["state"] == "success"
        return name


Check = Callable[[Airflow], None]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Enter a check under its name."""
    CHECKS[function.__name__] = function
    return function


def fits(value: Mapping[str, Any], schema: str) -> None:
    """Assert that `value` has the fields of `schema`, none besides, each of a type that it may have."""
    FIELDS.update(FIELDS or json.loads(RECORDED.read_text(encoding="utf-8")))
    wanted = FIELDS[schema]
    assert set(value) == set(wanted), f"{schema}: {sorted(set(value) ^ set(wanted))}"
    for name, kinds in wanted.items():
        assert "any" in kinds or kind(value[name]) in kinds, f"{schema}.{name}: {value[name]!r} is not {kinds}"


def kind(value: object) -> str:
    """The JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    names = {type(None): "null", str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names[type(value)]


def refused(answer: httpx.Response, status: int, detail: str | None = None) -> Any:
    """Assert that an answer refuses, and how; gives its detail."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    said = answer.json()["detail"]
    assert detail is None or said == detail
    return said


def faulty(answer: httpx.Response, *expected: tuple[str, list[Any]]) -> None:
    """Assert a 422 with these entries: type and place."""
    assert answer.status_code == 422, f"{answer.status_code} {answer.text}"
    entries = answer.json()["detail"]
    assert [(one["type"], one["loc"]) for one in entries] == list(expected), entries
    for one in entries:
        assert {"type", "loc", "msg", "input"} <= set(one) <= {"type", "loc", "msg", "input", "ctx"}


@check
def a_token_is_for_whoever_knows_the_password(airflow: Airflow) -> None:
    token = airflow.login(airflow.admin.name, airflow.admin.password).json()["access_token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["sub"] == airflow.admin.name
    assert claims["exp"] > time.time()
    refused(airflow.login(airflow.admin.name, "wrong"), 401, "Invalid credentials")
    refused(airflow.login("nobody", airflow.admin.password), 401, "Invalid credentials")
    said = refused(airflow.anonymous.post("/auth/token", json={"username": "x"}), 422)
    assert isinstance(said, str)
    assert "password" in said


@check
def without_a_token_nothing_is_told_and_a_bad_one_is_another_matter(airflow: Airflow) -> None:
    refused(airflow.anonymous.get("/api/v2/dags"), 401, "Not authenticated")
    headers = {"Authorization": "Bearer abc"}
    refused(airflow.anonymous.get("/api/v2/dags", headers=headers), 403, "Invalid JWT token")
    good = airflow.login(airflow.viewer.name, airflow.viewer.password).json()["access_token"]
    head, claims, signature = good.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**told, "role": "admin"}).encode()).rstrip(b"=").decode()
    headers = {"Authorization": f"Bearer {head}.{forged}.{signature}"}
    refused(airflow.anonymous.get("/api/v2/dags", headers=headers), 403, "Invalid JWT token")


@check
def health_and_version_are_for_anybody(airflow: Airflow) -> None:
    told = airflow.anonymous.get("/api/v2/version")
    assert told.status_code == 200
    fits(told.json(), "VersionInfo")
    assert told.json()["version"].startswith("3.")
    health = airflow.anonymous.get("/api/v2/monitor/health")
    assert health.status_code == 200
    assert health.json()["metadatabase"] == {"status": "healthy"}
    for component in ("scheduler", "triggerer", "dag_processor"):
        beat = health.json()[component]
        assert set(beat) == {"status", f"latest_{component}_heartbeat"}
        assert beat["status"] == "healthy", component


@check
def a_path_or_a_method_that_there_is_not(airflow: Airflow) -> None:
    answer = airflow.as_admin.get("nonsense")
    assert (answer.status_code, answer.json()) == (404, {"error": "API route not found"})
    refused(airflow.as_admin.put("dags", json={}), 405, "Method Not Allowed")


@check
def dags_have_their_fields(airflow: Airflow) -> None:
    told = airflow.get("dags")
    assert set(told) == {"dags", "total_entries"}
    ids = [dag["dag_id"] for dag in told["dags"]]
    assert ids == sorted(ids)
    assert {DAG, MAPPED[0], PAUSED, "consumption_report"} <= set(ids)
    for dag in told["dags"]:
        fits(dag, "DAGResponse")
        for tag in dag["tags"]:
            assert set(tag) == {"name", "dag_id", "dag_display_name"}
    one = airflow.get(f"dags/{DAG}")
    fits(one, "DAGResponse")
    details = airflow.get(f"dags/{DAG}/details")
    fits(details, "DAGDetailsResponse")
    fits(details["latest_dag_version"], "DagVersionResponse")
    assert details["params"]["note"]["value"] == ""
    assert airflow.get("dags/consumption_report")["timetable_summary"] == "Asset"
    for path in ("dags/none", "dags/none/details", "dags/none/tasks", "dags/none/dagRuns"):
        refused(airflow.as_admin.get(path), 404, "The Dag with ID: `none` was not found")


@check
def dags_come_in_pages(airflow: Airflow) -> None:
    whole = airflow.get("dags", order_by="-dag_id")
    ids = [dag["dag_id"] for dag in whole["dags"]]
    assert ids == sorted(ids, reverse=True)
    pages = [airflow.get("dags", order_by="-dag_id", limit=3, offset=offset) for offset in range(0, len(ids), 3)]
    assert [dag["dag_id"] for page in pages for dag in page["dags"]] == ids
    assert {page["total_entries"] for page in pages} == {len(ids)}
    assert airflow.get("dags", limit=0) == {"dags": [], "total_entries": len(ids)}
    assert airflow.get("dags", offset=1000)["dags"] == []
    assert len(airflow.get("dags", limit=100_000)["dags"]) == len(ids)
    detail = "Ordering with 'nonsense' is disallowed or the attribute does not exist on the model"
    refused(airflow.as_admin.get("dags?order_by=nonsense"), 400, detail)
    faulty(airflow.as_admin.get("dags?limit=-1"), ("greater_than_equal", ["query", "limit"]))
    faulty(airflow.as_admin.get("dags?limit=x"), ("int_parsing", ["query", "limit"]))
    faulty(airflow.as_admin.get("dags?offset=-1"), ("greater_than_equal", ["query", "offset"]))


@check
def dags_are_filtered(airflow: Airflow) -> None:
    def found(**parameters: Any) -> set[str]:
        return {dag["dag_id"] for dag in airflow.get("dags", **parameters)["dags"]}

    assert found(paused=True) == {PAUSED}
    assert PAUSED not in found(paused=False)
    assert found(tags="billing") == {PAUSED}
    assert found(tags=["billing", "forecast"]) == {PAUSED, "forecast_load"}
    assert found(dag_id_pattern="tariff") == {DAG}
    assert found(dag_id_pattern="REFRESH%") == {DAG}
    assert found(tags="nothing") == set()
    assert found(owners="data-science") == {"forecast_load"}
    assert PAUSED not in found(last_dag_run_state="success")
    faulty(airflow.as_admin.get("dags?paused=maybe"), ("bool_parsing", ["query", "paused"]))
    faulty(airflow.as_admin.get("dags?last_dag_run_state=x"), ("enum", ["query", "last_dag_run_state"]))


@check
def tasks_know_what_follows_them(airflow: Airflow) -> None:
    told = airflow.get(f"dags/{DAG}/tasks")
    assert set(told) == {"tasks", "total_entries"}
    for task in told["tasks"]:
        fits(task, "TaskResponse")
    assert {task["task_id"]: task["downstream_task_ids"] for task in told["tasks"]} == {
        "fetch_tariffs": ["load_tariffs"],
        "load_tariffs": ["publish"],
        "publish": [],
    }
    mapped = {task["task_id"]: task["is_mapped"] for task in airflow.get(f"dags/{MAPPED[0]}/tasks")["tasks"]}
    assert mapped == {"wait_for_files": False, "load_readings": False, "validate": True, "publish": False}
    fits(airflow.get(f"dags/{DAG}/tasks/publish"), "TaskResponse")


@check
def a_dag_is_paused_and_unpaused(airflow: Airflow) -> None:
    for paused in (False, True):
        told = airflow.send("PATCH", f"dags/{PAUSED}", {"is_paused": paused})
        fits(told, "DAGResponse")
        assert told["is_paused"] is paused
        assert airflow.get(f"dags/{PAUSED}")["is_paused"] is paused
    path = f"dags/{PAUSED}"
    faulty(airflow.as_admin.patch(path, json={}), ("missing", ["body", "is_paused"]))
    faulty(airflow.as_admin.patch(path, json={"is_paused": "maybe"}), ("bool_parsing", ["body", "is_paused"]))
    faulty(airflow.as_admin.patch(path, json={"is_paused": True, "x": 1}), ("extra_forbidden", ["body", "x"]))
    refused(airflow.as_admin.patch("dags/none", json={"is_paused": True}), 404, "Dag with id: none was not found")
    refused(airflow.as_viewer.patch(path, json={"is_paused": False}), 403, "Forbidden")
    assert airflow.get(path)["is_paused"] is True


@check
def a_viewer_looks_and_touches_nothing(airflow: Airflow) -> None:
    for path in ("dags", f"dags/{DAG}", "dags/~/dagRuns?limit=1", "pools", "importErrors", "jobs"):
        assert airflow.as_viewer.get(path).status_code == 200, path
    run = airflow.finished
    for method, path, body in (
        ("POST", f"dags/{DAG}/dagRuns", {"logical_date": None}),
        ("POST", f"dags/{DAG}/clearTaskInstances", {"dag_run_id": run}),
        ("POST", f"dags/{DAG}/dagRuns/{run}/clear", {}),
        ("PATCH", f"dags/{DAG}/dagRuns/{run}", {"state": "failed"}),
        ("PATCH", f"dags/{DAG}/dagRuns/{run}/taskInstances/publish", {"new_state": "failed"}),
    ):
        refused(airflow.as_viewer.request(method, path, json=body), 403, "Forbidden")
    assert airflow.get(f"dags/{DAG}/dagRuns/{run}")["state"] == "success"


@check
def a_run_is_triggered_and_runs(airflow: Airflow) -> None:
    told = airflow.send(
        "POST", f"dags/{DAG}/dagRuns", {"logical_date": None, "conf": {"note": "why"}, "note": "by a check"}
    )
    fits(told, "DAGRunResponse")
    run = told["dag_run_id"]
    assert run.startswith("manual__")
    assert (told["state"], told["run_type"], told["triggered_by"]) == ("queued", "manual", "rest_api")
    assert (told["logical_date"], told["start_date"], told["end_date"], told["duration"]) == (None,) * 4
    assert told["triggering_user_name"] == airflow.admin.name
    assert (told["conf"], told["note"]) == ({"note": "why"}, "by a check")
    ended = airflow.ended(run)
    fits(ended, "DAGRunResponse")
    fits(ended["dag_versions"][0], "DagVersionResponse")
    assert ended["state"] == "success"
    assert ended["start_date"] < ended["end_date"]
    assert ended["duration"] > 0
    told = airflow.get(f"dags/{DAG}/dagRuns/{run}/taskInstances")
    assert set(told) == {"task_instances", "total_entries", "total_entries_limit", "next_cursor", "previous_cursor"}
    assert sorted(one["task_id"] for one in told["task_instances"]) == TASKS
    for one in told["task_instances"]:
        fits(one, "TaskInstanceResponse")
        fits(one["dag_version"], "DagVersionResponse")
        assert (one["state"], one["map_index"], one["try_number"], one["max_tries"]) == ("success", -1, 1, 2)
        assert one["scheduled_when"] <= one["queued_when"] <= one["start_date"] <= one["end_date"]
    begins = {one["task_id"]: one["start_date"] for one in told["task_instances"]}
    assert sorted(begins, key=lambda task: begins[task]) == TASKS


@check
def a_trigger_that_is_wrong_is_refused(airflow: Airflow) -> None:
    path = f"dags/{DAG}/dagRuns"
    faulty(airflow.as_admin.post(path, json={}), ("missing", ["body", "logical_date"]))
    faulty(airflow.as_admin.post(path, json={"logical_date": None, "x": 1}), ("extra_forbidden", ["body", "x"]))
    faulty(airflow.as_admin.post(path, json={"logical_date": None, "conf": [1]}), ("dict_type", ["body", "conf"]))
    faulty(
        airflow.as_admin.post(path, json={"logical_date": "nonsense"}),
        ("datetime_from_date_parsing", ["body", "logical_date"]),
    )
    broken = airflow.as_admin.post(path, content=b"{no", headers={"Content-Type": "application/json"})
    faulty(broken, ("json_invalid", ["body", 1]))
    answer = airflow.as_admin.post("dags/none/dagRuns", json={"logical_date": None})
    refused(answer, 404, "Dag with dag_id: 'none' not found")
    again = airflow.as_admin.post(path, json={"logical_date": None, "dag_run_id": airflow.finished})
    assert refused(again, 409)["reason"] == "Unique constraint violation"


@check
def runs_are_listed_filtered_and_ordered(airflow: Airflow) -> None:
    told = airflow.get("dags/~/dagRuns", limit=5, order_by="-run_after")
    assert set(told) == {"dag_runs", "total_entries", "total_entries_limit", "next_cursor", "previous_cursor"}
    for run in told["dag_runs"]:
        fits(run, "DAGRunResponse")
    moments = [run["run_after"] for run in told["dag_runs"]]
    assert moments == sorted(moments, reverse=True)
    assert told["total_entries"] >= len(moments)
    name = airflow.finished
    manual = airflow.get(f"dags/{DAG}/dagRuns", run_type="manual", state=["success", "queued"])["dag_runs"]
    assert {run["run_type"] for run in manual} == {"manual"}
    assert {run["state"] for run in manual} <= {"success", "queued"}
    assert name in {run["dag_run_id"] for run in manual}
    run = airflow.get(f"dags/{DAG}/dagRuns/{name}")
    since = airflow.get(f"dags/{DAG}/dagRuns", run_after_gte=run["run_after"], run_after_lte=run["run_after"])
    assert [one["dag_run_id"] for one in since["dag_runs"]] == [name]
    answer = airflow.as_admin.get("dags/~/dagRuns?state=nonsense")
    refused(answer, 422, "Invalid value for state. Valid values are queued, running, success, failed")
    faulty(
        airflow.as_admin.get("dags/~/dagRuns?run_after_gte=x"),
        ("datetime_from_date_parsing", ["query", "run_after_gte"]),
    )
    detail = f"The DagRun with dag_id: `{DAG}` and run_id: `none` was not found"
    refused(airflow.as_admin.get(f"dags/{DAG}/dagRuns/none"), 404, detail)


@check
def task_instances_are_listed_over_all_dags(airflow: Airflow) -> None:
    assert airflow.finished
    told = airflow.get("dags/~/dagRuns/~/taskInstances", state="success", limit=4, order_by="-start_date")
    assert len(told["task_instances"]) == min(4, told["total_entries"])
    for one in told["task_instances"]:
        fits(one, "TaskInstanceResponse")
        assert one["state"] == "success"
    begins = [one["start_date"] for one in told["task_instances"]]
    assert begins == sorted(begins, reverse=True)
    said = refused(airflow.as_admin.get("dags/~/dagRuns/~/taskInstances?state=nonsense"), 422)
    assert said.startswith("Invalid value for state. Valid values are removed, scheduled, queued, running, success")
    detail = f"DagRun with dag_id: `{DAG}` and run_id: `none` was not found"
    refused(airflow.as_admin.get(f"dags/{DAG}/dagRuns/none/taskInstances"), 404, detail)
    refused(airflow.as_admin.get(f"dags/{DAG}/dagRuns/{airflow.finished}/taskInstances/none"), 404)


@check
def a_mapped_task_has_instances(airflow: Airflow) -> None:
    dag, task, size = MAPPED
    limit = time.monotonic() + PATIENCE
    while not (
        found := airflow.get(f"dags/{dag}/dagRuns", state="success", limit=1, order_by="-run_after")["dag_runs"]
    ):
        assert time.monotonic() < limit, "no run has succeeded"
        time.sleep(0.5)
    run = found[0]["dag_run_id"]
    path = f"dags/{dag}/dagRuns/{run}/taskInstances"
    indexes = [one["map_index"] for one in airflow.get(path)["task_instances"] if one["task_id"] == task]
    assert sorted(indexes) == list(range(size))
    refused(airflow.as_admin.get(f"{path}/{task}"), 404, "Task instance is mapped, add the map_index value to the URL")
    one = airflow.get(f"{path}/{task}/1")
    fits(one, "TaskInstanceResponse")
    assert one["map_index"] == 1
    assert [each["map_index"] for each in airflow.get(f"{path}/{task}/listMapped")["task_instances"]] == sorted(indexes)
    assert len(airflow.get(f"{path}/{task}/1/tries")["task_instances"]) == one["try_number"]
    refused(airflow.as_admin.get(f"{path}/{task}/9"), 404)


@check
def a_log_is_told_in_both_ways(airflow: Airflow) -> None:
    path = f"dags/{DAG}/dagRuns/{airflow.finished}/taskInstances/load_tariffs/logs"
    told = airflow.get(f"{path}/1")
    fits(told, "TaskInstancesLogResponse")
    assert told["continuation_token"] is None
    lines = told["content"]
    assert all(isinstance(line["event"], str) for line in lines)
    assert any(line.get("timestamp") and line.get("level") == "info" for line in lines)
    whole = airflow.get(f"{path}/1", full_content=True)["content"]
    assert [line["event"] for line in whole] == [line["event"] for line in lines]
    stream = airflow.as_admin.get(f"{path}/1", headers={"Accept": "application/x-ndjson"})
    assert stream.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line)["event"] for line in stream.text.splitlines()] == [line["event"] for line in lines]
    refused(airflow.as_admin.get(f"{path}/9"), 404, "TaskInstance not found")
    refused(airflow.as_admin.get(path.replace("load_tariffs", "none") + "/1"), 404, "TaskInstance not found")
    said = "Bad Signature. Please use only the tokens provided by the API."
    refused(airflow.as_admin.get(f"{path}/1?token=abc"), 400, said)
    refused(airflow.as_admin.get(f"{path}/1", headers={"Accept": "text/plain"}), 406)


@contextmanager
def a_run_of_its_own(airflow: Airflow) -> Iterator[str]:
    """A run that has succeeded, for a check that changes it."""
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    airflow.send("POST", f"dags/{DAG}/dagRuns", {"logical_date": None, "dag_run_id": name})
    assert airflow.ended(name)["state"] == "success"
    yield name


@check
def clearing_shows_first_and_then_runs_again(airflow: Airflow) -> None:
    with a_run_of_its_own(airflow) as run:
        clear = f"dags/{DAG}/clearTaskInstances"
        nothing = airflow.send("POST", clear, {"dag_run_id": run})
        assert (nothing["task_instances"], nothing["total_entries"]) == ([], 0), "nothing of it failed"
        body = {"dag_run_id": run, "only_failed": False, "task_ids": ["load_tariffs"], "include_downstream": True}
        shown = airflow.send("POST", clear, body)
        assert set(shown) == {
            "task_instances",
            "total_entries",
            "total_entries_limit",
            "next_cursor",
            "previous_cursor",
        }
        assert sorted(one["task_id"] for one in shown["task_instances"]) == ["load_tariffs", "publish"]
        assert {one["state"] for one in shown["task_instances"]} == {"success"}
        assert airflow.get(f"dags/{DAG}/dagRuns/{run}")["state"] == "success", "a dry run does nothing"

        done = airflow.send("POST", clear, {**body, "dry_run": False})
        assert sorted(one["task_id"] for one in done["task_instances"]) == ["load_tariffs", "publish"]
        for one in done["task_instances"]:
            fits(one, "TaskInstanceResponse")
        assert airflow.ended(run)["state"] == "success"
        after = {
            one["task_id"]: one for one in airflow.get(f"dags/{DAG}/dagRuns/{run}/taskInstances")["task_instances"]
        }
        assert {task: one["try_number"] for task, one in after.items()} == {
            "fetch_tariffs": 1,
            "load_tariffs": 2,
            "publish": 2,
        }
        assert after["load_tariffs"]["max_tries"] == 3
        tries = airflow.get(f"dags/{DAG}/dagRuns/{run}/taskInstances/load_tariffs/tries")
        assert set(tries) == {"task_instances", "total_entries"}
        for one in tries["task_instances"]:
            fits(one, "TaskInstanceHistoryResponse")
        assert [(one["try_number"], one["state"]) for one in tries["task_instances"]] == [
            (1, "success"),
            (2, "success"),
        ]
        for number in (1, 2):
            log = airflow.get(f"dags/{DAG}/dagRuns/{run}/taskInstances/load_tariffs/logs/{number}")
            assert len(log["content"]) > 3

        path = f"dags/{DAG}/dagRuns/{run}/clear"
        shown = airflow.send("POST", path, {})
        assert sorted(one["task_id"] for one in shown["task_instances"]) == TASKS
        assert shown["total_entries"] == len(TASKS)
        assert airflow.send("POST", path, {"only_failed": True})["total_entries"] == 0
        told = airflow.send("POST", path, {"dry_run": False})
        fits(told, "DAGRunResponse")
        assert (told["state"], told["start_date"], told["end_date"]) == ("queued", None, None)
        assert airflow.ended(run)["state"] == "success"
        tasks = airflow.get(f"dags/{DAG}/dagRuns/{run}/taskInstances")["task_instances"]
        assert {one["task_id"]: one["try_number"] for one in tasks} == dict(zip(TASKS, (2, 3, 3), strict=True))
    faulty(airflow.as_admin.post(path, json={"x": 1}), ("extra_forbidden", ["body", "x"]))
    detail = f"The DagRun with dag_id: `{DAG}` and run_id: `none` was not found"
    refused(airflow.as_admin.post(f"dags/{DAG}/dagRuns/none/clear", json={}), 404, detail)


@check
def a_clearing_that_is_wrong_is_refused(airflow: Airflow) -> None:
    run, path = airflow.finished, f"dags/{DAG}/clearTaskInstances"
    answer = airflow.as_admin.post(path, json={"dag_run_id": "none"})
    refused(answer, 404, f"Dag Run id none not found in dag {DAG}")
    faulty(airflow.as_admin.post(path, json={"dag_run_id": run, "x": 1}), ("extra_forbidden", ["body", "x"]))
    faulty(airflow.as_admin.post(path, json={"dag_run_id": run, "dry_run": "x"}), ("bool_parsing", ["body", "dry_run"]))
    for body in (
        {"only_failed": True, "only_running": True},
        {"dag_run_id": run, "task_ids": []},
        {"dag_run_id": run, "start_date": "2026-01-01T00:00:00Z"},
    ):
        faulty(airflow.as_admin.post(path, json=body), ("value_error", ["body"]))
    none = airflow.send("POST", path, {"dag_run_id": run, "task_ids": ["none"], "only_failed": False})
    assert none["total_entries"] == 0


@check
def a_run_and_a_task_are_marked(airflow: Airflow) -> None:
    with a_run_of_its_own(airflow) as run:
        path = f"dags/{DAG}/dagRuns/{run}"
        told = airflow.send("PATCH", path, {"state": "failed", "note": "by a check"})
        fits(told, "DAGRunResponse")
        assert (told["state"], told["note"]) == ("failed", "by a check")
        assert airflow.send("PATCH", path, {"state": "success"})["state"] == "success"
        faulty(airflow.as_admin.patch(path, json={"state": "running"}), ("enum", ["body", "state"]))
        faulty(airflow.as_admin.patch(path, json={"note": "n" * 1001}), ("string_too_long", ["body", "note"]))
        detail = f"The DagRun with dag_id: `{DAG}` and run_id: `none` was not found"
        refused(airflow.as_admin.patch(f"dags/{DAG}/dagRuns/none", json={"state": "success"}), 404, detail)

        task = f"{path}/taskInstances/publish"
        told = airflow.send("PATCH", f"{task}/dry_run", {"new_state": "failed"})
        assert [one["state"] for one in told["task_instances"]] == ["success"], "a dry run does nothing"
        told = airflow.send("PATCH", task, {"new_state": "failed"})
        assert [(one["task_id"], one["state"]) for one in told["task_instances"]] == [("publish", "failed")]
        fits(told["task_instances"][0], "TaskInstanceResponse")
        failed = airflow.send("POST", f"dags/{DAG}/clearTaskInstances", {"dag_run_id": run})
        assert [one["task_id"] for one in failed["task_instances"]] == ["publish"]
        assert airflow.send("PATCH", task, {"new_state": "success"})["task_instances"][0]["state"] == "success"
        faulty(airflow.as_admin.patch(task, json={"new_state": "x"}), ("value_error", ["body", "new_state"]))
        faulty(
            airflow.as_admin.patch(task, json={"new_state": "success", "dry_run": True}),
            ("extra_forbidden", ["body", "dry_run"]),
        )
        answer = airflow.as_admin.patch(f"{path}/taskInstances/none", json={"new_state": "success"})
        refused(answer, 404, f"Task 'none' not found in Dag '{DAG}'")


@check
def the_rest_has_its_fields(airflow: Airflow) -> None:
    for path, name, schema in (
        ("pools", "pools", "PoolResponse"),
        ("importErrors", "import_errors", "ImportErrorResponse"),
        ("jobs", "jobs", "JobResponse"),
        ("assets", "assets", "AssetResponse"),
        ("dagStats", "dags", "DagStatsResponse"),
    ):
        told = airflow.get(path)
        assert set(told) == {name, "total_entries"}
        assert told[name], f"{path} is empty"
        for one in told[name]:
            fits(one, schema)
    assert {pool["name"] for pool in airflow.get("pools")["pools"]} == {"default_pool", "database"}
    kinds = {job["job_type"] for job in airflow.get("jobs", is_alive=True)["jobs"]}
    assert {"SchedulerJob", "TriggererJob", "DagProcessorJob"} <= kinds
    asset = airflow.get("assets")["assets"][0]
    assert [one["dag_id"] for one in asset["scheduled_dags"]] == ["consumption_report"]
    assert [(one["dag_id"], one["task_id"]) for one in asset["producing_tasks"]] == [
        ("aggregate_consumption", "refresh_views")
    ]
    assert airflow.get("importErrors")["import_errors"][0]["filename"].endswith("export_invoices.py")
    assert airflow.get("dagWarnings") == {"dag_warnings": [], "total_entries": 0}


@check
def what_was_done_is_in_the_event_log(airflow: Airflow) -> None:
    airflow.send("PATCH", f"dags/{PAUSED}", {"is_paused": True})
    told = airflow.get("eventLogs", dag_id=PAUSED, event="patch_dag", order_by="-when", limit=1)
    assert set(told) == {"event_logs", "total_entries"}
    event = told["event_logs"][0]
    fits(event, "EventLogResponse")
    assert (event["event"], event["dag_id"], event["owner"]) == ("patch_dag", PAUSED, airflow.admin.name)
    assert json.loads(event["extra"])["is_paused"] is True


@check
def a_backfill_is_shown_before_it_is_made(airflow: Airflow) -> None:
    faulty(airflow.as_admin.get("backfills"), ("missing", ["query", "dag_id"]))
    body = {"dag_id": DAG, "from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-01T00:02:00Z"}
    shown = airflow.send("POST", "backfills/dry_run", body)
    assert set(shown) == {"backfills", "total_entries"}
    for one in shown["backfills"]:
        assert set(one) == {"logical_date", "partition_key", "partition_date"}
    faulty(
        airflow.as_admin.post("backfills", json={"dag_id": DAG}),
        ("missing", ["body", "from_date"]),
        ("missing", ["body", "to_date"]),
    )
    for one in airflow.get("backfills", dag_id=DAG)["backfills"]:
        fits(one, "BackfillResponse")


def record(url: str) -> dict[str, dict[str, list[str]]]:
    """The fields of the answers of a real Airflow and their JSON types, from its own description."""
    schemas = httpx.get(f"{url}/openapi.json", timeout=60, trust_env=False).json()["components"]["schemas"]

    def kinds(field: Mapping[str, Any]) -> list[str]:
        if "$ref" in field:
            return kinds(schemas[field["$ref"].rpartition("/")[2]])
        parts = field.get("anyOf") or field.get("oneOf")
        if parts:
            return sorted({one for part in parts for one in kinds(part)})
        told = str(field.get("type", "any"))
        return ["integer", "number"] if told == "number" else [told]

    return {name: {field: kinds(told) for field, told in schemas[name]["properties"].items()} for name in SCHEMAS}


def main(arguments: list[str]) -> int:
    """`check URL ADMIN PASSWORD VIEWER PASSWORD`, or `record URL`; 1 where a check failed."""
    if arguments[0] == "record":
        lines = [
            f" {json.dumps(name)}: {json.dumps(fields, sort_keys=True)}"
            for name, fields in record(arguments[1]).items()
        ]
        sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")
        return 0
    url, admin, password, viewer, other = arguments[1:]
    airflow = Airflow(url, Account(admin, password), Account(viewer, other))
    failed = 0
    for name, one in CHECKS.items():
        began = time.monotonic()
        try:
            one(airflow)
            said = "ok"
        except (AssertionError, httpx.HTTPError) as error:
            failed += 1
            said = f"FAILED: {type(error).__name__} {error}"
        print(f"{time.monotonic() - began:6.1f} s  {name}: {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
