"""From readings to what a pane shows: states, values, order; and what is not known is never shown as good or zero."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.core.reading import Answer, Reading
from opsconsole.core.state import State
from opsconsole.core.threshold import Threshold
from opsconsole.core.values import Matrix, Sample, Scalar, Series, Table, Text, Value, Vector
from opsconsole.screens.definition import Column, Kind, Pane, Reduce, Target
from opsconsole.screens.evaluation import MAX_CELLS, PaneState, evaluate_pane
from opsconsole.screens.tabular import TableView

NOW = 1000.0
CRIT_ABOVE_5 = (Threshold(State.WARN, above=2), Threshold(State.CRIT, above=5))


def pane(kind: Kind = Kind.STATUS, *, targets: int = 1, legend: str = "", **more: Any) -> Pane:
    more.setdefault("unit", "none")
    return Pane("p", "P", kind, targets=tuple(Target("q", legend) for _ in range(targets)), **more)


def good(value: Value, at: float = NOW, warnings: tuple[str, ...] = ()) -> Reading:
    return Reading("prometheus").succeeded(Answer(value, at, 0.1, warnings))


def vector(**values: float) -> Vector:
    return Vector(tuple(Sample({"job": job}, value, NOW) for job, value in values.items()))


def evaluate(of: Pane, *values: Value, now: float = NOW) -> PaneState:
    return evaluate_pane(of, [good(value) for value in values], now)


def test_series_are_cells_with_name_text_and_state_worst_first() -> None:
    state = evaluate(pane(thresholds=CRIT_ABOVE_5), vector(a=1, b=9, c=3))
    assert [(cell.legend, cell.text, cell.state) for cell in state.cells] == [
        ("b", "9", State.CRIT),
        ("c", "3", State.WARN),
        ("a", "1", State.OK),
    ]
    assert state.state is State.CRIT
    assert state.age == 0


def test_charts_keep_the_order_of_their_names_so_that_colours_stay() -> None:
    state = evaluate(pane(Kind.TIMESERIES, thresholds=CRIT_ABOVE_5), vector(b=9, **{"a-10": 1, "a-2": 3}))
    assert [cell.legend for cell in state.cells] == ["a-2", "a-10", "b"]


def test_bars_stand_in_the_order_of_their_length_and_the_unknown_last() -> None:
    assert [c.legend for c in evaluate(pane(Kind.BARS), vector(a=1, b=9, c=math.nan, d=3)).cells[:2]] == ["b", "d"]


def test_a_heatmap_stands_in_the_order_of_its_buckets() -> None:
    buckets = Vector(tuple(Sample({"le": le}, 1, NOW) for le in ("10", "+Inf", "2.5", "1")))
    state = evaluate(pane(Kind.HEATMAP, legend="{{le}}"), buckets)
    assert [cell.legend for cell in state.cells] == ["1", "2.5", "10", "+Inf"]


def test_a_number_can_be_shown_as_a_word() -> None:
    state = evaluate(pane(mappings=((0.0, "down"), (1.0, "up"))), vector(a=0, b=1, c=2))
    assert [cell.text for cell in state.cells] == ["down", "up", "2"]


def test_no_data_is_unknown_unless_the_pane_says_that_nothing_is_good() -> None:
    nothing = evaluate(pane(), Vector(()))
    assert (nothing.state, nothing.empty, nothing.cells) == (State.UNKNOWN, True, ())
    assert evaluate(pane(no_data=State.OK), Vector(())).state is State.OK
    assert evaluate(pane(no_data=State.CRIT), Matrix(())).state is State.CRIT


def test_not_a_number_is_unknown_and_has_no_value_to_show() -> None:
    state = evaluate(pane(thresholds=CRIT_ABOVE_5), vector(a=math.nan))
    assert (state.state, state.cells[0].text) == (State.UNKNOWN, "–")


def test_nothing_read_yet_is_waiting_and_unknown() -> None:
    state = evaluate_pane(pane(), [None], NOW)
    assert (state.state, state.waiting, state.age) == (State.UNKNOWN, True, None)


def test_the_last_good_value_stays_marked_stale_with_reason_and_age() -> None:
    reading = good(vector(a=9), at=NOW - 60).failed("refused", now=NOW - 50, took=0.1, retry_at=NOW + 5)
    state = evaluate_pane(pane(thresholds=CRIT_ABOVE_5), [reading], NOW)
    assert (state.state, state.error, state.age, state.retry_at) == (State.STALE, "refused", 60, NOW + 5)
    assert (state.cells[0].text, state.cells[0].state, state.cells[0].was) == ("9", State.STALE, State.CRIT)


def test_what_had_nothing_to_say_before_its_source_failed_is_stale_and_empty() -> None:
    reading = good(Vector(()), at=NOW - 60).failed("refused", now=NOW - 50, took=0.1)
    state = evaluate_pane(pane(thresholds=CRIT_ABOVE_5), [reading], NOW)
    assert (state.state, state.empty, state.error) == (State.STALE, True, "refused")


def test_a_reading_that_nobody_refreshes_turns_stale_by_itself() -> None:
    reading = good(vector(a=1), at=NOW - 60)
    assert evaluate_pane(pane(), [reading], NOW, stale_after=15).state is State.STALE
    assert evaluate_pane(pane(), [reading], NOW, stale_after=90).state is State.OK
    assert evaluate_pane(pane(), [reading], NOW).state is State.OK


def test_an_error_without_an_earlier_value_is_an_error_with_its_reason() -> None:
    reading = Reading("prometheus").failed("connection refused\x1b[2J", now=NOW, took=0.1)
    state = evaluate_pane(pane(), [reading], NOW)
    assert (state.state, state.error) == (State.ERROR, "connection refused␛[2J")


def test_a_broken_pane_is_an_error_whatever_is_read() -> None:
    assert evaluate(pane(broken="s.yaml:3:1: no"), vector(a=1)).error == "s.yaml:3:1: no"
    assert evaluate_pane(pane(), [], NOW, problem="unknown variable $x").state is State.ERROR


def test_one_failing_query_of_two_is_an_error_and_the_other_is_shown() -> None:
    failed = Reading("prometheus").failed("refused", now=NOW, took=0.1)
    state = evaluate_pane(pane(targets=2), [good(vector(a=1)), failed], NOW)
    assert (state.state, [cell.value for cell in state.cells]) == (State.ERROR, [1])


def test_text_and_view_panes_ask_nothing_and_are_fine() -> None:
    assert evaluate_pane(Pane("p", "P", Kind.TEXT, text="hello"), [], NOW).state is State.OK


def series(*numbers: float, step: float = 60.0, end: float = NOW, **labels: str) -> Series:
    start = end - step * (len(numbers) - 1)
    return Series(labels, tuple((start + step * at, number) for at, number in enumerate(numbers)))


@pytest.mark.parametrize(
    ("how", "expected"),
    [(Reduce.LAST, 4), (Reduce.MEAN, 7 / 3), (Reduce.MAX, 4), (Reduce.MIN, 1), (Reduce.SUM, 7)],
)
def test_many_points_become_one_number_without_the_gaps(how: Reduce, expected: float) -> None:
    state = evaluate(pane(Kind.STAT, reduce=how), Matrix((series(1, math.nan, 2, 4, math.nan),)))
    assert state.cells[0].value == pytest.approx(expected)
    assert len(state.cells[0].points) == 5


def test_a_series_that_has_ended_is_drawn_but_says_nothing_about_now() -> None:
    ended = series(*[9.0] * 5, end=NOW - 1800, job="old")
    state = evaluate(pane(Kind.TIMESERIES, thresholds=CRIT_ABOVE_5), Matrix((series(*[1.0] * 30, job="new"), ended)))
    new, old = state.cells
    assert (old.current, old.value, old.state, len(old.points)) == (False, None, State.UNKNOWN, 5)
    assert (new.current, new.value, state.state) == (True, 1, State.OK)


def test_scalars_and_texts_are_one_cell() -> None:
    assert evaluate(pane(Kind.STAT), Scalar(3, NOW)).cells[0].text == "3"
    text = evaluate(pane(Kind.STAT), Text("hello\x07", NOW)).cells[0]
    assert (text.text, text.value, text.state) == ("hello␇", None, State.OK)


def test_sql_rows_are_cells_with_the_value_column_and_the_rest_as_labels() -> None:
    table = Table(("state", "value"), (("active", 3), ("idle in tx", 9), (None, None)))
    state = evaluate(pane(thresholds=CRIT_ABOVE_5), table)
    assert [(cell.legend, cell.value, cell.state) for cell in state.cells] == [
        ("idle in tx", 9, State.CRIT),
        ("active", 3, State.WARN),
        ("", None, State.UNKNOWN),
    ]
    assert state.cells[0].labels == {"state": "idle in tx"}
    assert evaluate(pane(Kind.STAT), Table(("n",), ((42,),))).cells[0].text == "42"
    assert evaluate(pane(Kind.STAT), Table(("version",), (("15.18",),))).cells[0].text == "15.18"


def test_sql_rows_with_times_are_series() -> None:
    at = [datetime.fromtimestamp(NOW - back, UTC) for back in (120, 60, 0)]
    table = Table(("at", "name", "n"), tuple((moment, name, n) for n, moment in enumerate(at) for name in ("a", "b")))
    state = evaluate(pane(Kind.TIMESERIES), table)
    assert [(cell.legend, cell.value, len(cell.points)) for cell in state.cells] == [("a", 2, 3), ("b", 2, 3)]


def view(of: Pane, *values: Value) -> TableView:
    table = evaluate(of, *values).table
    assert table is not None
    return table


def test_an_sql_table_is_shown_with_its_columns_and_judged_by_them() -> None:
    columns = (
        Column("n", "Sessions", "short", CRIT_ABOVE_5),
        Column("on", mappings=((1.0, "yes"),)),
        Column("gone"),
    )
    answer = Table(("state", "n", "on"), (("a", 3, True), ("b", None, False)), truncated=True)
    state = evaluate(pane(Kind.TABLE, columns=columns), answer)
    table = state.table
    assert table is not None
    assert [head.title for head in table.columns] == ["Sessions", "on", "gone"]
    assert [head.numeric for head in table.columns] == [True, False, False]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["3", "yes", "–"], ["–", "0", "–"]]
    assert [row.state for row in table.rows] == [State.WARN, State.OK]
    assert table.rows[0].labels == {"state": "a", "n": "3", "on": "true"}
    assert (state.state, state.truncated) == (State.WARN, -1)


def test_several_queries_are_joined_into_one_table_by_their_labels() -> None:
    of = Pane("p", "P", Kind.TABLE, targets=(Target("q", "up"), Target("r", "rate")), unit="none")
    table = view(of, vector(b=1, a=2), vector(a=0.5))
    assert [head.title for head in table.columns] == ["job", "up", "rate"]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["a", "2", "0.5"], ["b", "1", "–"]]


def test_a_table_without_rows_is_no_data() -> None:
    assert evaluate(pane(Kind.TABLE), Table(("a",), ())).empty
    assert evaluate(pane(Kind.TABLE, no_data=State.OK), Table(("a",), ())).state is State.OK


def test_more_series_than_a_pane_can_hold_are_counted() -> None:
    state = evaluate(pane(), vector(**{f"s{number}": 1.0 for number in range(MAX_CELLS + 7)}))
    assert (len(state.cells), state.truncated) == (MAX_CELLS, 7)


def test_warnings_of_all_queries_are_kept_once() -> None:
    readings = [good(vector(a=1), warnings=("partial",)), good(vector(a=1), warnings=("partial", "other"))]
    assert evaluate_pane(pane(targets=2), readings, NOW).warnings == ("partial", "other")


cells = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes(timezones=st.just(UTC))
tables = st.integers(1, 4).flatmap(
    lambda width: st.builds(
        lambda rows: Table(tuple("abcd"[:width]), tuple(rows)),
        st.lists(st.tuples(*[cells] * width), max_size=5),
    )
)
labels = st.dictionaries(st.sampled_from(["__name__", "le", "job"]), st.text(), max_size=3)
vectors = st.builds(
    lambda samples: Vector(tuple(samples)), st.lists(st.builds(Sample, labels, st.floats(), st.just(NOW)), max_size=5)
)


@given(st.sampled_from(list(Kind)), st.lists(tables | vectors, min_size=1, max_size=2), st.booleans())
def test_every_kind_makes_something_of_every_answer(kind: Kind, answers: list[Value], judged: bool) -> None:
    of = pane(kind, targets=len(answers), thresholds=CRIT_ABOVE_5 if judged else ())
    state = evaluate(of, *answers)
    assert isinstance(state.state, State)
    for cell in state.cells:
        assert "\x1b" not in cell.text + cell.legend
