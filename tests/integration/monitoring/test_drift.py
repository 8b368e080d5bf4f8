"""`monitoring drift` against a real Prometheus and a real Alertmanager that run on the exported files."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsconsole.cli.main import main
from opsconsole.config.loading import load_settings
from opsconsole.core.content import shipped_content
from opsconsole.monitoring.content import load_content
from opsconsole.monitoring.export import export
from tests.servers import WebServer, start_alertmanager, start_prometheus

Say = pytest.CaptureFixture[str]


@dataclass
class Monitored:
    """Both servers, and the configuration that names them."""

    config: Path
    rules: Path
    prometheus: WebServer
    alertmanager: WebServer

    @contextmanager
    def edited(self, path: Path, server: WebServer, *changes: tuple[str, str]) -> Iterator[None]:
        """The server has loaded the file at `path` with these changes."""
        text = path.read_text()
        for old, new in changes:
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
        try:
            _reload(server)
            yield
        finally:
            path.write_text(text)
            _reload(server)


def _reload(server: WebServer) -> None:
    urllib.request.urlopen(f"{server.url}/-/reload", b"", timeout=10).close()


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Prometheus and Alertmanager with the shipped definitions loaded."""
    folder = tmp_path_factory.mktemp("monitoring")
    shipped = load_settings(shipped_content() / "config" / "opsconsole.yaml").environment
    files = export(load_content(shipped), shipped)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    rules = folder / "prometheus" / "alerts"
    config = (
        files["prometheus/prometheus.yml"]
        .replace("- alerts/", f"- {rules}/")
        .replace("- rules/", f"- {folder}/prometheus/rules/")
    )
    with (
        start_alertmanager(config=files["alertmanager/alertmanager.yml"]) as alertmanager,
        start_prometheus(config=config, options=["--web.enable-lifecycle"]) as prometheus,
    ):
        content = shipped_content() / "config"
        paths = ", ".join(f"{name}: {content / name}.yaml" for name in ("alerts", "escalation", "services", "slas"))
        settings = folder / "opsconsole.yaml"
        settings.write_text(
            f'version: 1\nenvironments: {{local: {{prometheus: {{url: "{prometheus.url}"}}, '
            f'alertmanager: {{url: "{alertmanager.url}"}}, {paths}}}}}\n'
        )
        yield Monitored(settings, rules, prometheus, alertmanager)


def drift(monitored: Monitored, capsys: Say, *arguments: str) -> tuple[int, dict[tuple[str, str], tuple[str, str]]]:
    """(code, (kind, name) -> (state, what))."""
    capsys.readouterr()
    code = main(["monitoring", "drift", "--format", "json", "--config", str(monitored.config), *arguments])
    said = json.loads(capsys.readouterr().out)
    assert said["sources"] == ["prometheus", "alertmanager"]
    assert said["notes"] == []
    return code, {(one["kind"], one["name"].partition("{")[0]): (one["state"], _words(one)) for one in said["drift"]}


def _words(drift: dict[str, Any]) -> str:
    return "; ".join(f"{one['part']}: {one['here']} here, {one['loaded']} loaded" for one in drift["changes"])


def test_what_was_exported_and_loaded_is_no_drift(monitored: Monitored, capsys: Say) -> None:
    assert drift(monitored, capsys) == (0, {})


def test_missing_extra_and_changed_rules_are_found(monitored: Monitored, capsys: Say) -> None:
    changes = (
        ("expr: up == 0", "expr: (up  ==  1)"),
        ("alert: CpuBusy", "alert: CpuVeryBusy"),
        ("record: job:http_latency:p95_5m", "record: job:http_latency:p99_5m"),
        ("for: 5m", "for: 1d"),
    )
    with monitored.edited(monitored.rules / "service-alerts.yml", monitored.prometheus, *changes):
        code, found = drift(monitored, capsys)
        assert code == 1
        assert found["alert", "ServiceDown"] == ("changed", "expr: up == 0 here, (up == 1) loaded")
        assert found["alert", "CpuBusy"][0] == "missing"
        assert found["alert", "CpuVeryBusy"][0] == "extra"
        assert found["recording", "job:http_latency:p95_5m"][0] == "missing"
        assert found["alert", "SlowApi"] == ("changed", "for: 5m here, 1d loaded")
        without = drift(monitored, capsys, "--ignore-extra")[1]
        assert "extra" not in {state for state, _ in without.values()}
    assert drift(monitored, capsys) == (0, {})


def test_changed_routes_and_jobs_are_found(monitored: Monitored, capsys: Say) -> None:
    routes = monitored.alertmanager.folder / "alertmanager.yml"
    scrapes = monitored.prometheus.folder / "prometheus.yml"
    with (
        monitored.edited(
            routes, monitored.alertmanager, ("'#data'", "'#elsewhere'"), ("repeat_interval: 1h", "repeat_interval: 2h")
        ),
        monitored.edited(scrapes, monitored.prometheus, ("127.0.0.1:9187", "127.0.0.1:9188")),
    ):
        code, found = drift(monitored, capsys)
    assert code == 1
    assert found["scrape job", "postgres"] == ("changed", "targets: 127.0.0.1:9187 here, 127.0.0.1:9188 loaded")
    assert found["receiver", "data"] == ("changed", "slack 1 channel: #data here, #elsewhere loaded")
    assert "repeat: 1h here, 2h loaded" in found["route", ""][1]


def test_each_of_several_is_compared_and_named(monitored: Monitored, tmp_path: Path, capsys: Say) -> None:
    other = (monitored.prometheus.folder / "prometheus.yml").read_text()
    other = other.replace("external_labels:", "external_labels:\n    replica: b")
    other = other.replace(f"  - {monitored.rules}/data-quality-alerts.yml\n", "")
    path = tmp_path / "opsconsole.yaml"
    with start_prometheus(config=other) as second:
        both = f'prometheuses: {{a: {{url: "{monitored.prometheus.url}"}}, b: {{url: "{second.url}"}}}}'
        named = monitored.config.read_text().replace(f'prometheus: {{url: "{monitored.prometheus.url}"}}', both)
        path.write_text(named)
        assert main(["monitoring", "drift", "--format", "json", "--config", str(path)]) == 1
        said = json.loads(capsys.readouterr().out)
        assert said["sources"] == ["prometheus/a", "prometheus/b", "alertmanager"]
        assert {one["source"] for one in said["drift"]} == {"prometheus/b"}
        assert {one["state"] for one in said["drift"]} == {"missing"}
        path.write_text(named.replace(second.url, "http://127.0.0.1:9"))
    assert main(["monitoring", "drift", "--config", str(path)]) == 1
    told = capsys.readouterr().err
    assert "prometheus/a: no differences" in told
    assert "prometheus/b: not seen" in told


def test_a_server_that_does_not_answer_is_not_without_drift(monitored: Monitored, tmp_path: Path, capsys: Say) -> None:
    path = tmp_path / "opsconsole.yaml"
    path.write_text(monitored.config.read_text().replace(monitored.prometheus.url, "http://127.0.0.1:9"))
    assert main(["monitoring", "drift", "--config", str(path)]) == 1
    assert "what it has loaded is not known" in capsys.readouterr().err
