"""Rules from objectives: which windows, which factors, who is told, and what is not made at all."""

import re
from dataclasses import replace

import pytest

from opsconsole.config.alerting import Alerting
from opsconsole.config.slas import Maintenance, Promql, Sla
from opsconsole.monitoring.approximations import approximations
from opsconsole.monitoring.lint.definitions import lint_alerting
from opsconsole.monitoring.objectives import alerting_rules, with_objectives
from opsconsole.monitoring.recordings import recording_rules
from opsconsole.sla.metrics import metrics_text
from opsconsole.sla.periods import current
from opsconsole.sla.slices import Slice
from opsconsole.sla.standing import Counted, standing

API = Sla(
    "api", "availability", objective=0.995, title="API", owner="ops", runbook="restart",
    promql=Promql(bad="sum(increase(bad_total[$window]))", total="sum(increase(all_total[$window]))"),
)  # fmt: skip
DAG = Sla("bills", "pipeline", dag="bill.*", target=7200.0, owner="data", objective=0.95, window="7d")

QUERIES = Sla(
    "x", "latency", objective=0.99, target=1, promql=Promql(value="took"), window="month", title="X", owner="o",
    runbook="r",
)  # fmt: skip

DISKS = Maintenance("disks", begin=1000.0, end=2000.0)


def test_each_pair_of_windows_is_an_alert_of_its_own() -> None:
    burning = [one for one in alerting_rules(API) if one.name == "ErrorBudgetBurn"]
    assert [(one.labels["long"], one.labels["short"], one.severity) for one in burning] == [
        ("1h", "5m", "critical"), ("6h", "30m", "critical"), ("1d", "2h", "warning"), ("3d", "6h", "warning"),
    ]  # fmt: skip
    # 14.4 = 2 % of 30 days in an hour; 30 d / 14.4 = 50 h.
    limit = "> (14.4 * 0.005)"
    assert burning[0].expr == (
        f'slo:sli_error:ratio_rate1h{{slo="api"}} {limit} and slo:sli_error:ratio_rate5m{{slo="api"}} {limit}'
    )
    assert "gone within 2d2h" in burning[0].description
    assert "0.5% allowed" in burning[0].summary
    assert all(one.hold == 0 for one in burning), "the short window ends it; to wait would only make it late"


def test_an_alert_that_could_never_fire_is_not_made() -> None:
    # 14.4 x 10 % and 6 x 10 %: more than all cannot be bad.
    loose = Sla("api", "availability", objective=0.9, promql=API.promql)
    burning = [one for one in alerting_rules(loose) if one.name == "ErrorBudgetBurn"]
    assert [one.labels["long"] for one in burning] == ["6h", "1d", "3d"]
    assert [one.code for one in lint_alerting(with_objectives(Alerting(), [loose])) if one.code == "never-fires"] == []


def test_days_are_sums_by_sums_and_hours_are_counted() -> None:
    recorded = {one.record: one.expr for one in recording_rules(API)}
    assert recorded["slo:sli_error:ratio_rate1d"] == (
        'sum_over_time(slo:bad:increase5m{slo="api"}[1d:5m])'
        ' / (sum_over_time(slo:total:increase5m{slo="api"}[1d:5m]) > 0)'
    )
    assert "increase(bad_total[1h])" in recorded["slo:sli_error:ratio_rate1h"]
    assert {one.labels["slo"] for one in recording_rules(API)} == {"api"}
    assert [name for name in recorded if name.startswith("slo:sli_error")] == [
        f"slo:sli_error:ratio_rate{window}" for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    ]


def test_pipelines_of_which_prometheus_knows_the_time_that_runs_take() -> None:
    assert list(recording_rules(DAG)) == []
    slow, late = alerting_rules(DAG)
    assert late.expr == r'max by (dag_id) (airflow_dagrun_duration{dag_id=~"bill\\..*", quantile="0.99"}) > 7200'
    assert (slow.name, late.name, late.severity, late.team) == ("PipelineSlow", "PipelineLate", "warning", "data")
    (firing, quiet) = late.tests
    assert firing.fires[0].summary == "bill.any takes 4h 0m 0s, limit 2h"
    assert quiet.fires == ()


@pytest.mark.parametrize(
    "sla", [API, DAG, QUERIES, replace(DAG, metrics_every=300.0), replace(API, min_events=100.0, maintenance=(DISKS,))]
)
def test_what_is_made_is_without_fault(sla: Sla) -> None:
    alerting = with_objectives(Alerting(), [sla])
    assert [str(one) for one in lint_alerting(alerting) if one.code != "no-runbook"] == []
    for rule in alerting.alerts:
        assert {bool(test.fires) for test in rule.tests} == {True, False}


def test_a_promise_read_from_a_database_has_no_rules() -> None:
    assert list(alerting_rules(Sla("sql", "availability", objective=0.9))) == []


def test_what_the_console_counts_is_believed_while_it_is_fresh_and_its_silence_is_told() -> None:
    sla = replace(DAG, metrics_every=300.0)
    recorded = {one.record: one.expr for one in recording_rules(sla)}
    fresh = 'opsconsole_sla_read_timestamp_seconds{slo="bills"} > time() - 900'
    assert recorded["slo:total:increase_period"] == (
        f'max(opsconsole_sla_events{{slo="bills", window="period"}} and ignoring(window) ({fresh}))'
    )
    assert [name for name in recorded if name.startswith("slo:sli_error:ratio_rate")] == [
        f"slo:sli_error:ratio_rate{window}" for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ]
    names = [one.name for one in alerting_rules(sla)]
    told = ["SlaApproaching", "SlaViolated", "SlaNotCounted", "PipelineSlow", "PipelineLate"]
    assert names == [*["ErrorBudgetBurn"] * 4, *told]


def test_the_windows_that_are_written_are_those_that_are_asked_for() -> None:
    sla = replace(DAG, metrics_every=300.0)
    found = standing(
        sla, Counted((Slice(0.0, 40 * 86400.0, 1.0, 100.0),)), current("7d", "UTC", 40 * 86400.0), 40 * 86400.0
    )
    written = set(re.findall(r'window="(\w+)"', metrics_text([found])))
    asked = {window for one in recording_rules(sla) for window in re.findall(r'window="(\w+)"', one.expr)}
    assert written == asked == {"5m", "30m", "1h", "2h", "6h", "1d", "3d", "period"}


def test_too_few_events_are_a_guard_in_every_alert_of_the_budget() -> None:
    sla = replace(API, min_events=100.0)
    assert "slo:total:increase_period" in {one.record for one in recording_rules(sla)}
    for rule in alerting_rules(sla):
        assert rule.expr.endswith(' and slo:total:increase_period{slo="api"} >= 100')
        few = rule.tests[-1]
        assert (few.series['slo:total:increase_period{slo="api"}'], few.fires) == ("99.0x1", ())
    assert "slo:total:increase_period" not in {one.record for one in recording_rules(API)}


def test_what_rules_approximate_is_told_and_what_they_keep_is_not() -> None:
    assert approximations([API, replace(DAG, metrics_every=60.0, maintenance=(DISKS,))]) == []
    assert approximations([DAG, QUERIES, replace(API, maintenance=(DISKS,)), replace(QUERIES, name="y")]) == [
        "bills: no burn rates, for Prometheus cannot count it: "
        "`opsconsole sla metrics` can, with metrics_every in slas.yaml",
        "x, y: rules begin the month up to five minutes late, and reckon burn rates as of 30 days",
        "api: rules leave out up to five minutes more at each end of maintenance",
    ]  # fmt: skip


def test_an_alert_of_a_calendar_month_says_so() -> None:
    (violated,) = (one for one in alerting_rules(replace(QUERIES, zone="Europe/Berlin")) if one.name == "SlaViolated")
    assert violated.summary == "X: less than 99% of this month was good so far"
    assert "anew with each month (Europe/Berlin)" in violated.description
