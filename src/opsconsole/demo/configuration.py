"""The configuration that points the console at the demo."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from opsconsole.core.content import shipped_content
from opsconsole.demo.app_logs import JAVA
from opsconsole.demo.app_logs import SERVICES as LOGGING
from opsconsole.demo.catalogue import SERVICES

_PROBLEMS = {  # how one sees that it is up, where that is not the metric `up`
    "postgres": "pg_up",
}


CONTROL = "control"
"""The script that services.yaml calls; see `opsconsole.demo.control`."""
SCRIPTS = {
    "OPS_AIRFLOW": ("airflow", "dags pause|unpause|trigger DAG_ID, tasks clear DAG_ID: as Airflow's own"),
    "OPS_DEPLOY": (
        "deploy",
        "status SERVICE, release SERVICE VERSION [INSTANCE], stage SERVICE VERSION, switch SERVICE",
    ),
    "OPS_DISK_CLEANUP": ("cleanup", "list|free MOUNTPOINT"),
}
"""Variable of runbook steps -> the script in the demo's folder that it names, and what that takes. Each is the module
`opsconsole.demo.NAME`."""


AIRFLOW_USERS = ("admin", "viewer")
"""Who logs in to Airflow's API: one who may do everything, and one who may look."""


def password_file(folder: Path, user: str) -> Path:
    """The file with the Airflow password of `user`, in the demo's folder."""
    return folder / f"airflow-password-{user}"


def opsconsole_yaml(
    prometheus: str,
    alertmanager: str,
    databases: Mapping[str, str],
    redis: str | None,
    control: Path,
    clients: Path | None = None,
    airflow: str | None = None,
) -> dict[str, Any]:
    """The content of opsconsole.yaml. `databases` maps names to connection strings; `clients` is the folder with
    `psql` and `pg_dump`, `airflow` the URL of its API."""
    content = shipped_content()
    environment: dict[str, Any] = {
        "banner": "blue",
        "mode": "guarded",
        "prometheus": {"url": prometheus, "timeout": "5s"},
        "alertmanager": {"url": alertmanager},
        "postgres": {name: {"dsn": dsn, "statement_timeout": "5s"} for name, dsn in databases.items()},
        "services": "services.yaml",
        "alerts": "alerts.yaml",
        "escalation": "escalation.yaml",
        "slas": str(content / "config" / "slas.yaml"),
        "errors": "errors.yaml",
        "screens": str(content / "screens"),
        "runbooks": str(content / "runbooks"),
        "env": {
            **{name: str(control.with_name(script)) for name, (script, _) in SCRIPTS.items()},
            "OPS_AIRFLOW_LOGS": str(control.with_name("logs") / "tasks"),
            **{f"OPS_DSN_{name.upper()}": dsn for name, dsn in databases.items()},
            **({"OPS_PG_BIN": str(clients)} if clients else {}),
        },
    }
    if airflow:
        environment["airflow"] = {
            "url": airflow,
            "username": AIRFLOW_USERS[0],
            "password": {"file": str(password_file(control.parent, AIRFLOW_USERS[0]))},
            "logs": str(control.with_name("logs") / "tasks"),
            **({"metadata": "airflow"} if "airflow" in databases else {}),
        }
    if redis:
        environment["redis"] = {"url": redis}
    return {"version": 1, "default_environment": "demo", "environments": {"demo": environment}}


def services_yaml(
    present: Sequence[str], control: Path, metrics: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> dict[str, Any]:
    """The content of services.yaml, for the services that are `present`; `metrics` is of each what it says of them."""
    services: dict[str, Any] = {}
    for service in SERVICES:
        if service.name not in present:
            continue
        entry: dict[str, Any] = {
            "title": service.title,
            "kind": service.kind,
            "check": _PROBLEMS.get(service.name, f'up{{job="{service.name}"}}'),
            **{
                verb: [str(control), verb, service.name, "{instance}"]
                for verb in ("status", "start", "stop", "restart", "logs")
            },
            **({"metrics": dict(metrics[service.name])} if service.name in metrics else {}),
            "timeout": "30s",
            "runbook": "service-restart-procedures",
            "owner": service.owner,
        }
        if depends_on := [one for one in service.depends_on if one in present]:
            entry["depends_on"] = depends_on
        services[service.name] = entry
    return {"version": 1, "services": services}


def errors_yaml(logs: Path) -> dict[str, Any]:
    """The content of errors.yaml; `logs` is the folder with the services' own logs. The log of the demo's PostgreSQL
    goes to its supervisor, where no database could read it."""
    return {
        "version": 1,
        "metrics": [
            {
                "name": "http",
                "query": 'sum by (job, status) (increase(http_requests_total{status=~"5..", job!="nginx"}[$step]))',
                "type": "HTTP {{status}}",
                "message": "answered with status {{status}}",
                "runbook": "service-restart-procedures",
            }
        ],
        "files": [
            {
                "name": service,
                "paths": [str(logs / f"{service}-*.log*")],
                "service": service,
                "format": "auto" if service in JAVA else "json",
                "runbook": "service-restart-procedures",
            }
            for service in LOGGING
        ],
        "postgres": {"log": False, "runbook": "database-maintenance"},
        "airflow": {"runbook": "dag-failure-recovery"},
    }


def write_scripts(folder: Path) -> None:
    """Write the scripts that runbooks call for the demo in `folder`."""
    scripts = [(CONTROL, "restart|status|start|stop|logs SERVICE [INSTANCE]"), *SCRIPTS.values()]
    for name, usage in scripts:
        command = shlex.join([sys.executable, "-P", "-m", f"opsconsole.demo.{name}", "--folder", str(folder)])
        path = folder / name
        path.write_text(f'#!/bin/sh\n# {name} {usage}\nexec {command} "$@"\n', "utf-8")
        path.chmod(0o700)
