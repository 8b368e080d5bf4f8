"""Airflow's metrics in a real Prometheus, which scrapes a page of each of the four families; Airflow itself is down."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from opsconsole.cli.main import main
from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.settings import AirflowSettings, Environment, PrometheusSettings
from opsconsole.core.exit_codes import Exit
from opsconsole.pipelines.opening import Pipelines, open_pipelines
from opsconsole.sources.airflow.profiles import KNOWN
from opsconsole.sources.registry import Sources
from opsconsole.ui.pages.page import Order, Sheet
from opsconsole.ui.pipelines.pages import PAGES
from tests.faults import FaultServer, Request
from tests.servers import WebServer, free_port, start_prometheus

_PATIENT = 20.0

_POOLS = """
airflow_pool_open_slots{POOL="default"} 0
airflow_pool_USED_slots{POOL="default"} 8
airflow_pool_starving_tasks{POOL="default"} 3
"""
_COMMON = """
airflow_executor_queued_tasks 4
airflow_executor_running_tasks 8
airflow_dag_processing_import_errors 2
airflow_dagbag_size 12
"""


def pools(label: str, used: str) -> str:
    """What is told of one pool."""
    return _POOLS.replace("POOL", label).replace("USED", used)


PAGES_OF = {
    "helm-statsd": _COMMON + pools("pool", "used") + """
airflow_scheduler_heartbeat{type="counter"} BEATS
airflow_triggerer_heartbeat 7
airflow_dagrun_duration_sum{dag_id="load"} 120
airflow_dagrun_duration_count{dag_id="load"} 2
airflow_dagrun_failed_sum{dag_id="bill"} 30
airflow_dagrun_failed_count{dag_id="bill"} 1
airflow_ti_failures 3
""",
    "mixin": _COMMON + pools("pool_name", "running") + """
airflow_scheduler_heartbeat BEATS
airflow_triggerer_heartbeat 7
airflow_pool_queued_slots{pool_name="default"} 5
airflow_dagrun_duration_success_sum{dag_id="load"} 120
airflow_dagrun_duration_success_count{dag_id="load"} 2
airflow_dagrun_duration_failed_count{dag_id="bill"} 1
airflow_task_finish_total{dag_id="bill",task_id="send",state="failed"} 3
airflow_task_finish_total{dag_id="bill",task_id="send",state="success"} 30
airflow_ti_failures 3
""",
    "statsd-exporter": _COMMON + """
airflow_scheduler_heartbeat BEATS
airflow_triggerer_heartbeat 7
airflow_pool_open_slots_default 0
airflow_pool_running_slots_default 8
airflow_pool_queued_slots_default 5
airflow_pool_starving_tasks_default 3
airflow_dagrun_duration_success_load_sum 120
airflow_dagrun_duration_success_load_count 2
airflow_dagrun_duration_failed_bill_sum 30
airflow_dagrun_duration_failed_bill_count 1
airflow_ti_failures 3
""",
    "otel": _COMMON + pools("pool_name", "running") + """
airflow_scheduler_heartbeat_total BEATS
airflow_triggerer_heartbeat_total 7
airflow_pool_queued_slots{pool_name="default"} 5
airflow_dagrun_duration_success{dag_id="load",run_type="scheduled"} 60000
airflow_dagrun_duration_failed{dag_id="bill",run_type="scheduled"} 30000
airflow_ti_failures_total{dag_id="bill",task_id="send"} 3
""",
}  # fmt: skip


def history(now: float) -> str:
    """Two hours of a DAG that fails now and then, and of one whose first run ever failed half an hour ago."""
    often, nightly = [], []
    for minute in range(121):
        at = now - 7200 + minute * 60
        often.append(f'airflow_dagrun_failed_count{{family="past",dag_id="often"}} {4 + minute // 40} {at:.0f}')
        if minute >= 90:
            nightly.append(f'airflow_dagrun_failed_count{{family="past",dag_id="nightly"}} 1 {at:.0f}')
    return "\n".join(["# TYPE airflow_dagrun_failed_count gauge", *often, *nightly, "# EOF", ""])


@pytest.fixture(scope="module")
def prometheus() -> Iterator[WebServer]:
    beats = 0

    def page(request: Request) -> tuple[int, str, bytes]:
        nonlocal beats
        beats += 1
        return 200, "text/plain", PAGES_OF[request.path.strip("/")].replace("BEATS", str(beats)).encode()

    with FaultServer(answer=page) as exposition:
        jobs = [
            f"  - {{job_name: {name}, metrics_path: /{name}, static_configs: "
            f'[{{targets: ["{exposition.url.removeprefix("http://")}"], labels: {{family: {name}}}}}]}}'
            for name in PAGES_OF
        ]
        config = "global: {scrape_interval: 1s}\nscrape_configs:\n" + "\n".join(jobs)
        with start_prometheus(
            config=config.replace("{", "{{").replace("}", "}}"), history=history(time.time())
        ) as server:
            yield server


def environment(server: WebServer, family: str, profile: str = "") -> Environment:
    """Of an Airflow of whose metrics one can tell the family only by their names."""
    said = AirflowMetrics(profile, match=MappingProxyType({"family": family}))
    airflow = AirflowSettings(f"http://127.0.0.1:{free_port()}", metrics=said)
    return Environment(
        "test", Path("screens"), Path("runbooks"), prometheus=PrometheusSettings(server.url), airflow=airflow
    )


@asynccontextmanager
async def opened(given: Environment) -> AsyncIterator[Pipelines]:
    sources = Sources(given)
    try:
        yield open_pipelines(given, sources)
    finally:
        await sources.close()


async def beating(server: WebServer, family: str) -> None:
    """Until Prometheus has scraped twice, which a rate takes."""
    from opsconsole.core.reading import Query
    from opsconsole.core.values import Vector

    given = environment(server, family)
    sources = Sources(given)
    text = f'rate({{__name__=~"airflow_scheduler_heartbeat.*",family="{family}"}}[5m]) > 0'
    try:
        async with asyncio.timeout(_PATIENT):
            while True:
                value = (await sources.get("prometheus").read(Query("prometheus", text))).value
                if isinstance(value, Vector) and value.samples:
                    return
                await asyncio.sleep(0.1)
    finally:
        await sources.close()


@pytest.mark.parametrize("family", [one.name for one in KNOWN])
async def test_each_family_is_found_out_and_tells_what_it_can(prometheus: WebServer, family: str) -> None:
    await beating(prometheus, family)
    async with opened(environment(prometheus, family)) as pipelines:
        assert pipelines.measuring is not None
        found = (await pipelines.measuring.read()).value
    assert (found.profile, found.alive) == (family, True)
    assert [(one.name, one.alive) for one in found.components] == [
        ("scheduler", True), ("dag-processor", None), ("triggerer", False),
    ]  # fmt: skip
    assert (found.queued, found.running, found.import_errors, found.known_dags) == (4, 8, 2, 12)
    assert found.tasks_failed == 3
    (pool,) = found.pools
    assert (pool.pool, pool.open, pool.used, pool.starving) == ("default", 0, 8, 3)
    assert pool.queued == (None if family == "helm-statsd" else 5)
    dags = {one.dag_id: one for one in found.dags}
    assert dags["load"].seconds == pytest.approx(60)
    if family == "otel":
        assert (dags["load"].succeeded, dags["bill"].failed, dags["bill"].tasks_failed) == (None, None, 3)
    else:
        assert (dags["load"].succeeded, dags["load"].failed) == (2, None)
        assert (dags["bill"].failed, dags["bill"].succeeded) == (1, None)
        assert dags["bill"].tasks_failed == (3 if family == "mixin" else None)


async def test_the_first_failed_run_of_a_nightly_dag_counts(prometheus: WebServer) -> None:
    async with opened(environment(prometheus, "past", "helm-statsd")) as pipelines:
        assert pipelines.measuring is not None
        found = (await pipelines.measuring.read()).value
    failed = {one.dag_id: one.failed for one in found.dags}
    assert failed == {"nightly": 1, "often": pytest.approx(2, abs=0.1)}


async def test_the_pages_show_what_metrics_tell_while_airflow_is_down(prometheus: WebServer) -> None:
    await beating(prometheus, "mixin")
    sheets: dict[str, Sheet] = {}
    async with opened(environment(prometheus, "mixin")) as pipelines:
        for spec in PAGES:
            if spec.id in ("dags", "failures", "imports", "parts", "pools", "sla"):
                page = spec.make()
                reading = await page.take(pipelines, None, Order(page.sorts[0]))
                sheets[spec.id] = page.sheet(reading, Order(page.sorts[0]))
                assert page.choices(reading, "bill") == []
    for sheet in sheets.values():
        assert sheet.summary.startswith("from metrics (mixin)   ")
        assert sheet.notes[0].startswith("from metrics, for Airflow does not answer: ")
    rows = {name: [" ".join(row.text.split()) for row in sheet.rows] for name, sheet in sheets.items()}
    assert [one.split("runs failed")[0].strip() for one in rows["dags"]] == [
        "CRIT bill 1 unknown 3",
        "OK load unknown 2 unknown 1m",
    ]
    assert rows["sla"] == [], "nothing is promised"
    assert rows["failures"] == ["1 3 bill"]
    assert rows["imports"] == ["2 which, metrics do not tell"]
    assert rows["pools"][0].startswith("default 8 5 3 0 nothing is free")
    states = [one.split()[:2] for one in rows["parts"]]
    assert states == [
        ["CRIT", "api"], ["OK", "scheduler"], ["UNKNOWN", "dag-processor"], ["CRIT", "triggerer"],
        ["UNKNOWN", "metadatabase"],
    ]  # fmt: skip


def test_health_and_metrics_are_printed_from_what_prometheus_knows(
    prometheus: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(beating(prometheus, "helm-statsd"))
    (tmp_path / "opsconsole.yaml").write_text(
        f'version: 1\nenvironments:\n  a:\n    prometheus: {{url: "{prometheus.url}"}}\n'
        f'    airflow: {{url: "http://127.0.0.1:{free_port()}", metrics: {{match: {{family: helm-statsd}}}}}}\n'
    )
    monkeypatch.setenv("OPSCONSOLE_CONFIG", str(tmp_path / "opsconsole.yaml"))
    assert main(["pipeline", "health", "--format", "json"]) == Exit.FAILED  # there is no API
    said = json.loads(capsys.readouterr().out)
    assert (said["way"], said["version"]) == ("metrics", "helm-statsd")
    assert {one["name"]: one["state"] for one in said["components"]} == {
        "api": "CRIT", "scheduler": "OK", "dag-processor": "UNKNOWN", "triggerer": "CRIT", "metadatabase": "UNKNOWN",
    }  # fmt: skip
    assert main(["pipeline", "metrics"]) == Exit.DONE
    printed = capsys.readouterr()
    assert [line.split() for line in printed.out.splitlines()[1:]] == [
        ["bill", "-", "-", "1", "-"], ["load", "1m", "2", "-", "-"],
    ]  # fmt: skip
    assert "pool default: 0 open, 8 used, unknown queued" in printed.err
    assert "tasks failed: 3; queued: 4; running: 8; files that cannot be imported: 2" in printed.err


def test_the_list_and_the_promises_are_printed_from_what_prometheus_knows(
    prometheus: WebServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(beating(prometheus, "helm-statsd"))
    (tmp_path / "slas.yaml").write_text(
        "version: 1\nslas:\n"
        "  - {name: slow, kind: pipeline, dag: load, target: 30s}\n"
        "  - {name: silent, kind: pipeline, dag: gone, target: 30s}\n"
        '  - {name: rest, kind: pipeline, dag: "*", target: 2h}\n'
    )
    (tmp_path / "opsconsole.yaml").write_text(
        f'version: 1\nenvironments:\n  a:\n    prometheus: {{url: "{prometheus.url}"}}\n    slas: slas.yaml\n'
        f'    airflow: {{url: "http://127.0.0.1:{free_port()}", metrics: {{match: {{family: helm-statsd}}}}}}\n'
    )
    monkeypatch.setenv("OPSCONSOLE_CONFIG", str(tmp_path / "opsconsole.yaml"))
    assert main(["pipeline", "list", "--format", "json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert (said["way"], said["version"]) == ("metrics", "helm-statsd")
    assert said["notes"][0].startswith("from metrics, for Airflow does not answer: ")
    assert [(one["dag_id"], one["state"], one["strip"], one["measured"]) for one in said["dags"]] == [
        ("bill", "CRIT", None, {"succeeded": None, "failed": 1.0, "tasks_failed": None, "seconds": None}),
        ("load", "OK", None, {"succeeded": 2.0, "failed": None, "tasks_failed": None, "seconds": 60.0}),
    ]
    assert main(["pipeline", "list", "--state", "CRIT"]) == Exit.DONE
    printed = capsys.readouterr()
    assert [line.split()[:6] for line in printed.out.splitlines()[1:]] == [["bill", "CRIT", "1", "-", "-", "-"]]
    assert printed.err.startswith("note: from metrics, for Airflow does not answer: ")

    assert main(["pipeline", "sla", "--format", "json"]) == Exit.FAILED
    said = json.loads(capsys.readouterr().out)
    assert said["way"] == "metrics"
    assert [(one["dag_id"], one["sla"], one["state"], one["verdict"]) for one in said["promises"]] == [
        ("bill", "rest", "CRIT", "failed"), ("load", "slow", "WARN", "missed"), ("gone", "silent", "UNKNOWN", None),
    ]  # fmt: skip
    assert main(["pipeline", "sla"]) == Exit.FAILED
    printed = capsys.readouterr()
    assert "runs took 1m on average, and it promises 30 s" in printed.out
    assert "note: from metrics" in printed.err
