"""What `airflow: {metrics: …}` may say: the name of a profile, or a mapping."""

from typing import Any

from opsconsole.config.airflow_metrics import LABELS, METRICS, PROFILES
from opsconsole.config.schema import Choice, Either, MapOf, Place, Record, Text

_NAME = r"[A-Za-z_:][A-Za-z0-9_:]*"
_MATCHER = r"[A-Za-z_][A-Za-z0-9_]*\s*(?:=|!=|=~|!~)\s*\"(?:[^\"\\\n]|\\.)*\""
_METRIC = Text(
    pattern=rf"{_NAME}(\{{\s*{_MATCHER}(\s*,\s*{_MATCHER})*\s*\}})?",
    expected='the name of a metric, such as airflow_ti_failures or task_finish_total{state="failed"}',
    limit=500,
)
_LABEL = Text(pattern=r"[A-Za-z_][A-Za-z0-9_]*", expected="the name of a label")


def _custom_has_names(result: dict[str, Any], place: Place) -> None:
    if result.get("profile") == "custom" and not result.get("names") and not place.problems:
        place.child("profile").report("missing-key", "profile: custom without names; it has none of its own")


_MAPPING = Record(
    {
        "profile": Choice(PROFILES),
        "prefix": Text(pattern=_NAME, expected="what all names begin with, such as airflow"),
        "names": Record(dict.fromkeys(METRICS, _METRIC), what="a mapping of what is measured to names of metrics"),
        "labels": Record(dict.fromkeys(LABELS, _LABEL)),
        "match": MapOf(Text(lenient=True, limit=500), name=_LABEL, what="a mapping of labels to values"),
        "unit": Choice(("s", "ms")),
        "durations": Choice(("summary", "latest")),
    },
    what="a mapping such as {profile: otel, prefix: airflow}",
    verify=_custom_has_names,
)

AIRFLOW_METRICS = Either(scalar=Choice(PROFILES[:-1]), mapping=_MAPPING)
"""Read as the name of a profile, or as the arguments of `AirflowMetrics`."""
