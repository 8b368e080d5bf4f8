"""`$__airflow_…` in screens: what is asked of an Airflow's metrics, whatever they are called in this environment.

A screen that says `$__airflow_runs_failed` need not be edited for each family of names. Where the configuration names
no profile, it is asked by all of them.
"""

from dataclasses import replace
from typing import Any

from opsconsole.config.airflow_metrics import AirflowMetrics
from opsconsole.config.document import Document
from opsconsole.sources.airflow.expressions import EXPRESSIONS, PREFIX, written_out
from opsconsole.sources.airflow.profiles import Profile, possible

AIRFLOW = tuple(PREFIX + name for name in EXPRESSIONS)
"""What can be named."""


def named(document: Document, said: AirflowMetrics | None) -> Document:
    """`document` with these names written out as PromQL; positions stay those of the file."""
    data = _named(document.data, possible(said or AirflowMetrics()))
    return document if data is document.data else replace(document, data=data)


def _named(data: Any, profiles: tuple[Profile, ...]) -> Any:
    """The same object where nothing in it is named."""
    match data:
        case str():
            return written_out(data, profiles) if PREFIX in data else data
        case dict():
            items = {key: _named(value, profiles) for key, value in data.items()}
            return items if any(items[key] is not value for key, value in data.items()) else data
        case list():
            listed = [_named(value, profiles) for value in data]
            return listed if any(new is not old for new, old in zip(listed, data, strict=True)) else data
        case _:
            return data
