"""What is committed in `monitoring/` is what the definitions say now; what is written, and what is only looked at."""

from pathlib import Path

import pytest

from opsconsole.cli.main import main
from opsconsole.config.loading import load_settings
from opsconsole.core.content import shipped_content
from opsconsole.monitoring.content import load_content
from opsconsole.monitoring.export import Files, differences, export, write
from opsconsole.monitoring.text import MARK, prometheus_duration

ALERTS = """\
version: 1
groups:
  service:
    alerts:
      Down:
        severity: critical
        expr: up == 0
        summary: "{{ $labels.instance }} is down"
        runbook: restart
        tests:
          - {series: {'up{instance="a"}': 0x5}, at: 2m, fires: [{labels: {instance: a}, summary: a is down}]}
          - {series: {'up{instance="a"}': 1x5}, at: 2m}
"""


@pytest.fixture(scope="module")
def shipped() -> Files:
    """What the shipped definitions make."""
    settings = load_settings(shipped_content() / "config" / "opsconsole.yaml")
    return export(load_content(settings.environment), settings.environment)


def test_the_committed_files_are_current(shipped: Files) -> None:
    found = differences(shipped, shipped_content() / "monitoring")
    assert not found, f"{found}: run `opsconsole monitoring export`, and look at the difference"


def test_the_alerts_of_the_plan_are_there(shipped: Files) -> None:
    # Critical: DAG and task failure, service, scheduler, database, ingestion, errors. Warning: queries, resources,
    # quality, SLAs that are violated or will be.
    expected = {
        "airflow": ("AirflowDagFailed", "AirflowTasksFail", "AirflowSchedulerSilent"),
        "service": ("ServiceDown", "DatabaseUnreachable", "HighErrorRate", "SlowQueries", "CpuBusy", "MemoryScarce"),
        "data-quality": ("IngestionFailed", "DataStale", "DataQualityDegraded"),
        "sla": ("ErrorBudgetBurn", "SlaViolated", "SlaApproaching", "PipelineLate"),
    }
    for group, names in expected.items():
        text = shipped[f"prometheus/alerts/{group}-alerts.yml"]
        assert [name for name in names if f"alert: {name}\n" not in text] == []


def test_what_is_the_same_is_not_written_again(shipped: Files, tmp_path: Path) -> None:
    assert sorted(write(shipped, tmp_path)) == sorted(shipped)
    path = tmp_path / "prometheus/alerts/service-alerts.yml"
    before = path.stat().st_ino
    (tmp_path / "prometheus/prometheus.yml").write_text(f"{MARK}, and edited by hand\n")
    (tmp_path / "prometheus/alerts/gone-alerts.yml").write_text("groups: []\n")
    (tmp_path / "prometheus/alerts/own.rules").write_text("groups: []\n")
    assert {(one.path, one.state) for one in differences(shipped, tmp_path)} == {
        ("prometheus/prometheus.yml", "outdated"),
        ("prometheus/alerts/gone-alerts.yml", "leftover"),
    }
    assert write(shipped, tmp_path) == ["prometheus/prometheus.yml"]
    assert path.stat().st_ino == before
    assert (tmp_path / "prometheus/alerts/gone-alerts.yml").exists(), "what nobody asked to delete is not deleted"


@pytest.fixture
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of settings of definitions with one alert: the shipped ones take half a second each time."""
    folder = tmp_path_factory.mktemp("definitions")
    (folder / "screens").mkdir()
    (folder / "alerts.yaml").write_text(ALERTS)
    (folder / "c.yaml").write_text("version: 1\nenvironments: {a: {alerts: alerts.yaml, screens: screens}}\n")
    return str(folder / "c.yaml")


def test_a_check_writes_nothing_and_says_so_by_its_code(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", config]
    assert main(["monitoring", "export", "--to", str(tmp_path / "m"), "--check", *given]) == 1
    assert "missing   " in capsys.readouterr().out
    assert not (tmp_path / "m").exists()
    assert main(["monitoring", "export", "--to", str(tmp_path / "m"), *given]) == 0
    assert main(["monitoring", "export", "--to", str(tmp_path / "m"), "--check", *given]) == 0


def test_what_somebody_else_wrote_is_not_written_over(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", config, "--to", str(tmp_path)]
    own = tmp_path / "prometheus" / "prometheus.yml"
    own.parent.mkdir()
    own.write_text("scrape_configs: []\n")
    assert main(["monitoring", "export", *given]) == 2
    assert f"no export made {own}" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*.yml")) == [own]
    assert main(["monitoring", "export", *given, "--force"]) == 0
    assert own.read_text() != "scrape_configs: []\n"
    assert main(["monitoring", "export", *given]) == 0


@pytest.mark.parametrize("more", [[], ["--check"]])
def test_a_folder_that_is_none_is_said(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert main(["monitoring", "export", "--to", str(tmp_path / "file" / "m"), *more, "--config", config]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'file'}/m" in said
    assert "Not a directory" in said


def test_nothing_is_made_from_definitions_that_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "alerts.yaml").write_text("version: 1\ngroups: {service: {alerts: {Down: {severity: critical}}}}\n")
    (tmp_path / "screens").mkdir()
    (tmp_path / "c.yaml").write_text("version: 1\nenvironments: {a: {alerts: alerts.yaml, screens: screens}}\n")
    assert main(["monitoring", "export", "--to", str(tmp_path / "m"), "--config", str(tmp_path / "c.yaml")]) == 2
    assert "alerts.yaml:2:" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.5, "500ms"), (90, "1m30s"), (300, "5m"), (7200, "2h"), (93600, "1d2h")]
)
def test_durations_are_written_as_prometheus_does(seconds: float, text: str) -> None:
    assert prometheus_duration(seconds) == text
