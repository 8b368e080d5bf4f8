"""Joining what Prometheus and the Alertmanagers say."""

import time
from dataclasses import replace

import pytest

from opsconsole.alerts.merging import Merger, merged
from opsconsole.alerts.model import Alert, AlertState, DeliverySide, RuleSide, RuleState
from opsconsole.alerts.routing import routing_of
from opsconsole.alerts.wording import why_text
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side, silence

AWAY = rule_side(error="connection refused", unknown_labels=True)


def only(rules: RuleSide, *sides: DeliverySide) -> Alert:
    (one,) = merged([rules], sides, NOW)
    return one


def test_external_labels_do_not_make_two_of_one() -> None:
    rules = rule_side(rule_alert(job="api", severity="critical"), external={"cluster": "demo"})
    one = only(rules, side(delivered(job="api", severity="critical", cluster="demo")))
    assert (one.state, one.rule) == (AlertState.ACTIVE, RuleState.FIRING)
    assert one.labels == {"alertname": "Down", "job": "api", "severity": "critical"}
    assert one.started_at == NOW - 600


def test_a_label_of_the_name_of_an_external_one_but_another_value_is_the_alerts_own() -> None:
    rules = rule_side(rule_alert(cluster="other"), external={"cluster": "demo"})
    one = only(rules, side(delivered(cluster="other")))
    assert one.labels["cluster"] == "other"


def test_alerts_of_different_labels_stay_apart() -> None:
    found = merged([rule_side(rule_alert(job="a"), rule_alert(job="b"))], [side(delivered(job="a"))], NOW)
    assert {one.labels["job"]: one.state for one in found} == {
        "a": AlertState.ACTIVE,
        "b": AlertState.UNDELIVERED,
    }


@pytest.mark.parametrize(
    ("fires_for", "state"),
    [(10, AlertState.SENDING), (150, AlertState.SENDING), (151, AlertState.UNDELIVERED)],
)
def test_what_fires_is_undelivered_only_after_two_resends_and_evaluations(fires_for: int, state: AlertState) -> None:
    assert only(rule_side(rule_alert(active=300 + fires_for, hold=300)), side()).state is state


def test_missing_in_one_of_two_is_said_and_not_undelivered() -> None:
    one = only(rule_side(rule_alert()), side(delivered(), name="a"), side(name="b"))
    assert (one.state, one.missing_in) == (AlertState.ACTIVE, ("b",))


def test_an_alertmanager_that_does_not_answer_makes_it_unknown_and_not_undelivered() -> None:
    one = only(rule_side(rule_alert()), side(name="a"), side(name="b", error="connection refused"))
    assert one.state is AlertState.UNKNOWN
    assert [given.state for given in one.deliveries] == ["absent", "unknown"]


@pytest.mark.parametrize("side_of_rules", [{"relabelled": True}, {"unknown_labels": True}])
def test_where_labels_are_rewritten_or_not_known_missing_is_unknown(side_of_rules: dict[str, bool]) -> None:
    assert only(rule_side(rule_alert(), **side_of_rules), side()).state is AlertState.UNKNOWN  # type: ignore[arg-type]


def test_without_any_alertmanager_nothing_is_known_of_delivery() -> None:
    assert only(rule_side(rule_alert())).state is AlertState.UNKNOWN


def test_suppressed_counts_only_where_nobody_notifies() -> None:
    rules = rule_side(rule_alert())
    kept_back = delivered(state="suppressed", silenced=("s1",))
    one = only(rules, side(kept_back, name="a"))
    assert (one.state, one.silenced_by) == (AlertState.SUPPRESSED, ("s1",))
    assert only(rules, side(kept_back, name="a"), side(delivered(), name="b")).state is AlertState.ACTIVE
    assert only(rules, side(kept_back, name="a"), side(name="b", error="down")).state is AlertState.UNKNOWN


def test_one_that_only_another_one_keeps_back_says_who_notifies() -> None:
    quiet = side(delivered(state="suppressed", silenced=("s1",)), name="alertmanager/one")
    loud = side(delivered(), name="alertmanager/two")
    (one,) = merged([rule_side(rule_alert())], [quiet, loud], NOW)
    why = why_text(one, {"s1": silence(comment="ACK! on it")}, {}, NOW)
    assert why == "acknowledged by alice for 10m more; not so in alertmanager/two, which notifies"
    (quieted,) = merged([rule_side(rule_alert())], [quiet], NOW)
    assert why_text(quieted, {"s1": silence()}, {}, NOW) == "silenced by alice for 10m more"


def test_what_no_rule_made_is_shown_and_said() -> None:
    assert only(rule_side(), side(delivered())).rule is RuleState.NONE
    assert only(AWAY, side(delivered())).rule is RuleState.UNKNOWN
    assert [one.rule for one in merged([], [side(delivered())], NOW)] == [RuleState.UNKNOWN]


def test_a_pending_one_is_pending_whatever_alertmanager_has() -> None:
    pending = rule_alert(state=RuleState.PENDING)
    assert only(rule_side(pending), side()).state is AlertState.PENDING


def test_what_needs_somebody_comes_first() -> None:
    rules = rule_side(
        rule_alert("Pending", state=RuleState.PENDING, severity="critical"),
        rule_alert("Info", severity="info"), rule_alert("Old", active=9000, severity="critical"),
        rule_alert("New", severity="critical"), rule_alert("Lost", severity="info"),
    )  # fmt: skip
    known = [delivered("Info", severity="info")] + [delivered(one, severity="critical") for one in ("Old", "New")]
    assert [one.name for one in merged([rules], [side(*known)], NOW)] == ["Lost", "New", "Old", "Info", "Pending"]


def test_five_thousand_alerts_are_joined_within_a_refresh() -> None:
    hosts = [f"host-{n}" for n in range(5000)]
    rules = rule_side(*(rule_alert(job="node", instance=one) for one in hosts), external={"cluster": "demo"})
    have = side(*(delivered(job="node", instance=one, cluster="demo") for one in hosts))
    merger, began = Merger(), time.process_time()
    found = merger.merged([rules], [have], NOW)
    first = time.process_time() - began
    assert [one.state for one in found] == [AlertState.ACTIVE] * 5000
    again = merger.merged([rules], [have], NOW + 15)
    assert all(one is other for one, other in zip(found, again, strict=True))
    assert first < 1.0
    assert time.process_time() - began - first < 0.25


def test_what_changed_is_made_anew() -> None:
    merger = Merger()
    rule, other = rule_alert(instance="a"), rule_alert(instance="b")
    has = delivered(instance="a"), delivered(instance="b")
    first = {one.labels["instance"]: one for one in merger.merged([rule_side(rule, other)], [side(*has)], NOW)}
    changed = side(delivered(instance="a", state="suppressed", silenced=("s1",)), has[1])
    second = {one.labels["instance"]: one for one in merger.merged([rule_side(rule, other)], [changed], NOW)}
    assert (second["a"].state, second["a"].silenced_by) == (AlertState.SUPPRESSED, ("s1",))
    assert second["b"] is first["b"]
    silent = {one.labels["instance"]: one for one in merger.merged([rule_side(rule, other)], [side(error="gone")], NOW)}
    assert [silent[name].state for name in "ab"] == [AlertState.UNKNOWN] * 2
    renamed = merger.merged([rule_side(rule, other, external={"instance": "a"})], [side(*has)], NOW)
    assert [dict(one.labels) for one in renamed if one.labels.get("instance") != "b"] == [{"alertname": "Down"}]


def test_a_time_interval_that_begins_is_seen_although_nothing_else_changed() -> None:
    routing = routing_of("""
route: {receiver: team, mute_time_intervals: [later]}
receivers: [{name: team, webhook_configs: [{url: "http://127.0.0.1/"}]}]
time_intervals: [{name: later, time_intervals: [{years: ["2028"]}]}]
""")
    merger, rules, have = Merger(), rule_side(rule_alert()), replace(side(delivered()), routing=routing)
    (before,) = merger.merged([rules], [have], NOW)
    (after,) = merger.merged([rules], [have], NOW + 366 * 86_400)
    assert [one.muted_by for one in (*before.notifies, *after.notifies)] == [(), ("later",)]
