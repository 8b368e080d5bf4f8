"""`slas.yaml`: what was promised, of four kinds, and when it is not counted. `sla_format` says what it may hold."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from opsconsole.config.document import Document, load_document
from opsconsole.config.schema import check
from opsconsole.config.sla_format import KINDS, SLA, SLAS, WINDOWS
from opsconsole.core.problem import Problem

__all__ = ["KINDS", "PIPELINE_OBJECTIVE", "WINDOWS", "Maintenance", "Promql", "Sla", "Sql", "load_slas", "read_slas"]

PIPELINE_OBJECTIVE = 0.95
"""The share of runs in time where a pipeline's entry says nothing of it."""


@dataclass(frozen=True, slots=True)
class Promql:
    """An indicator from Prometheus: counts of events, a histogram of seconds, or a value that has to hold.

    `good`, `bad` and `total` are increases over `$window`: `sum(increase(http_requests_total[$window]))`.
    """

    good: str = ""
    bad: str = ""
    total: str = ""
    histogram: str = ""
    """The name of a histogram without `_bucket`; good is what took at most the target."""
    match: str = ""
    """Its label matchers, without braces."""
    value: str = ""
    """A value now: of availability up (above 0), of freshness an age, of latency a time, in seconds."""
    source: str = field(default="prometheus", repr=False)
    """`prometheus` or `prometheus/NAME`. Days that are over are kept by the repr of this, and by the server's URL."""


@dataclass(frozen=True, slots=True)
class Sql:
    """An indicator from PostgreSQL: rows of `at` with `good` and `total`, `bad` and `total`, or `value`, from `:'FROM'`
    to `:'TO'`."""

    source: str
    """`postgres/NAME`."""
    query: str


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Time that is not counted: once (`begin` to `end`, unix seconds), or weekly on `days` from `at` for `length`."""

    name: str
    why: str = ""
    begin: float = 0.0
    end: float = 0.0
    days: tuple[int, ...] = ()
    """Monday is 0. Empty: once."""
    at: int = 0
    """Seconds after midnight, in `zone`."""
    length: float = 0.0
    zone: str = "UTC"
    slas: tuple[str, ...] = ()
    """The names of those that it is about, `*` for anything; empty: all."""
    line: int = 0

    def covers(self, name: str) -> bool:
        """Whether the SLA `name` is not counted then."""
        return not self.slas or any(fnmatchcase(name, one) for one in self.slas)


@dataclass(frozen=True, slots=True)
class Sla:
    """One promise: `objective` of what is counted in `window` is good."""

    name: str
    kind: str
    dag: str = ""
    """Of a pipeline: a DAG id; `*` stands for anything."""
    target: float = 0.0
    """Seconds: within which a request is answered, a run is over from its `run_after` on, data are loaded again. 0: of
    availability."""
    title: str = ""
    grace: float = 300.0
    """Of a pipeline: seconds after it is due within which a run has to have begun."""
    owner: str = ""
    runbook: str = ""
    """The id of the runbook for when it is broken."""
    line: int = 0
    """In the file."""
    objective: float = PIPELINE_OBJECTIVE
    """The share that has to be good, between 0 and 1."""
    window: str = "30d"
    """`7d`, `28d`, `30d` that roll, or the calendar's `week` or `month`."""
    promql: Promql | None = None
    sql: Sql | None = None
    min_events: float = 1.0
    """Fewer in the window say nothing."""
    zone: str = "UTC"
    """Of its calendar windows."""
    maintenance: tuple[Maintenance, ...] = ()
    """What is not counted."""
    metrics_every: float = 0.0
    """Seconds between two runs of `opsconsole sla metrics`, which counts for Prometheus what Prometheus cannot; 0: none
    runs."""
    objective_at: tuple[int, int] = (0, 0)
    """(line, column) in the file."""
    runbook_at: tuple[int, int] = (0, 0)

    def covers(self, dag_id: str) -> bool:
        """Whether it is about this DAG."""
        return bool(self.dag) and fnmatchcase(dag_id, self.dag)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1.0 - self.objective, 12)  # else a tenth is less than a tenth

    @property
    def source(self) -> str:
        """Who is asked about it: `prometheus`, `prometheus/NAME`, `postgres/NAME` or `airflow`."""
        return self.promql.source if self.promql else self.sql.source if self.sql else "airflow"


def load_slas(path: Path) -> tuple[list[Sla], list[Problem]]:
    """The SLAs in the file at `path`, in its order, and all problems. One that lacks what it needs is left out.

    Raises:
        ContentError: the file cannot be read at all.
    """
    return read_slas(load_document(path))


def read_slas(document: Document) -> tuple[list[Sla], list[Problem]]:
    """As `load_slas`, from a parsed document."""
    result, problems = check(document, SLAS)
    if not isinstance(result, dict):
        return [], problems
    zone: str = result.get("timezone", "UTC")
    pauses = [
        _maintenance(entry, zone, document.where(("maintenance", at))[0])
        for at, entry in _entries(document, "maintenance", result)
        if "name" in entry
    ]
    every: float = result.get("metrics_every", 0.0)
    slas = [
        _sla(entry, document, at, zone, pauses, every)
        for at, entry in _entries(document, "slas", result)
        if all(key in entry for key in SLA.required)
    ]
    return slas, problems


def _entries(document: Document, key: str, result: dict[str, Any]) -> Iterable[tuple[int, dict[str, Any]]]:
    """(position in the file, entry): what is no mapping was left out of the entries."""
    entries: list[dict[str, Any]] = result.get(key, [])
    given = document.data[key] if entries else []
    return zip([at for at, one in enumerate(given) if isinstance(one, dict)], entries, strict=True)


def _maintenance(entry: dict[str, Any], zone: str, line: int) -> Maintenance:
    names = {"from": "begin", "to": "end", "for": "length", "timezone": "zone"}
    given: dict[str, Any] = {
        names.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return Maintenance(**{"zone": zone, **given}, line=line)


def _sla(entry: dict[str, Any], document: Document, at: int, zone: str, pauses: list[Maintenance], every: float) -> Sla:
    given = dict(entry)
    for key, made in (("promql", Promql), ("sql", Sql)):
        if key in given:
            given[key] = made(**given[key])
    return Sla(
        **given,
        zone=zone,
        line=document.where(("slas", at))[0],
        maintenance=tuple(one for one in pauses if one.covers(entry["name"])),
        metrics_every=every,
        objective_at=document.where(("slas", at, "objective")),
        runbook_at=document.where(("slas", at, "runbook")),
    )
