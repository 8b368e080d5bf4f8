"""Range queries are asked on a grid and never for more points than the server gives."""

from hypothesis import given
from hypothesis import strategies as st

from opsconsole.core.reading import Query
from opsconsole.sources.prometheus_range import MAX_POINTS, Span, aligned, span_of


def test_the_step_follows_from_the_window() -> None:
    assert span_of(Query("p", "up", window=3600), 1_000_007.3, points=240) == Span(996_405, 1_000_005, 15)


def test_neighbouring_refreshes_ask_the_same() -> None:
    query = Query("p", "up", window=3600, step=60)
    assert span_of(query, 1_000_021) == span_of(query, 1_000_079)


def test_a_fixed_end_stays() -> None:
    assert span_of(Query("p", "up", window=600, step=10, end=1000), 99_999).end == 1000


@given(st.floats(0, 4e9), st.floats(0, 1e9), st.floats(0, 1e6))
def test_never_more_points_than_allowed(start: float, window: float, step: float) -> None:
    span = aligned(start, start + window, step)
    assert span.points <= MAX_POINTS + 1  # the server counts (end - start) / step, without the first
    assert (span.end - span.start) / span.step <= MAX_POINTS
    assert span.step >= 1
    assert span.end <= start + window
