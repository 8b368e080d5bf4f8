"""Thirty days that never were, and their text."""

import math
import re
from collections import defaultdict
from itertools import pairwise

import pytest

from opsconsole.demo import history
from opsconsole.demo.catalogue import BUCKETS, SERVICES
from opsconsole.demo.history import COARSE, DAY, FINE, INCIDENTS, LENGTH, RECENT, anchor, moments

NOW = 1_795_300_000.0
ALL = frozenset(service.name for service in SERVICES)
LINE = re.compile(r"([a-zA-Z0-9_:]+)\{(.*)\} (\S+) (\d+)")

Points = dict[str, list[tuple[int, float]]]


def parsed(times: list[float], present: frozenset[str] = ALL) -> Points:
    """Series -> points, in the order in which the text has them."""
    found: Points = defaultdict(list)
    lines = "".join(history.text(anchor(NOW), times, present)).splitlines()
    assert lines[-1] == "# EOF"
    for line in lines[:-1]:
        match = LINE.fullmatch(line)
        assert match, line
        found[f"{match[1]}{{{match[2]}}}"].append((int(match[4]), float(match[3])))
    return found


@pytest.fixture(scope="module")
def recent() -> Points:
    return parsed(moments(NOW)[2][-200:])


def test_the_moments_cover_thirty_days_without_a_gap_that_a_lookback_would_see() -> None:
    old, newer, fine = moments(NOW)
    times = [*old, *newer, *fine]
    assert times == sorted(times)
    assert times[0] <= NOW - LENGTH + 1
    assert NOW - FINE - 1 <= times[-1] < NOW
    assert max(later - earlier for earlier, later in pairwise(times)) <= COARSE < 300
    assert NOW - fine[0] >= RECENT


def test_the_anchor_stays_while_the_old_part_is_kept() -> None:
    assert anchor(NOW) == anchor(NOW + 60)
    assert anchor(NOW + 6 * 3600) == anchor(NOW) + 6 * 3600


def test_the_same_arguments_give_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "cpu_seconds", lambda: {("0", "idle"): 500.0})
    monkeypatch.setattr(history, "network_bytes", lambda _: (1000.0, 2000.0))
    times = moments(NOW)[2][-20:]
    first = "".join(history.text(anchor(NOW), times, ALL))
    assert first == "".join(history.text(anchor(NOW), times, ALL))


def test_each_series_is_in_one_piece_and_its_times_ascend(recent: Points) -> None:
    for series, points in recent.items():
        stamps = [stamp for stamp, _ in points]
        assert stamps == sorted(set(stamps)), series


def test_counters_only_grow(recent: Points) -> None:
    counters = [name for name in recent if re.match(r"\w+(_total|_count|_bucket|_sum|_heartbeat)\{", name)]
    assert len(counters) > 100
    for series in counters:
        values = [value for _, value in recent[series]]
        assert values == sorted(values), series


def test_a_histogram_adds_up(recent: Points) -> None:
    buckets: dict[str, dict[str, float]] = defaultdict(dict)
    for series, points in recent.items():
        if series.startswith("http_request_duration_seconds_bucket"):
            rest, _, bound = series.rpartition(',le="')
            buckets[rest][bound.rstrip('"}')] = points[-1][1]
    assert buckets
    for rest, counts in buckets.items():
        bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
        assert [counts[bound] for bound in bounds] == sorted(counts.values()), rest
        count = recent[rest.replace("_bucket", "_count") + "}"][-1][1]
        assert counts["+Inf"] == pytest.approx(count, abs=1)


def test_what_the_live_platform_lacks_has_no_past() -> None:
    assert not [name for name in parsed(moments(NOW)[2][-2:], ALL - {"redis"}) if 'job="redis"' in name]


def test_services_that_were_down_left_a_gap_and_a_zero() -> None:
    outage = next(one for one in INCIDENTS if one.fault == "service-down")
    begin = anchor(NOW) - outage.begin
    times = [begin - 120, begin + 120, begin + outage.length + 120]
    series = parsed(times)
    service, instance = outage.target.split("/")
    up = series[f'up{{job="{service}",instance="{instance}"}}']
    assert [value for _, value in up] == [1, 0, 1]
    mine = f'http_requests_total{{job="{service}"'
    requests = next(points for name, points in series.items() if name.startswith(mine))
    assert [stamp for stamp, _ in requests] == [int(times[0]), int(times[2])]


def test_each_past_incident_has_its_alert_for_as_long_as_it_lasted() -> None:
    for incident in INCIDENTS:
        begin = anchor(NOW) - incident.begin
        series = parsed([begin - 60, begin + 60, begin + incident.length - 60, begin + incident.length + 60])
        firing = [points for name, points in series.items() if name.startswith("ALERTS{") and incident.alert in name]
        assert [len(points) for points in firing] == [2], incident
        since = [points for name, points in series.items() if name.startswith("ALERTS_FOR_STATE{")]
        assert since[0][0][1] == math.floor(begin)


def test_incidents_lie_in_the_old_part_and_use_a_known_budget() -> None:
    assert all(incident.begin < LENGTH - 2 * DAY for incident in INCIDENTS)
    down = sum(incident.length for incident in INCIDENTS if incident.fault == "service-down")
    assert 0 < down / LENGTH < 0.005, "the month stays within an SLA of 99.5 %"
