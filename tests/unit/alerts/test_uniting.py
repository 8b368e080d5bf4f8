"""Episodes and flapping of several Prometheus as one."""

from opsconsole.alerts.episodes import Episode, History
from opsconsole.alerts.flapping import Flapping
from opsconsole.alerts.joining import joining_of
from opsconsole.alerts.uniting import together, united
from tests.unit.alerts.made import rule_side

STEP = 15.0
EU = [rule_side(external={"cluster": "eu", "replica": name}, name=name) for name in "ab"]
RULES = [*EU, rule_side(external={"cluster": "us"}, name="us")]
DOWN = {"alertname": "Down"}


def history(*spans: tuple[float, float | None]) -> History:
    """Episodes of one alert, from when to when."""
    return History(0.0, 1000.0, STEP, tuple(Episode(DOWN, start, start, end) for start, end in spans))


def spans(found: History) -> list[tuple[str, float, float | None]]:
    return [(one.labels.get("cluster", ""), one.fired_at, one.ended_at) for one in found.episodes]


def test_an_episode_of_a_pair_is_one_and_those_of_clusters_are_two() -> None:
    told = {"a": history((100, 400)), "b": history((105, 410)), "us": history((107, 300))}
    assert spans(united(told, joining_of(RULES))) == [("us", 107, 300), ("eu", 100, 410)]


def test_an_end_that_one_of_a_pair_saw_because_it_was_away_is_none() -> None:
    told = {"a": history((100, 200), (600, None)), "b": history((100, None))}
    assert spans(united(told, joining_of(EU))) == [("", 100, None)]


def test_what_began_again_is_two_also_where_ends_are_known_to_a_step_only() -> None:
    told = {"a": history((100, 200), (300, 400)), "b": history((101, 310), (301, 400))}
    assert spans(united({"a": told["a"]}, joining_of(EU))) == [("", 300, 400), ("", 100, 200)]
    assert spans(united(told, joining_of(EU))) == [("", 300, 400), ("", 100, 310)]


def test_of_one_prometheus_nothing_is_changed_but_the_notes() -> None:
    one = history((100, 200))
    found = united({"prometheus": one}, joining_of([rule_side(external={"cluster": "eu"})]), ("b does not answer",))
    assert (found.episodes, found.notes) == (one.episodes, ("b does not answer",))


def test_what_flaps_by_either_of_a_pair_flaps_once() -> None:
    key = frozenset(DOWN.items())
    found = together([Flapping({key: 3}), Flapping({key: 5}), Flapping({key: 4})], RULES)
    assert found.of({**DOWN, "cluster": "eu"}) == 5
    assert found.of({**DOWN, "cluster": "us"}) == 4
    assert found.of(DOWN) == 0
