"""The Airflow of the demo: its API against what a real one answers, its engine, and its tables."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from opsconsole.config.loading import load_settings
from tests.airflow_conformance import CHECKS, Account, Airflow
from tests.platform import DemoPlatform


def airflow_of(demo: DemoPlatform) -> Airflow:
    facts = demo.running.facts["airflow"]
    admin, viewer = (
        Account(name, Path(file).read_text(encoding="utf-8")) for name, file in facts["password_files"].items()
    )
    return Airflow(facts["url"], admin, viewer)


@pytest.fixture(scope="module")
def airflow(demo_platform: DemoPlatform) -> Iterator[Airflow]:
    """The demo's API, one login for all tests."""
    one = airflow_of(demo_platform)
    yield one
    one.close()


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_it_answers_as_airflow_does(airflow: Airflow, check: str) -> None:
    CHECKS[check](airflow)


def test_the_console_finds_it_in_its_configuration(demo: DemoPlatform, airflow: Airflow) -> None:
    told = load_settings(demo.config).environment.airflow
    assert told is not None
    assert (told.url, told.username, told.metadata) == (airflow.url, "admin", "airflow")
    assert told.password is not None
    assert told.password.resolve().reveal() == airflow.admin.password


def state_of(airflow: Airflow, dag: str) -> dict[str, str]:
    """Task -> state, in the latest run of a DAG."""
    run = airflow.get(f"dags/{dag}/dagRuns", order_by="-run_after", limit=1)["dag_runs"][0]["dag_run_id"]
    told = airflow.get(f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
    return {one["task_id"]: str(one["state"]) for one in told}


def failed_run(airflow: Airflow, dag: str, since: str) -> str:
    """The run of a DAG that has failed since a moment, as soon as it has."""
    limit = time.monotonic() + 60
    while not (found := airflow.get(f"dags/{dag}/dagRuns", state="failed", run_after_gte=since)["dag_runs"]):
        assert time.monotonic() < limit, "no run has failed"
        time.sleep(0.1)
    return str(found[0]["dag_run_id"])


def now(demo: DemoPlatform) -> str:
    with psycopg.connect(demo.postgres["airflow"]) as connection:
        moment = connection.execute(
            "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        ).fetchone()
    assert moment is not None
    return str(moment[0])


def test_a_broken_dag_fails_after_its_tries_and_a_cleared_task_repairs_it(demo: DemoPlatform, airflow: Airflow) -> None:
    dag, task = "import_weather", "load_weather"
    since = now(demo)
    demo.break_("dag-failure", dag)
    run = failed_run(airflow, dag, since)
    path = f"dags/{dag}/dagRuns/{run}"
    tries = airflow.get(f"{path}/taskInstances/{task}/tries")["task_instances"]
    assert [(one["try_number"], one["state"]) for one in tries] == [(1, "failed"), (2, "failed"), (3, "failed")]
    log = airflow.get(f"{path}/taskInstances/{task}/logs/3")["content"]
    assert log[-1]["level"] == "error"
    assert log[-1]["error_detail"][0]["exc_type"] == "ConnectionResetError"

    body = {"dag_run_id": run, "dry_run": False, "only_failed": True}
    cleared = airflow.send("POST", f"dags/{dag}/clearTaskInstances", body)
    assert [one["task_id"] for one in cleared["task_instances"]] == [task]
    limit = time.monotonic() + 60
    while airflow.get(path)["state"] != "success":
        assert time.monotonic() < limit
        time.sleep(0.1)
    last = airflow.get(f"{path}/taskInstances/{task}/tries")["task_instances"][-1]
    assert (last["try_number"], last["state"]) == (4, "success")


def test_what_waits_for_a_failed_task_never_runs_and_marking_it_a_success_goes_on(
    demo: DemoPlatform, airflow: Airflow
) -> None:
    dag = "data_quality_checks"
    since = now(demo)
    demo.break_("dag-failure", dag)
    run = failed_run(airflow, dag, since)
    path = f"dags/{dag}/dagRuns/{run}"
    told = {one["task_id"]: one["state"] for one in airflow.get(f"{path}/taskInstances")["task_instances"]}
    assert told == {"check_completeness": "success", "check_ranges": "failed", "publish_score": "upstream_failed"}
    airflow.send("PATCH", f"{path}/taskInstances/check_ranges", {"new_state": "success"})
    limit = time.monotonic() + 60
    while airflow.get(path)["state"] != "success":
        assert time.monotonic() < limit
        time.sleep(0.1)
    told = {one["task_id"]: one["state"] for one in airflow.get(f"{path}/taskInstances")["task_instances"]}
    assert set(told.values()) == {"success"}


def test_an_asset_that_is_written_starts_the_dag_that_waits_for_it(demo: DemoPlatform, airflow: Airflow) -> None:
    since = now(demo)
    airflow.send("POST", "dags/aggregate_consumption/dagRuns", {"logical_date": None})
    limit = time.monotonic() + 60
    path = "dags/consumption_report/dagRuns"
    while not (found := airflow.get(path, run_after_gte=since, state="success")["dag_runs"]):
        assert time.monotonic() < limit, "it did not run"
        time.sleep(0.1)
    run = found[0]
    assert (run["run_type"], run["logical_date"], run["triggered_by"]) == ("asset_triggered", None, "asset")
    with psycopg.connect(demo.postgres["airflow"]) as connection:
        events = connection.execute(
            """select e.source_dag_id, e.source_task_id from dagrun_asset_event d
               join asset_event e on e.id = d.event_id join dag_run r on r.id = d.dag_run_id where r.run_id = %s""",
            [run["dag_run_id"]],
        ).fetchall()
    assert ("aggregate_consumption", "refresh_views") in events


def test_a_run_of_a_paused_dag_waits_until_it_is_unpaused(airflow: Airflow) -> None:
    dag = "export_billing"
    run = airflow.send("POST", f"dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
    other = airflow.send("POST", "dags/sync_customers/dagRuns", {"logical_date": None})["dag_run_id"]
    limit = time.monotonic() + 60
    while airflow.get(f"dags/sync_customers/dagRuns/{other}")["state"] != "success":
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert airflow.get(f"dags/{dag}/dagRuns/{run}")["state"] == "queued", "another one came and went meanwhile"
    try:
        airflow.send("PATCH", f"dags/{dag}", {"is_paused": False})
        while airflow.get(f"dags/{dag}/dagRuns/{run}")["state"] != "success":
            assert time.monotonic() < limit
            time.sleep(0.1)
    finally:
        airflow.send("PATCH", f"dags/{dag}", {"is_paused": True})


def test_the_log_of_a_task_that_runs_is_followed_by_its_token(airflow: Airflow) -> None:
    dag = "forecast_load"
    run = airflow.send("POST", f"dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
    path = f"dags/{dag}/dagRuns/{run}/taskInstances"
    limit = time.monotonic() + 60
    while True:
        told = airflow.get(path, state="running")["task_instances"]
        if told and told[0]["task_id"] == "train_region":
            break
        assert time.monotonic() < limit
        time.sleep(0.05)
    one = told[0]
    log = f"{path}/train_region/logs/{one['try_number']}"
    answer = airflow.get(log, map_index=one["map_index"])
    pieces = [answer["content"]]
    assert answer["continuation_token"], "it runs, so there is more to come"
    while token := answer["continuation_token"]:
        assert time.monotonic() < limit
        answer = airflow.get(log, map_index=one["map_index"], token=token)
        pieces.append(answer["content"])
    whole = airflow.get(log, map_index=one["map_index"])["content"]
    assert [line["event"] for piece in pieces for line in piece] == [line["event"] for line in whole]
    assert whole[-1]["event"] == "Task instance in success state"


def test_an_unsteady_task_is_tried_again_and_its_tries_are_kept(demo: DemoPlatform) -> None:
    with psycopg.connect(demo.postgres["airflow"]) as connection:
        retried = connection.execute(
            """select count(*) filter (where h.state = 'failed'), count(*)
               from task_instance t join task_instance_history h using (dag_id, task_id, run_id, map_index)
               where t.dag_id = 'reconcile_grid' and t.task_id = 'fetch_grid' and t.state = 'success'"""
        ).fetchone()
    assert retried is not None
    failed, tries = retried
    assert failed == tries > 5


def test_the_tables_and_the_api_agree(demo: DemoPlatform, airflow: Airflow) -> None:
    until = now(demo)
    told = airflow.get("dags/~/dagRuns", state=["success", "failed"], run_after_lte="2026-01-01T00:00:00Z", limit=1)
    assert told["total_entries"] == 0
    total = airflow.get("dags/~/dagRuns", run_after_lte=until, limit=1)["total_entries"]
    with psycopg.connect(demo.postgres["airflow"]) as connection:
        counted = connection.execute("select count(*) from dag_run where run_after <= %s", [until]).fetchone()
        queued = connection.execute("select filename from import_error").fetchall()
    assert counted == (total,)
    assert queued == [("export_invoices.py",)]


def test_the_api_goes_and_comes_back(demo: DemoPlatform, airflow: Airflow) -> None:
    assert demo.control("stop", "airflow-api-server").returncode == 0
    with pytest.raises(httpx.TransportError):
        airflow.as_admin.get("dags")
    assert demo.control("start", "airflow-api-server").returncode == 0
    # Its tokens are of the process that has gone: whoever held one logs in again.
    answer = httpx.get(f"{airflow.url}/api/v2/monitor/health", timeout=30, trust_env=False)
    assert answer.status_code == 200
    assert airflow.as_admin.get("dags").status_code == 403
    again = airflow_of(demo)
    assert json.dumps(again.get("dags", limit=1))
    again.close()
    airflow.as_admin, airflow.as_viewer = airflow._client(airflow.admin), airflow._client(airflow.viewer)
