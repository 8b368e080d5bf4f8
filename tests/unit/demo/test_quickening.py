"""The demo loads what `monitoring/` has, only quicker."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsconsole.demo import history, quickening
from opsconsole.demo.quickening import GROUPS, LIMITS, OF_THE_MACHINE
from opsconsole.demo.simulation import webhook
from opsconsole.demo.simulation.service import Request

HOOK = "http://127.0.0.1:1/notify"


def shipped() -> list[dict[str, Any]]:
    found = []
    for name in GROUPS:
        path = quickening.shipped_monitoring() / "prometheus" / "alerts" / f"{name}-alerts.yml"
        found += [rule for group in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in group["rules"]]
    return found


def loaded() -> list[dict[str, Any]]:
    return [rule for group in quickening.rules()["groups"] for rule in group["rules"]]


def test_every_shipped_alert_is_there_with_its_labels_and_texts() -> None:
    def said(rule: dict[str, Any]) -> tuple[object, ...]:
        return rule["alert"], rule["labels"], rule["annotations"]

    alerts = [said(rule) for rule in loaded() if "alert" in rule]
    assert alerts == [said(rule) for rule in shipped() if "alert" in rule]
    assert {"Watchdog", "ServiceDown", "AirflowDagFailed", "DataStale"} <= {name for name, *_ in alerts}


def test_only_windows_waits_and_the_listed_limits_differ() -> None:
    for ours, theirs in zip(loaded(), shipped(), strict=True):
        expected = theirs["expr"].replace(*LIMITS[theirs["alert"]]) if theirs.get("alert") in LIMITS else theirs["expr"]
        durations = r"(?<=[\[a-z0-9_])\d+[smh]\b|(?<=\boffset )\d+[smh]\b"
        assert re.sub(durations, "?", ours["expr"]) == re.sub(durations, "?", expected)
        assert ("for" in ours) == ("for" in theirs)


def test_nobody_waits_for_minutes_but_for_the_machine_itself() -> None:
    for rule in loaded():
        if rule.get("alert") in OF_THE_MACHINE:
            assert rule in shipped(), "a busy machine is no fault of the demo"
        elif "for" in rule:
            assert 2 <= int(rule["for"].removesuffix("s")) <= 15, rule


def test_what_is_recorded_is_asked_for_under_the_same_name() -> None:
    recorded = {rule["record"] for rule in loaded() if "record" in rule}
    assert recorded == {
        "job:http_requests:rate1m", "job:http_errors:ratio1m", "job:http_latency:p95_1m",
        "job:http_requests:increase1m", "job:http_errors:increase1m", "job:ingest_rows:increase1m",
        "dag_id:airflow_dagrun_failed:increase1m", "airflow:ti_failures:increase1m", "airflow:ti_successes:increase1m",
    }  # fmt: skip
    asked = {name for rule in loaded() for name in re.findall(r"\b[a-z_]+:\w+:\w+", rule["expr"])}
    assert asked == recorded


@pytest.mark.parametrize(
    ("shipped_as", "here"),
    [
        ("rate(a[5m])", "rate(a[1m])"),
        ("increase(a[15m])", "increase(a[1m])"),
        ("increase(a[1h] offset 1d)", "increase(a[1h] offset 1d)"),
        ("a unless a offset 15m", "a unless a offset 1m"),
        ("airflow:a:increase15m > 2", "airflow:a:increase1m > 2"),
        ("job:a:p95_5m > 0.5 and slo:b:ratio_rate5m", "job:a:p95_1m > 0.5 and slo:b:ratio_rate5m"),
        ('up{a="[5m"}', 'up{a="[5m"}'),
    ],
)
def test_short_windows_become_a_minute(shipped_as: str, here: str) -> None:
    assert quickening.quick_expression(shipped_as) == here


def test_past_alerts_carry_the_labels_of_their_rules() -> None:
    assert quickening.labels_of("ServiceDown")["severity"] == "critical"
    assert all(quickening.labels_of(incident.alert)["team"] for incident in history.INCIDENTS)
    with pytest.raises(KeyError):
        quickening.labels_of("NoSuchAlert")


def test_routes_and_inhibitions_are_the_shipped_ones_and_everybody_is_the_webhook() -> None:
    theirs = yaml.safe_load((quickening.shipped_monitoring() / "alertmanager" / "alertmanager.yml").read_text("utf-8"))
    ours = quickening.alertmanager(HOOK)
    assert ours["inhibit_rules"] == theirs["inhibit_rules"]

    def way(route: dict[str, Any]) -> tuple[object, ...]:
        return (
            route["receiver"],
            route.get("matchers"),
            route.get("continue"),
            [way(one) for one in route.get("routes", ())],
        )

    assert way(ours["route"]) == way(theirs["route"])
    names = [one["name"] for one in theirs["receivers"]]
    assert [one["webhook_configs"][0]["url"] for one in ours["receivers"]] == [f"{HOOK}/{name}" for name in names]
    text = yaml.safe_dump(ours)
    assert "secret" not in text
    assert "mute_time_intervals" not in text, "the demo is the same by night and by day"


def test_a_sign_of_life_comes_often() -> None:
    (watchdog,) = [one for one in quickening.alertmanager(HOOK)["route"]["routes"] if one["receiver"] == "watchdog"]
    assert watchdog["repeat_interval"] == "10s"


def message(body: object, receiver: str = "on-call") -> Request:
    return Request("POST", f"{webhook.PATH}/{receiver}", {}, json.dumps(body).encode())


def test_a_message_is_kept_as_a_line(tmp_path: Path) -> None:
    file = tmp_path / "notifications.jsonl"
    alert = {"status": "firing", "labels": {"alertname": "A"}, "annotations": {"summary": "a is down"}}
    assert webhook.receive(message({"status": "firing", "alerts": [alert]}), file).status == 200
    (line,) = [json.loads(one) for one in file.read_text("utf-8").splitlines()]
    assert (line["receiver"], line["status"], line["alerts"][0]["summary"]) == ("on-call", "firing", "a is down")


@pytest.mark.parametrize("body", [[], {"status": "firing"}, {"alerts": [1], "status": "x"}, "text"])
def test_what_is_no_message_is_refused(tmp_path: Path, body: object) -> None:
    file = tmp_path / "notifications.jsonl"
    assert webhook.receive(message(body), file).status == 400
    assert not file.exists()
