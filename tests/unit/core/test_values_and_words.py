"""Durations, thresholds, secrets and suggestions."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.core.duration import age_text, duration_text, parse_duration
from opsconsole.core.problem import nearest
from opsconsole.core.secret import MASK, Secret, mask
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold, evaluate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5.0), ("1h30m", 5400.0), ("7d", 604800.0), (" 2m ", 120.0), ("1.5h", 5400)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 s", "s", "-5s", "1h 30m", "5sec", "NaN"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "age", "long"),
    [
        (0.3, "0s", "300 ms"),
        (4.2, "4s", "4.2 s"),
        (41, "41s", "41 s"),
        (130, "2m", "2m 10s"),
        (7200, "2h", "2h"),
        (100000, "1d", "1d 3h"),
    ],
)
def test_durations_are_told(seconds: float, age: str, long: str) -> None:
    assert (age_text(seconds), duration_text(seconds)) == (age, long)


WARN_HIGH = Threshold(State.WARN, above=0.4)
CRIT_HIGH = Threshold(State.CRIT, above=0.5)


@pytest.mark.parametrize(
    ("value", "state"),
    [(0.4, State.OK), (0.41, State.WARN), (0.6, State.CRIT), (float("inf"), State.CRIT), (float("nan"), State.UNKNOWN)],
)
def test_the_worst_threshold_that_holds_decides(value: float, state: State) -> None:
    assert evaluate(value, (CRIT_HIGH, WARN_HIGH)) is state


def test_both_bounds_mean_between() -> None:
    between = Threshold(State.WARN, above=1, below=3)
    assert [between.holds(value) for value in (1, 2, 3)] == [False, True, False]


def test_a_threshold_without_bounds_never_holds() -> None:
    assert not Threshold(State.CRIT).holds(1.0)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter22")
    assert {repr(secret), str(secret), f"{secret}", f"{secret:>3}"} == {MASK}
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@given(st.text(min_size=4, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_masked_text_no_longer_holds_the_secret(value: str, before: str, after: str) -> None:
    if value in MASK:
        return
    assert value not in mask(before + value + after, [Secret(value)]).replace(MASK, "\0")


def test_base64_and_url_forms_are_masked_too() -> None:
    secret = Secret("p@ss word")
    assert mask("x p%40ss%20word y cEBzcyB3b3Jk z", [secret]) == f"x {MASK} y {MASK} z"


def test_a_short_secret_does_not_mask_everything() -> None:
    assert mask("banana", [Secret("a"), Secret("")]) == "banana"


def test_a_typing_error_gets_the_nearest_known_word() -> None:
    assert nearest("treshold", ["threshold", "title"]) == "; did you mean 'threshold'?"
    assert nearest("promethues", ["prometheuses", "prometheus"]) == "; did you mean 'prometheus'?"
    assert nearest("WRN", list(State)) == "; did you mean 'WARN'?"
    assert nearest("qqq", ["threshold", "title"]) == ""
