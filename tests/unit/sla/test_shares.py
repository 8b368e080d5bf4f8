"""Whose what was bad is: ranked, and called by what tells them apart."""

import pytest

from opsconsole.sla.prometheus_shares import inside_sum
from opsconsole.sla.shares import Share, ranked, scaled, subjects


def test_the_worst_are_first_and_the_rest_is_one() -> None:
    found = ranked([({"job": "a"}, 1.0), ({"job": "b"}, 6.0), ({"job": "c"}, 2.0), ({"job": "d"}, 0.0)], most=2)
    assert found == (Share({"job": "b"}, 6.0, 6 / 9), Share({"job": "c"}, 2.0, 2 / 9), Share({}, 1.0, 1 / 9))
    assert ranked([({"job": "a"}, 0.0)]) == ()
    assert [one.bad for one in scaled(found, 18.0)] == [12.0, 4.0, 2.0]


def test_what_is_the_same_in_all_is_not_said_of_each() -> None:
    both = [Share({"job": "etl", "table": name}, 1.0, 0.5) for name in ("bills", "users")]
    assert subjects([*both, Share({}, 1.0, 0.1)]) == ["table=bills", "table=users", "the others"]
    assert subjects(both[:1]) == ["job=etl table=bills"]
    assert subjects([Share({"dag_id": "load"}, 1.0, 1.0)]) == ["load"]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("sum(increase(x[$window]))", "increase(x[$window])"),
        (' sum ( increase(x{a="("}[$window]) ) ', ' increase(x{a="("}[$window]) '),
        ("sum(a[$window]) + sum(b[$window])", "sum(a[$window]) + sum(b[$window])"),
        ("sum by (job) (increase(x[$window]))", "sum by (job) (increase(x[$window]))"),
        ("increase(x[$window])", "increase(x[$window])"),
        ("sum(increase(x[$window])", "sum(increase(x[$window])"),
    ],
)
def test_the_sum_around_all_is_taken_off_and_no_other(text: str, inside: str) -> None:
    assert inside_sum(text) == inside
