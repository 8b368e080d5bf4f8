"""What the demo's servers load is what its definitions say."""

from pathlib import Path

import yaml

from opsconsole.config.alerting import load_alerting
from opsconsole.config.escalation import load_escalation
from opsconsole.config.services import load_services
from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.config.slas import load_slas
from opsconsole.core.content import shipped_content
from opsconsole.demo import configuration, definitions, monitoring, quickening
from opsconsole.demo.catalogue import SERVICES
from opsconsole.demo.programs import targets
from opsconsole.monitoring.drift.configurations import alertmanager_drift, prometheus_drift
from opsconsole.monitoring.notifying import alertmanager_file
from opsconsole.monitoring.objectives import with_objectives
from opsconsole.monitoring.rules import rule_file
from opsconsole.monitoring.scraping import prometheus_file
from tests.unit.demo.test_configuration import EVERYTHING, ports

HOOK = "http://127.0.0.1:1/notify"


def test_its_rules_are_those_of_its_alerts_and_none_of_its_slas(tmp_path: Path) -> None:
    monitoring.write_yaml(tmp_path / "alerts.yaml", definitions.alerts_yaml())
    alerting, problems = load_alerting(tmp_path / "alerts.yaml")
    assert problems == []
    slas, _ = load_slas(shipped_content() / "config" / "slas.yaml")
    assert slas
    whole = with_objectives(alerting, slas)
    made = {group: rule_file(whole, group, {})["groups"][0] for group in whole.groups}
    assert made == {group["name"]: group for group in quickening.rules()["groups"]}


def test_its_routes_are_those_of_its_escalation(tmp_path: Path) -> None:
    monitoring.write_yaml(tmp_path / "escalation.yaml", definitions.escalation_yaml(HOOK))
    escalation, problems = load_escalation(tmp_path / "escalation.yaml")
    assert problems == []
    assert escalation is not None
    made, loaded = alertmanager_file(escalation), quickening.alertmanager(HOOK)
    assert made["receivers"] == loaded["receivers"]
    assert list(alertmanager_drift("demo", yaml.safe_dump(made), yaml.safe_dump(loaded))) == []


def test_its_jobs_are_those_of_its_services(tmp_path: Path) -> None:
    places = targets(EVERYTHING, ports(EVERYTHING))
    names = [one.name for one in SERVICES]
    content = configuration.services_yaml(names, tmp_path / "control", monitoring.metrics(places))
    monitoring.write_yaml(tmp_path / "services.yaml", content)
    services, problems = load_services(tmp_path / "services.yaml")
    assert problems == []
    made = prometheus_file(
        services, [AlertmanagerSettings("http://127.0.0.1:9")], [], evaluation=2.0, labels={"environment": "demo"}
    )
    loaded = monitoring.prometheus(places, 9, tmp_path / "rules.yml")
    assert len(made["scrape_configs"]) == len(loaded["scrape_configs"]) > 5
    assert list(prometheus_drift("demo", yaml.safe_dump(made), yaml.safe_dump(loaded))) == []
    loaded["scrape_configs"][0]["scrape_interval"] = "1m"
    (found,) = prometheus_drift("demo", yaml.safe_dump(made), yaml.safe_dump(loaded))
    assert [tuple(one) for one in found.changes] == [("interval", "2s", "1m")]
