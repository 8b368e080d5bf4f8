"""The parts of the demo's Airflow that need no server: its DAGs, tokens, bodies, logs and routes."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from opsconsole.demo import task_logs
from opsconsole.demo.airflow_api import bodies, routes, shapes
from opsconsole.demo.airflow_api.refusal import Refusal
from opsconsole.demo.airflow_api.tokens import Signer, User
from opsconsole.demo.dags import BY_ID, DAGS, following, interval, length, offsets, preceding
from opsconsole.demo.packages import FetchError
from opsconsole.demo.programs import Folders, Ports, port_names, present, programs, targets
from opsconsole.demo.real import installing, running
from opsconsole.demo.simulation.airflow_component import remove_old
from tests.unit.demo.test_configuration import EVERYTHING, FOLDERS, cluster

REAL = EVERYTHING.__class__(*(Path(f"/bin/{name}") for name in "abcdefg"))


@pytest.mark.parametrize("dag", DAGS, ids=lambda dag: dag.dag_id)
def test_each_task_stands_after_those_that_it_waits_for(dag: Any) -> None:
    seen: set[str] = set()
    for task in dag.tasks:
        assert set(task.upstream) <= seen
        seen.add(task.task_id)
    assert len(seen) == len(dag.tasks) >= 2, "a fault strikes the second"


def test_what_follows_and_what_precedes_a_task() -> None:
    tasks = BY_ID["forecast_load"].tasks
    assert following(tasks, ["train_region"]) == {"evaluate", "plot", "publish_forecast"}
    assert following(tasks, ["train_region", "plot"]) == {"evaluate", "publish_forecast"}
    assert following(tasks, ["publish_forecast"]) == set()
    assert preceding(tasks, ["plot"]) == {"train_region", "prepare_features"}
    assert preceding(tasks, ["prepare_features"]) == set()


def test_a_run_is_as_long_as_its_longest_branch() -> None:
    dag = BY_ID["consumption_report"]
    begins = offsets(dag)
    assert begins["render_pdf"] == begins["render_csv"] > begins["collect"]
    seconds = {task.task_id: task.seconds for task in dag.tasks}
    assert length(dag) == pytest.approx(sum(0.5 + seconds[name] for name in ("collect", "render_pdf", "publish"))), (
        "the slower branch counts"
    )
    assert interval(dag) == BY_ID["aggregate_consumption"].every


def test_a_token_ends_and_cannot_be_forged() -> None:
    signer = Signer(b"key", 60)
    user = User("admin", "admin")
    assert signer.user(f"Bearer {signer.token(user)}") == user
    for header, status, detail in (
        (None, 401, "Not authenticated"),
        ("Basic YTpi", 401, "Not authenticated"),
        ("Bearer x.y.z", 403, "Invalid JWT token"),
        (f"Bearer {Signer(b'other', 60).token(user)}", 403, "Invalid JWT token"),
        (f"Bearer {Signer(b'key', -1).token(user)}", 401, "Token Expired"),
    ):
        with pytest.raises(Refusal) as caught:
            signer.user(header)
        assert (caught.value.status, caught.value.detail) == (status, detail)


def test_all_that_is_wrong_with_a_body_is_told_at_once() -> None:
    with pytest.raises(Refusal) as caught:
        bodies.parse(b'{"conf": 1, "note": 2, "x": 3}', bodies.TRIGGER)
    entries = [(one["type"], one["loc"]) for one in caught.value.detail]
    assert entries == [
        ("missing", ["body", "logical_date"]),
        ("dict_type", ["body", "conf"]),
        ("string_type", ["body", "note"]),
        ("extra_forbidden", ["body", "x"]),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{no", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        bodies.parse(body, bodies.CLEAR_TASKS)
    assert caught.value.status == 422


def test_what_is_left_out_of_a_clearing_is_only_shown_and_only_what_failed() -> None:
    told = bodies.parse(b"{}", bodies.CLEAR_TASKS)
    assert (told["dry_run"], told["only_failed"], told["reset_dag_runs"], told["task_ids"]) == (True, True, True, None)
    told = bodies.parse(b'{"task_ids": ["a", ["b", 2]]}', bodies.CLEAR_TASKS)
    assert told["task_ids"] == [("a", None), ("b", 2)]


def test_a_route_is_found_by_method_and_path() -> None:
    route, names = routes.find("GET", "/api/v2/dags/a%2Fb/dagRuns/manual__1+00:00/taskInstances/t/logs/3")
    assert (names, route.changes) == ({"dag": "a/b", "run": "manual__1+00:00", "task": "t", "try": "3"}, False)
    assert routes.find("PATCH", "/api/v2/dags/a/dagRuns/r/taskInstances/t/2")[1]["index"] == "2"
    for method, path, status in (("PUT", "/api/v2/dags", 405), ("GET", "/api/v2/x", 404), ("GET", "/dags", 404)):
        with pytest.raises(Refusal) as caught:
            routes.find(method, path)
        assert caught.value.status == status


def test_a_log_is_read_on_from_where_it_was_left(tmp_path: Path) -> None:
    place = (str(tmp_path), "dag", "run", "task", 2, 1)
    file = task_logs.path(*place)
    assert file.relative_to(tmp_path) == Path("dag_id=dag/run_id=run/task_id=task/map_index=2/attempt=1.log")
    lines = task_logs.Lines("dag", "run", "task", 2, 1, "worker-1")
    task_logs.write(*place, lines.begun())
    first, end = task_logs.read(file)
    assert len(first) == 3
    assert task_logs.read(file, end) == ([], end)
    with file.open("a", encoding="utf-8") as handle:
        handle.write('{"event": "half')
    assert task_logs.read(file, end) == ([], end), "a line that is not whole yet is left for later"
    with file.open("a", encoding="utf-8") as handle:
        handle.write(' of it"}\n')
    assert task_logs.read(file, end)[0] == [{"event": "half of it"}]


def test_logs_of_old_runs_are_removed(tmp_path: Path) -> None:
    for number, run in enumerate(("old", "new")):
        task_logs.write(str(tmp_path), "dag", run, "task", -1, 1, [{"event": "x"}])
        os.utime(tmp_path / "dag_id=dag" / f"run_id={run}", (1000 + number, 1000 + number))
    remove_old(tmp_path, 1001)
    assert [path.name for path in (tmp_path / "dag_id=dag").iterdir()] == ["run_id=new"]


def test_a_continuation_is_of_this_server() -> None:
    token = shapes.continuation(17, b"key")
    assert shapes.position(token, b"key") == 17
    for other in ("", "17", "17.0", "abc", token + "0", shapes.continuation(17, b"other")):
        assert shapes.position(other, b"key") is None


def test_a_real_airflow_takes_the_places_of_the_stand_ins() -> None:
    services = {one.service for one in present(REAL)}
    assert services.isdisjoint({"airflow-worker"})
    assert set(running.COMPONENTS) <= services
    ports = Ports({name: 20_000 + number for number, name in enumerate(port_names(REAL))})
    wanted = {one.name: one for one in programs(REAL, FOLDERS, ports, cluster(REAL), "pw", {"AIRFLOW_HOME": "/a"})}
    scheduler = wanted["airflow-scheduler-airflow-1"]
    assert list(scheduler.argv[-2:]) == ["/bin/g", "scheduler"]
    assert scheduler.environment["AIRFLOW_HOME"] == "/a"
    assert scheduler.environment["PATH"].startswith("/bin:")
    scraped = {one.service: place for one, place in targets(REAL, ports).items()}
    assert scraped["airflow-scheduler"] == (ports["exporters"], "/airflow-scheduler")


def test_the_environment_of_airflow_is_one_that_the_supervisor_can_carry(tmp_path: Path) -> None:
    folders = Folders(tmp_path, tmp_path)
    database = running.url("postgresql+psycopg2", "airflow", "p w/%", 5, "airflow")
    assert database == "postgresql+psycopg2://airflow:p%20w%2F%25@127.0.0.1:5/airflow"
    told = running.environment(
        folders.airflow,
        8080,
        database,
        "dsn",
        folders.faults,
        folders.logs,
        "secret",
        {"admin": "admin", "viewer": "viewer"},
    )
    assert told["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,viewer:viewer"
    assert not any(char in value for value in told.values() for char in '"\\\n')
    assert "127.0.0.1:8080" in told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    running.prepare(folders.airflow, {"admin": "a"})
    dags = json.loads((folders.airflow / "dags" / "demo_dags.json").read_text(encoding="utf-8"))
    assert [dag["dag_id"] for dag in dags] == list(BY_ID)
    assert next(dag["load"] for dag in dags if dag["loads"] == "tariffs").startswith("update tariffs")
    assert (folders.airflow / "passwords.json").stat().st_mode & 0o077 == 0


def test_what_is_installed_is_pinned_by_its_hash() -> None:
    text = installing.REQUIREMENTS.read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert any(line.startswith("apache-airflow==3.") for line in pinned)
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert "://" not in text


def test_an_airflow_that_cannot_be_installed_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    said: list[str] = []
    with pytest.raises(FetchError, match="needs the network"):
        installing.airflow(said.append)
    assert len(said) == 1
    assert not list(tmp_path.rglob(".complete"))
