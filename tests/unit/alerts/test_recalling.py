"""How the past is asked for."""

from opsconsole.alerts.recalling import matchers_of, step_of

DAY = 86_400.0


def test_the_answer_stays_small_and_no_evaluation_is_missed() -> None:
    assert step_of(3600.0, 1, 5.0) == 15.0
    assert step_of(DAY, 1, 60.0) == 60.0
    assert step_of(7 * DAY, 1, 15.0) == 65.0
    assert 7 * DAY / step_of(7 * DAY, 1, 15.0) < 11_000
    assert DAY / step_of(DAY, 5000, 15.0) * 5000 <= 400_000


def test_a_label_cannot_end_its_string() -> None:
    assert matchers_of({"b": 'x"} or vector(1) or {a="', "a": "1\\"}) == 'a="1\\\\",b="x\\"} or vector(1) or {a=\\""'
    assert matchers_of({"needs.quotes": "1", "ünicode": "1"}) == ""
