"""Before and after, statement by statement."""

from typing import Any

import pytest

from opsconsole.database.comparison import Verdict, beyond, compare
from tests.unit.database.statement_rows import span, usage


@pytest.mark.parametrize(
    ("before", "after", "calls", "verdict"),
    [
        (0.010, 0.020, 20, Verdict.SLOWER),
        (0.020, 0.010, 20, Verdict.FASTER),
        (0.010, 0.0149, 20, Verdict.SAME),  # below the factor
        (0.0001, 0.001, 20, Verdict.SAME),  # ten times as long, and still nothing
        (0.010, 0.020, 19, Verdict.UNSURE),
        (0.0, 0.5, 20, Verdict.SLOWER),
    ],
)
def test_a_change_counts_by_factor_by_seconds_and_by_calls(
    before: float, after: float, calls: float, verdict: Verdict
) -> None:
    (change,) = compare(span(usage(1, 1000, before)), span(usage(1, calls, after))).changes
    assert change.verdict is verdict


def test_new_and_gone_and_the_dearest_regression_first() -> None:
    before = span(usage(1, 100, 0.01), usage(2, 100, 0.01), usage(3, 1, 1.0))
    after = span(usage(1, 100, 0.02), usage(2, 100, 0.9), usage(4, 1, 1.0))
    found = compare(before, after)
    assert [(change.usage.key.queryid, change.verdict.value) for change in found.changes] == [
        (2, "slower"), (1, "slower"), (4, "new"), (3, "gone"),
    ]  # fmt: skip
    assert found.changes[0].factor == pytest.approx(90.0)
    assert len(found.regressions) == found.count(Verdict.SLOWER) == 2
    assert found.notes == ("both count from the same moment on: the later holds the earlier, and a change shows "
                           "weakly; captures with --window do not",)  # fmt: skip


def test_other_clusters_and_other_versions_are_compared_by_text() -> None:
    before = span(usage(1, 100, 0.01, text="select a"), usage(2, 100, 0.01))
    for after in (
        span(usage(7, 100, 0.5, text="select a"), system="2"),
        span(usage(7, 100, 0.5, text="select a"), version="16.1"),
    ):
        found = compare(before, after)
        assert [change.verdict for change in found.changes] == [Verdict.SLOWER]
        assert "matched by their texts" in found.notes[0]
        assert found.notes[1] == "1 statements without a text are left out"


def test_what_a_partial_capture_lacks_is_neither_new_nor_gone() -> None:
    few, all_of_them = span(usage(1, 50, 0.01), partial=True), span(usage(1, 50, 0.01), usage(2, 50, 0.01))
    assert [change.verdict for change in compare(few, all_of_them).changes] == [Verdict.SAME]
    assert [change.verdict for change in compare(all_of_them, few).changes] == [Verdict.SAME]
    assert "only some statements" in compare(few, all_of_them).notes[0]


def test_what_a_baseline_holds_already_does_not_thin_a_change_out() -> None:
    before = span(usage(1, 1000, 0.01), usage(2, 10, 0.01), usage(3, 10, 0.01), seconds=100.0)
    whole = span(usage(1, 1030, 0.0125), usage(2, 10, 0.01), usage(3, 4, 0.5), usage(4, 9, 0.1), seconds=400.0)
    done = beyond(before, whole)
    assert {one.key.queryid: one.counters.calls for one in done.usages} == {1: 30, 3: 4, 4: 9}  # 3 was evicted
    assert done.seconds == 300.0
    assert sum(one.share for one in done.usages) == pytest.approx(1.0)
    found = compare(before, done)
    assert [(one.usage.key.queryid, one.verdict) for one in found.changes][:2] == [
        (1, Verdict.SLOWER), (4, Verdict.NEW),
    ]  # fmt: skip
    assert compare(before, whole).changes[0].usage.key.queryid != 1  # as a whole it took 1.25 times as long: no change


@pytest.mark.parametrize("more", [{"system": "2"}, {"began_at": None}, {"began_at": 1_764_000_050.0}])
def test_counters_that_began_otherwise_are_left_as_they_are(more: dict[str, Any]) -> None:
    before, whole = span(usage(1, 1000, 0.01)), span(usage(1, 30, 0.02), seconds=400.0, **more)
    assert beyond(before, whole) is whole
