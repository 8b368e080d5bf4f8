"""How an Airflow's metrics are called in Prometheus, as `airflow: {metrics: …}` has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

PROFILES = ("helm-statsd", "mixin", "statsd-exporter", "otel", "custom")
"""Families of names; `sources.airflow.profiles` says what each of them calls what. `custom` has none of its own."""

METRICS = (
    "scheduler_heartbeat", "dag_processor_heartbeat", "triggerer_heartbeat", "run_duration", "run_failed",
    "task_duration", "task_failures", "task_successes", "pool_open", "pool_used", "pool_queued", "pool_starving",
    "executor_running", "executor_queued", "executor_open", "import_errors", "dags",
)  # fmt: skip
"""What there may be a name for."""

LABELS = ("dag", "task", "pool")
"""What a label may say."""


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AirflowMetrics:
    """What differs from one Airflow to the next. Empty: as the profile has it."""

    profile: str = ""
    """One of `PROFILES`; empty: found out by the names that exist."""
    prefix: str = "airflow"
    """What the profile's names begin with."""
    names: Mapping[str, str] = field(default_factory=_none)
    """One of `METRICS` -> its whole name, which matchers may follow: `task_finish_total{state="failed"}`."""
    labels: Mapping[str, str] = field(default_factory=_none)
    """One of `LABELS` -> the label that says it."""
    match: Mapping[str, str] = field(default_factory=_none)
    """Label -> value that all series of this Airflow have, where several tell the same Prometheus."""
    unit: str = ""
    """Of durations: `s` or `ms`."""
    durations: str = ""
    """`summary`: they have sum and count; `latest`: they are gauges."""
