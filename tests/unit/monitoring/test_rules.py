"""Rule files and promtool's tests from definitions: what stands where."""

from opsconsole.config.alerting import Alerting, AlertRule, Expected, RecordingRule, RuleTest
from opsconsole.monitoring.rules import rule_file, rule_path, unit_test_files

DOWN = AlertRule(
    "Down", "service", "critical", "up == 0", 120.0, team="ops", labels={"area": "services"},
    summary="{{ $labels.job }} is down", description="Look.", runbook="restart",
    tests=(
        RuleTest({'up{job="a"}': "0x10"}, 300.0, fires=(Expected({"job": "a"}, "a is down"),)),
        RuleTest({'up{job="a"}': "1x10"}, 300.0),
        RuleTest({'up{job="a"}': "1x10"}, 86400.0, interval=600.0),
    ),
)  # fmt: skip
ERRORS = RecordingRule("job:errors:rate5m", "service", "sum by (job) (rate(errors_total[5m]))")
ONLY = RecordingRule("a:b", "slo", "vector(1)", {"slo": "x"})
ALERTING = Alerting((DOWN,), (ERRORS, ONLY), interval=30.0, runbook_url="https://git/runbooks/{file}#top")
BOOKS = {"restart": "RESTART.md"}


def test_a_rule_carries_its_labels_its_texts_and_its_runbook() -> None:
    (group,) = rule_file(ALERTING, "service", BOOKS)["groups"]
    assert group["interval"] == "30s"
    recording, alert = group["rules"]
    assert recording == {"record": "job:errors:rate5m", "expr": "sum by (job) (rate(errors_total[5m]))"}
    assert alert == {
        "alert": "Down",
        "expr": "up == 0",
        "for": "2m",
        "labels": {"severity": "critical", "team": "ops", "area": "services"},
        "annotations": {
            "summary": "{{ $labels.job }} is down",
            "description": "Look.",
            "runbook": "restart",
            "runbook_url": "https://git/runbooks/RESTART.md#top",
        },
    }


def test_a_group_of_recordings_has_a_folder_of_its_own() -> None:
    assert rule_path(ALERTING, "service") == "alerts/service-alerts.yml"
    assert rule_path(ALERTING, "slo") == "rules/slo.yml"
    assert rule_file(ALERTING, "slo", {})["groups"][0]["rules"] == [
        {"record": "a:b", "expr": "vector(1)", "labels": {"slo": "x"}}
    ]


def test_tests_say_all_that_is_expected_and_steps_are_as_long_as_their_samples() -> None:
    found = unit_test_files(ALERTING, "service", BOOKS, "../alerts/service-alerts.yml")
    assert {name: one["evaluation_interval"] for name, one in found.items()} == {
        "service-alerts.test.yml": "1m",
        "service-alerts-10m.test.yml": "10m",
    }
    firing, quiet = found["service-alerts.test.yml"]["tests"]
    (case,) = firing["alert_rule_test"]
    assert case["exp_alerts"] == [
        {
            "exp_labels": {"severity": "critical", "team": "ops", "area": "services", "job": "a"},
            "exp_annotations": {
                "summary": "a is down",
                "description": "Look.",
                "runbook": "restart",
                "runbook_url": "https://git/runbooks/RESTART.md#top",
            },
        }
    ]
    assert quiet["alert_rule_test"][0]["exp_alerts"] == []


def test_objectives_are_tested_together_and_others_each_by_itself() -> None:
    burning = [
        AlertRule(
            "Burn", "sla", "warning", "x", labels={"slo": name, "long": "1h"},
            tests=(RuleTest({f'x{{slo="{name}"}}': "1x2"}, 60.0),),
        )
        for name in ("a", "b")
    ]  # fmt: skip
    (content,) = unit_test_files(Alerting(tuple(burning)), "sla", {}, "r.yml").values()
    (test,) = content["tests"]
    assert [one["series"] for one in test["input_series"]] == ['x{slo="a"}', 'x{slo="b"}']
    assert test["name"] == "Burn 1h does not fire (1)"
