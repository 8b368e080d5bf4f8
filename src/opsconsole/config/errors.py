"""`errors.yaml`: where errors are to be looked for, and how the logs of applications are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.config.document import Document, load_document
from opsconsole.config.errors_format import ERRORS, FILE, LOKI, METRIC, WRITTEN
from opsconsole.config.schema import Record, check
from opsconsole.config.settings import Environment
from opsconsole.core.problem import Problem, nearest

LEVELS = ("error", "err", "critical", "crit", "fatal", "alert", "emerg", "emergency", "panic", "severe")
"""What programs call an error, in small letters."""


@dataclass(frozen=True, slots=True)
class MetricErrors:
    """Errors that are counted by metrics."""

    name: str
    query: str
    """PromQL that brings how many there were within `$step`, one series for each kind."""
    source: str = "prometheus"
    """`prometheus` or `prometheus/NAME`."""
    service: str = "job"
    """The label that names the service."""
    type: str = ""
    """What the kind is called; `{{label}}` is replaced."""
    message: str = ""
    """As `type`; empty: the labels."""
    runbook: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class LogFormat:
    """How the lines of a log are written."""

    format: str = "auto"
    pattern: str = ""
    """A regular expression with named groups, of the first line of an entry; for `regex`."""
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What is called otherwise than usual: `{message: msg}`."""
    levels: tuple[str, ...] = LEVELS
    zone: str = "UTC"
    """Of times that name none."""
    time_format: str = ""
    """As `strptime` has it; empty: what usual times look like is known."""


@dataclass(frozen=True, slots=True)
class FileErrors:
    """Errors in log files."""

    name: str
    paths: tuple[str, ...]
    """Patterns of paths, `~` and `*` filled in."""
    service: str = ""
    """Empty: what the line says, else the file's name."""
    written: LogFormat = LogFormat()
    encoding: str = "utf-8"
    most_bytes: int = 64 * 1024 * 1024
    """That are read of one file at its end, when it is first looked at."""
    runbook: str = ""
    folder: Path = Path()
    """Where relative paths begin."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class LokiErrors:
    """Errors in a Loki."""

    name: str
    query: str
    """LogQL that brings lines, only those of errors."""
    service: tuple[str, ...] = ("service_name", "service", "app", "job")
    """Labels that may name the service, the best first."""
    written: LogFormat = LogFormat()
    runbook: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class PostgresErrors:
    """Errors of databases."""

    databases: tuple[str, ...] = ()
    """Empty: all of the environment."""
    log: bool = True
    """Whether the server's log is read, where the role may."""
    rollbacks: bool = False
    """Whether each rollback is an error: drivers and pools roll back, too, where nothing went wrong."""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class ErrorsSettings:
    """Where errors are looked for."""

    metrics: tuple[MetricErrors, ...] = ()
    files: tuple[FileErrors, ...] = ()
    loki: tuple[LokiErrors, ...] = ()
    postgres: PostgresErrors | None = PostgresErrors()
    airflow: bool = True
    airflow_runbook: str = ""
    file: Path | None = None

    def runbook_of(self, source: str) -> str:
        """The id of the runbook for errors of `source` (`logs/energy`); empty where none is named."""
        kind, _, name = source.partition("/")
        if kind == "airflow":
            return self.airflow_runbook
        if kind == "postgres":
            return self.postgres.runbook if self.postgres is not None else ""
        listed: Mapping[str, tuple[MetricErrors | FileErrors | LokiErrors, ...]]
        listed = {"metrics": self.metrics, "logs": self.files, "loki": self.loki}
        return next((one.runbook for one in listed.get(kind, ()) if one.name == name), "")


HTTP_ERRORS = MetricErrors(
    name="http",
    query='sum by (job, status) (increase(http_requests_total{status=~"5.."}[$step]))',
    type="HTTP {{status}}",
    message="answered with status {{status}}",
)
DEFAULT = ErrorsSettings(metrics=(HTTP_ERRORS,))
"""Where no file says otherwise: HTTP 5xx as most clients count them, Airflow, and all databases."""


def load_errors(path: Path) -> tuple[ErrorsSettings, list[Problem]]:
    """What the file at `path` says, and all problems. An entry that lacks what it needs is left out.

    Raises:
        ContentError: the file cannot be read at all.
    """
    return read_errors(load_document(path), path)


def read_errors(document: Document, path: Path | None = None) -> tuple[ErrorsSettings, list[Problem]]:
    """As `load_errors`, from a parsed document."""
    result, problems = check(document, ERRORS)
    read: dict[str, Any] = result if isinstance(result, dict) else {}
    folder = path.resolve().parent if path is not None else Path()
    postgres, airflow = read.get("postgres", {}), read.get("airflow", {})
    settings = ErrorsSettings(
        metrics=tuple(MetricErrors(**one) for one in _listed(document, read, "metrics", METRIC)),
        files=tuple(_file(one, folder) for one in _listed(document, read, "files", FILE)),
        loki=tuple(_loki(one) for one in _listed(document, read, "loki", LOKI)),
        postgres=_postgres(postgres) if postgres.get("enabled", True) else None,
        airflow=airflow.get("enabled", True),
        airflow_runbook=airflow.get("runbook", ""),
        file=path,
    )
    return settings, problems


def unknown_names(settings: ErrorsSettings, environment: Environment, runbooks: set[str]) -> list[Problem]:
    """Warnings about sources, databases and runbooks that the environment does not have."""
    databases, known = environment.postgres, environment.every_prometheus
    file = str(settings.file)
    postgres = settings.postgres or PostgresErrors()
    listed: tuple[MetricErrors | FileErrors | LokiErrors, ...] = (*settings.metrics, *settings.files, *settings.loki)
    wanted = [(0, postgres.runbook), (0, settings.airflow_runbook), *((one.line, one.runbook) for one in listed)]
    found = [
        Problem(file, line, min(line, 1), "warning", "unknown-name", f"no runbook {name!r}{nearest(name, runbooks)}")
        for line, name in wanted
        if name and name not in runbooks
    ]
    found += [
        Problem(file, 0, 0, "warning", "unknown-name", f"no database {name!r} under postgres{nearest(name, databases)}")
        for name in postgres.databases
        if name not in databases
    ]
    found += [
        Problem(file, one.line, min(one.line, 1), "warning", "unknown-name",
                f"{one.name}: no source {one.source!r}{nearest(one.source, known)}")
        for one in settings.metrics
        if one.source not in known and one.source != "prometheus"
    ]  # fmt: skip
    return found


def _listed(document: Document, read: Mapping[str, Any], key: str, record: Record) -> list[dict[str, Any]]:
    """The entries that have what they need, each with its line."""
    entries: list[dict[str, Any]] = read.get(key, [])
    given = document.data.get(key) if entries else []
    lines = [document.where((key, at))[0] for at, one in enumerate(given) if isinstance(one, dict)]
    found = zip(entries, lines, strict=True)
    return [{**one, "line": line} for one, line in found if all(name in one for name in record.required)]


def _written(entry: dict[str, Any]) -> LogFormat:
    given = {name: entry.pop(name) for name in tuple(WRITTEN) if name in entry}
    if "pattern" in given:
        given["format"] = "regex"
    if "levels" in given:
        given["levels"] = tuple(level.lower() for level in given["levels"])
    return LogFormat(**given)


def _file(entry: dict[str, Any], folder: Path) -> FileErrors:
    given = dict(entry)
    written = _written(given)
    return FileErrors(**{**given, "paths": tuple(given["paths"]), "written": written, "folder": folder})


def _loki(entry: dict[str, Any]) -> LokiErrors:
    given = dict(entry)
    written = _written(given)
    labels = {"service": tuple(given["service"])} if "service" in given else {}
    return LokiErrors(**{**given, **labels, "written": written})


def _postgres(entry: dict[str, Any]) -> PostgresErrors:
    given = {name: value for name, value in entry.items() if name != "enabled"}
    return PostgresErrors(**{**given, "databases": tuple(given.get("databases", ()))})
