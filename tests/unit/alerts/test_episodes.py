"""Episodes of alerts, by points such as Prometheus gives them."""

import math

import pytest

from opsconsole.alerts.episodes import Episode, episodes, mean_time_to_repair
from opsconsole.core.values import Series

STEP = 15.0


def series(*points: tuple[float, float], **labels: str) -> Series:
    return Series({"__name__": "ALERTS", "alertstate": "firing", "alertname": "Down", **labels}, points)


def begun(*points: tuple[float, float], **labels: str) -> Series:
    return Series({"__name__": "ALERTS_FOR_STATE", "alertname": "Down", **labels}, points)


def at(first: float, last: float, value: float = 1.0) -> list[tuple[float, float]]:
    """A point each step."""
    return [(first + n * STEP, value) for n in range(round((last - first) / STEP) + 1)]


def found(firing: Series, *beginnings: Series, end: float = 6000.0, merge: float = 0.0) -> tuple[Episode, ...]:
    return episodes([firing], beginnings, start=0.0, end=end, step=STEP, merge=merge)


def test_an_episode_lasts_from_its_beginning_to_its_last_point() -> None:
    (one,) = found(series(*at(615, 900)), begun(*at(615, 900, 607.0)))
    assert (one.active_at, one.fired_at, one.ended_at) == (607.0, 607.0, 900.0)
    assert one.seconds(6000.0) == 293.0
    assert dict(one.labels) == {"alertname": "Down"}


def test_one_that_reaches_the_end_is_open() -> None:
    (one,) = found(series(*at(5700, 6000)), begun(*at(5700, 6000, 5690.0)))
    assert (one.ended_at, one.seconds(6010.0)) == (None, 320.0)
    assert mean_time_to_repair([one]) is None


def test_it_fires_later_than_its_expression_holds() -> None:
    (one,) = found(series(*at(1200, 1500)), begun(*at(615, 1500, 600.0)))
    assert (one.active_at, one.fired_at) == (600.0, 1185.0)


def test_one_that_began_before_what_is_looked_at_keeps_its_beginning() -> None:
    (one,) = found(series(*at(0, 300)), begun(*at(0, 300, -90_000.0)))
    assert (one.fired_at, one.ended_at) == (-90_000.0, 300.0)


def test_a_gap_ends_it() -> None:
    firing = series(*at(600, 900), *at(960, 1200))
    assert [one.ended_at for one in found(firing)] == [1200.0, 900.0]
    kept = series(*at(600, 900), *at(930, 1200))
    assert [one.ended_at for one in found(kept)] == [1200.0]


def test_samples_that_lack_in_between_do_not_end_it_where_its_beginning_stays() -> None:
    """Prometheus was down for a while, or keeps what is old more coarsely than rules are evaluated."""
    sparse = [(600.0 + n * 270.0, 1.0) for n in range(3)]
    (one,) = found(series(*sparse), begun(*[(moment, 590.0) for moment, _ in sparse]))
    assert (one.fired_at, one.ended_at) == (590.0, 1140.0)
    later, earlier = found(series(*sparse), begun((600.0, 590.0), (870.0, 590.0), (1140.0, 1100.0)))
    assert (earlier.ended_at, later.fired_at) == (870.0, 1125.0)


def test_a_new_beginning_ends_it_without_a_gap() -> None:
    firing = series(*at(600, 1200))
    beginnings = begun(*at(600, 885, 600.0), *at(900, 1200, 890.0))
    later, earlier = found(firing, beginnings)
    assert (earlier.ended_at, later.fired_at, later.ended_at) == (885.0, 890.0, 1200.0)


def test_one_that_another_follows_has_ended_however_late_that_is() -> None:
    beginnings = begun(*at(600, 5985, 600.0), (6000.0, 5992.0))
    later, earlier = found(series(*at(600, 6000)), beginnings)
    assert (later.fired_at, later.ended_at) == (5992.0, None)
    assert (earlier.fired_at, earlier.ended_at) == (600.0, 5985.0)


def test_flaps_within_the_group_interval_are_one_that_says_how_often() -> None:
    firing = series(*at(600, 660), *at(720, 780), *at(840, 900), *at(3000, 3060))
    later, earlier = found(firing, merge=300.0)
    assert (earlier.fired_at, earlier.ended_at, earlier.times) == (585.0, 900.0, 3)
    assert later.times == 1
    assert len(found(firing)) == 4


def test_a_beginning_that_is_rounded_otherwise_after_a_restart_is_the_same() -> None:
    beginnings = begun(*at(600, 885, 600.0), *at(900, 1200, 601.0))
    assert len(found(series(*at(600, 1200)), beginnings)) == 1


def test_alerts_are_told_apart_by_their_labels() -> None:
    one, other = series(*at(600, 900), job="a"), series(*at(600, 900), job="b")
    both = episodes([one, other], [begun(*at(600, 900, 596.0), job="b")], start=0, end=6000, step=STEP)
    assert {given.labels["job"]: given.fired_at for given in both} == {"a": 585.0, "b": 596.0}


def test_values_that_say_nothing_are_no_points() -> None:
    assert found(series((600.0, math.nan), (615.0, 0.0))) == ()


def test_the_mean_time_to_repair_is_that_of_closed_ones() -> None:
    closed = [Episode({}, 0.0, 0.0, 60.0), Episode({}, 0.0, 100.0, 280.0)]
    assert mean_time_to_repair([*closed, Episode({}, 0.0, 0.0, None)]) == pytest.approx(120.0)
