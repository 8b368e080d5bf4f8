"""`services.yaml`: what runs on the platform, how one sees that it is up, and how it is restarted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.config.document import Document, load_document
from opsconsole.config.format import VersionNumber
from opsconsole.config.schema import Choice, Duration, Flag, ListOf, MapOf, Number, Place, Record, Text, check
from opsconsole.core.problem import Problem, nearest

KINDS = ("api", "web", "proxy", "identity", "database", "cache", "queue", "scheduler", "worker", "cdn", "job", "other")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where Prometheus reads a service's metrics."""

    targets: tuple[str, ...]
    """`host:port` of each instance, as Prometheus reaches it."""
    path: str = "/metrics"
    scheme: str = "http"
    interval: float | None = None
    """Seconds between two looks; None: as all are."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service. Commands are argument lists, run without a shell."""

    name: str
    title: str
    kind: str = "other"
    area: str = "services"
    """The area of the overview that it counts for."""
    check: str = ""
    """PromQL with one sample per instance: above 0 is up. Empty: not watched."""
    status: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    timeout: float = 60.0
    """Seconds within which a restart must have ended."""
    driver: str = "command"
    """What controls it: `command` (the lists above), or one of `DRIVERS`, which these lists override."""
    unit: str = ""
    """What the driver calls it: a systemd unit, a container, a compose service, a supervisor program, a workload such
    as `deployment/web`; empty: the service's own name."""
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    host: str = ""
    """The host to go to by ssh; empty: this one."""
    sudo: bool = False
    user: bool = False
    """systemd: a unit of the user's own manager."""
    files: tuple[str, ...] = ()
    """compose: its files; supervisor: its configuration."""
    project: str = ""
    """compose."""
    namespace: str = ""
    """kubectl."""
    context: str = ""
    """kubectl."""
    replicas: int = 1
    """kubectl: how many `start` brings up."""
    runbook: str = ""
    """The id of the runbook for when it is down."""
    depends_on: tuple[str, ...] = ()
    owner: str = ""
    metrics: Metrics | None = None
    line: int = 0
    """In the file."""
    runbook_at: tuple[int, int] = (0, 0)
    """(line, column) of `runbook` in the file."""


DRIVERS = ("systemd", "docker", "compose", "supervisor", "kubectl", "command")
_WORD = Text(pattern=r"[^\s-]\S{0,300}", expected="one word that does not begin with '-'")
_METRICS = Record(
    {
        "targets": ListOf(
            Text(
                pattern=r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}", expected="a host and port such as app-1:8080"
            ),
            minimum=1,
            single=True,
            what="a host and port, or a list of them",
        ),
        "path": Text(pattern=r"/\S*", expected="a path such as /metrics"),
        "scheme": Choice(("http", "https")),
        "interval": Duration(minimum=1, maximum=3600, example="15s"),
    },
    required=("targets",),
    what="a mapping such as {targets: [app-1:8080]}",
)
_ARGV = ListOf(Text(lenient=True, empty=True), minimum=1, what="a program and its arguments, as a list")

_MEANT_FOR = {
    "user": ("systemd",),
    "files": ("compose", "supervisor"),
    "project": ("compose",),
    "namespace": ("kubectl",),
    "context": ("kubectl",),
    "replicas": ("kubectl",),
    "unit": DRIVERS[:-1],
}


def _driver_knows(result: dict[str, Any], place: Place) -> None:
    driver = result.get("driver", "command")
    for key, drivers in _MEANT_FOR.items():
        if key in result and driver not in drivers:
            message = f"{key} means nothing for driver {driver}; it is for {', '.join(drivers)}"
            place.child(key).report("misplaced-key", message, on_key=True)


_SERVICE = Record(
    {
        "title": Text(limit=200),
        "kind": Choice(KINDS),
        "area": Text(pattern="[a-z][a-z0-9-]{0,39}", expected="a name of small letters, digits and '-'"),
        "check": Text(expected='PromQL such as up{job="api"}'),
        "status": _ARGV,
        "restart": _ARGV,
        "logs": _ARGV,
        "driver": Choice(DRIVERS),
        "unit": _WORD,
        "start": _ARGV,
        "stop": _ARGV,
        "host": Text(pattern=r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,252}", expected="a host, as ssh knows it"),
        "sudo": Flag(),
        "user": Flag(),
        "files": ListOf(Text(), single=True, what="a path, or a list of paths"),
        "project": _WORD,
        "namespace": _WORD,
        "context": _WORD,
        "replicas": Number(minimum=1, maximum=1000, whole=True),
        "timeout": Duration(minimum=1, maximum=3600, example="1m"),
        "runbook": Text(expected="the id of a runbook"),
        "depends_on": ListOf(Text(), what="a list of service names"),
        "owner": Text(),
        "metrics": _METRICS,
    },
    what="a mapping with title, kind, check, …",
    verify=_driver_knows,
)


def _dependencies_hold(result: dict[str, Any], place: Place) -> None:
    services: Mapping[str, Any] = result.get("services", {})
    for name, service in services.items():
        at = place.child("services").child(name).child("depends_on")
        for position, other in enumerate(service.get("depends_on", ())):
            if other not in place.document.data["services"]:
                hint = nearest(other, services) or "; expected the name of a service in this file"
                at.child(position).report("unknown-name", f"depends_on: no service {other!r}{hint}")
    for cycle in _cycles({name: service.get("depends_on", []) for name, service in services.items()}):
        at = place.child("services").child(cycle[0]).child("depends_on")
        at.report("cycle", f"depends_on: {' → '.join((*cycle, cycle[0]))} is a circle", on_key=True)


def _cycles(graph: Mapping[str, list[str]]) -> list[tuple[str, ...]]:
    """One circle for each service that is the alphabetically first on a circle through it; found without recursion."""
    found = []
    for start in sorted(graph):
        came_from: dict[str, str] = {}
        waiting = [start]
        while waiting:
            name = waiting.pop()
            for other in graph.get(name, ()):
                if other == start:
                    path = [name]
                    while path[-1] != start:
                        path.append(came_from[path[-1]])
                    found.append(tuple(reversed(path)))
                    waiting.clear()
                    break
                if other > start and other not in came_from:
                    came_from[other] = name
                    waiting.append(other)
    return found


SERVICES = Record(
    {"version": VersionNumber(), "services": MapOf(_SERVICE)},
    required=("version", "services"),
    what="a mapping with version and services",
    verify=_dependencies_hold,
)


def load_services(path: Path) -> tuple[list[Service], list[Problem]]:
    """The services in the file at `path`, in its order, and all problems. A field that is wrong is left out.

    Raises:
        ContentError: the file cannot be read at all.
    """
    return read_services(load_document(path))


def read_services(document: Document) -> tuple[list[Service], list[Problem]]:
    """As `load_services`, from a parsed document."""
    result, problems = check(document, SERVICES)
    entries: Mapping[str, Mapping[str, Any]] = result.get("services", {}) if isinstance(result, dict) else {}
    services = []
    for name, entry in entries.items():
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        metrics = given.pop("metrics", {})
        if "targets" in metrics:
            given["metrics"] = Metrics(**{**metrics, "targets": tuple(metrics["targets"])})
        line, at = document.where_key(("services", name))[0], document.where(("services", name, "runbook"))
        services.append(Service(name, given.pop("title", name), **given, line=line, runbook_at=at))
    return services, problems
