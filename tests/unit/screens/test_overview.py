"""Checks, worst first; since when; and the overview made of them."""

# ruff: noqa: E501 - a file reads best as it would be written

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from opsconsole.cli.status import exit_code, fields
from opsconsole.config.document import parse_document
from opsconsole.core.reading import Answer, Query, Reading, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Matrix, Sample, Scalar, Series, Value, Vector
from opsconsole.screens.checks import Check, Tracker, counts, link_params, worst_first
from opsconsole.screens.definition import RunbookLink, Screen
from opsconsole.screens.loading import read_screen
from opsconsole.screens.once import read_once
from opsconsole.screens.overview import Overview, next_for, overview
from opsconsole.screens.watchlist import Watchlist, watchlist

NOW = 1000.0

HEALTH = """\
screen: 1
id: health
refresh: 5s
variables: {job: {query: "label_values(up, job)", multi: true}}
panes:
  - id: services
    title: Services
    kind: status
    query: up{job=~"$job"}
    legend: "{{job}} {{instance}}"
    thresholds: [{below: 1, state: CRIT}]
    mappings: {0: down, 1: up}
    area: services
    runbook: {id: restart, params: {SERVICE: job, INSTANCE: instance}}
  - {id: errors, title: Errors, kind: bars, query: errors, legend: "{{job}}", unit: percentunit, area: errors,
     thresholds: [{above: 0.02, state: WARN}, {above: 0.05, state: CRIT}], drill: {screen: errors, variables: {job: job}}}
  - {id: lag, title: Lag, kind: stat, query: lag, unit: s, area: services, thresholds: [{above: 10, state: WARN}]}
  - {id: dags, title: DAGs, kind: stat, query: dags, area: pipelines, optional: true, thresholds: [{above: 0, state: CRIT}]}
  - {id: sessions, title: Sessions, kind: stat, source: postgres/app, query: select 1, area: database, thresholds: [{above: 9, state: WARN}]}
  - {id: chart, kind: timeseries, query: lag, check: false, thresholds: [{above: 10, state: WARN}]}
  - {id: plain, kind: stat, query: plain}
"""

OVERVIEW = """\
screen: 1
id: overview
refresh: 5s
panes:
  - id: areas
    kind: view
    view: overview.areas
    options:
      areas:
        - id: services
          title: Services
          screen: health
          now: {queries: {up: sum(up), all: count(up)}, text: "{up} of {all} up", unit: none}
          trend: {query: sum(up)}
          day_ago: {query: sum(up offset 1d), unit: none}
        - id: errors
          screen: health
          now: [{query: rate, unit: reqps, text: "{value}"}, {query: p95, unit: s, text: "p95 {value}"}]
        - {id: quality, title: Quality, now: {pane: health/services, text: "{ok} ok, {bad} bad of {all}"}}
"""


def screen(text: str) -> Screen:
    found, problems = read_screen(parse_document(text, "s.yaml"))
    assert problems == []
    assert found is not None
    return found


def up(**values: float) -> Vector:
    return Vector(tuple(Sample({"job": job, "instance": "a"}, value, NOW) for job, value in values.items()))


class World:
    """Readings by query text."""

    def __init__(self, **answers: Value | Exception) -> None:
        self.list = watchlist([screen(OVERVIEW), screen(HEALTH)], areas_of=screen(OVERVIEW))
        self.answers: dict[str, Value | Exception] = {
            'up{job=~".*"}': up(api=1, web=1),
            "errors": up(api=0.001),
            "lag": up(api=3),
            "dags": Vector(()),
            "select 1": Scalar(1, NOW),
            "sum(up)": Scalar(13, NOW),
            "count(up)": Scalar(14, NOW),
        }
        self.answers.update(answers)

    def latest(self, query: Query) -> Reading:
        answer = self.answers.get(query.text)
        blank = Reading(query.source)
        if query.window:
            return blank.succeeded(Answer(Matrix((Series({}, ((1.0, 2.0),)),)), NOW, 0.1))
        if answer is None:
            return blank
        if isinstance(answer, Exception):
            return blank.failed(str(answer), now=NOW, took=0.1)
        return blank.succeeded(Answer(answer, NOW - 3, 0.1))

    def checks(self, **more: Any) -> list[Check]:
        return self.list.checks(self.latest, NOW, **more)

    def overview(self, checks: list[Check] | None = None) -> Overview:
        return self.list.overview(self.checks() if checks is None else checks, self.latest, NOW)


def by_id(checks: list[Check]) -> Mapping[str, Check]:
    return {check.id: check for check in checks}


def test_each_series_that_its_legend_tells_apart_is_a_check() -> None:
    assert {check.id: check.state for check in World().checks()} == {
        "health/services/api a": State.OK,
        "health/services/web a": State.OK,
        "health/errors/api": State.OK,
        "health/lag": State.OK,
        "health/sessions": State.OK,
    }


def test_a_check_says_what_it_is_about_what_it_is_like_and_what_to_do() -> None:
    world = World(**{'up{job=~".*"}': up(api=1, web=0), "errors": up(api=0.33), "lag": up(api=12)})
    checks = world.checks()
    assert [check.id for check in checks[:3]] == ["health/errors/api", "health/services/web a", "health/lag"]
    down = by_id(checks)["health/services/web a"]
    assert (down.title, down.subject, down.text) == ("Services: web a", "web a", "down")
    assert (down.runbook, dict(down.params)) == ("restart", {"SERVICE": "web", "INSTANCE": "a"})
    assert (down.value, down.unit, down.source, down.age_seconds) == (0, "short", "prometheus", 3)
    errors = by_id(checks)["health/errors/api"]
    assert errors.text == "Errors 33 % (limit 5 %)"
    assert by_id(checks)["health/lag"].text == "12 s (limit 10 s)"


def test_nothing_to_see_is_unknown_unless_it_is_optional() -> None:
    checks = by_id(World(lag=Vector(())).checks())
    assert (checks["health/lag"].state, checks["health/lag"].text) == (State.UNKNOWN, "no data")
    assert "health/dags" not in checks
    assert by_id(World(dags=up(x=1)).checks())["health/dags"].state is State.CRIT


def test_an_optional_pane_that_cannot_be_read_is_not_silent() -> None:
    assert by_id(World(dags=SourceError("prometheus", "timeout", "slow")).checks())["health/dags"].state is State.ERROR


def test_an_optional_pane_that_never_had_anything_is_no_check_when_its_source_fails() -> None:
    world = World()
    absent = Reading("prometheus").succeeded(Answer(Vector(()), NOW - 60, 0.1))
    stale = absent.failed("refused", now=NOW, took=0.1)
    checks = world.list.checks(lambda query: stale if query.text == "dags" else world.latest(query), NOW)
    assert "health/dags" not in by_id(checks)


def test_what_is_not_configured_at_all_is_not_checked() -> None:
    checks = by_id(World().checks(configured=["prometheus"]))
    assert "health/sessions" not in checks
    assert "health/lag" in checks


def test_a_broken_pane_is_a_check_that_cannot_be_overlooked() -> None:
    broken, _ = read_screen(parse_document("screen: 1\nid: s\npanes: [{id: a, kind: stta, query: up}]", "s.yaml"))
    assert broken is not None
    [check] = watchlist([broken]).checks(lambda query: Reading(query.source), NOW)
    assert (check.state, check.id) == (State.ERROR, "s/a")
    assert "stta" in (check.error or "")


def test_since_counts_from_when_the_state_changed() -> None:
    tracker = Tracker()
    world = World()
    assert {check.since for check in tracker.track(world.checks(), 100)} == {100}
    world.answers['up{job=~".*"}'] = up(api=1, web=0)
    since = {check.id: check.since for check in tracker.track(world.checks(), 200)}
    assert (since["health/services/web a"], since["health/services/api a"]) == (200, 100)
    since = {check.id: check.since for check in tracker.track(world.checks(), 300)}
    assert since["health/services/web a"] == 200


def test_the_overview_has_a_line_for_each_area() -> None:
    world = World(rate=Scalar(0.4, NOW), p95=Scalar(0.312, NOW))
    services, errors, quality = world.overview().areas
    assert (services.state, services.now_text, services.checks) == (State.OK, "13 of 14 up", 3)
    assert services.trend == ((1.0, 2.0),)
    assert (errors.title, errors.now_text) == ("errors", "0.4 /s  p95 312 ms")
    assert (quality.state, quality.checks, quality.now_text) == (State.UNKNOWN, 0, "2 ok, 0 bad of 2")


def test_a_fact_that_nobody_knows_is_left_out_and_half_known_is_said() -> None:
    areas = World(**{"count(up)": Vector(())}).overview().areas
    assert areas[0].now_text == "13 of – up"
    assert areas[1].now_text == ""


def test_an_area_may_say_nothing_but_its_name() -> None:
    text = "screen: 1\nid: s\npanes: [{id: a, kind: view, view: overview.areas, options: {areas: [{id: x, title: 5, now: , trend: }]}}]"
    found = screen(text)
    [area] = watchlist([found], areas_of=found).overview([], lambda query: Reading(query.source), NOW).areas
    assert (area.title, area.now_text, area.trend) == ("5", "", ())


def test_what_needs_attention_stands_worst_first_with_the_next_step() -> None:
    world = World(**{'up{job=~".*"}': up(api=1, web=0), "errors": up(api=0.03), "lag": up(api=12)})
    rows = world.overview().attention
    assert [(row.state, row.area, row.subject) for row in rows] == [
        (State.CRIT, "services", "web a"),
        (State.WARN, "errors", "api"),
        (State.WARN, "services", "Lag"),
    ]
    assert [row.next.kind + ":" + row.next.target for row in rows] == [
        "runbook:restart",
        "screen:errors",
        "screen:health",
    ]
    assert dict(rows[0].next.params) == {"SERVICE": "web", "INSTANCE": "a"}
    assert dict(rows[1].next.params) == {"job": "api"}


def test_a_healthy_platform_needs_no_attention() -> None:
    overview = World().overview()
    assert overview.attention == ()
    assert overview.counts == {State.OK: 5}


def test_a_source_that_does_not_answer_is_one_row() -> None:
    gone = SourceError("prometheus", "unreachable", "connection refused")
    world = World(**{'up{job=~".*"}': gone, "errors": gone, "lag": gone, "dags": gone})
    [row] = world.overview().attention
    assert (row.subject, row.count, row.next.kind) == ("prometheus", 4, "error")
    assert row.text == "connection refused (4 checks)"
    assert world.overview().counts == {State.ERROR: 4, State.OK: 1}


def test_an_sla_that_is_not_known_for_want_of_an_answer_is_part_of_that_row() -> None:
    def unknown(number: int, why: str) -> Check:
        labels = {"unanswered": why} if why else {}
        return replace(check(State.UNKNOWN, source="sla"), id=f"sla/{number}", text="not known", labels=labels)

    hangs = check(State.ERROR, source="prometheus", error="prometheus: no answer within 5 s")
    why = "prometheus: 4 queries to mon-1:9090 are under way and none ended in 5 s"
    checks = (hangs, unknown(1, why), unknown(2, why), unknown(3, "postgres/app: connection refused"), unknown(4, ""))
    first, *others = overview((), checks, {}, NOW).attention
    assert (first.subject, first.text, first.count) == ("prometheus", "no answer within 5 s, and so sla", 3)
    assert sorted(one.text for one in others) == ["not known", "not known: postgres/app: connection refused"]


@pytest.mark.parametrize(
    ("its", "why", "folded"),
    [
        ("no answer within 5 s from mon-1:9090", "no answer within 5 s", True),
        ("connection refused", "prometheus: connection refused: what its rules say is not known", True),
        ("connection refused", "no answer within 5 s", False),
        ("no answer within 5 s", "alertmanager: connection refused", False),
    ],
)
def test_what_is_worked_out_from_a_source_that_does_not_answer_is_part_of_its_row(
    its: str, why: str, *, folded: bool
) -> None:
    rules = (
        check(State.STALE, source="alerts", error=f"alerts: {why}"),
        check(State.STALE, source="prometheus", error=f"prometheus: {its}"),
        check(State.STALE, source="prometheus", error=f"prometheus: {its}"),
        check(State.STALE, source="postgres/app", error="postgres/app: connection refused"),
    )
    rows = {one.subject: one for one in overview((), rules, {}, NOW).attention}
    if folded:
        assert rows.keys() == {"prometheus", "postgres/app"}
        assert rows["prometheus"].text == f"{its} (2 checks), and so alerts"
        assert rows["prometheus"].count == 3
    else:
        assert rows["prometheus"].count == 2
        assert rows["alerts"].text == why


def test_each_query_is_read_as_often_as_the_most_eager_wants_it() -> None:
    intervals = World().list.intervals
    texts = {query.text: interval for query, interval in intervals.items() if not query.window}
    assert texts["sum(up)"] == 5
    assert texts["sum(up offset 1d)"] == 60
    assert "plain" not in texts


def test_runbook_parameters_are_filled_only_from_labels_that_are_there() -> None:
    link = RunbookLink("r", {"A": "job", "B": "gone", "C": "empty"})
    assert dict(link_params(link, {"job": "x", "empty": ""})) == {"A": "x"}
    assert dict(link_params(None, {"job": "x"})) == {}


def check(state: State, **more: Any) -> Check:
    return Check("s/p", "P", "s", "", state, **more)


def test_order_and_counts_go_by_severity() -> None:
    checks = [check(State.OK), check(State.CRIT), check(State.STALE), check(State.OK)]
    assert [one.state for one in worst_first(checks)] == [State.CRIT, State.STALE, State.OK, State.OK]
    assert list(counts(checks).items()) == [(State.CRIT, 1), (State.STALE, 1), (State.OK, 2)]
    assert next_for(check(State.STALE, error="refused", runbook="r")).kind == "error"
    assert next_for(check(State.CRIT, runbook="r")).kind == "runbook"


@pytest.mark.parametrize(
    ("state", "code"),
    [(State.OK, 0), (State.WARN, 1), (State.CRIT, 2), (State.UNKNOWN, 3), (State.STALE, 3), (State.ERROR, 3)],
)
def test_the_exit_code_is_the_plugins_convention(state: State, code: int) -> None:
    assert exit_code(state) == code


def test_the_json_of_status_has_the_documented_fields() -> None:
    found = fields("prod", State.OK, [check(State.OK, taken_at=0.0, age_seconds=1.23456)], NOW)
    assert list(found) == ["environment", "state", "taken_at", "checks"]
    assert list(found["checks"][0]) == [
        "id", "title", "screen", "state", "value", "unit", "source", "taken_at", "age_seconds", "error", "runbook",
    ]  # fmt: skip
    assert found["checks"][0]["taken_at"] == "1970-01-01T00:00:00.000Z"
    assert found["checks"][0]["age_seconds"] == 1.235
    assert found["checks"][0]["runbook"] is None


async def test_one_reading_of_everything_is_bounded_and_tells_every_failure() -> None:
    async def read(query: Query) -> Answer:
        match query.text:
            case "hang":
                await asyncio.Event().wait()
            case "refused":
                raise SourceError("prometheus", "unreachable", "connection refused")
            case "bug":
                raise ZeroDivisionError("oops")
        return Answer(Scalar(1, NOW), NOW, 0.1)

    queries = [Query("prometheus", text) for text in ("fine", "hang", "refused", "bug", "fine")]
    readings = await read_once(queries, read, timeout=0.05)
    assert {query.text: (reading.state, reading.error) for query, reading in readings.items()} == {
        "fine": (State.OK, None),
        "hang": (State.ERROR, "prometheus: no answer within 0.05 s"),
        "refused": (State.ERROR, "prometheus: connection refused"),
        "bug": (State.ERROR, "prometheus: ZeroDivisionError: oops"),
    }
    assert await read_once([], read, timeout=1) == {}


def test_a_value_that_is_none_is_not_known_and_not_a_dash() -> None:
    checks = by_id(World(**{'up{job=~".*"}': up(api=1, web=math.nan)}).checks())
    web = next(one for one in checks.values() if one.subject == "web a")
    assert (web.state, web.text) == (State.UNKNOWN, "not known")


def test_the_watchlist_of_nothing_is_empty() -> None:
    assert watchlist([]) == Watchlist((), (), (), {})


def test_counts_of_what_is_stale_are_the_last_known_ones_and_not_zero() -> None:
    world = World(**{'up{job=~".*"}': up(api=1, web=0)})
    stale = [check for check in world.list.checks(world.latest, NOW + 60) if check.pane == "services"]
    assert {check.state for check in stale} == {State.STALE}
    quality = next(area for area in world.overview(stale).areas if area.id == "quality")
    assert quality.now_text.startswith("1 ok, 1 bad of 2")
