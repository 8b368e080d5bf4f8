"""Rules from objectives: which windows, which factors, who is told, and what is not made at all."""

import pytest

from opsconsole.config.alerting import Alerting
from opsconsole.config.slas import Promql, Sla
from opsconsole.monitoring.lint.definitions import lint_alerting
from opsconsole.monitoring.objectives import alerting_rules, recording_rules, with_objectives

API = Sla(
    "api", "availability", objective=0.995, title="API", owner="ops", runbook="restart",
    promql=Promql(bad="sum(increase(bad_total[$window]))", total="sum(increase(all_total[$window]))"),
)  # fmt: skip
DAG = Sla("bills", "pipeline", dag="bill.*", target=7200.0, owner="data", objective=0.95, window="7d")

QUERIES = Sla(
    "x", "latency", objective=0.99, target=1, promql=Promql(value="took"), window="month", title="X", owner="o",
    runbook="r",
)  # fmt: skip


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


@pytest.mark.parametrize("sla", [API, DAG, QUERIES])
def test_what_is_made_is_without_fault(sla: Sla) -> None:
    alerting = with_objectives(Alerting(), [sla])
    assert [str(one) for one in lint_alerting(alerting) if one.code != "no-runbook"] == []
    for rule in alerting.alerts:
        assert {bool(test.fires) for test in rule.tests} == {True, False}


def test_a_promise_read_from_a_database_has_no_rules() -> None:
    assert list(alerting_rules(Sla("sql", "availability", objective=0.9))) == []
