"""What can be asked of an Airflow's metrics, as PromQL by the names of a profile.

Whatever the profile calls them, an answer has the labels `dag_id`, `task_id` and `pool`, and durations are seconds. All
of it is told per event: a series that is not there means that nothing was told, not that all is well.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.sources.airflow.profiles import Profile

PREFIX = "__airflow_"
"""With it, the name of an expression is a variable of screens: `$__airflow_runs_failed`."""
SPAN = "1h"
"""Over which things are counted, unless told otherwise."""
_BEATS = "5m"
NOTHING = "vector(0) < 0"
"""An answer without samples: what a profile cannot tell."""

_REFERENCE = re.compile(rf"\$(?:\{{{PREFIX}(?P<braced>\w+)(?::(?P<span>\w*))?\}}|{PREFIX}(?P<bare>\w+))")
_SPAN = re.compile(r"[0-9]+(?:ms|[smhdwy])")


@dataclass(frozen=True, slots=True)
class Expression:
    """One thing that can be asked."""

    metric: str
    """One of `config.airflow_metrics.METRICS`."""
    made_by: Callable[[Profile, str, Sequence[str], str], str]
    """(profile, metric, labels, span) -> PromQL; empty where the profile cannot tell."""
    by: tuple[str, ...] = ()
    span: str = SPAN
    about: str = ""


def text_of(name: str, profile: Profile, span: str = "") -> str:
    """PromQL for the expression of that name; empty where `profile` cannot tell.

    Raises:
        KeyError: there is none of that name.
    """
    one = EXPRESSIONS[name]
    return one.made_by(profile, one.metric, one.by, span or one.span) if profile.knows(one.metric) else ""


def text_of_any(name: str, profiles: Sequence[Profile], span: str = "") -> str:
    """The same by whichever of the profiles it is told: the first one counts."""
    texts = list(dict.fromkeys(filter(None, (text_of(name, one, span) for one in profiles))))
    # `on ()`: not one sample of another where the first has any, for they have other labels.
    return " or on () ".join(f"({one})" for one in texts) if len(texts) > 1 else "".join(texts)


def written_out(text: str, profiles: Sequence[Profile]) -> str:
    """`text` with `$__airflow_NAME` and `${__airflow_NAME:SPAN}` as PromQL. Unknown names stay as they are."""

    def one(found: re.Match[str]) -> str:
        name, span = found["braced"] or found["bare"], found["span"] or ""
        if name not in EXPRESSIONS or (span and not _SPAN.fullmatch(span)):
            return found[0]
        return f"({text_of_any(name, profiles, span) or NOTHING})"

    return _REFERENCE.sub(one, text)


def _sum(profile: Profile, by: Sequence[str], inner: str) -> str:
    return _grouped("sum", profile, by, inner)


def _grouped(how: str, profile: Profile, by: Sequence[str], inner: str) -> str:
    """`how by (…) (inner)`, the labels under the names that all profiles share."""
    shared = {"dag_id": profile.dag_label, "task_id": profile.task_label, "pool": profile.pool_label}
    for label in by:
        if shared[label] != label and not profile.in_name:
            inner = f'label_replace({inner}, "{label}", "$1", "{shared[label]}", "(.+)")'
    return f"{how} by ({', '.join(by)}) ({inner})" if by else f"{how}({inner})"


def _beats(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    return _sum(profile, by, f"rate({profile.series(metric)}[{span}])")


def _increased(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    """Of a counter."""
    return _sum(profile, by, _grown(profile.series(metric), span))


def _grown(series: str, span: str, before: str = "", ranged: str = "") -> str:
    """By how much counters grew.

    Airflow's counters begin to be there with the first event, and what Prometheus sees first it takes for a beginning,
    not for an increase: so the one failed run of a nightly DAG would never count. A series that was not there before
    counts with all that it has. Before means at any time in a span: after a gap in scraping nothing is new.
    """
    before = before or f"{series}[{span}] offset {span}"
    return f"({series} unless last_over_time({before})) or increase({ranged or f'{series}[{span}]'})"


def _counted(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    """How many durations there were."""
    return "" if profile.latest_only else _part(profile, metric, "count", by, span)


def _mean(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    """Of durations, in seconds."""
    if profile.in_name and len(by) > 1:
        return ""
    unit = "" if profile.unit == 1.0 else f"{profile.unit:g} * "
    if profile.latest_only:
        return unit + _grouped("max", profile, by, profile.series(metric))
    total, count = _part(profile, metric, "sum", by, span), _part(profile, metric, "count", by, span)
    return f"{unit}{total} / ({count} > 0)"


def _part(profile: Profile, metric: str, part: str, by: Sequence[str], span: str) -> str:
    if not profile.in_name:
        return _sum(profile, by, _grown(profile.series(metric, part), span))
    # The name is gone once a rate is taken, so it becomes a label first; that takes a subquery.
    named = _named(profile, metric, by[0], part)
    return _sum(profile, by, _grown(named, span, f"{named}[{span}:1m] offset {span}", f"{named}[{span}:1m]"))


def _slots(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    """Of each pool."""
    del span
    inner = _named(profile, metric, by[0]) if profile.in_name else profile.series(metric)
    return _grouped("max", profile, by, inner)


def _named(profile: Profile, metric: str, label: str, part: str = "") -> str:
    """The series with what stands in their names as a label."""
    tail = f"_{part}" if part else ""
    name = f"{profile.name_of(metric)}_(.+){tail}"
    return f'label_replace({profile.series(metric, part, each=True)}, "{label}", "$1", "__name__", "{name}")'


def _executors(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    """Over all executors; each may be told by several schedulers."""
    del by, span
    return f"sum(max by (executor) ({profile.series(metric)}))"


def _most(profile: Profile, metric: str, by: Sequence[str], span: str) -> str:
    del by, span
    return f"max({profile.series(metric)})"


_DAG, _TASK, _POOL = ("dag_id",), ("dag_id", "task_id"), ("pool",)

EXPRESSIONS: Mapping[str, Expression] = {
    "scheduler_beats": Expression("scheduler_heartbeat", _beats, span=_BEATS, about="heartbeats a second"),
    "dag_processor_beats": Expression("dag_processor_heartbeat", _beats, span=_BEATS, about="heartbeats a second"),
    "triggerer_beats": Expression("triggerer_heartbeat", _beats, span=_BEATS, about="heartbeats a second"),
    "runs_succeeded": Expression("run_duration", _counted, _DAG, about="runs that succeeded, by DAG"),
    "runs_failed": Expression("run_failed", _counted, _DAG, about="runs that failed, by DAG"),
    "run_seconds": Expression("run_duration", _mean, _DAG, about="how long runs took on average, by DAG"),
    "tasks_succeeded": Expression("task_successes", _increased, _DAG, about="tasks that succeeded, by DAG if told"),
    "tasks_failed": Expression("task_failures", _increased, _DAG, about="tasks that failed, by DAG if told"),
    "task_seconds": Expression("task_duration", _mean, _TASK, about="how long tasks took on average"),
    "pool_open": Expression("pool_open", _slots, _POOL, about="free slots, by pool"),
    "pool_used": Expression("pool_used", _slots, _POOL, about="slots that run something, by pool"),
    "pool_queued": Expression("pool_queued", _slots, _POOL, about="slots of queued tasks, by pool"),
    "pool_starving": Expression("pool_starving", _slots, _POOL, about="tasks that wait for a slot, by pool"),
    "running": Expression("executor_running", _executors, about="tasks that run"),
    "queued": Expression("executor_queued", _executors, about="tasks that are queued"),
    "slots_open": Expression("executor_open", _executors, about="free slots of executors"),
    "import_errors": Expression("import_errors", _most, about="files that cannot be imported"),
    "dags": Expression("dags", _most, about="DAGs that are known"),
}
