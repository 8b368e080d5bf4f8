"""Expressions of alerts, taken apart."""

import sys

import pytest

from opsconsole.alerts.expression import CannotSplit, Condition, split

BURN = """
  (slo:err:ratio_rate5m > (14.4*0.005) and slo:err:ratio_rate1h > (14.4*0.005))
or
  (slo:err:ratio_rate30m > (6*0.005) and slo:err:ratio_rate6h > (6*0.005))
"""


def only(expression: str) -> Condition:
    ((found,),) = split(expression)
    return found


def test_a_comparison_has_two_sides() -> None:
    found = only("sum by (job) (rate(errors[5m])) / sum by (job) (rate(all[10m])) > 5 / 100")
    assert (found.asked, found.op) == ("sum by (job) (rate(errors[5m])) / sum by (job) (rate(all[10m]))", ">")
    assert (found.limit, found.limit_value, found.window) == ("5 / 100", 0.05, "10m")


def test_the_number_may_stand_first() -> None:
    found = only("0.1 > node_free / node_size")
    assert (found.asked, found.op, found.limit_value) == ("node_free / node_size", "<", 0.1)


def test_a_burn_rate_says_its_windows_and_factors() -> None:
    quick, slow = split(BURN)
    assert [(one.window, one.factor) for one in quick] == [("5m", 14.4), ("1h", 14.4)]
    assert [(one.window, one.factor) for one in slow] == [("30m", 6.0), ("6h", 6.0)]
    assert quick[0].limit_value == pytest.approx(0.072)


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ("absent(up)", "absent(up)"),
        ("vector(1)", "vector(1)"),
        ("up == bool 0", "up == bool 0"),
    ],
)
def test_what_compares_nothing_only_has_to_be_there(expression: str, asked: str) -> None:
    found = only(expression)
    assert (found.asked, found.op, found.holds(0.0)) == (asked, "", True)


def test_unless_is_a_condition_that_must_not_hold() -> None:
    ((down, maintenance),) = split("up == 0 unless on(job) maintenance > 0")
    assert (down.asked, maintenance.asked, maintenance.negated) == ("up", "maintenance > 0", True)


def test_a_limit_can_be_a_question_itself() -> None:
    found = only("disk_used > on(instance) disk_quota")
    assert (found.limit, found.limit_value, found.holds(5.0), found.holds(5.0, 4.0)) == ("disk_quota", None, None, True)


def test_texts_stay_what_they_are() -> None:
    found = only('up{path="a  b\\n\\\\c"} == 0')
    assert found.asked == 'up{path="a  b\\n\\\\c"}'


@pytest.mark.parametrize("expression", ["up ==", "(" * 150 + "up" + ")" * 150, "", "x" * 30_000])
def test_what_cannot_be_split_says_so(expression: str) -> None:
    with pytest.raises(CannotSplit, match="taken apart"):
        split(expression)


def test_without_the_parser_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "promql_parser", None)
    with pytest.raises(CannotSplit, match=r"opsconsole\[promql\]"):
        split("asked_nowhere_else == 0")  # trees are kept
