"""What `slas.yaml` may say, and in what words it is refused."""

# ruff: noqa: E501  messages stand here as they are printed, on one line

from pathlib import Path

import pytest

from opsconsole.config.document import parse_document
from opsconsole.config.slas import Maintenance, Promql, Sla, Sql, load_slas, read_slas
from opsconsole.core.content import shipped_content

UP = "promql: {value: up}"


def read(*entries: str, head: str = "") -> tuple[list[Sla], list[str]]:
    """The SLAs of a file with one line each, the first on line 3; and its problems without the file's name."""
    text = "version: 1\n" + head + "slas:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    slas, problems = read_slas(parse_document(text, "f"))
    return slas, [str(one).removeprefix("f:") for one in problems]


def test_how_often_counts_are_written_for_prometheus_is_said_once_for_all() -> None:
    entry = f"name: a, kind: availability, objective: 99%, {UP}"
    slas, problems = read(entry, head="metrics_every: 5m\n")
    assert (problems, [one.metrics_every for one in slas]) == ([], [300.0])
    assert [one.metrics_every for one in read(entry)[0]] == [0.0]
    assert "metrics_every" in read(entry, head="metrics_every: 1s\n")[1][0]


def test_four_kinds_from_three_sources() -> None:
    slas, problems = read(
        "name: up, kind: availability, objective: 99.5%, promql: {value: up}, window: month",
        "name: ok, kind: availability, objective: 99.9 %, promql: {bad: 'b[$window]', total: 't[$window]'}, min_events: 10",
        "name: p95, kind: latency, objective: 95%, target: 500ms, promql: {histogram: h, match: 'a=\"b\"'}, window: 28d",
        "name: age, kind: freshness, objective: 99%, target: 24h, sql: {source: postgres/app, query: \"select :'FROM', :'TO'\"}",
        "name: dag, kind: pipeline, dag: 'load_*', target: 2h",
        "name: dags, kind: pipeline, objective: 90%, target: 2h, promql: {good: 'g[$window]', total: 't[$window]'}, window: week",
    )  # fmt: skip
    assert problems == []
    assert [(one.name, one.objective, one.target, one.window, one.source) for one in slas] == [
        ("up", 0.995, 0.0, "month", "prometheus"),
        ("ok", 0.999, 0.0, "30d", "prometheus"),
        ("p95", 0.95, 0.5, "28d", "prometheus"),
        ("age", 0.99, 86400.0, "30d", "postgres/app"),
        ("dag", 0.95, 7200.0, "30d", "airflow"),
        ("dags", 0.9, 7200.0, "week", "prometheus"),
    ]
    assert slas[1].promql == Promql(bad="b[$window]", total="t[$window]")
    assert slas[1].min_events == 10
    assert slas[3].sql == Sql("postgres/app", "select :'FROM', :'TO'")
    assert (slas[4].covers("load_a"), slas[4].covers("x"), slas[5].covers("load_a")) == (True, False, False)
    assert (slas[2].line, slas[2].objective_at) == (5, (5, 43))


def test_an_indicator_names_which_prometheus_it_is_from() -> None:
    (one, other), problems = read(
        "name: a, kind: availability, objective: 99%, promql: {value: up, source: prometheus/eu}",
        "name: b, kind: availability, objective: 99%, promql: {value: up, source: postgres/eu}",
    )
    assert one.source == "prometheus/eu"
    assert problems == [
        "4:79: error: source: 'postgres/eu'; expected prometheus, or a further one as prometheus/NAME [bad-text]"
    ]
    assert other.source == "prometheus"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (f"name: a, kind: availability, {UP}", "3:5: error: slas[1]: key 'objective' is missing; expected a share such as 99.5% [missing-key]"),
        ("name: a, kind: availability, objective: 99%", "3:5: error: slas[1]: nothing to read it from; expected promql or sql [missing-key]"),
        (f"name: a, kind: freshness, objective: 99%, {UP}", "3:5: error: slas[1]: key 'target' is missing; expected a duration such as 500ms, 2h or 1d [missing-key]"),
        (f"name: a, kind: availability, objective: 99%, target: 1s, {UP}", "3:51: error: target means nothing for availability; the share is the objective [misplaced-key]"),
        (f"name: a, kind: availability, objective: 0.99, {UP}", "3:46: error: objective: 0.99; expected a share such as 99.5% [bad-share]"),
        (f"name: a, kind: availability, objective: 100%, {UP}", "3:46: error: objective: '100%'; expected more than 0% and less than 100%, which would leave no budget [out-of-range]"),
        (f"name: a, kind: availability, objective: 99%, dag: x, {UP}", "3:51: error: dag means nothing for availability; it is for pipeline [misplaced-key]"),
        ("name: a, kind: availability, objective: 99%, promql: {total: 'x[$window]'}", "3:59: error: promql: total with 0 of good and bad; expected one of them [bad-indicator]"),
        ("name: a, kind: availability, objective: 99%, promql: {value: up, total: 'x[$window]'}", "3:59: error: promql: value and total together; expected total with good or bad, histogram, or value [bad-indicator]"),
        ("name: a, kind: availability, objective: 99%, promql: {histogram: h}", "3:51: error: a histogram of durations says nothing of availability; it is for latency [misplaced-key]"),
        ("name: a, kind: freshness, objective: 99%, target: 1h, sql: {source: mysql/a, query: \":'FROM' :'TO'\"}", "3:74: error: source: 'mysql/a'; expected a database, as postgres/NAME [bad-text]"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_counted_is_refused_where_it_is_wrong_and_left_out(entry: str, problem: str) -> None:
    slas, problems = read(entry)
    assert problem in problems
    assert slas == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("promql: {bad: 'x', total: 'x[$window]'}", "bad: counts over no $window; expected such as sum(increase(x[$window])) [no-window]"),
        ("promql: {bad: 'rate(x[$window])', total: 'x[$window]'}", "bad: a rate is no count; expected increase(…[$window]), which can be summed [rate-for-count]"),
        ("promql: {value: up, match: x}", "match is for a histogram; elsewhere it stands in the PromQL [misplaced-key]"),
        ("sql: {source: postgres/a, query: \"select :'FROM'\"}", "query: :'TO' missing; expected the period that is asked about [no-window]"),
    ],
)  # fmt: skip
def test_what_would_count_wrongly_is_an_error(entry: str, problem: str) -> None:
    _, problems = read(f"name: a, kind: availability, objective: 99%, {entry}")
    assert len(problems) == 1
    assert problems[0].endswith(problem)


def test_maintenance_is_once_or_weekly_and_about_some_or_all() -> None:
    head = (
        "timezone: Europe/Amsterdam\nmaintenance:\n"
        "  - {name: once, from: '2026-11-20T02:00+01:00', to: '2026-11-20T01:30Z', why: new disks, slas: [up, api-*]}\n"
        "  - {name: weekly, days: [sat, sun], at: '02:30', for: 90m, timezone: UTC}\n"
    )
    slas, problems = read(
        f"name: up, kind: availability, objective: 99%, {UP}",
        f"name: other, kind: availability, objective: 99%, {UP}",
        head=head,
    )
    assert problems == []
    once = Maintenance("once", "new disks", 1763600400.0 + 31536000, 1763602200.0 + 31536000, zone="Europe/Amsterdam", slas=("up", "api-*"), line=4)  # fmt: skip
    weekly = Maintenance("weekly", days=(5, 6), at=9000, length=5400.0, zone="UTC", line=5)
    assert slas[0].maintenance == (once, weekly)
    assert slas[1].maintenance == (weekly,)
    assert slas[0].zone == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("from: '2026-11-20T02:00', to: '2026-11-21T02:00Z'", "3:21: error: from: '2026-11-20T02:00'; expected a moment with its zone, such as 2026-11-20T02:00Z or 2026-11-20T02:00+01:00 [bad-time]"),
        ("from: '2026-11-22T02:00Z', to: '2026-11-21T02:00Z'", "3:46: error: to: not after from [out-of-range]"),
        ("days: [sat], at: '25:00', for: 1h", "3:32: error: at: '25:00'; expected a time of day such as 02:30 [bad-time]"),
        ("days: [sat], at: '02:00'", "3:5: error: maintenance[1]: expected from and to, or days, at and for [bad-period]"),
        ("days: [sat], at: '02:00', for: 1h, timezone: Mars", "3:60: error: timezone: 'Mars'; expected a time zone such as UTC or Europe/Amsterdam [bad-zone]"),
    ],
)  # fmt: skip
def test_maintenance_that_says_no_period_is_refused(entry: str, problem: str) -> None:
    slas, problems = read(
        f"name: a, kind: availability, objective: 99%, {UP}", head=f"maintenance:\n  - {{name: m, {entry}}}\n"
    )
    assert problem in problems
    assert len(slas) == 1


def test_what_is_shipped_promises_something_of_every_kind() -> None:
    slas, problems = load_slas(Path(shipped_content()) / "config" / "slas.yaml")
    assert problems == []
    assert {one.kind for one in slas} == {"availability", "latency", "freshness", "pipeline"}
    assert all(one.runbook and one.owner and one.title for one in slas)
