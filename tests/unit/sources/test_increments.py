"""How a text over a window is asked, so that windows that follow one another lose nothing between them."""

import pytest

from opsconsole.sources.increments import carried, increments, increments_and_births, with_births


def test_each_increase_over_the_window_counts_from_the_sample_before_it() -> None:
    assert increments("sum(increase(a_total[$window]))", 3600.0) == (
        "sum(((last_over_time(a_total[3600s]) - last_over_time(a_total[3600s] offset 3600s)"
        " unless resets(a_total[7200s]) > 0) or increase(a_total[3600s])))"
    )


@pytest.mark.parametrize(
    "selector",
    [
        'a{b="}", c=~"x|y[$window]"}',
        '{__name__="a", b!=""}',
        "job:a:sum {b='\\'}'}",
        'a{b="increase(c[$window])"}',
        "a",
    ],
)
def test_a_selector_is_taken_as_it_is_whatever_is_in_its_strings(selector: str) -> None:
    selected = selector.replace("$window", "300s")
    asked = increments(f"increase( {selector}[$window] )", 300.0)
    assert asked.count(f"last_over_time({selected}[900s]") == 2
    assert f"resets({selected}[1200s]) > 0) or increase({selected}[300s]))" in asked


@pytest.mark.parametrize(
    "text",
    [
        "increase(a[$window] offset 1h)",
        "increase(a[$window:1m])",
        "sum(count_over_time(a[$window]))",
        'b{c="increase(a[$window])"}',
        "increase([$window])",
    ],
)
def test_what_has_another_form_is_asked_as_it_is(text: str) -> None:
    assert increments(text, 300.0) == text.replace("$window", "300s")


@pytest.mark.parametrize(
    ("window", "seconds"), [(30.0, 900.0), (300.0, 900.0), (1200.0, 1200.0), (3600.0, 3600.0), (1e6, 3600.0)]
)
def test_a_value_is_carried_over_a_window_and_never_beyond_an_hour(window: float, seconds: float) -> None:
    assert carried(window) == seconds


def test_a_series_that_was_not_there_counts_from_nothing_where_its_target_was_read_before_it() -> None:
    assert increments_and_births('sum by (job) (increase(a_total{code="500"}[$step]))', 900.0) == (
        'sum by (job) (((last_over_time(a_total{code="500"}[900s])'
        ' - (last_over_time(a_total{code="500"}[900s] offset 900s) or'
        ' 0 * (count_over_time(a_total{code="500"}[900s])'
        " < on (job, instance) group_left () min by (job, instance) (sum_over_time(up[900s]))"
        ' unless present_over_time(a_total{code="500"}[21600s] offset 900s)))'
        ' unless resets(a_total{code="500"}[1800s]) > 0)'
        ' or (last_over_time(a_total{code="500"}[3600s]) - last_over_time(a_total{code="500"}[3600s] offset 900s)'
        ' unless resets(a_total{code="500"}[4500s]) > 0)'
        ' or increase(a_total{code="500"}[900s])))'
    )
    assert increments_and_births("sum(increase(a[$window]) or b[$step])", 60.0) == "sum(increase(a[$window]) or b[60s])"


def test_a_rule_counts_what_a_series_has_that_was_not_there_before_its_window() -> None:
    assert with_births('sum(increase(a{b="c"}[$window])) / 2') == (
        'sum(((a{b="c"} unless a{b="c"} offset $window) and (count_over_time(a{b="c"}[$window])'
        " < on (job, instance) group_left () min by (job, instance) (sum_over_time(up[$window])))"
        ' or increase(a{b="c"}[$window]))) / 2'
    )
    assert with_births("sum(rate(a[$window]))") == "sum(rate(a[$window]))"
