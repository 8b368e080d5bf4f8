"""Joining the alerts of several Prometheus: of a pair once, of clusters apart, and what is known when one is away."""

from collections.abc import Mapping

import pytest

from opsconsole.alerts.joining import external_of
from opsconsole.alerts.keeping import due
from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.merging import Merger, merged
from opsconsole.alerts.model import Alert, AlertState, DeliverySide, RuleSide, RuleState, Silence, Survey
from opsconsole.alerts.watchdog import watch, watch_each
from opsconsole.alerts.wording import why_text
from opsconsole.core.state import State
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side

A = {"cluster": "eu", "prometheus_replica": "a"}
B = {"cluster": "eu", "prometheus_replica": "b"}
US = {"cluster": "us", "prometheus_replica": "a"}
FIRES = rule_alert(job="api")
AWAY = {"error": "connection refused", "unknown_labels": True}


def pair(*, one: bool = True, other: bool = True, dropped: frozenset[str] = frozenset()) -> list[RuleSide]:
    """Two that have the same rule; which of them fire it."""
    return [
        rule_side(*[FIRES] if fires else [], external=external, name=name, names=("Down",), dropped=dropped)
        for name, external, fires in (("prometheus", A, one), ("prometheus/b", B, other))
    ]


def rulings(alert: Alert) -> dict[str, str]:
    return {one.prometheus: one.state for one in alert.rulings}


@pytest.mark.parametrize("sent", [[A], [B], [A, B], [{"cluster": "eu"}]], ids=["a", "b", "both", "dropped"])
def test_an_alert_of_a_pair_is_one_row_whatever_alertmanager_has_of_the_two(sent: list[Mapping[str, str]]) -> None:
    has = side(*(delivered(job="api", also=labels) for labels in sent))
    (one,) = merged(pair(), [has], NOW)
    assert (one.state, one.rule) == (AlertState.ACTIVE, RuleState.FIRING)
    assert one.labels == {"alertname": "Down", "job": "api"}
    assert one.sent_labels == {"alertname": "Down", "job": "api", "cluster": "eu"}
    assert rulings(one) == {"prometheus": "firing", "prometheus/b": "firing"}
    assert {one.fingerprint, *one.replicas} == {given.fingerprint for given in has.alerts}


def test_an_alert_of_a_pair_keeps_its_key_while_one_after_the_other_dies() -> None:
    merger, (first, second) = Merger(), pair()
    both = side(*(delivered(job="api", also=labels) for labels in (A, B)))
    (whole,) = merger.merged([first, second], [both], NOW)
    gone = rule_side(external=A, names=("Down",), error="connection refused")
    (left,) = merger.merged([gone, second], [side(delivered(job="api", also=B))], NOW)
    (unsent,) = merger.merged([gone, second], [side()], NOW)
    assert whole.fingerprint != left.fingerprint
    assert whole.key == left.key == unsent.key
    (other,) = merged(pair(), [side(delivered(job="web", also=A))], NOW)[1:]
    assert other.key != whole.key


def test_one_of_a_pair_that_does_not_fire_it_is_said() -> None:
    (one,) = merged(pair(other=False), [side(delivered(job="api", also=A))], NOW)
    assert rulings(one) == {"prometheus": "firing", "prometheus/b": "quiet"}
    assert (one.fired_by, one.quiet_in) == (("prometheus",), ("prometheus/b",))
    assert why_text(one, {}, {}, NOW) == "not firing in prometheus/b"
    without = [pair()[0], rule_side(external=B, name="prometheus/b")]
    (unruled,) = merged(without, [side(delivered(job="api", also=A))], NOW)
    assert rulings(unruled)["prometheus/b"] == "no rule"
    assert unruled.quiet_in == ()


def test_the_one_that_fires_counts_beside_one_that_is_pending() -> None:
    waits = rule_alert(job="api", state=RuleState.PENDING, active=700, hold=900)
    sides = [rule_side(waits, external=A), rule_side(FIRES, external=B, name="prometheus/b")]
    (one,) = merged(sides, [side()], NOW)
    assert (one.state, one.rule, one.started_at) == (AlertState.UNDELIVERED, RuleState.FIRING, NOW - 600)
    assert rulings(one) == {"prometheus": "pending", "prometheus/b": "firing"}


def test_the_same_alert_of_two_clusters_is_two_rows() -> None:
    sides = [rule_side(FIRES, external=A), rule_side(FIRES, external=US, name="prometheus/us")]
    has = side(delivered(job="api", also=A))
    found = {one.labels["cluster"]: one for one in merged(sides, [has], NOW)}
    assert {name: one.state for name, one in found.items()} == {"eu": AlertState.ACTIVE, "us": AlertState.UNDELIVERED}
    assert {name: rulings(one) for name, one in found.items()} == {
        "eu": {"prometheus": "firing"},
        "us": {"prometheus/us": "firing"},
    }
    assert found["us"].sent_labels["cluster"] == "us"


def test_what_all_have_in_common_says_nothing_and_a_label_of_its_own_stays() -> None:
    sides = [
        rule_side(rule_alert(cluster="own"), external={"cluster": "eu", "env": "prod"}),
        rule_side(external={"cluster": "us", "env": "prod"}, name="prometheus/us"),
    ]
    (one,) = merged(sides, [side(delivered(cluster="own", env="prod"))], NOW)
    assert (one.state, dict(one.labels)) == (AlertState.ACTIVE, {"alertname": "Down", "cluster": "own"})


def test_clusters_that_drop_what_tells_them_apart_have_one_alert_as_alertmanager_has() -> None:
    dropped = frozenset(A)
    sides = [
        rule_side(FIRES, external=A, dropped=dropped),
        rule_side(FIRES, external=US, dropped=dropped, name="prometheus/us"),
    ]
    (one,) = merged(sides, [side(delivered(job="api"))], NOW)
    assert (one.state, one.fired_by) == (AlertState.ACTIVE, ("prometheus", "prometheus/us"))


def test_a_replica_label_that_the_alert_has_by_itself_stays() -> None:
    shards = [rule_alert(replica=name) for name in ("3", "4")]
    sides = [rule_side(*shards, external={"replica": name}, name=f"prometheus/{name}") for name in "ab"]
    has = side(*(delivered(replica=name) for name in ("3", "4")))
    assert sorted(one.labels["replica"] for one in merged(sides, [has], NOW)) == ["3", "4"]


def test_where_one_is_away_its_alerts_are_unknown_and_those_of_the_others_are_all_there() -> None:
    sides = [rule_side(FIRES, external=A), rule_side(name="prometheus/us", **AWAY)]  # type: ignore[arg-type]
    has = side(delivered(job="api", also=A), delivered("Only", also=US))
    found = {one.name: one for one in merged(sides, [has], NOW)}
    assert (found["Down"].state, found["Down"].rule) == (AlertState.ACTIVE, RuleState.FIRING)
    assert (found["Only"].state, found["Only"].rule) == (AlertState.ACTIVE, RuleState.UNKNOWN)
    assert found["Only"].labels["cluster"] == "us"
    assert rulings(found["Only"])["prometheus/us"] == "unknown"


@pytest.mark.parametrize("external", [B, None], ids=["remembered", "not known"])
def test_of_a_pair_one_of_which_is_away_there_is_still_one_row(external: dict[str, str] | None) -> None:
    away = rule_side(name="prometheus/b", external=external, error="refused", unknown_labels=external is None)
    has = side(delivered(job="api", also=A), delivered(job="api", also=B))
    (one,) = merged([pair()[0], away], [has], NOW)
    assert rulings(one) == {"prometheus": "firing", "prometheus/b": "unknown"}
    assert one.sent_labels == {"alertname": "Down", "job": "api", "cluster": "eu"}


def test_what_only_the_one_that_is_away_fires_is_not_said_to_be_over() -> None:
    away = rule_side(name="prometheus/b", external=B, error="refused")
    (one,) = merged([pair(one=False)[0], away], [side(delivered(job="api", also=B))], NOW)
    assert (one.rule, rulings(one)) == (RuleState.UNKNOWN, {"prometheus": "quiet", "prometheus/b": "unknown"})
    assert one.quiet_in == ()


def test_what_fired_when_it_last_answered_is_unknown_and_not_gone() -> None:
    kept = rule_alert(job="api", state=RuleState.UNKNOWN)
    rules = (pair(one=False)[0], rule_side(kept, name="prometheus/us", external=US, error="refused"))
    (one,) = merged(rules, [side()], NOW)
    assert (one.state, one.rule, one.seen) == (AlertState.UNKNOWN, RuleState.UNKNOWN, False)
    assert why_text(one, {}, {}, NOW) == "fired when prometheus/us last answered"
    assert (one.labels["cluster"], one.started_at) == ("us", NOW - 600)
    ack = Silence("s", parse_matchers('job="api"'), NOW - 60, NOW + 60, "alice", "ACK! on it", "active")
    sides = (DeliverySide("alertmanager", (), (ack,)),)
    survey = Survey(NOW, merged(rules, sides, NOW), {"s": ack}, rules, sides, failed=True)
    assert list(due(survey, "alice", {})) == []


def test_an_acknowledgement_is_not_ended_while_one_is_away() -> None:
    ack = Silence("s", parse_matchers('alertname="Gone"'), NOW - 60, NOW + 600, "alice", "ACK! on it", "active")
    sides = (DeliverySide("alertmanager", (), (ack,)),)
    rules = (pair()[0], rule_side(name="prometheus/b", external=B, error="refused"))
    idle: dict[str, float] = {}
    for later in (0, 600):
        survey = Survey(NOW + later, merged(rules, sides, NOW), {"s": ack}, rules, sides, failed=True)
        assert list(due(survey, "alice", idle)) == []


def test_an_alertmanager_of_another_cluster_does_not_lack_it() -> None:
    places = {name: f"{name}:9093" for name in ("eu", "us")}
    sides = [
        rule_side(FIRES, external={"cluster": name}, name=f"prometheus/{name}", targets=(f"http://{place}/api/v2/alerts",))
        for name, place in places.items()
    ]  # fmt: skip
    has = side(delivered(job="api", cluster="eu"), name="alertmanager/eu", place=places["eu"])
    lacks = side(name="alertmanager/us", place=places["us"])
    found = {one.labels["cluster"]: one for one in merged(sides, [has, lacks], NOW)}
    assert [given.state for given in found["eu"].deliveries] == ["active", "elsewhere"]
    assert (found["eu"].missing_in, found["eu"].state) == ((), AlertState.ACTIVE)
    assert [given.state for given in found["us"].deliveries] == ["elsewhere", "absent"]
    assert found["us"].state is AlertState.UNDELIVERED
    down = side(name="alertmanager/us", place=places["us"], error="refused")
    assert {one.labels["cluster"]: one.state for one in merged(sides, [has, down], NOW)}["us"] is AlertState.UNKNOWN


def test_addresses_that_cannot_be_compared_leave_every_alertmanager_in_question() -> None:
    sides = [
        rule_side(FIRES, external={"cluster": name}, name=name, targets=(f"http://10.0.0.{place}:9093/",))
        for place, name in enumerate(("eu", "us"))
    ]
    found = merged(sides, [side(place="am-eu:9093")], NOW)
    assert [one.missing_in for one in found] == [("alertmanager",)] * 2


def test_of_the_alerts_of_a_pair_only_what_changed_is_made_anew() -> None:
    hosts = [f"host-{n}" for n in range(1000)]
    alerts, others = ([rule_alert(job="node", instance=one) for one in hosts] for _ in range(2))
    have = side(*(delivered(job="node", instance=one, also=labels) for one in hosts for labels in (A, B)))
    merger = Merger()

    def look(later: float) -> set[int]:
        rules = [rule_side(*alerts, external=A), rule_side(*others, external=B, name="prometheus/b")]
        kept.append(merger.merged(rules, [have], NOW + later))
        return {id(one) for one in kept[-1]}

    kept: list[tuple[Alert, ...]] = []
    first, again = look(0), look(15)
    assert (len(first), again) == (1000, first)
    others[7] = rule_alert(job="node", instance="host-7", active=601)
    assert len(look(30) - first) == 1


SWITCH = rule_alert("Watchdog")


@pytest.mark.parametrize(
    ("us", "sent", "state", "why"),
    [
        (rule_side(SWITCH, external=US, name="us"), [A, US], State.OK, "every Alertmanager has it"),
        (rule_side(external=US, name="us", names=("Watchdog",)), [A], State.CRIT, "us: it always fires, and does not"),
        (rule_side(external=US, name="us"), [A], State.OK, "every Alertmanager has it"),
        (rule_side(external=US, name="us", error="refused"), [A, US], State.UNKNOWN, "us: every Alertmanager has it;"),
        (rule_side(SWITCH, external=US, name="us"), [A], State.CRIT, "us: it fires, and alertmanager does not have it"),
        (rule_side(external=B, name="us", names=("Watchdog",)), [A], State.CRIT, "us: it always fires, and does not"),
    ],
    ids=["both", "silent", "has none", "away", "not delivered", "half of a pair is silent"],
)  # fmt: skip
def test_the_switch_is_as_good_as_that_of_the_worst(
    us: RuleSide, sent: list[dict[str, str]], state: State, why: str
) -> None:
    rules, sides = (rule_side(SWITCH, external=A), us), (side(*(delivered("Watchdog", also=one) for one in sent)),)
    survey = Survey(NOW, merged(rules, sides, NOW), {}, rules, sides)
    found = watch(survey)
    assert (found.state, why in found.why) == (state, True), found.why
    assert watch_each(survey)["prometheus"].state is State.OK


def test_external_labels_of_an_alert_are_those_of_whom_its_labels_mean() -> None:
    assert external_of({"cluster": "us"}, [A, B, US]).labels == {"cluster": "us"}
    assert external_of({}, [A, B]) == ({"cluster": "eu"}, (), ())
    assert external_of({}, [A, US]) == ({}, (), ("cluster",))
    assert external_of({}, [A]).labels == A
