"""A reading tells the truth about its age."""

from opsconsole.core.reading import Answer, Reading
from opsconsole.core.state import State, worst
from opsconsole.core.values import Scalar, Vector


def answer(at: float) -> Answer:
    return Answer(value=Scalar(1.0, at), taken_at=at, took=0.01)


def test_a_query_never_answered_is_unknown() -> None:
    reading = Reading("prometheus")
    assert (reading.state, reading.age(10.0)) == (State.UNKNOWN, None)


def test_an_answer_without_data_is_unknown_not_zero() -> None:
    reading = Reading("prometheus").succeeded(Answer(Vector(()), taken_at=5.0, took=0.0))
    assert reading.state is State.UNKNOWN


def test_a_failure_without_an_earlier_value_is_an_error() -> None:
    reading = Reading("prometheus").failed("connection refused", now=3.0, took=0.1, retry_at=8.0)
    assert (reading.state, reading.error, reading.failing_since, reading.retry_at) == (
        State.ERROR,
        "connection refused",
        3.0,
        8.0,
    )


def test_a_failure_keeps_the_last_good_value_and_its_age() -> None:
    reading = Reading("prometheus").succeeded(answer(100.0))
    failed = reading.failed("timed out", now=105.0, took=5.0).failed("timed out", now=110.0, took=5.0)
    assert failed.value == Scalar(1.0, 100.0)
    assert (failed.state, failed.age(112.0), failed.failing_since) == (State.STALE, 12.0, 105.0)


def test_recovery_forgets_the_failure() -> None:
    reading = Reading("p").failed("down", now=1.0, took=0.0).succeeded(answer(2.0))
    assert (reading.state, reading.error, reading.failing_since) == (State.OK, None, None)


def test_a_value_turns_stale_by_age_alone() -> None:
    reading = Reading("p").succeeded(answer(100.0))
    assert reading.aged(109.0, limit=10.0).state is State.OK
    assert reading.aged(111.0, limit=10.0).state is State.STALE


def test_a_clock_that_steps_back_gives_no_negative_age() -> None:
    assert Reading("p").succeeded(answer(100.0)).age(90.0) == 0.0


def test_nothing_known_is_not_ok() -> None:
    assert worst([]) is State.UNKNOWN
    assert worst([State.OK, State.STALE, State.WARN]) is State.WARN
    assert worst(State) is State.CRIT
