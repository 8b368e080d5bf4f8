"""Rules for the objectives of `slas.yaml`: what is bad over each window, and who is told when the budget burns.

Multi-window, multi-burn-rate alerts (SRE Workbook, chapter 5): somebody is told when the budget burns faster than a
factor over a long window and over a short one; each pair is an alert of its own, so that its labels say which one it
was. Metric names are sloth's (`slo:sli_error:ratio_rate5m`), whose dashboards then work.

A share over days is the sum of what was bad by the sum of all, from sums recorded every five minutes: never a mean of
shares, which lets a quiet night count as much as a busy day.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from opsconsole.config.alerting import Alerting, AlertRule, Expected, RecordingRule, RuleTest
from opsconsole.config.slas import Sla
from opsconsole.monitoring.text import prometheus_duration
from opsconsole.sla.burn import DAY, PERIODS, BurnWindow, burn_windows, effective
from opsconsole.sla.expressions import Counts, counts_of

GROUP = "sla"
RECORDINGS = "slo"
"""The group of what the alerts look at, in a file of its own: theirs is then tested in seconds."""
_APPROACHING = 0.8
"""The share of the budget that is gone when somebody is told that it will not last."""
_STEP = "5m"
_SEVERITIES = {"page": "critical", "ticket": "warning"}
_TEST_STEP, _TEST_AT = 300.0, 300.0
"""Seconds between two samples of a test, and into it: as long as the longest `for` of these rules."""


def with_objectives(alerting: Alerting, slas: Iterable[Sla]) -> Alerting:
    """`alerting` and the rules of the objectives, in groups of their own."""
    listed = list(slas)
    recordings = [rule for sla in listed for rule in recording_rules(sla)]
    alerts = [rule for sla in listed for rule in alerting_rules(sla)]
    return replace(alerting, recordings=(*alerting.recordings, *recordings), alerts=(*alerting.alerts, *alerts))


def recording_rules(sla: Sla) -> Iterator[RecordingRule]:
    """What was bad over each window, the objective and its budget; nothing for what Prometheus does not count."""
    counts = counts_of(sla)
    if counts is None:
        return
    labels = {"slo": sla.name}
    for name, expr in _recorded(sla, counts):
        yield RecordingRule(name, RECORDINGS, expr, labels)


def _recorded(sla: Sla, counts: Counts) -> Iterator[tuple[str, str]]:
    yield "slo:objective:ratio", f"vector({sla.objective:g})"
    yield "slo:error_budget:ratio", f"vector(1 - {sla.objective:g})"
    yield "slo:bad:increase5m", counts.bad(_STEP)
    yield "slo:total:increase5m", counts.total(_STEP)
    for seconds in _windows(sla):
        window = prometheus_duration(seconds)
        if seconds < DAY:
            yield error_ratio_name(seconds), counts.error_ratio(window)
        else:
            bad, total = (_summed(f'slo:{one}:increase5m{{slo="{sla.name}"}}', window) for one in ("bad", "total"))
            yield error_ratio_name(seconds), f"{bad} / ({total} > 0)"
    spent = f'{error_ratio_name(PERIODS[sla.window])}{{slo="{sla.name}"}} / (1 - {sla.objective:g})'
    yield "slo:period_error_budget_remaining:ratio", f"1 - {spent}"


def _summed(series: str, window: str) -> str:
    """Of sums over five minutes one every five minutes: each minute counts once."""
    return f"sum_over_time({series}[{window}:{_STEP}])"


def _windows(sla: Sla) -> list[float]:
    """Seconds of every window that an alert looks at, and of the whole period, the shortest first."""
    pairs = burn_windows(sla.window)
    return sorted({*(one.long for one in pairs), *(one.short for one in pairs), PERIODS[sla.window]})


def error_ratio_name(seconds: float) -> str:
    """The metric with the share that was bad over a window."""
    return f"slo:sli_error:ratio_rate{prometheus_duration(seconds)}"


def alerting_rules(sla: Sla) -> Iterator[AlertRule]:
    """Who is told: of a budget that burns, of one that is nearly or wholly gone; of pipelines of which only Airflow
    knows whether they are late, by what it says to Prometheus of the time that runs take."""
    if counts_of(sla) is not None:
        yield from (_burning(sla, pair) for pair in effective(burn_windows(sla.window), sla.objective))
        yield _spent(sla, approaching=True)
        yield _spent(sla, approaching=False)
    elif sla.dag:
        yield _late(sla, approaching=True)
        yield _late(sla, approaching=False)


def _burning(sla: Sla, pair: BurnWindow) -> AlertRule:
    long, short = prometheus_duration(pair.long), prometheus_duration(pair.short)
    limit = f"{pair.factor:g} * {_number(sla.budget)}"
    series = [f'{error_ratio_name(window)}{{slo="{sla.name}"}}' for window in (pair.long, pair.short)]
    gone = prometheus_duration(pair.exhausts_in(PERIODS[sla.window]) // 3600 * 3600)
    bad = _above(pair.error_ratio(sla.objective))
    text = f"{sla.label}: {{{{ $value | humanizePercentage }}}} bad over {long}, {_percent(sla.budget)} allowed"
    rule = AlertRule(
        "ErrorBudgetBurn", GROUP, _SEVERITIES[pair.severity], f"{series[0]} > ({limit}) and {series[1]} > ({limit})",
        team=sla.owner, labels={"slo": sla.name, "long": long, "short": short}, summary=text,
        description=f"At {pair.factor:g} times the pace that the budget allows, and still so over {short}. "
        f"A whole budget of {sla.window} would be gone within {gone}.",
        runbook=sla.runbook,
    )  # fmt: skip
    fires = Expected(summary=text.replace("{{ $value | humanizePercentage }}", _percent(bad)))
    return replace(
        rule,
        tests=(
            _test({series[0]: bad, series[1]: bad}, fires),
            _test({series[0]: bad, series[1]: 0.0}),  # it has ended
            _test({series[0]: 0.0, series[1]: bad}),  # it was short
        ),
    )


def _spent(sla: Sla, *, approaching: bool) -> AlertRule:
    series = f'slo:period_error_budget_remaining:ratio{{slo="{sla.name}"}}'
    left = 1 - _APPROACHING
    value = "{{ $value | humanizePercentage }}"
    if approaching:
        expr, name, remaining = f"{series} < {left:g} and {series} >= 0", "SlaApproaching", left / 2
        text = f"{sla.label}: {value} of the error budget of {sla.window} is left"
    else:
        expr, name, remaining = f"{series} < 0", "SlaViolated", -0.5
        text = f"{sla.label}: less than {_percent(sla.objective)} of the last {sla.window} was good"
    fires = Expected(summary=text.replace(value, _percent(remaining)))
    return AlertRule(
        name, GROUP, "warning", expr, 300.0, team=sla.owner, labels={"slo": sla.name}, summary=text,
        description="`opsconsole sla status` shows on what. The window rolls: it ends when bad time leaves it.",
        runbook=sla.runbook, tests=(_test({series: remaining}, fires), _test({series: 0.9})),
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


def _test(series: dict[str, float], *fires: Expected) -> RuleTest:
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
