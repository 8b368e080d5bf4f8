"""Answers as readings."""

import pytest

from opsconsole.alerts import wire
from opsconsole.alerts.model import RuleState

RULE = {
    "name": "Down", "type": "alerting", "query": "up == 0", "duration": 5, "health": "ok", "state": "firing",
    "alerts": [
        {"labels": {"alertname": "Down", "job": "a\x1b[31m"}, "annotations": {}, "state": "firing",
         "activeAt": "2026-11-21T21:05:05.568674523Z", "value": "0e+00"},
    ],
}  # fmt: skip


def rules(*given: object) -> dict[str, object]:
    return {"groups": [{"name": "g", "interval": 15, "rules": list(given)}]}


def test_an_alert_of_a_rule_is_cleaned_and_its_time_has_nanoseconds() -> None:
    (one,) = wire.rule_side(rules(RULE), None, None).alerts
    assert one.labels == {"alertname": "Down", "job": "a␛[31m"}
    assert one.active_at == pytest.approx(1795295105.568674)
    assert (one.state, one.value, one.hold, one.interval) == (RuleState.FIRING, 0.0, 5.0, 15.0)
    assert one.firing_at == pytest.approx(1795295110.568674)


def test_rules_that_cannot_be_evaluated_are_named_and_recording_rules_are_none() -> None:
    broken = {**RULE, "name": "Broken", "health": "err", "lastError": "many-to-many", "alerts": []}
    side = wire.rule_side(rules(broken, {"name": "r:r", "type": "recording"}), None, None)
    assert side.broken == ("Broken: many-to-many",)
    assert side.names == {"Broken"}


@pytest.mark.parametrize(
    ("yaml", "external", "relabelled"),
    [
        (None, None, False),
        ("]", None, False),
        ("global: {scrape_interval: 1s}", {}, False),
        ("global: {external_labels: {cluster: 01}}", {"cluster": "01"}, False),
        (
            "global: {external_labels: {replica: a}}\n"
            "alerting: {alert_relabel_configs: [{action: labeldrop, regex: replica}]}",
            {"replica": "a"},
            False,
        ),
        (
            "global: {external_labels: {cluster: eu, replica: a}}\n"
            "alerting: {alert_relabel_configs: [{action: labeldrop, regex: (replica|__replica__)}]}",
            {"cluster": "eu", "replica": "a"},
            False,
        ),
        ("alerting: {alert_relabel_configs: [{action: labeldrop, regex: pod}]}", {}, True),
        ("alerting: {alert_relabel_configs: [{action: labeldrop, regex: replica}]}", {}, True),
        ("alerting: {alert_relabel_configs: [{target_label: env, replacement: x}]}", {}, True),
    ],
)
def test_external_labels_and_whether_labels_are_rewritten(
    yaml: str | None, external: dict[str, str] | None, relabelled: bool
) -> None:
    side = wire.rule_side(rules(), {"yaml": yaml}, {"rules.alert.resend-delay": "2m"})
    assert (side.external_labels, side.relabelled, side.resend) == (external, relabelled, 120.0)
    assert "replica" not in side.sent_labels


@pytest.mark.parametrize("nonsense", [None, [], {"groups": None}, {"groups": [1, {"rules": "x"}]}, rules(1, None)])
def test_what_are_no_rules_are_none(nonsense: object) -> None:
    assert wire.rule_side(nonsense, nonsense, nonsense).alerts == ()


def test_alerts_and_silences_with_parts_missing() -> None:
    (bare,) = wire.delivered([1, {"labels": {"alertname": "A"}}])
    assert (bare.labels, bare.state, bare.updated_at, bare.muted_by) == ({"alertname": "A"}, "unprocessed", None, ())
    (silence,) = wire.silences(
        [{"id": "s", "matchers": [{"name": "a", "value": "b|c", "isRegex": True}, {"name": "d", "value": "",
          "isEqual": False, "isRegex": False}], "endsAt": "0001-01-01T00:00:00Z", "comment": "ACK! me"}]
    )  # fmt: skip
    assert [str(one) for one in silence.matchers] == ['a=~"b|c"', 'd!=""']
    assert (silence.ends_at, silence.state, silence.acknowledges) == (None, "unknown", True)


def test_what_did_not_change_is_not_made_anew() -> None:
    reader, other = wire.RuleReader(), {"labels": {"alertname": "Down", "job": "b"}, "state": "firing"}
    given = {**RULE, "alerts": [*RULE["alerts"], other]}  # type: ignore[misc]
    first = reader.read(rules(given), None, None).alerts
    again = reader.read(rules({**given, "alerts": given["alerts"][::-1]}), None, None).alerts  # type: ignore[index]
    assert [id(one) for one in again] == [id(one) for one in first[::-1]]
    changed = reader.read(rules({**given, "query": "up < 1"}), None, None).alerts
    assert [one.expr for one in changed] == ["up < 1", "up < 1"]
    assert not {id(one) for one in changed} & {id(one) for one in first}


def test_alerts_that_share_the_values_of_their_labels_stay_apart() -> None:
    reader = wire.RuleReader()
    given = {**RULE, "alerts": [{"labels": {"a": "1"}, "state": "firing"}, {"labels": {"b": "1"}, "state": "firing"}]}
    for _ in range(2):
        assert [dict(one.labels) for one in reader.read(rules(given), None, None).alerts] == [{"a": "1"}, {"b": "1"}]


def test_an_alert_that_alertmanager_sees_otherwise_is_made_anew() -> None:
    reader, given = wire.DeliveryReader(), {"labels": {"alertname": "Down"}, "fingerprint": "f1"}
    (first,) = reader.read([given])
    assert reader.read([dict(given)])[0] is first
    (suppressed,) = reader.read([{**given, "status": {"state": "suppressed", "silencedBy": ["s1"]}}])
    assert (suppressed.state, suppressed.silenced_by) == ("suppressed", ("s1",))


def test_the_peers_of_an_alertmanager() -> None:
    found = wire.cluster({"cluster": {"status": "ready", "peers": [{"name": "01", "address": "10.0.0.1:9094"}, {}]}})
    assert (found.status, found.peers) == ("ready", ("10.0.0.1:9094", ""))
    assert wire.cluster({"cluster": None}).peers == ()


def test_the_alertmanagers_that_prometheus_sends_to() -> None:
    answer = {"activeAlertmanagers": [{"url": "http://am:9093/api/v2/alerts"}], "droppedAlertmanagers": []}
    assert wire.RuleReader().read(rules(), None, None, answer).targets == ("http://am:9093/api/v2/alerts",)
    assert wire.rule_side(rules(), None, None).targets is None
