"""What Prometheus knows of an Airflow: for when neither its API nor its database answers.

Which name a metric has depends on how it came to Prometheus; there are four families, and each is a profile here:

- `helm-statsd`: the statsd mapping of the official Helm chart (apache/airflow chart/files/statsd-mappings.yml)
- `mixin`: that of the Grafana mixin (apache-airflow-mixin)
- `statsd-exporter`: a statsd_exporter without a mapping: ids are parts of the metric's name
- `otel`: OpenTelemetry, which keeps Airflow's milliseconds, and of a duration only the latest

All of them are told per event: a series that is not there means that nothing was told, not that all is well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from opsconsole.core.clean import clean_line
from opsconsole.core.reading import Answer, Query
from opsconsole.core.values import Vector

Ask = Callable[[Query], Awaitable[Answer]]
"""Asks Prometheus once. Raises SourceError where that fails."""

_SPAN = "1h"


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of names. A metric that a family lacks is empty."""

    name: str
    duration: str
    """Of successful runs, by DAG."""
    failed: str
    """The duration of failed runs, which is counted here."""
    task: str
    """Of tasks."""
    pool_label: str
    unit: float
    """Seconds in one of its units of time."""
    latest_only: bool = False
    """Durations are gauges: the latest, without sum and count."""
    in_name: bool = False
    """Ids stand in the metric's name."""
    heartbeat: str = "airflow_scheduler_heartbeat"
    open: str = "airflow_pool_open_slots"
    used: str = "airflow_pool_used_slots"


PROFILES: Mapping[str, Profile] = {
    one.name: one
    for one in (
        Profile(
            "helm-statsd", "airflow_dagrun_duration", "airflow_dagrun_failed", "airflow_task_duration", "pool", 1.0,
        ),
        Profile(
            "mixin", "airflow_dagrun_duration_success", "airflow_dagrun_duration_failed", "airflow_task_duration",
            "pool_name", 1.0,
        ),
        Profile(
            "statsd-exporter", "airflow_dagrun_duration_success", "airflow_dagrun_duration_failed", "", "pool", 1.0,
            in_name=True, used="airflow_pool_running_slots",
        ),
        Profile(
            "otel", "airflow_dagrun_duration_success", "airflow_dagrun_duration_failed", "airflow_task_duration",
            "pool_name", 0.001, latest_only=True, used="airflow_pool_running_slots",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """One DAG, or one task, within the last hour."""

    dag_id: str
    task_id: str
    """Empty: the DAG's runs."""
    seconds: float | None
    """How long it took on average; with `otel` the latest."""
    succeeded: float | None
    failed: float | None
    """How many; None where that is not told."""


@dataclass(frozen=True, slots=True)
class PoolMeasured:
    """The slots of a pool."""

    pool: str
    open: float
    used: float | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """What Prometheus knows of an Airflow."""

    profile: str
    heartbeats: float | None
    """Of the scheduler, a second; None: none is told, which is not the same as none."""
    dags: tuple[Measured, ...]
    tasks: tuple[Measured, ...]
    pools: tuple[PoolMeasured, ...]

    @property
    def alive(self) -> bool | None:
        """Whether the scheduler beats; None where nothing is told of it."""
        return None if self.heartbeats is None else self.heartbeats > 0


async def detect(ask: Ask) -> Profile | None:
    """The profile by the names that exist; None where none of them does.

    Raises:
        SourceError: Prometheus cannot be asked.
    """
    probes = {
        "helm-statsd": "count(airflow_dagrun_duration_count)",
        "mixin": "count(airflow_dagrun_duration_success_count)",
        "otel": "count(airflow_dagrun_duration_success)",
        "statsd-exporter": 'count({__name__=~"airflow_dagrun_duration_success_.+_count"})',
    }
    found = await asyncio.gather(*(_values(ask, text, ()) for text in probes.values()))
    return next((PROFILES[name] for name, values in zip(probes, found, strict=True) if values), None)


async def read_metrics(ask: Ask, profile: Profile) -> Metrics:
    """What Prometheus knows by the names of `profile`.

    Raises:
        SourceError: it cannot be asked.
    """
    dag, task, pool = ("dag_id",), ("dag_id", "task_id"), (profile.pool_label,)
    beats, seconds, runs, failed, task_seconds, opened, used = await asyncio.gather(
        _values(ask, f"sum(rate({profile.heartbeat}[5m]))", ()),
        _values(ask, mean(profile, profile.duration, dag), dag),
        _values(ask, counted(profile, profile.duration, dag), dag),
        _values(ask, counted(profile, profile.failed, dag), dag),
        _values(ask, mean(profile, profile.task, task), task),
        _values(ask, gauge(profile, profile.open), pool),
        _values(ask, gauge(profile, profile.used), pool),
    )
    unit = profile.unit
    dags = [
        Measured(key[0], "", _times(seconds.get(key), unit), runs.get(key), failed.get(key))
        for key in sorted({*seconds, *runs, *failed})
    ]
    tasks = [Measured(key[0], key[1], _times(value, unit), None, None) for key, value in sorted(task_seconds.items())]
    pools = [PoolMeasured(key[0], value, used.get(key)) for key, value in sorted(opened.items())]
    return Metrics(profile.name, beats.get(()), tuple(dags), tuple(tasks), tuple(pools))


def mean(profile: Profile, metric: str, by: tuple[str, ...]) -> str:
    """PromQL for how long it took; empty where the profile cannot tell."""
    if not metric or (profile.in_name and len(by) > 1):
        return ""
    if profile.latest_only:
        return f"max by ({', '.join(by)}) ({metric})"
    total, count = _increase(profile, metric, "sum", by), _increase(profile, metric, "count", by)
    return f"{total} / ({count} > 0)"


def counted(profile: Profile, metric: str, by: tuple[str, ...]) -> str:
    """PromQL for how often within the last hour; empty where the profile cannot tell."""
    return "" if profile.latest_only or not metric else _increase(profile, metric, "count", by)


def gauge(profile: Profile, metric: str) -> str:
    """PromQL for the slots of each pool."""
    label = profile.pool_label
    if not profile.in_name:
        return f"max by ({label}) ({metric})"
    return (
        f'max by ({label}) (label_replace({{__name__=~"{metric}_.+"}}, "{label}", "$1", "__name__", "{metric}_(.+)"))'
    )


def _increase(profile: Profile, metric: str, part: str, by: tuple[str, ...]) -> str:
    labels = ", ".join(by)
    if not profile.in_name:
        return f"sum by ({labels}) (increase({metric}_{part}[{_SPAN}]))"
    # The name is gone once a rate is taken, so it becomes a label first; that takes a subquery.
    named = f'label_replace({{__name__=~"{metric}_.+_{part}"}}, "{by[0]}", "$1", "__name__", "{metric}_(.+)_{part}")'
    return f"sum by ({labels}) (increase({named}[{_SPAN}:1m]))"


async def _values(ask: Ask, text: str, labels: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    """(values of `labels`) -> value; nothing for an empty question."""
    if not text:
        return {}
    value = (await ask(Query("prometheus", text, max_rows=5000))).value
    if not isinstance(value, Vector):
        return {}
    return {
        tuple(clean_line(sample.labels.get(name, "")) for name in labels): sample.value
        for sample in value.samples
        if sample.value == sample.value  # NaN: nothing was told
    }


def _times(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit
