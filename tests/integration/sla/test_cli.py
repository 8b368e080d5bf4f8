"""`opsconsole sla` on a real Prometheus: tables, JSON, reports, exit codes, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsconsole.cli.main import main
from tests.servers import WebServer

FILE = """\
version: 1
slas:
  - name: requests
    kind: availability
    objective: 99%
    window: 7d
    title: "Requests | succeed"
    promql: {bad: 'sum(increase(requests_total{code="500"}[$window]))', total: 'sum(increase(requests_total[$window]))'}
  - {name: latency, kind: latency, objective: 95%, target: 500ms, window: 7d, promql: {histogram: latency}}
  - {name: dags, kind: pipeline, dag: "*", target: 2h}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(promised: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Run:
    """Run `opsconsole sla …`: (exit code, stdout, stderr)."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "slas.yaml").write_text(FILE)
    config = {"version": 1, "environments": {"test": {"prometheus": {"url": promised.url}, "slas": "slas.yaml"}}}
    (tmp_path / "opsconsole.yaml").write_text(json.dumps(config))

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = main(["sla", *arguments, "--config", str(tmp_path / "opsconsole.yaml")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def test_status_tells_each_and_fails_where_one_is_broken(run: Run) -> None:
    code, out, _ = run("status", "--format", "json")
    assert code == 1
    told = {one["name"]: one for one in json.loads(out)["slas"]}
    assert (told["latency"]["state"], told["latency"]["met"], told["latency"]["target"]) == ("CRIT", False, 0.5)
    assert told["latency"]["sli"] == pytest.approx(0.9, abs=1e-3)
    assert told["requests"]["objective"] == 0.99
    assert told["requests"]["violations"][0]["seconds"] == pytest.approx(3600, abs=600)
    assert [one["long"] for one in told["requests"]["burn"]] == [3600, 21600, 86400, 259200]
    assert (told["dags"]["state"], told["dags"]["sli"]) == ("UNKNOWN", None)
    assert "no airflow is configured" in told["dags"]["error"]


def test_status_of_one_is_a_table_of_one(run: Run) -> None:
    code, out, _ = run("status", "latency")
    header, row = out.splitlines()
    assert code == 1
    assert header.split()[:3] == ["STATE", "SLA", "GOOD"]
    assert row.split()[:2] == ["CRIT", "latency"]


def test_a_report_is_markdown_html_or_json_about_the_same(run: Run) -> None:
    code, out, _ = run("report", "--format", "json")
    told = json.loads(out)
    assert code in (0, 1)
    week = told["period"]
    assert {one["period"]["title"] for one in told["slas"]} == {week}
    _, text, _ = run("report", "--week", week, "requests")
    assert text.startswith(f"# SLA report {week} of test\n")
    assert "Requests \\| succeed" in text
    _, page, _ = run("report", "--week", week, "--format", "html")
    assert page.startswith("<!doctype html>")
    assert "Requests | succeed" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "latencies"), "no SLA 'latencies'; did you mean 'latency'?"),
        (("report", "--week", "2026-46"), "'2026-46' is no week; expected such as 2026-W46"),
        (("report", "--month", "2999-01"), "2999-01 has not begun yet"),
    ],
)
def test_what_is_not_there_is_refused_in_words(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err
