"""The parts of the simulated processes that need no server."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from opsconsole.demo.catalogue import TABLES
from opsconsole.demo.dags import DAGS
from opsconsole.demo.faults import FAULTS
from opsconsole.demo.simulation.loads import AGE, LOADS
from opsconsole.demo.simulation.metrics import Metrics, label_text
from opsconsole.demo.simulation.service import Simulation, request
from opsconsole.demo.volume import FULL, write_volume


def simulation(tmp_path: Path, port: int = 0) -> Simulation:
    return Simulation("energy-service", "app-1", port, {"faults": str(tmp_path)})


def flag(folder: Path, name: str, target: str, since: float) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"target": target, "since": since}), encoding="utf-8")


def test_a_histogram_counts_each_bucket_that_a_value_fits_in() -> None:
    metrics = Metrics()
    metrics.observe("x", -1.0)
    metrics.observe("x", 0.4)
    metrics.observe("x", 9.0)
    text = metrics.render().splitlines()
    assert 'x_bucket{le="0.3"} 0.0' in text
    assert 'x_bucket{le="0.4"} 1.0' in text
    assert 'x_bucket{le="2.5"} 1.0' in text
    assert 'x_bucket{le="+Inf"} 2.0' in text
    assert "x_count 2.0" in text
    assert "x_sum 9.4" in text


def test_labels_are_escaped_and_process_metrics_are_there() -> None:
    assert label_text((("a", 'x"\\\n'),)) == r'{a="x\"\\\n"}'
    text = Metrics().render()
    for name in ("process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"):
        assert f"\n{name} " in text


def test_replacing_a_gauge_forgets_the_series_not_named() -> None:
    metrics = Metrics()
    metrics.replace("g", [({"a": "1"}, 1.0), ({"a": "2"}, 2.0)])
    metrics.replace("g", [({"a": "2"}, 3.0)])
    assert [line for line in metrics.render().splitlines() if line.startswith("g{")] == ['g{a="2"} 3.0']


def test_a_fault_strikes_its_target_only(tmp_path: Path) -> None:
    one = simulation(tmp_path)
    assert one.fault("slow-api") is None
    flag(tmp_path, "slow-api", "profile-service", time.time() + 1)
    assert one.fault("slow-api") is None
    since = time.time() + 1
    flag(tmp_path, "slow-api", "energy-service", since)
    assert one.fault("slow-api") == since


def test_a_restart_heals_unless_the_fault_lies_elsewhere(tmp_path: Path) -> None:
    one = simulation(tmp_path)
    flag(tmp_path, "slow-api", "energy-service", one.started - 1)
    assert one.fault("slow-api") is None
    assert one.fault("slow-api", survives_restart=True) == one.started - 1


def test_a_half_written_flag_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "slow-api.json").write_text('{"target": ', encoding="utf-8")
    assert simulation(tmp_path).fault("slow-api") is None


async def test_a_simulation_answers_health_metrics_and_nonsense(tmp_path: Path, unused_tcp_port: int) -> None:
    serving = asyncio.create_task(simulation(tmp_path, unused_tcp_port).serve())
    try:
        for _ in range(100):
            try:
                assert await request(unused_tcp_port, "GET", "/healthz") == 200
                break
            except OSError:
                await asyncio.sleep(0.01)
        assert await request(unused_tcp_port, "GET", "/metrics") == 200
        assert await request(unused_tcp_port, "GET", "/elsewhere") == 404
        _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"\x00\xff nonsense\r\n\r\n")
        await writer.drain()
        writer.close()
        assert await request(unused_tcp_port, "GET", "/healthz") == 200
    finally:
        serving.cancel()


def test_the_volume_is_nearly_full_as_node_exporter_reads_it(tmp_path: Path) -> None:
    write_volume(tmp_path, FULL)
    text = (tmp_path / "data.prom").read_text(encoding="utf-8")
    values = {line.split("{")[0]: float(line.split()[-1]) for line in text.splitlines() if not line.startswith("#")}
    assert values["node_filesystem_avail_bytes"] / values["node_filesystem_size_bytes"] == pytest.approx(FULL)
    assert [path.name for path in tmp_path.iterdir()] == ["data.prom"]


def test_every_table_has_a_load_and_an_age_and_a_dag_or_the_stream_loads_it() -> None:
    assert LOADS.keys() == AGE.keys() == TABLES.keys()
    assert {dag.loads for dag in DAGS if dag.loads} == set(TABLES)


def test_the_faults_are_the_documented_ones() -> None:
    documented = Path(__file__).parents[3] / "docs" / "demo.md"
    section = documented.read_text(encoding="utf-8").partition("## Faults")[2].partition("\n## ")[0]
    rows = {line.split("`")[1]: line for line in section.splitlines() if line.startswith("| `")}
    assert rows.keys() == FAULTS.keys()
    for name, fault in FAULTS.items():
        assert f"`{fault.targets[0]}`" in rows[name], name
        assert ("restart" in rows[name]) == fault.restart_heals, name
