"""What an Airflow's metrics are called in Prometheus: that depends on how they came there. Four families are known:

- `helm-statsd`: the statsd mapping of the official Helm chart (apache/airflow chart/files/statsd-mappings.yml)
- `mixin`: that of the Grafana mixin (grafana/jsonnet-libs apache-airflow-mixin)
- `statsd-exporter`: a statsd_exporter without a mapping: ids are parts of the metric's name
- `otel`: OpenTelemetry, which keeps Airflow's milliseconds, and of a duration only the latest

The configuration may change any part of one (`config.airflow_metrics`), or, with `custom`, say all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.sources.promqltext import quoted

_TOTAL = "(_total)?"
"""A collector appends it to counters, unless it is told not to."""


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of names, as one Airflow has it."""

    name: str
    own: Mapping[str, str]
    """Metric -> its name without the prefix; it may be a regular expression, or be followed by matchers. What a family
    lacks is not there."""
    pool_label: str = "pool"
    dag_label: str = "dag_id"
    task_label: str = "task_id"
    unit: float = 1.0
    """Seconds in one of its units of time."""
    latest_only: bool = False
    """Durations are gauges: the latest, without sum and count."""
    in_name: bool = False
    """Ids of DAGs, and pools, stand at the end of the metric's name."""
    prefix: str = "airflow"
    given: Mapping[str, str] = field(default_factory=_nothing)
    """As `own`, with their prefix: what the configuration says."""
    match: Mapping[str, str] = field(default_factory=_nothing)
    """Label -> value that all series have."""

    def knows(self, metric: str) -> bool:
        """Whether it has a name for that."""
        return metric in self.given or metric in self.own

    def name_of(self, metric: str) -> str:
        """The whole name, without matchers; may be a regular expression. Empty: it has none."""
        return self._whole(metric).partition("{")[0]

    def series(self, metric: str, part: str = "", *, each: bool = False) -> str:
        """A selector of its series; empty where it has none.

        Args:
            metric: one of `config.airflow_metrics.METRICS`.
            part: `sum` or `count` of a summary.
            each: ids stand in the name: all of them.
        """
        whole = self._whole(metric)
        if not whole:
            return ""
        name, _, given = whole.partition("{")
        name += ("_.+" if each else "") + (f"_{part}" if part else "")
        pattern = each or "(" in name
        matchers = [f'__name__=~"{name}"'] if pattern else []
        matchers += [given.removesuffix("}")] if given else []
        matchers += [f'{label}="{quoted(value, chr(34), label)}"' for label, value in self.match.items()]
        return ("" if pattern else name) + (f"{{{','.join(matchers)}}}" if matchers else "")

    def _whole(self, metric: str) -> str:
        if metric in self.given:
            return self.given[metric]
        return f"{self.prefix}_{self.own[metric]}" if metric in self.own else ""


_COMMON = {
    "scheduler_heartbeat": "scheduler_heartbeat",
    "dag_processor_heartbeat": "dag_processor_heartbeat",
    "triggerer_heartbeat": "triggerer_heartbeat",
    "task_failures": "ti_failures",
    "task_successes": "ti_successes",
    "pool_open": "pool_open_slots",
    "pool_used": "pool_running_slots",
    "pool_queued": "pool_queued_slots",
    "pool_starving": "pool_starving_tasks",
    "executor_running": "executor_running_tasks",
    "executor_queued": "executor_queued_tasks",
    "executor_open": "executor_open_slots",
    "import_errors": "dag_processing_import_errors",
    "dags": "dagbag_size",
}
_RUNS = {"run_duration": "dagrun_duration_success", "run_failed": "dagrun_duration_failed"}
_COUNTERS = ("scheduler_heartbeat", "dag_processor_heartbeat", "triggerer_heartbeat", "task_failures", "task_successes")

PROFILES: Mapping[str, Profile] = {
    one.name: one
    for one in (
        Profile(
            "helm-statsd",
            # The chart does not map queued slots.
            {name: own for name, own in _COMMON.items() if name != "pool_queued"}
            | {"run_duration": "dagrun_duration", "run_failed": "dagrun_failed", "task_duration": "task_duration",
               "pool_used": "pool_used_slots"},
        ),
        Profile(
            "mixin",
            _COMMON | _RUNS
            | {"task_duration": "task_duration", "task_failures": 'task_finish_total{state="failed"}',
               "task_successes": 'task_finish_total{state="success"}'},
            pool_label="pool_name",
        ),
        Profile("statsd-exporter", _COMMON | _RUNS, in_name=True),
        Profile(
            "otel",
            _COMMON | _RUNS | {"task_duration": "task_duration"}
            | {name: _COMMON[name] + _TOTAL for name in _COUNTERS},
            pool_label="pool_name", unit=0.001, latest_only=True,
        ),
        Profile("custom", {}),
    )
}  # fmt: skip
KNOWN = tuple(PROFILES[name] for name in ("mixin", "otel", "helm-statsd", "statsd-exporter"))
"""The families, those first that say more of the same: what is asked by all of them is answered by the first."""


def as_configured(profile: Profile, said: AirflowMetrics) -> Profile:
    """`profile` with what the configuration says of it."""
    return replace(
        profile,
        prefix=said.prefix,
        given=said.names,
        match=said.match,
        dag_label=said.labels.get("dag", profile.dag_label),
        task_label=said.labels.get("task", profile.task_label),
        pool_label=said.labels.get("pool", profile.pool_label),
        unit={"s": 1.0, "ms": 0.001}.get(said.unit, profile.unit),
        latest_only=said.durations == "latest" if said.durations else profile.latest_only,
    )


def possible(said: AirflowMetrics) -> tuple[Profile, ...]:
    """The profile that the configuration names; where it names none, every family."""
    found = (PROFILES[said.profile],) if said.profile else KNOWN
    return tuple(as_configured(one, said) for one in found)
