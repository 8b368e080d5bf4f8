"""What the API answers to: method, path, who may, and the function that does it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from opsconsole.demo.airflow_api import changing, reading
from opsconsole.demo.airflow_api.call import Answering
from opsconsole.demo.airflow_api.refusal import Refusal

PREFIX = "/api/v2/"


@dataclass(frozen=True, slots=True)
class Route:
    """One of them."""

    method: str
    pattern: re.Pattern[str]
    answering: Answering
    open: bool = False
    """Whether it needs no token."""

    @property
    def changes(self) -> bool:
        """Whether a viewer is refused."""
        return self.method != "GET"


def _route(method: str, path: str, answering: Answering, *, open: bool = False) -> Route:  # noqa: A002
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(pattern), answering, open)


_RUN = "dags/{dag}/dagRuns/{run}"
_TASK = f"{_RUN}/taskInstances/{{task}}"
_INDEX = f"{_TASK}/{{index}}"
ROUTES = (
    _route("GET", "version", reading.version, open=True),
    _route("GET", "dags", reading.dags),
    _route("GET", "dags/{dag}", reading.dag),
    _route("PATCH", "dags/{dag}", changing.patch_dag),
    _route("GET", "dags/{dag}/details", reading.details),
    _route("GET", "dags/{dag}/tasks", reading.tasks),
    _route("GET", "dags/{dag}/tasks/{task}", reading.task),
    _route("POST", "dags/{dag}/clearTaskInstances", changing.clear_tasks),
    _route("GET", "dags/{dag}/dagRuns", reading.runs),
    _route("POST", "dags/{dag}/dagRuns", changing.trigger),
    _route("GET", _RUN, reading.run),
    _route("PATCH", _RUN, changing.patch_run),
    _route("POST", f"{_RUN}/clear", changing.clear_run),
    _route("GET", f"{_RUN}/taskInstances", reading.task_instances),
    _route("GET", _TASK, reading.task_instance),
    _route("PATCH", _TASK, changing.patch_task),
    _route("GET", f"{_TASK}/tries", reading.tries),
    _route("GET", f"{_TASK}/listMapped", reading.mapped),
    _route("PATCH", f"{_TASK}/dry_run", changing.patch_task_dry),
    _route("GET", f"{_TASK}/logs/{{try}}", reading.log),
    _route("GET", _INDEX, reading.task_instance),
    _route("PATCH", _INDEX, changing.patch_task),
    _route("PATCH", f"{_INDEX}/dry_run", changing.patch_task_dry),
    _route("GET", f"{_INDEX}/tries", reading.tries),
    _route("GET", "pools", reading.pools),
    _route("GET", "importErrors", reading.import_errors),
    _route("GET", "jobs", reading.jobs),
    _route("GET", "eventLogs", reading.event_logs),
    _route("GET", "assets", reading.assets),
    _route("GET", "dagStats", reading.stats),
    _route("GET", "dagWarnings", reading.warnings),
    _route("GET", "backfills", reading.backfills),
    _route("POST", "backfills", changing.backfill),
    _route("POST", "backfills/dry_run", changing.backfill_dry),
)


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a path without its query, and what stands in it.

    Raises:
        Refusal: 404 for a path that there is not, 405 for a method that it does not know.
    """
    told = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    known = False
    for route in ROUTES:
        if found := route.pattern.fullmatch(told):
            if route.method == method:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
            known = True
    raise Refusal(405, "Method Not Allowed") if known else Refusal(404, "")
