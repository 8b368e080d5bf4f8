"""The demo platform, as it really runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import yaml

from opsconsole.config.loading import load_settings
from opsconsole.config.services import load_services
from opsconsole.demo import platform
from opsconsole.demo.catalogue import SERVICES, instances
from opsconsole.demo.dags import DAGS
from opsconsole.demo.faults import FAULTS, active
from tests.platform import DemoPlatform, started_demo

DAY = 86400.0


def opsconsole(demo: DemoPlatform, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opsconsole.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=demo.environment)


def gone(pids: list[int], seconds: float = 30.0) -> bool:
    """Whether none of these processes is left; a zombie is gone, only not yet buried by the test that bore it."""
    limit = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


def test_every_target_is_up(demo: DemoPlatform) -> None:
    up = {(labels["job"], labels["instance"]): value for labels, value in demo.query("up")}
    expected = {(one.service, one.name) for one in instances() if one.service in demo.running.facts["services"]}
    assert set(up) == expected
    assert set(up.values()) == {1.0}


def test_thirty_days_of_history_can_be_queried_under_the_live_names(demo: DemoPlatform) -> None:
    now = time.time()
    for query in (
        'sum(rate(http_requests_total{job="energy-service", status="200"}[20m]))',
        'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job="energy-service"}[20m])))',
        'up{job="postgres", instance="db-1"}',
        'data_freshness_age_seconds{table="tariffs"}',
        'increase(airflow_dagrun_duration_count{dag_id="refresh_tariffs"}[1h])',
        'node_filesystem_avail_bytes{mountpoint="/data"}',
        'rate(pg_stat_database_xact_commit{datname="app"}[20m])',
    ):
        for days in (0.5, 1, 2, 15, 29.9):
            found = demo.query(query, at=now - days * DAY)
            assert found, f"{days} days ago: {query}"
            assert all(value > 0 for _, value in found), f"{days} days ago: {query} is {found}"


def test_the_history_has_the_labels_of_the_live_series(demo: DemoPlatform) -> None:
    live = {frozenset(labels.items()) for labels, _ in demo.wait_for('http_requests_total{job="energy-service"}')}
    past = {
        frozenset(labels.items()) for labels, _ in demo.query('http_requests_total{job="energy-service"} offset 1d')
    }
    assert past == live
    demo.wait_for('sum(rate(http_requests_total{job="energy-service"}[5m] offset 1d)) > 0.5', seconds=1)


def test_databases_hold_what_operators_look_for(demo: DemoPlatform) -> None:
    with psycopg.connect(demo.postgres["app"]) as connection:
        extensions = {name for (name,) in connection.execute("select extname from pg_extension")}
        assert {"pg_stat_statements", "pgstattuple"} <= extensions
        readings = connection.execute("select count(*) from readings").fetchone()
        assert readings is not None
        assert readings[0] > 50_000
    with psycopg.connect(demo.postgres["airflow"]) as connection:
        alive = connection.execute(
            "select distinct job_type from job where state = 'running' and latest_heartbeat > now() - interval '30 s'"
        ).fetchall()
        assert {one for (one,) in alive} == {"SchedulerJob", "TriggererJob", "DagProcessorJob"}
        oldest = connection.execute("select min(run_after) < now() - interval '29 days' from dag_run").fetchone()
        assert oldest == (True,)


def test_the_configuration_is_one_that_the_console_accepts(demo: DemoPlatform) -> None:
    settings = load_settings(demo.config)
    assert settings.default_environment == "demo"
    assert settings.environment.prometheus is not None
    assert settings.environment.prometheus.url == demo.prometheus
    assert settings.warnings == ()
    assert settings.environment.services is not None
    services, problems = load_services(settings.environment.services)
    assert problems == []
    assert [one.name for one in services] == demo.running.facts["services"]
    for service in services:
        assert demo.query(service.check), f"nothing checks {service.name}: {service.check}"


def test_its_pipelines_are_read_alike_by_the_api_and_from_the_metadata_database(demo: DemoPlatform) -> None:
    environment = yaml.safe_load((demo.state / "demo" / "opsconsole.yaml").read_text())
    environment["environments"]["demo"]["airflow"] = {"metadata": "airflow"}
    apart = demo.state / "metadata-alone.yaml"
    apart.write_text(yaml.safe_dump(environment))
    order = {
        task.task_id: set(task.upstream) for task in next(dag.tasks for dag in DAGS if dag.dag_id == "sync_customers")
    }
    for way, arguments in (("api", ()), ("metadata", ("--config", str(apart)))):
        done = opsconsole(demo, *arguments, "pipeline", "list", "--format", "json")
        assert done.returncode == 0, done.stderr
        listed = json.loads(done.stdout)
        assert listed["way"] == way
        found = {one["dag_id"]: one for one in listed["dags"]}
        assert found.keys() == {dag.dag_id for dag in DAGS}
        assert "success" in found["sync_customers"]["strip"]
        told = opsconsole(demo, *arguments, "pipeline", "tasks", "sync_customers", "--format", "json")
        structure = json.loads(told.stdout)["run"]["structure"]
        assert {name: {one for one, after in structure.items() if name in after} for name in order} == order, way
    done = opsconsole(demo, "--config", str(apart), "pipeline", "trigger", "sync_customers", "--yes")
    assert (done.returncode, "no API of an Airflow is configured" in done.stderr) == (2, True)


def test_a_second_demo_joins_the_first_and_says_how_to_connect(demo: DemoPlatform) -> None:
    done = opsconsole(demo, "demo", "--headless", "--format", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["config"] == str(demo.config)
    assert answer["state"] == str(demo.state)
    assert answer["prometheus"] == demo.prometheus
    assert set(answer["postgres"]) == {"app", "airflow"}
    assert set(answer["services"]) <= {service.name for service in SERVICES}
    assert demo.running.supervisor.pid() == demo.running.facts["pid"]


P95 = """
histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job="energy-service"}[8s])))
"""
SEEN = {
    "service-down": 'up{job="energy-service", instance="app-2"} == 0',
    "high-errors": 'sum(increase(http_requests_total{job="energy-service", status="500"}[10s])) > 3',
    "slow-api": f"{P95} > 0.5",
    "dag-failure": 'airflow_dag_last_run_failed{dag_id="ingest_meter_readings"} == 1',
    "stale-data": 'data_freshness_age_seconds{table="tariffs"} > 86400',
    "lock": 'pg_lock_waits_sessions{datname="app"} == 3',
    "disk-full": 'node_filesystem_avail_bytes{mountpoint="/data"} / node_filesystem_size_bytes < 0.1',
    "alerts-lost": "sum(increase(prometheus_notifications_dropped_total[8s])) > 0",
}
HEALED = {
    "service-down": 'up{job="energy-service", instance="app-2"} == 1',
    "high-errors": 'sum(increase(http_requests_total{job="energy-service", status="500"}[8s])) == 0',
    "slow-api": f"{P95} < 0.5",
    "dag-failure": 'airflow_dag_last_run_failed{dag_id="ingest_meter_readings"} == 0',
    "stale-data": 'data_freshness_age_seconds{table="tariffs"} < 3600',
    "lock": 'pg_lock_waits_sessions{datname="app"} == 0',
    "disk-full": 'node_filesystem_avail_bytes{mountpoint="/data"} / node_filesystem_size_bytes > 0.3',
    "alerts-lost": "sum(increase(prometheus_notifications_dropped_total[8s])) == 0",
}
ALERTS = {
    "service-down": "ServiceDown",
    "high-errors": "HighErrorRate",
    "slow-api": "SlowApi",
    "dag-failure": "AirflowDagFailed",
    "stale-data": "DataStale",
    "lock": "DatabaseLockWaits",
    "disk-full": "DiskFull",
    "alerts-lost": "Watchdog",  # it fires as ever, and does not arrive
}


def test_each_fault_is_tested() -> None:
    assert SEEN.keys() == HEALED.keys() == ALERTS.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", sorted(SEEN))
def test_a_fault_shows_in_its_metric_and_its_alert_and_heals(demo: DemoPlatform, fault: str) -> None:
    assert not demo.query(SEEN[fault]), "it was there before"
    demo.break_(fault)
    demo.wait_for(SEEN[fault], seconds=20)
    assert [one.name for one in active(demo.running)] == [fault]
    demo.wait_for(f'ALERTS{{alertname="{ALERTS[fault]}", alertstate="firing"}}')
    assert [one.name for one in demo.heal(fault)] == [fault]
    demo.wait_for(HEALED[fault], seconds=20)
    assert active(demo.running) == []


def test_the_dead_mans_switch_reaches_the_webhook_and_its_silence_is_seen(demo: DemoPlatform) -> None:
    def watched() -> tuple[str, str]:
        told = json.loads(opsconsole(demo, "alert", "list", "--format", "json").stdout)["watchdog"]
        return told["state"], told["name"]

    assert watched() == ("OK", "Watchdog")
    lines = (demo.state / "demo" / "logs" / "notifications.jsonl").read_text("utf-8").splitlines()
    signs = [line for line in map(json.loads, lines) if line["receiver"] == "watchdog"]
    assert signs[0]["alerts"][0]["labels"]["alertname"] == "Watchdog"
    demo.break_("alerts-lost")
    try:
        limit = time.monotonic() + 30
        while watched() != ("CRIT", "Watchdog"):
            assert time.monotonic() < limit, "its silence is not seen"
    finally:
        demo.heal("alerts-lost")


def test_a_service_that_is_down_stays_down_until_it_is_restarted(demo: DemoPlatform) -> None:
    unit = "energy-service-app-2"
    before = demo.running.supervisor.units()[unit]
    demo.break_("service-down")
    demo.wait_for(SEEN["service-down"])
    status = demo.control("status", "energy-service", "app-2")
    assert (status.returncode, status.stdout) == (3, "energy-service app-2 STOPPED\n")

    restarted = demo.control("restart", "energy-service", "app-2")
    assert restarted.returncode == 0, restarted.stderr
    after = demo.running.supervisor.units()[unit]
    assert after.pid != before.pid
    assert after.since >= before.since
    demo.wait_for(HEALED["service-down"])
    began = f'process_start_time_seconds{{job="energy-service", instance="app-2"}} > {before.since + 1:.0f}'
    demo.wait_for(began)
    assert active(demo.running) == []


def test_restarting_a_service_heals_its_errors(demo: DemoPlatform) -> None:
    demo.break_("high-errors", "profile-service")
    demo.wait_for('sum(increase(http_requests_total{job="profile-service", status="500"}[10s])) > 1')
    assert demo.control("restart", "profile-service").returncode == 0
    assert active(demo.running) == []
    demo.wait_for('sum(increase(http_requests_total{job="profile-service", status="500"}[8s])) == 0')


def test_ending_the_blocking_session_ends_the_fault(demo: DemoPlatform) -> None:
    demo.break_("lock")
    demo.wait_for(SEEN["lock"])
    with psycopg.connect(demo.postgres["app"], autocommit=True) as connection:
        ended = connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where state = 'idle in transaction' and application_name = 'airflow-task' and query like '%meters%'"
        ).fetchall()
    assert ended == [(True,)]
    demo.wait_for(HEALED["lock"])
    assert active(demo.running) == []


def test_unknown_services_and_faults_are_refused_with_what_there_is(demo: DemoPlatform) -> None:
    unknown = demo.control("restart", "enrgy")
    assert unknown.returncode == 2
    assert "energy-service" in unknown.stderr
    done = opsconsole(demo, "demo", "break", "service-dwn")
    assert done.returncode == 2
    assert "service-down" in done.stderr


def test_without_a_terminal_nothing_is_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "opsconsole.cli.main", "demo"]
    environment = {**os.environ, "OPSCONSOLE_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False, env=environment
    )
    assert done.returncode == 2
    assert "--headless" in done.stderr
    assert platform.running(tmp_path / "state" / "demo") is None


def test_stopping_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    with started_demo(tmp_path / "state") as demo:
        pids = demo.running.pids()
        run = demo.running.folders.run
        assert len(pids) > 15
        assert opsconsole(demo, "demo", "--status", "--format", "json").returncode == 0
        assert opsconsole(demo, "demo", "--stop").returncode == 0
        assert gone(pids, seconds=1)
        assert not run.exists()
        assert platform.running(demo.running.folders.root) is None
        assert opsconsole(demo, "demo", "--status").returncode == 1


def test_a_demo_that_was_opened_ends_with_the_console_even_if_that_is_killed(tmp_path: Path) -> None:
    root = tmp_path / "state" / "demo"
    code = f"""
from pathlib import Path
from opsconsole.demo.platform import start
start(root=Path({str(root)!r}), tied=True)
print(flush=True)
input()
"""
    opener = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert opener.stdout is not None
        assert opener.stdout.readline() == b"\n"
        running = platform.running(root)
        assert running is not None
        pids = running.pids()
        opener.kill()
        assert gone(pids), "it runs on"
    finally:
        opener.kill()
        opener.communicate()
        platform.stop(root)


def test_killing_the_supervisor_leaves_no_orphan_and_the_next_start_recovers(tmp_path: Path) -> None:
    with started_demo(tmp_path / "state") as demo:
        pids = demo.running.pids()
        os.kill(pids[0], signal.SIGKILL)
        assert gone(pids), "orphans"
        assert opsconsole(demo, "demo", "--status").returncode == 1
        again, started = platform.start(root=demo.running.folders.root)
        assert started
        assert again.facts["pid"] != pids[0]
        assert not demo.running.folders.run.exists()
