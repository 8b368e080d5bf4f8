"""The dead-man's switch."""

import pytest

from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import DeliverySide, RuleSide, RuleState, Survey
from opsconsole.alerts.watchdog import watch
from opsconsole.core.state import State
from tests.unit.alerts.made import NOW, delivered, rule_alert, rule_side, side

FIRES = rule_side(rule_alert("Watchdog"))
AWAY = rule_side(error="refused", unknown_labels=True)
HAS, LACKS, MUTE = (side(delivered("Watchdog"), name="a"), side(name="b"), side(name="c", error="refused"))


@pytest.mark.parametrize(
    ("rules", "sides", "state", "why"),
    [
        (FIRES, [HAS], State.OK, "every Alertmanager has it"),
        (FIRES, [HAS, LACKS], State.CRIT, "b does not have it"),
        (FIRES, [LACKS], State.CRIT, "b does not have it"),
        (FIRES, [HAS, MUTE], State.UNKNOWN, "cannot be asked"),
        (FIRES, [], State.UNKNOWN, "no Alertmanager is configured"),
        (AWAY, [HAS], State.UNKNOWN, "Prometheus does not answer"),
        (AWAY, [LACKS], State.UNKNOWN, "does not say whether"),
        (rule_side(names=("Watchdog",)), [LACKS], State.CRIT, "rules are not evaluated"),
        (rule_side(names=("Watchdog",)), [HAS], State.CRIT, "does not fire any more"),
        (rule_side(rule_alert("Watchdog", state=RuleState.PENDING)), [LACKS], State.CRIT, "rules are not"),
        (rule_side(rule_alert("Watchdog", active=5)), [LACKS], State.UNKNOWN, "began to fire"),
        (rule_side(), [HAS], State.UNKNOWN, "no rule for"),
        (rule_side(rule_alert("Down")), [LACKS], State.UNKNOWN, "no rule is called"),
    ],
)
def test_what_it_says(rules: RuleSide, sides: list[DeliverySide], state: State, why: str) -> None:
    found = watch(Survey(NOW, merged([rules], sides, NOW), {}, (rules,), tuple(sides)))
    assert (found.state, why in found.why) == (state, True), found.why
