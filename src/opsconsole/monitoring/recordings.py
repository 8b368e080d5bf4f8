"""Recording rules of the objectives of `slas.yaml`: what is bad over each window, and what is left of the budget.

Metric names are sloth's (`slo:sli_error:ratio_rate5m`), whose dashboards then work. A share over days is the sum of
what was bad by the sum of all, from sums recorded every five minutes: never a mean of shares, which lets a quiet night
count as much as a busy day. What Prometheus cannot count, `opsconsole sla metrics` counts over the same windows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from opsconsole.config.alerting import RecordingRule
from opsconsole.config.slas import Sla
from opsconsole.monitoring.calendars import SPANS, STEP, by_period, calendar_rules, since_it_began, without_maintenance
from opsconsole.monitoring.text import prometheus_duration
from opsconsole.sla.burn import DAY, PERIODS, burn_windows
from opsconsole.sla.expressions import Counts, counts_of
from opsconsole.sla.metrics import BAD, EVENTS, PERIOD, READ_AT, stale_after
from opsconsole.sources.increments import with_births

RECORDINGS = "slo"
"""The group of what the alerts look at, in a file of its own: theirs is then tested in seconds."""
_STEP = prometheus_duration(STEP)
_SUMS = ("bad", "total")


def recorded(slas: Iterable[Sla]) -> Iterator[RecordingRule]:
    """The rules of all that have any, in the order in which they need each other."""
    listed = list(slas)
    yield from calendar_rules([one for one in listed if counts_of(one) is not None], RECORDINGS)
    for sla in listed:
        yield from recording_rules(sla)


def recording_rules(sla: Sla) -> Iterator[RecordingRule]:
    """What was bad over each window, the objective and its budget; nothing for what nobody counts for Prometheus."""
    if not has_ratios(sla):
        return
    counts = counts_of(sla)
    named = _made_elsewhere(sla) if counts is None else _counted(sla, counts)
    for name, expr in (*_promised(sla), *named):
        yield RecordingRule(name, RECORDINGS, expr, {"slo": sla.name})


def has_ratios(sla: Sla) -> bool:
    """Whether Prometheus knows what is bad: it counts, or `opsconsole sla metrics` tells it."""
    return counts_of(sla) is not None or sla.metrics_every > 0


def error_ratio(seconds: float, sla: Sla) -> str:
    """The series with the share that was bad over a window."""
    return _series(f"slo:sli_error:ratio_rate{prometheus_duration(seconds)}", sla)


def budget_remaining(sla: Sla) -> str:
    """The series with the share of the budget that is left."""
    return _series("slo:period_error_budget_remaining:ratio", sla)


def events_in_period(sla: Sla) -> str:
    """The series with how much was counted in the whole window; there where `min_events` asks for more than one."""
    return _series("slo:total:increase_period", sla)


def _series(name: str, sla: Sla) -> str:
    return f'{name}{{slo="{sla.name}"}}'


def _promised(sla: Sla) -> Iterator[tuple[str, str]]:
    yield "slo:objective:ratio", f"vector({sla.objective:g})"
    yield "slo:error_budget:ratio", f"vector(1 - {sla.objective:g})"


def _counted(sla: Sla, counts: Counts) -> Iterator[tuple[str, str]]:
    if not counts.sampled:
        # Of little traffic the first failure of each instance and route would be most of what is bad.
        counts = replace(
            counts,
            good_text=with_births(counts.good_text),
            bad_text=with_births(counts.bad_text),
            total_text=with_births(counts.total_text),
        )
    yield "slo:bad:increase5m", without_maintenance(counts.bad(_STEP), sla)
    yield "slo:total:increase5m", without_maintenance(counts.total(_STEP), sla)
    for seconds in _windows(sla):
        window = prometheus_duration(seconds)
        # Maintenance is cut out of the sums of five minutes, so what has any is made of these.
        if seconds < DAY and not sla.maintenance:
            ratio = counts.error_ratio(window)
        else:
            ratio = _share(*(_summed(one, window, sla) for one in _SUMS))
        yield f"slo:sli_error:ratio_rate{window}", ratio
    if sla.window in SPANS:
        for one in _SUMS:
            split = f"slo:{one}:increase5m_by_period"
            yield split, by_period(_series(f"slo:{one}:increase5m", sla), sla)
            yield f"slo:{one}:increase_period", since_it_began(_series(split, sla), sla)
        yield from _period(sla, _share(*(_series(f"slo:{one}:increase_period", sla) for one in _SUMS)))
        return
    whole = prometheus_duration(PERIODS[sla.window])
    if sla.min_events > 1:
        yield "slo:total:increase_period", _summed("total", whole, sla)
    yield from _period(sla, "")


def _made_elsewhere(sla: Sla) -> Iterator[tuple[str, str]]:
    """From the counts of `opsconsole sla metrics`, as long as they are fresh. Of several producers one is taken."""
    fresh = f"{_series(READ_AT, sla)} > time() - {stale_after(sla.metrics_every):.0f}"

    def of(metric: str, window: str) -> str:
        return f'max({metric}{{slo="{sla.name}", window="{window}"}} and ignoring(window) ({fresh}))'

    for seconds in _windows(sla):
        window = prometheus_duration(seconds)
        yield f"slo:sli_error:ratio_rate{window}", _share(of(BAD, window), of(EVENTS, window))
    yield "slo:bad:increase_period", of(BAD, PERIOD)
    yield "slo:total:increase_period", of(EVENTS, PERIOD)
    yield from _period(sla, _share(*(_series(f"slo:{one}:increase_period", sla) for one in _SUMS)))


def _period(sla: Sla, ratio: str) -> Iterator[tuple[str, str]]:
    """What is left of the budget, by the share that was bad in the window; empty: it is recorded as one that rolls."""
    spent = error_ratio(PERIODS[sla.window], sla)
    if ratio:
        yield "slo:sli_error:ratio_period", ratio
        spent = _series("slo:sli_error:ratio_period", sla)
    yield "slo:period_error_budget_remaining:ratio", f"1 - {spent} / (1 - {sla.objective:g})"


def _share(bad: str, total: str) -> str:
    """No sample where nothing was counted."""
    return f"{bad} / ({total} > 0)"


def _summed(what: str, window: str, sla: Sla) -> str:
    """Of sums over five minutes one every five minutes: each minute counts once."""
    series = _series(f"slo:{what}:increase5m", sla)
    return series if window == _STEP else f"sum_over_time({series}[{window}:{_STEP}])"


def _windows(sla: Sla) -> list[float]:
    """Seconds of every window that an alert looks at, and of the whole one if it rolls, the shortest first."""
    pairs = burn_windows(sla.window)
    rolls = () if sla.window in SPANS or counts_of(sla) is None else (PERIODS[sla.window],)
    return sorted({*(one.long for one in pairs), *(one.short for one in pairs), *rolls})
