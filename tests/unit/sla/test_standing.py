"""The arithmetic of SLAs against cases reckoned by hand. Times are seconds after an arbitrary midnight."""

from typing import Any

import pytest

from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.core.state import State
from opsconsole.sla.periods import Period
from opsconsole.sla.slices import Slice, counted, overlaid, tally
from opsconsole.sla.standing import Counted, Standing, standing, unread, worst_first
from opsconsole.sla.violations import violations

MIDNIGHT = 1_764_374_400.0
HOUR, DAY = 3600.0, 86400.0
NOW = MIDNIGHT + 30 * DAY
ROLLING = Period(MIDNIGHT, NOW, "rolling 30 d", rolling=True)


def sla(objective: float = 0.99, **given: Any) -> Sla:
    return Sla(**{"name": "a", "kind": "availability", "objective": objective, "promql": Promql(value="up"), **given})


def hours(*shares: tuple[float, float], start: float = 0.0) -> list[Slice]:
    """(bad, total) of one hour after the other."""
    return [
        Slice(MIDNIGHT + start + at * HOUR, MIDNIGHT + start + (at + 1) * HOUR, bad, total)
        for at, (bad, total) in enumerate(shares)
    ]


def month(bad_last_hour: float = 0.0, bad_before: float = 0.0, total: float = 100.0) -> list[Slice]:
    """Thirty days of hours with `total` each; `bad_before` in the first hour."""
    shares = [(0.0, total)] * 720
    shares[0] = (bad_before, total)
    shares[-1] = (bad_last_hour, total)
    return hours(*shares)


def stand(slices: list[Slice], **given: Any) -> Standing:
    return standing(sla(**given), Counted(tuple(slices)), ROLLING, NOW)


def test_uneven_traffic_is_summed_and_not_averaged() -> None:
    # The mean of the shares would be (0.5 + 0.999) / 2 = 0.7495.
    found = tally(hours((5, 10), (1, 1000)), MIDNIGHT, MIDNIGHT + 2 * HOUR)
    assert found.sli == pytest.approx(1 - 6 / 1010)
    assert found.burn(0.01) == pytest.approx(6 / 1010 / 0.01)


def test_no_traffic_is_no_share_and_unknown_time_lowers_the_coverage() -> None:
    quiet = [*hours((0, 0)), Slice(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, 0, 0, known=0.0)]
    found = tally(quiet, MIDNIGHT, MIDNIGHT + 4 * HOUR)
    assert (found.sli, found.burn(0.01), found.coverage) == (None, None, 0.25)


def test_a_slice_that_is_only_partly_asked_about_counts_by_that_part() -> None:
    found = tally(hours((6, 60), (0, 60)), MIDNIGHT + 1800, MIDNIGHT + 2 * HOUR)
    assert (found.bad, found.total, found.seconds, found.coverage) == (3.0, 90.0, 5400.0, 1.0)


def test_maintenance_is_not_counted_and_not_unknown() -> None:
    slices = hours((0, 60), (60, 60), (0, 60))
    spans = [(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR)]
    found = tally(slices, MIDNIGHT, MIDNIGHT + 3 * HOUR, spans)
    assert (found.sli, found.total, found.coverage, found.seconds) == (1.0, 120.0, 1.0, 2 * HOUR)
    assert [one.bad for one in counted(slices, spans)] == [0, 0]
    half = counted(slices, [(MIDNIGHT + HOUR, MIDNIGHT + 1.5 * HOUR)])
    assert [(one.bad, one.total) for one in half] == [(0, 60), (30, 30), (0, 60)]


def test_fine_slices_take_the_place_of_the_coarse_one() -> None:
    coarse = hours((1, 10), (2, 20))
    fine = [Slice(MIDNIGHT + at * 1800, MIDNIGHT + (at + 1) * 1800, at, 5) for at in range(2)]
    assert overlaid(coarse, fine) == [*fine, coarse[1]]


@pytest.mark.parametrize("tenths", [533, 535, 900, 950, 995, 999])
def test_exactly_as_much_as_was_promised_is_kept(tenths: int) -> None:
    """1 - 0.9 is less than a tenth in binary; nobody's budget is spent by that."""
    exactly = [(1000.0 - tenths, 1000.0)] * 720
    found = stand(hours(*exactly), objective=tenths / 1000)
    assert (found.met, found.state, found.violations) == (True, State.WARN, ())
    worse = stand(hours((1001.0 - tenths, 1000.0), *exactly[1:]), objective=tenths / 1000)
    assert (worse.met, worse.state) == (False, State.CRIT)


def test_budget_burn_and_exhaustion() -> None:
    # 72,000 events, 1 % may be bad: 720. 540 were before and 36 of 100 in the last hour: 576 spent, 20 % left.
    found = stand(hours((540, 540), *[(0, 100)] * 718, (36, 100)))
    assert found.tally.total == 540 + 71_900
    whole = 0.01 * 72_440
    assert found.budget_left == pytest.approx(1 - 576 / whole)
    assert found.burns[0].long == pytest.approx(36.0)
    assert found.exhausted_in == pytest.approx((1 - 576 / whole) * 30 * DAY / 36.0)


def test_a_page_is_critical_a_ticket_a_warning_and_both_windows_have_to_burn() -> None:
    # 14.4 * 1 % = 14.4 % over an hour; the five minutes are part of the same slice.
    assert (stand(month(15.0)).state, stand(month(15.0)).burns[0].burning) == (State.CRIT, True)
    assert not stand(month(14.0)).burns[0].burning
    over = month()
    over[-3] = Slice(over[-3].start, over[-3].end, 80.0, 100.0)
    # Over six hours 80 of 600 is 13.3 times the budget, but the last half hour is good: it is over.
    assert stand(over).burns[1].long == pytest.approx(80 / 600 / 0.01)
    assert not stand(over).burns[1].burning
    slow = month()
    for at in range(-24, 0):
        slow[at] = Slice(slow[at].start, slow[at].end, 4.0, 100.0)
    assert (stand(slow).state, stand(slow).why) == (State.WARN, "burns 4×, gone in 6d")


@pytest.mark.parametrize(
    ("slices", "state", "why"),
    [
        (month(), State.OK, ""),
        (month(bad_before=100.0), State.OK, ""),
        ([*month(total=10.0)[1:], Slice(MIDNIGHT, MIDNIGHT + HOUR, 60, 100)], State.WARN, "18 % of the budget left"),
        ([*month(total=10.0)[1:], Slice(MIDNIGHT, MIDNIGHT + HOUR, 80, 100)], State.CRIT, "the budget is spent"),
        ([], State.UNKNOWN, "no data"),
        (hours(*[(0, 0)] * 720), State.UNKNOWN, "nothing was counted"),
        (month()[:-2], State.UNKNOWN, "no data for 2h"),
        (month()[400:], State.UNKNOWN, "known of 44 % of the time"),
    ],
)
def test_unknown_is_a_state_of_its_own(slices: list[Slice], state: State, why: str) -> None:
    found = stand(sorted(slices, key=lambda one: one.start))
    assert (found.state, found.why) == (state, why)


def test_too_few_events_say_nothing() -> None:
    found = stand(hours(*[(0, 0)] * 719, (1, 2)), min_events=10)
    assert (found.state, found.why, found.sli, found.met) == (State.UNKNOWN, "only 2 counted", None, None)


def test_a_calendar_window_is_exhausted_only_before_its_end() -> None:
    week = Period(MIDNIGHT, MIDNIGHT + 7 * DAY, "2026-W01")
    now = MIDNIGHT + 6 * DAY
    slices = hours(*[(0, 100)] * 143, (1, 100))
    # The hour burns at exactly 1: the rest would last seven days, and one is left.
    calm = standing(sla(window="week"), Counted(tuple(slices)), week, now)
    assert calm.exhausted_in is None
    slices[-1] = Slice(slices[-1].start, slices[-1].end, 10, 100)
    left = 1 - 10 / 144
    fast = standing(sla(window="week"), Counted(tuple(slices)), week, now)
    assert fast.exhausted_in == pytest.approx(left * 7 * DAY / 10)


def test_the_change_against_the_period_before_and_the_days() -> None:
    earlier = Period(MIDNIGHT - 30 * DAY, MIDNIGHT, "rolling 30 d", rolling=True)
    slices = [Slice(MIDNIGHT - 20 * DAY, MIDNIGHT, 5, 100), *month(bad_before=1.0)]
    found = standing(sla(), Counted(tuple(slices)), ROLLING, NOW, earlier=earlier)
    assert found.change == pytest.approx((1 - 1 / 72_000) - 0.95)
    assert found.trend[0] == (MIDNIGHT, 1 - 1 / 2400)
    assert len(found.trend) == 30
    # Of a day in thirty too little is known to compare with.
    little = [Slice(MIDNIGHT - DAY, MIDNIGHT, 5, 100), *month()]
    assert standing(sla(), Counted(tuple(little)), ROLLING, NOW, earlier=earlier).change is None


def test_violations_have_a_start_an_end_and_what_they_took() -> None:
    slices = hours((0, 100), (20, 100), (10, 100), (0, 100), (50, 100))
    now = MIDNIGHT + 6 * HOUR
    first, second = violations(slices, 0.01, 100.0, now)
    assert (first.start, first.end, first.seconds) == (MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR, 2 * HOUR)
    assert (first.bad, first.spent, first.bad_share) == (30, 0.3, 0.15)
    assert second.seconds == HOUR
    (*_, last) = violations(slices, 0.01, 100.0, MIDNIGHT + 5 * HOUR + 60)
    assert (last.end, last.seconds) == (None, None)


def test_short_gaps_are_bridged_longer_ones_only_where_nothing_is_known() -> None:
    def minutes(*given: tuple[int, float, float]) -> list[Slice]:
        return [Slice(MIDNIGHT + at * 300, MIDNIGHT + (at + 1) * 300, bad, total) for at, bad, total in given]

    late = MIDNIGHT + DAY
    assert len(violations(minutes((0, 5, 10), (1, 0, 10), (2, 0, 10), (3, 5, 10)), 0.01, 10.0, late)) == 1
    assert len(violations(minutes((0, 5, 10), (1, 0, 10), (2, 0, 10), (3, 0, 10), (4, 5, 10)), 0.01, 10.0, late)) == 2
    assert len(violations(minutes((0, 5, 10), (12, 5, 10)), 0.01, 10.0, late)) == 1
    assert len(violations(minutes((0, 5, 10), (14, 5, 10)), 0.01, 10.0, late)) == 2


def test_trifles_are_no_violations() -> None:
    assert violations(hours((2, 100)), 0.01, 1000.0, MIDNIGHT + DAY) == ()
    assert len(violations(hours((6, 100)), 0.01, 1000.0, MIDNIGHT + DAY)) == 1


def test_mttr_is_of_what_is_over() -> None:
    slices = hours((0, 100), (20, 100), (20, 100), (0, 100), (20, 100), (0, 100), *[(0, 100)] * 713, (90, 100))
    found = stand(slices)
    assert [one.end is None for one in found.violations] == [False, False, True]
    assert found.mttr == 1.5 * HOUR


def test_what_was_excluded_is_listed_and_changes_the_share() -> None:
    pause = Maintenance("disks", "bigger", MIDNIGHT + 719 * HOUR, NOW)
    found = stand(month(90.0), maintenance=(pause,))
    assert (found.sli, found.state) == (1.0, State.OK)
    assert [(one.name, one.end - one.start) for one in found.excluded] == [("disks", HOUR)]
    assert found.violations == ()
    assert found.burns[0].long is None


def test_the_worst_stands_first_and_a_dead_source_is_unknown() -> None:
    dead = unread(sla(name="dead"), ROLLING, NOW, "prometheus: connection refused")
    assert (dead.state, dead.sli, dead.why) == (State.UNKNOWN, None, "prometheus: connection refused")
    ok, crit = stand(month(), name="ok"), stand(month(50.0), name="crit")
    assert [one.sla.name for one in worst_first([ok, dead, crit])] == ["crit", "dead", "ok"]
