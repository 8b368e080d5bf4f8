"""What is sent to which Alertmanager, so that a silence holds or ends in all."""

from dataclasses import replace

import pytest

from opsconsole.alerts import planning
from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import Cluster, DeliverySide, Silence, Survey
from opsconsole.alerts.planning import Planned, Wanted, ending, having, silencing
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side, silence

EU, US, DEAD = "alertmanager/eu", "alertmanager/us", "alertmanager/dead"
ALL = (EU, US, DEAD)
WANTED = Wanted(parse_matchers('alertname="Down"'), "10m", "work", "alice")


def holding(*silences: Silence, name: str = EU) -> DeliverySide:
    return replace(side(name=name), silences=silences)


def survey(*sides: DeliverySide) -> Survey:
    return Survey(NOW, (), {}, (), sides)


def planned(wanted: Wanted, *sides: DeliverySide) -> list[Planned]:
    return silencing(wanted, survey(*sides), ALL)


def test_each_is_told_and_who_is_away_is_named() -> None:
    eu, dead, us = planned(WANTED, holding(), side(name=DEAD, error="dead: refused"), holding(name=US))
    assert (eu.action, us.action, dead.action) == ("alert.silence", "alert.silence", "")
    assert us.arguments == {
        "matchers": 'alertname="Down"', "duration": "10m", "comment": "work", "alertmanager": US
    }  # fmt: skip
    assert (dead.said, dead.away) == ("not told: dead: refused", True)


def test_peers_tell_each_other() -> None:
    peers = Cluster("ready", ("10.0.0.1:9094", "10.0.0.2:9094"))
    found = planned(WANTED, replace(holding(), cluster=peers), replace(holding(name=US), cluster=peers))
    assert [one.alertmanager for one in found] == [EU]


def test_the_same_again_sends_nothing() -> None:
    (found,) = planned(WANTED, holding(silence("s1", "work")))
    assert (found.action, found.away) == ("", False)
    assert found.said == "silence s1 is there, until 2027-01-15T08:10:00Z; nothing is sent"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"duration": "2h"}, {"duration": "2h"}),
        ({"comment": "other"}, {"comment": "other"}),
        ({"duration": "1m", "comment": "other"}, {"comment": "other"}),
    ],
)
def test_what_is_there_is_changed_to_what_is_wanted_and_never_cut_short(
    asked: dict[str, str], given: dict[str, str]
) -> None:
    there = silence("s1", "work")
    (found,) = planned(replace(WANTED, **asked), holding(there))  # type: ignore[arg-type]
    assert found.action == "alert.edit-silence"
    assert {name: found.arguments[name] for name in found.arguments if name != "seen"} == {
        "id": "s1", "alertmanager": EU, **given
    }  # fmt: skip
    assert 'comment="work"' in found.arguments["seen"]


@pytest.mark.parametrize(
    "there",
    [
        replace(silence("s1", "work"), created_by="bob"),
        replace(silence("s1", "work"), state="expired"),
        replace(silence("s1", "work"), matchers=parse_matchers('alertname="Down", job="api"')),
        silence("s1", "ACK! work"),
    ],
)
def test_what_is_somebody_elses_or_something_else_stays_as_it_is(there: Silence) -> None:
    (found,) = planned(WANTED, holding(there))
    assert found.action == "alert.silence"


def test_a_silence_ends_with_its_like_in_the_others() -> None:
    there = (silence("s1", "work"), silence("s2", "work"), silence("s3", "other"))
    found = ending("s1", survey(holding(there[0], there[2]), holding(there[1], name=US)), ALL)
    assert [(one.action, one.arguments) for one in found] == [
        ("alert.unsilence", {"id": "s1", "alertmanager": EU}),
        ("alert.unsilence", {"id": "s2", "alertmanager": US}),
    ]


def test_one_that_has_ended_is_no_failure_and_one_that_nobody_knows_is_nothing() -> None:
    over = replace(silence("s1", "work"), state="expired", ends_at=NOW - 60)
    (found,) = ending("s1", survey(holding(over)), ALL)
    assert (found.action, found.away) == ("", False)
    assert found.said == "silence s1 has ended at 2027-01-15T07:59:00Z; nothing is sent"
    assert ending("s9", survey(holding(over)), ALL) == []
    (away,) = ending("s9", survey(holding(over), side(name=DEAD, error="dead: refused")), ALL)
    assert away.away


def test_an_alert_is_silenced_where_it_is_or_should_be() -> None:
    rules, eu, us = rule_side(rule_alert()), side(delivered(), name=EU), side(name=US)
    (there,) = merged([rules], [eu, us], NOW)
    assert having(there) == [EU]
    (nowhere,) = merged([rules], [replace(eu, alerts=()), us], NOW)
    assert having(nowhere) == [EU, US]
    (away,) = merged([rules], [eu, replace(us, error="us: refused")], NOW)
    assert having(away) == [EU, US]


def test_a_test_goes_to_each_that_its_alert_would_go_to_peers_or_not_and_who_is_away_is_named() -> None:
    given = {"labels": 'alertname="Down"'}
    peers = Cluster("ready", ("10.0.0.1:9094", "10.0.0.2:9094"))
    both = [replace(side(name=name), cluster=peers) for name in (EU, US)]
    sides = (*both, side(name=DEAD, error="dead: refused"))
    found = planning.testing(given, {"alertname": "Down"}, survey(*sides), ALL)
    assert [(one.alertmanager, one.action, one.away) for one in found] == [
        (EU, "alert.test", False), (US, "alert.test", False), (DEAD, "", True),
    ]  # fmt: skip
    assert found[1].arguments == {**given, "alertmanager": US}
    assert [one.alertmanager for one in planning.testing(given, {}, survey(*sides), [US])] == [US]
