"""What is committed in `monitoring/` is what the real tools take: promtool, amtool."""

import subprocess
from pathlib import Path

import pytest

from opsconsole.core.content import shipped_content
from opsconsole.demo import binaries

MONITORING = shipped_content() / "monitoring"


def run(tool: str, *arguments: str | Path) -> str:
    """What the tool says, which has to be content."""
    command = [str(binaries.find(tool)), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_promtool_takes_the_configuration_and_every_rule_file() -> None:
    said = run("promtool", "check", "config", MONITORING / "prometheus" / "prometheus.yml")
    files = sorted((MONITORING / "prometheus" / "alerts").glob("*.yml"))
    assert said.count("rules found") == len(files) >= 3


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
