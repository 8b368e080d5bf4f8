"""Alerts for the objectives of `slas.yaml`: who is told when the budget burns, is nearly gone, or is not counted.

Multi-window, multi-burn-rate alerts (SRE Workbook, chapter 5): somebody is told when the budget burns faster than a
factor over a long window and over a short one; each pair is an alert of its own, so that its labels say which one it
was. What they look at, `recordings` records.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from opsconsole.config.alerting import Alerting, AlertRule, Expected, RuleTest
from opsconsole.config.slas import Sla
from opsconsole.monitoring.calendars import SPANS
from opsconsole.monitoring.recordings import budget_remaining, error_ratio, events_in_period, has_ratios, recorded
from opsconsole.monitoring.text import prometheus_duration
from opsconsole.sla.burn import PERIODS, BurnWindow, burn_windows, effective
from opsconsole.sla.expressions import counts_of
from opsconsole.sla.metrics import READ_AT, stale_after

GROUP = "sla"
_APPROACHING = 0.8
"""The share of the budget that is gone when somebody is told that it will not last."""
_SEVERITIES = {"page": "critical", "ticket": "warning"}
_TEST_STEP, _TEST_AT = 300.0, 300.0
"""Seconds between two samples of a test, and into it: as long as the longest `for` of these rules."""


def with_objectives(alerting: Alerting, slas: Iterable[Sla]) -> Alerting:
    """`alerting` and the rules of the objectives, in groups of their own; those alone that it wants."""
    if not alerting.objectives:
        return alerting
    listed = list(slas)
    recordings = recorded(listed)
    alerts = [rule for sla in listed for rule in alerting_rules(sla)]
    return replace(alerting, recordings=(*alerting.recordings, *recordings), alerts=(*alerting.alerts, *alerts))


def alerting_rules(sla: Sla) -> Iterator[AlertRule]:
    """Who is told: of a budget that burns, of one that is nearly or wholly gone, of counts that do not come any more;
    of pipelines that are late, by what Airflow says to Prometheus of the time that runs take."""
    if has_ratios(sla):
        yield from (_burning(sla, pair) for pair in effective(burn_windows(sla.window), sla.objective))
        yield _spent(sla, approaching=True)
        yield _spent(sla, approaching=False)
    if counts_of(sla) is None and sla.metrics_every:
        yield _uncounted(sla)
    if sla.dag:
        yield _late(sla, approaching=True)
        yield _late(sla, approaching=False)


def _burning(sla: Sla, pair: BurnWindow) -> AlertRule:
    long, short = prometheus_duration(pair.long), prometheus_duration(pair.short)
    limit = f"{pair.factor:g} * {_number(sla.budget)}"
    series = [error_ratio(window, sla) for window in (pair.long, pair.short)]
    gone = prometheus_duration(pair.exhausts_in(PERIODS[sla.window]) // 3600 * 3600)
    bad = _above(pair.error_ratio(sla.objective))
    text = f"{sla.label}: {{{{ $value | humanizePercentage }}}} bad over {long}, {_percent(sla.budget)} allowed"
    rule = AlertRule(
        "ErrorBudgetBurn", GROUP, _SEVERITIES[pair.severity],
        f"{series[0]} > ({limit}) and {series[1]} > ({limit}){_enough(sla)}",
        team=sla.owner, labels={"slo": sla.name, "long": long, "short": short}, summary=text,
        description=f"At {pair.factor:g} times the pace that the budget allows, and still so over {short}. "
        f"A whole budget of {sla.window} would be gone within {gone}.",
        runbook=sla.runbook,
    )  # fmt: skip
    fires = Expected(summary=text.replace("{{ $value | humanizePercentage }}", _percent(bad)))
    both = {series[0]: bad, series[1]: bad}
    return replace(
        rule,
        tests=(
            _test({**both, **_events(sla)}, fires),
            _test({series[0]: bad, series[1]: 0.0, **_events(sla)}),  # it has ended
            _test({series[0]: 0.0, series[1]: bad, **_events(sla)}),  # it was short
            *_too_few(sla, both),
        ),
    )


def _spent(sla: Sla, *, approaching: bool) -> AlertRule:
    series = budget_remaining(sla)
    left = 1 - _APPROACHING
    value = "{{ $value | humanizePercentage }}"
    this, so_far = (f"this {sla.window}", " so far") if sla.window in SPANS else (f"the last {sla.window}", "")
    if approaching:
        expr, name, remaining = f"{series} < {left:g} and {series} >= 0", "SlaApproaching", left / 2
        text = f"{sla.label}: {value} of the error budget of {this} is left"
    else:
        expr, name, remaining = f"{series} < 0", "SlaViolated", -0.5
        text = f"{sla.label}: less than {_percent(sla.objective)} of {this} was good{so_far}"
    fires = Expected(summary=text.replace(value, _percent(remaining)))
    return AlertRule(
        name, GROUP, "warning", expr + _enough(sla), 300.0, team=sla.owner, labels={"slo": sla.name}, summary=text,
        description=f"`opsconsole sla status` shows on what. {_ends(sla)}", runbook=sla.runbook,
        tests=(
            _test({series: remaining, **_events(sla)}, fires),
            _test({series: 0.9, **_events(sla)}),
            *_too_few(sla, {series: remaining}),
        ),
    )  # fmt: skip


def _ends(sla: Sla) -> str:
    """What ends an alert of the whole window, and how far that may be trusted."""
    if sla.window not in SPANS:
        return "The window rolls: it ends when bad time leaves it."
    return f"What is counted begins anew with each {sla.window} ({sla.zone}), to within five minutes."


def _enough(sla: Sla) -> str:
    """Fewer than `min_events` say nothing."""
    return f" and {events_in_period(sla)} >= {sla.min_events:g}" if sla.min_events > 1 else ""


def _events(sla: Sla) -> Mapping[str, float]:
    return {events_in_period(sla): sla.min_events} if sla.min_events > 1 else {}


def _too_few(sla: Sla, series: Mapping[str, float]) -> Iterator[RuleTest]:
    """It does not fire: one event is missing."""
    if sla.min_events > 1:
        yield _test({**series, events_in_period(sla): sla.min_events - 1})


def _uncounted(sla: Sla) -> AlertRule:
    """Of counts that nobody brings nothing follows: not that all is good either."""
    series, limit = f'{READ_AT}{{slo="{sla.name}"}}', stale_after(sla.metrics_every)
    return AlertRule(
        "SlaNotCounted", GROUP, "warning", f"time() - max({series}) > {limit:g} or absent({series})", 300.0,
        team=sla.owner, labels={"slo": sla.name},
        summary=f"{sla.label}: nothing was counted for more than {prometheus_duration(limit)}",
        description=f"`opsconsole sla metrics` does not run, cannot ask {sla.source}, or its file is not scraped: its "
        "standard error says which. Until then no burn rate of this SLA alerts.",
        runbook=sla.runbook,
        tests=(
            _test({series: -2 * limit}, Expected()),
            _test({f'other{{slo="{sla.name}"}}': 1.0}, Expected()),
            _test({series: _TEST_AT}),
        ),
    )  # fmt: skip


def _late(sla: Sla, *, approaching: bool) -> AlertRule:
    dags = "" if sla.dag == "*" else f'dag_id=~"{_pattern(sla.dag)}", '
    took = f'max by (dag_id) (airflow_dagrun_duration{{{dags}quantile="0.99"}})'
    target, near = sla.target, sla.target * _APPROACHING
    limit = prometheus_duration(target)
    value = "{{ $value | humanizeDuration }}"
    text = f"{{{{ $labels.dag_id }}}} takes {value}, limit {limit}"
    expr, seconds = f"{took} > {target:g}", target * 2
    if approaching:
        expr, seconds = f"{took} > {near:g} <= {target:g}", (near + target) / 2
    dag = sla.dag.replace("*", "any").replace("?", "x")
    told = text.replace("{{ $labels.dag_id }}", dag).replace(value, _humanized(seconds))
    series = f'airflow_dagrun_duration{{dag_id="{dag}",quantile="0.99"}}'
    return AlertRule(
        "PipelineSlow" if approaching else "PipelineLate", GROUP, "warning", expr, 60.0, team=sla.owner,
        labels={"slo": sla.name}, summary=text,
        description="The time that its runs took, from Airflow's metrics. Runs that wait or never began are not in it: "
        "`opsconsole pipeline sla` knows them.",
        runbook=sla.runbook,
        tests=(_test({series: seconds}, Expected({"dag_id": dag}, told)), _test({series: near / 2})),
    )  # fmt: skip


def _test(series: Mapping[str, float], *fires: Expected) -> RuleTest:
    """Constant values, and what fires then."""
    samples = int(_TEST_AT // _TEST_STEP)
    return RuleTest({name: f"{value!r}x{samples}" for name, value in series.items()}, _TEST_AT, _TEST_STEP, fires)


def _above(limit: float) -> float:
    """A share clearly above `limit`, and not above all."""
    return limit + (1 - limit) / 4


def _number(share: float) -> str:
    return f"{share:.10g}"


def _percent(share: float) -> str:
    """As `humanizePercentage` of Prometheus: `%.4g%%`."""
    return f"{share * 100:.4g}%"


def _humanized(seconds: float) -> str:
    """As `humanizeDuration` of Prometheus, of a second and more: `1h 30m 0s`, `2m 3s`, `4.5s`."""
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours}h {minutes}m {whole % 60}s"
    if hours:
        return f"{hours}h {minutes}m {whole % 60}s"
    return f"{minutes}m {whole % 60}s" if minutes else f"{seconds:.4g}s"


def _pattern(dag: str) -> str:
    """A regular expression, inside of PromQL's quotes, for a DAG id in which `*` and `?` stand for anything."""
    parts = re.split(r"([*?])", dag)
    known = {"*": ".*", "?": "."}
    return "".join(known.get(part) or re.sub(r"([.+()\[\]{}^$|])", r"\\\\\1", part) for part in parts)
