"""A real Prometheus whose rules fire, a real Alertmanager that has them, and a second one that nothing is sent to."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsconsole.alerts.asking import open_alerts
from opsconsole.alerts.model import Alert, Survey
from opsconsole.config.settings import AlertmanagerSettings, Environment, PrometheusSettings
from opsconsole.sources.registry import Sources
from tests.servers import WebServer, start_alertmanager, start_prometheus

HOOK = 'webhook_configs: [{url: "http://127.0.0.1:9/"}]'
ROUTES = f"""
route:
  receiver: default
  group_by: [alertname, team]
  group_wait: 1s
  routes:
  - receiver: audit
    matchers: ['severity=~"critical|warning"', 'cluster="demo"']
    continue: true
  - receiver: pager
    matchers: ['severity="critical"']
    mute_time_intervals: [holidays]
    routes:
    - {{receiver: data, matchers: [team="data", job!="test"], repeat_interval: 1h, active_time_intervals: [office]}}
  - {{receiver: slow, match: {{severity: warning}}, match_re: {{team: "d.*"}}}}
receivers:
- {{name: default}}
- {{name: audit, {HOOK}}}
- {{name: pager, {HOOK}}}
- {{name: data, {HOOK}}}
- {{name: slow, {HOOK}}}
inhibit_rules:
- {{source_matchers: ['severity="critical"'], target_matchers: ['alertname="Inhibited"'], equal: [team]}}
time_intervals:
- name: holidays
  time_intervals: [{{months: ["december"], days_of_month: ["24:26", "-1"]}}]
- name: office
  time_intervals:
  - times: [{{start_time: "09:00", end_time: "17:00"}}]
    weekdays: ["monday:friday"]
    location: Europe/Berlin
"""
RULES = """
groups:
- name: shown
  rules:
  - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
  - alert: Critical
    expr: vector(5) > 3
    labels: {severity: critical, team: data}
    annotations: {summary: "it is {{ $value }}"}
  - {alert: Inhibited, expr: vector(1), labels: {severity: warning, team: data}}
  - {alert: Silenced, expr: vector(1), labels: {severity: warning, team: other}}
  - {alert: Waiting, expr: vector(1), for: 1h, labels: {severity: warning}}
  - {alert: Quiet, expr: vector(1) > 2}
"""
_PROMETHEUS = """
global: {{evaluation_interval: 1s, external_labels: {{cluster: demo}}}}
rule_files: [%s]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:%s"]}}]}}]}}
"""


@dataclass
class Alerting:
    """The three of them."""

    prometheus: WebServer
    alertmanager: WebServer
    deaf: WebServer
    """Nobody sends anything to it."""

    def environment(self, **alertmanagers: str) -> Environment:
        """This Prometheus with the Alertmanagers by name (URLs); with none named, with the one that it sends to."""
        named = {name: AlertmanagerSettings(url) for name, url in alertmanagers.items()}
        return Environment(
            "test", Path("screens"), Path("runbooks"), prometheus=PrometheusSettings(self.prometheus.url),
            alertmanager=None if named else AlertmanagerSettings(self.alertmanager.url), alertmanagers=named,
        )  # fmt: skip

    def settings(self, folder: Path, **alertmanagers: str) -> Path:
        """The same as a file."""
        named = alertmanagers or {"one": self.alertmanager.url}
        listed = ", ".join(f'{name}: {{url: "{url}"}}' for name, url in named.items())
        path = folder / "opsconsole.yaml"
        path.write_text(
            f'version: 1\nenvironments: {{test: {{prometheus: {{url: "{self.prometheus.url}"}}, '
            f"alertmanagers: {{{listed}}}}}}}\n"
        )
        return path


async def survey_of(environment: Environment) -> Survey:
    """One reading."""
    sources = Sources(environment)
    try:
        return await open_alerts(environment, sources).survey()
    finally:
        await sources.close()


async def eventually(environment: Environment, holds: Callable[[Survey], bool], seconds: float = 30.0) -> Survey:
    """The first reading in which `holds`."""
    deadline = time.monotonic() + seconds
    while True:
        survey = await survey_of(environment)
        if holds(survey):
            return survey
        assert time.monotonic() < deadline, [(one.name, one.state, one.deliveries) for one in survey.alerts]
        await asyncio.sleep(0.1)


def by_name(survey: Survey) -> dict[str, Alert]:
    """The alerts by name."""
    return {one.name: one for one in survey.alerts}


def post(url: str, content: object) -> object:
    """The answer to a POST of JSON."""
    request = urllib.request.Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.loads(response.read())


@pytest.fixture(scope="session")
def alerting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerting]:
    """They run, and the first Alertmanager has every alert that fires."""
    rules = tmp_path_factory.mktemp("rules") / "rules.yml"
    rules.write_text(RULES)
    with start_alertmanager(config=ROUTES) as first, start_alertmanager() as deaf:
        config = _PROMETHEUS % (rules, first.port)
        with start_prometheus(config=config, options=["--rules.alert.resend-delay=1s"]) as prometheus:
            found = Alerting(prometheus, first, deaf)
            asyncio.run(eventually(found.environment(), _delivered))
            yield found


def _delivered(survey: Survey) -> bool:
    states = {one.name: {given.state for given in one.deliveries} for one in survey.alerts}
    return {"Watchdog", "Critical", "Inhibited", "Silenced", "Waiting"} <= set(states) and all(
        "absent" not in found for name, found in states.items() if name != "Waiting"
    )
