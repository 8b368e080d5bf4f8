"""The configuration that points the console at the demo."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opsconsole.core.content import shipped_content
from opsconsole.demo.catalogue import SERVICES

_PROBLEMS = {  # how one sees that it is up, where that is not the metric `up`
    "postgres": "pg_up",
}


def opsconsole_yaml(
    prometheus: str, alertmanager: str, databases: Mapping[str, str], redis: str | None, control: Path
) -> dict[str, Any]:
    """The content of opsconsole.yaml. `databases` maps names to connection strings."""
    content = shipped_content()
    environment: dict[str, Any] = {
        "banner": "blue",
        "mode": "guarded",
        "prometheus": {"url": prometheus, "timeout": "5s"},
        "alertmanager": {"url": alertmanager},
        "postgres": {name: {"dsn": dsn, "statement_timeout": "5s"} for name, dsn in databases.items()},
        "services": "services.yaml",
        "screens": str(content / "screens"),
        "runbooks": str(content / "runbooks"),
        "env": {"OPS_SERVICE_CONTROL": str(control)},
    }
    if redis:
        environment["redis"] = {"url": redis}
    return {"version": 1, "default_environment": "demo", "environments": {"demo": environment}}


def services_yaml(present: Sequence[str], control: Path) -> dict[str, Any]:
    """The content of services.yaml, for the services that are `present`."""
    services: dict[str, Any] = {}
    for service in SERVICES:
        if service.name not in present:
            continue
        entry: dict[str, Any] = {
            "title": service.title,
            "kind": service.kind,
            "check": _PROBLEMS.get(service.name, f'up{{job="{service.name}"}}'),
            "status": [str(control), "status", service.name],
            "restart": [str(control), "restart", service.name],
            "logs": [str(control), "logs", service.name],
            "timeout": "30s",
            "runbook": "service-restart-procedures",
            "owner": service.owner,
        }
        if depends_on := [one for one in service.depends_on if one in present]:
            entry["depends_on"] = depends_on
        services[service.name] = entry
    return {"version": 1, "services": services}


def write_control(path: Path, folder: Path) -> None:
    """Write the script that starts, stops and restarts services of the demo in `folder`."""
    command = shlex.join([sys.executable, "-P", "-m", "opsconsole.demo.control", "--folder", str(folder)])
    path.write_text(
        f'#!/bin/sh\n# control restart|status|start|stop|logs SERVICE [INSTANCE]\nexec {command} "$@"\n', "utf-8"
    )
    path.chmod(0o700)
