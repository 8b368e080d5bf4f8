"""What statements did over a span; resets and evictions honest."""

import pytest

from opsconsole.database.statement_usage import between, ranked, since_reset
from tests.unit.database.statement_rows import MOMENT, entry, snapshot, span, usage


def test_a_window_shows_what_was_done_in_it() -> None:
    before = snapshot(entry(1, 100, 10.0, rows=100, shared_hit=500), entry(2, 7, 1.0), evictions=0)
    after = snapshot(entry(1, 120, 16.0, rows=160, shared_hit=700), entry(2, 7, 1.0), at=10, evictions=0)
    found = between(before, after)
    (one,) = found.usages
    assert (one.counters.calls, one.counters.total, one.mean, one.rate) == (20, 6.0, 0.3, 2.0)
    assert (one.rows_per_call, one.blocks_per_call, one.share) == (3.0, 10.0, 1.0)
    assert (found.seconds, found.coverage.notes) == (10.0, ())


def test_the_deviation_of_a_window_is_that_of_its_calls() -> None:
    # Before: two calls of 1 s. Within: calls of 2 s and 4 s. All four: mean 2, variance 1.5.
    before = snapshot(entry(1, 2, 2.0, stddev=0.0))
    after = snapshot(entry(1, 4, 8.0, stddev=1.5**0.5), at=10)
    assert between(before, after).usages[0].stddev == pytest.approx(1.0)


def test_what_is_new_counts_from_nothing() -> None:
    found = between(snapshot(entry(1, 5, 1.0)), snapshot(entry(1, 5, 1.0), entry(2, 3, 0.6), at=10))
    assert [(one.key.queryid, one.counters.calls) for one in found.usages] == [(2, 3)]


def test_counters_that_began_anew_are_at_least_what_they_show_and_that_is_said() -> None:
    found = between(
        snapshot(entry(1, 100, 10.0), entry(2, 5, 1.0)), snapshot(entry(1, 4, 0.4), entry(2, 6, 1.2), at=10)
    )
    one = next(one for one in found.usages if one.key.queryid == 1)
    assert one.restarted
    assert one.counters.calls == 4
    assert "1 statements are counted anew" in found.coverage.notes[0]


def test_since_when_a_statement_is_counted_tells_what_more_calls_would_hide() -> None:
    before = snapshot(entry(1, 3, 1.0, since=MOMENT - 100), reset_at=MOMENT - 500)
    found = between(before, snapshot(entry(1, 9, 1.5, since=MOMENT + 5), at=10, reset_at=MOMENT - 500))
    assert found.usages[0].restarted
    assert found.usages[0].counters.calls == 9


def test_a_reset_of_all_is_the_beginning_of_the_span() -> None:
    before = snapshot(entry(1, 100, 10.0), reset_at=MOMENT - 1000, evictions=3, hidden_total=5.0)
    after = snapshot(entry(1, 120, 4.0), at=10, reset_at=MOMENT + 6, evictions=0, hidden_total=1.0)
    found = between(before, after)
    assert (found.seconds, found.usages[0].counters.calls, found.usages[0].rate) == (4.0, 120, 30.0)
    assert found.total == 5.0
    assert not found.usages[0].restarted
    assert found.coverage.notes == ("the statistics were reset meanwhile: this is what was done since then",)


def test_a_reset_that_an_old_version_does_not_tell_is_seen_by_all_counters_falling() -> None:
    found = between(
        snapshot(entry(1, 100, 10.0), entry(2, 50, 1.0)), snapshot(entry(1, 2, 0.1), entry(2, 1, 0.1), at=10)
    )
    assert "reset meanwhile" in found.coverage.notes[0]


def test_evictions_are_said_with_how_many_statements_they_took() -> None:
    before = snapshot(entry(1, 1, 1.0), entry(2, 1, 1.0), evictions=3)
    found = between(before, snapshot(entry(1, 2, 2.0), at=10, evictions=5))
    assert found.coverage.notes[0].startswith("1 statements were dropped meanwhile in 2 rounds")


def test_hidden_statements_have_their_part_in_the_shares() -> None:
    found = between(snapshot(hidden_total=1.0), snapshot(entry(1, 1, 1.0), at=10, hidden_total=4.0))
    assert (found.total, found.usages[0].share) == (4.0, 0.25)


def test_since_reset_without_a_time_of_reset_has_no_rates() -> None:
    found = since_reset(snapshot(entry(1, 10, 1.0)))
    assert (found.seconds, found.usages[0].rate) == (None, None)
    assert "no calls per second" in found.coverage.notes[0]
    assert since_reset(snapshot(entry(1, 10, 1.0), reset_at=MOMENT - 5)).usages[0].rate == 2.0


def test_evictions_since_the_reset_are_said() -> None:
    assert "dropped for want of room 7 times" in since_reset(snapshot(reset_at=MOMENT, evictions=7)).coverage.notes[0]


@pytest.mark.parametrize(("mean", "most", "slow"), [(1.01, 1.5, True), (0.2, 1.01, True), (0.5, 1.0, False)])
def test_slow_is_more_than_a_second_usually_or_at_its_worst(mean: float, most: float, slow: bool) -> None:
    found = since_reset(snapshot(entry(1, 10, 10 * mean, most=most), reset_at=MOMENT - 10))
    assert [one.slow for one in found.usages] == [slow]
    assert len(ranked(found, slow=True)) == slow


@pytest.mark.parametrize(
    ("calls", "mean", "rows", "other", "suspect"),
    [
        (2000, 0.001, 1.0, 1.0, True),
        (100, 0.001, 1.0, 0.0, False),  # seldom
        (2000, 0.02, 1.0, 1.0, False),  # not quick: slow by itself
        (2000, 0.001, 50.0, 1.0, False),  # many rows: no look-up
        (2000, 0.001, 1.0, 100.0, False),  # a small part of all
    ],
    ids=["suspect", "seldom", "not quick", "many rows", "small part"],
)
def test_a_query_in_a_loop(calls: float, mean: float, rows: float, other: float, suspect: bool) -> None:
    after = snapshot(entry(1, calls, calls * mean, rows=rows * calls), entry(2, 1, other), at=10)
    loop = next(one for one in between(snapshot(), after).usages if one.key.queryid == 1)
    assert loop.n_plus_one == suspect


@pytest.mark.parametrize(
    ("sort", "first"), [("total", 1), ("mean", 2), ("calls", 1), ("rows", 3), ("temp", 3), ("wal", 2), ("io", 3)]
)
def test_ranking(sort: str, first: int) -> None:
    found = span(
        usage(1, 100, 0.1, wal_bytes=None),
        usage(2, 1, 2.0, wal_bytes=10.0),
        usage(3, 2, 0.1, rows=9, temp_written=4, shared_read=5, wal_bytes=1.0),
    )
    assert ranked(found, sort)[0].key.queryid == first
