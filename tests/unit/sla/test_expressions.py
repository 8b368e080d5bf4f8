"""The PromQL of an objective."""

import re

import pytest

from opsconsole.config.slas import Promql, Sla, Sql
from opsconsole.sla.expressions import bucket_pattern, counts_of


def test_a_counter_of_errors_that_never_were_counts_as_zero_and_no_traffic_is_no_sample() -> None:
    counts = counts_of(
        Sla("a", "availability", promql=Promql(bad="sum(increase(e[$window]))", total="increase(t[$window])"))
    )
    assert counts is not None
    assert counts.total("1h") == "sum(increase(t[1h]))"
    assert counts.bad("1h") == "(sum(sum(increase(e[1h]))) or 0 * sum(increase(t[1h])))"
    assert counts.good("1h") == f"({counts.total('1h')} - {counts.bad('1h')})"
    assert counts.error_ratio("5m") == f"{counts.bad('5m')} / ({counts.total('5m')} > 0)"


def test_a_histogram_counts_what_its_bucket_holds() -> None:
    counts = counts_of(Sla("a", "latency", target=0.5, promql=Promql(histogram="h", match='job="x",')))
    assert counts is not None
    assert counts.good("5m").startswith('(sum(sum(increase(h_bucket{job="x", le=~"0[.]50*"}[5m]))) or ')
    assert counts.total("5m") == 'sum(sum(increase(h_count{job="x"}[5m])))'


@pytest.mark.parametrize(
    ("bound", "written", "other"),
    [
        (0.5, ("0.5", "0.50", "0.500"), ("0.05", "0.51", "5.5", "0.505")),
        (1.0, ("1", "1.0", "1.00"), ("10", "1.5", "11")),
    ],
)
def test_a_bucket_is_found_however_its_bound_is_written(
    bound: float, written: tuple[str, ...], other: tuple[str, ...]
) -> None:
    pattern = bucket_pattern(bound)
    assert all(re.fullmatch(pattern, one) for one in written)
    assert not any(re.fullmatch(pattern, one) for one in other)


@pytest.mark.parametrize(
    ("kind", "target", "judged", "bad"),
    [
        ("availability", 0.0, "((v) > bool 0)", "count(sgn(v) != 1)"),
        # The number just below the limit is the last that is fresh.
        ("freshness", 86400.0, "((v) < bool 86400)", "count(clamp_min(v, 86399.99999999999) != 86399.99999999999)"),
        ("latency", 0.5, "((v) <= bool 0.5)", "count(clamp_min(v, 0.5) != 0.5)"),
    ],
)
def test_a_value_is_judged_minute_by_minute(kind: str, target: float, judged: str, bad: str) -> None:
    counts = counts_of(Sla("a", kind, target=target, promql=Promql(value="v")))
    assert counts is not None
    assert f"sum(sum_over_time({judged}[30d:1m]))" in counts.good("30d")
    assert counts.total("30d") == "sum(sum(count_over_time((v)[30d:1m])))"
    assert (counts.bad_now_text, counts.total_now_text) == (bad, "count(v)")


def test_what_is_not_read_from_prometheus_has_no_promql() -> None:
    assert counts_of(Sla("a", "pipeline", dag="*", target=1.0)) is None
    assert counts_of(Sla("a", "freshness", target=1.0, sql=Sql("postgres/app", ""))) is None
