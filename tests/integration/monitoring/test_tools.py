"""What is committed in `monitoring/` is what the real tools take: promtool, amtool."""

import subprocess
from pathlib import Path

import pytest

from opsconsole.config.alerting import Alerting
from opsconsole.config.slas import Promql, Sla
from opsconsole.core.content import shipped_content
from opsconsole.demo import binaries
from opsconsole.monitoring.objectives import with_objectives
from opsconsole.monitoring.recordings import RECORDINGS
from opsconsole.monitoring.rules import rule_file
from opsconsole.monitoring.text import yaml_text

MONITORING = shipped_content() / "monitoring"


def run(tool: str, *arguments: str | Path) -> str:
    """What the tool says, which has to be content."""
    command = [str(binaries.find(tool)), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_promtool_takes_the_configuration_and_every_rule_file() -> None:
    said = run("promtool", "check", "config", MONITORING / "prometheus" / "prometheus.yml")
    files = [*(MONITORING / "prometheus").glob("alerts/*.yml"), *(MONITORING / "prometheus").glob("rules/*.yml")]
    assert said.count("rules found") == len(files) >= 5


@pytest.mark.parametrize(
    "file", sorted((MONITORING / "prometheus" / "tests").glob("*.yml")), ids=lambda path: path.stem
)
def test_every_alert_fires_and_does_not_fire_as_its_tests_say(file: Path) -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", file)


def test_amtool_takes_the_routes_and_agrees_who_is_told() -> None:
    config = MONITORING / "alertmanager" / "alertmanager.yml"
    assert "SUCCESS" in run("amtool", "check-config", config)
    route = ("config", "routes", "test", f"--config.file={config}")
    assert run("amtool", *route, "alertname=ServiceDown", "severity=critical", "team=data-platform").split() == [
        "on-call,data-platform"
    ]
    assert run("amtool", *route, "alertname=DataStale", "severity=warning", "team=data").split() == ["data"]
    assert run("amtool", *route, "alertname=Watchdog", "severity=none").split() == ["watchdog"]


def test_a_quiet_night_does_not_count_as_much_as_a_busy_day(tmp_path: Path) -> None:
    """Recorded shares against sums by hand: six hours of 200 requests a minute, 1 % bad; eighteen of 2, half bad."""
    sla = Sla(
        "api", "availability", objective=0.995,
        promql=Promql(bad="sum(increase(bad_total[$window]))", total="sum(increase(all_total[$window]))"),
    )  # fmt: skip
    alerting = with_objectives(Alerting(), [sla])
    (tmp_path / "slo.yml").write_text(yaml_text(rule_file(alerting, RECORDINGS, {}), origin="a test"))
    bad, total = 360 * 2 + 1080 * 1, 360 * 200 + 1080 * 2
    expected = {
        "slo:sli_error:ratio_rate1h": 0.5,
        "slo:sli_error:ratio_rate1d": bad / total,  # 0.0243; the mean of the shares would be 0.38
        "slo:error_budget:ratio": 0.005,
        "slo:period_error_budget_remaining:ratio": 1 - bad / total / 0.005,
    }
    tests: list[dict[str, object]] = [
        {
            "expr": f'round({name}{{slo="api"}}, 0.001)',
            "eval_time": "24h",
            "exp_samples": [{"labels": '{slo="api"}', "value": round(value, 3)}],
        }
        for name, value in expected.items()
    ]
    # Before the first request there is nothing to be good or bad.
    tests.append({"expr": "slo:sli_error:ratio_rate5m", "eval_time": "0m", "exp_samples": []})
    series = [
        {"series": "all_total", "values": "0+200x360 72002+2x1079"},
        {"series": "bad_total", "values": "0+2x360 721+1x1079"},
    ]
    case = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
    content = {"rule_files": ["slo.yml"], "evaluation_interval": "5m", "tests": [case]}
    (tmp_path / "slo.test.yml").write_text(yaml_text(content, origin="a test"))
    assert "SUCCESS" in run("promtool", "test", "rules", tmp_path / "slo.test.yml")
