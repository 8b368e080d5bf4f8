"""The filter language."""

from dataclasses import replace

import pytest

from opsconsole.alerts.filtering import kept, parse_filter
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import RuleState
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side

RULES = rule_side(
    rule_alert("ApiDown", severity="critical", job="api"),
    rule_alert("ApiSlow", severity="warning", job="api", active=7200),
    rule_alert("DiskFull", severity="critical", state=RuleState.PENDING),
    rule_alert("Lost"),
)
EU = side(
    delivered("ApiDown", severity="critical", job="api"),
    delivered("ApiSlow", severity="warning", job="api", state="suppressed", silenced=("s1",)),
    name="alertmanager/eu",
)
ALERTS = merged([RULES], [EU], NOW)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {"ApiDown", "ApiSlow", "DiskFull", "Lost"}),
        ('alertname=~"Api.*"', {"ApiDown", "ApiSlow"}),
        ("alertname=~Api.* severity=critical", {"ApiDown"}),
        ('alertname=~"Api.*", severity!="critical"', {"ApiSlow"}),
        ("job!~a.*", {"DiskFull", "Lost"}),
        ("job=", {"DiskFull", "Lost"}),
        ("@state=active", {"ApiDown"}),
        ("@state!=active", {"ApiSlow", "DiskFull", "Lost"}),
        ("@state=~undelivered|suppressed", {"ApiSlow", "Lost"}),
        ("@rule=pending", {"DiskFull"}),
        ("@age>1h", {"ApiSlow"}),
        ("@age<=1h severity=critical", {"ApiDown", "DiskFull"}),
        ("@alertmanager=alertmanager/eu", {"ApiDown", "ApiSlow"}),
        ("@alertmanager!=alertmanager/eu", {"DiskFull", "Lost"}),
        ("@silenced_by=s1", {"ApiSlow"}),
        ("@silenced_by!=s1", {"ApiDown", "DiskFull", "Lost"}),
        ("@missing_in=~.+ @rule=firing", {"Lost"}),
    ],
)
def test_what_a_filter_keeps(text: str, names: set[str]) -> None:
    assert {one.name for one in kept(ALERTS, parse_filter(text), NOW)} == names


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("critical", "expected a label"),
        ('severity="critical', "expected a label"),
        ("@stat=active", "did you mean '@state'"),
        ("@state=activ", "did you mean 'active'"),
        ("@state>1h", "only @age is compared"),
        ("@age=1h", "expected @age>"),
        ("@age>60", "not a duration"),
        ("a=~(", "unterminated"),
    ],
)
def test_what_is_no_filter_says_what_was_expected(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_filter(text)
    assert why in str(caught.value)


def test_an_age_that_is_not_known_is_neither_more_nor_less() -> None:
    ageless = replace(ALERTS[0], started_at=None)
    assert kept([ageless], parse_filter("@age>0s"), NOW) == kept([ageless], parse_filter("@age<99d"), NOW) == ()
