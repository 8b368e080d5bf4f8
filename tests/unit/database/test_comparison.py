"""Before and after, statement by statement."""

import pytest

from opsconsole.database.comparison import Verdict, compare
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
