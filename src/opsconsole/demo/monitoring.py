"""The configuration of the demo's Prometheus, Alertmanager and exporters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsconsole.demo.catalogue import Instance
from opsconsole.demo.simulation.exporters import WAITS

SCRAPE_SECONDS = 2

# postgres-exporter shows each of 300 settings as a series, and its own address as a label that changes with each start.
_POSTGRES_KEPT = (
    "pg_up|pg_stat_database_.*|pg_stat_activity_.*|pg_settings_max_connections|pg_settings_shared_buffers_bytes|"
    "pg_database_size_bytes|pg_locks_count|pg_lock_waits_.*|pg_stat_bgwriter_.*|pg_static|process_.*"
)


Targets = Mapping[Instance, tuple[int, str]]
"""Each instance -> the port and path of its metrics."""


def prometheus(targets: Targets, alertmanager: int, rules: Path) -> dict[str, Any]:
    """prometheus.yml."""
    return {
        "global": {
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
            "scrape_interval": "15s",  # as it is defined; every job has its own
            "external_labels": {"environment": "demo"},
        },
        "rule_files": [str(rules)],
        "alerting": alerting(f"127.0.0.1:{alertmanager}"),
        "scrape_configs": [
            {
                "job_name": service,
                "scrape_interval": f"{SCRAPE_SECONDS}s",
                "scrape_timeout": f"{SCRAPE_SECONDS}s",
                "metrics_path": path,
                "static_configs": [
                    {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": instance.name}}
                    for instance, port in members
                ],
                "metric_relabel_configs": _relabeling(service),
            }
            for (service, path), members in _jobs(targets).items()
        ],
    }


def metrics(targets: Targets) -> dict[str, dict[str, Any]]:
    """The same of each service, as services.yaml says it."""
    return {
        service: {
            "targets": [f"127.0.0.1:{port}" for _, port in members], "path": path, "interval": f"{SCRAPE_SECONDS}s",
        }
        for (service, path), members in _jobs(targets).items()
    }  # fmt: skip


def _jobs(targets: Targets) -> dict[tuple[str, str], list[tuple[Instance, int]]]:
    """(service, path) -> its instances, each with its port."""
    jobs: dict[tuple[str, str], list[tuple[Instance, int]]] = {}
    for instance, (port, path) in targets.items():
        jobs.setdefault((instance.service, path), []).append((instance, port))
    return jobs


def alerting(target: str) -> dict[str, Any]:
    """That alerts are sent to `target`, as `host:port`."""
    return {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]}


def _relabeling(service: str) -> list[dict[str, Any]]:
    if service == "postgres":
        return [
            {"action": "keep", "source_labels": ["__name__"], "regex": _POSTGRES_KEPT},
            {"action": "labeldrop", "regex": "server|datid"},
        ]
    return [{"action": "drop", "source_labels": ["__name__"], "regex": "go_.*|promhttp_.*"}]


def lock_wait_queries() -> dict[str, Any]:
    """What postgres-exporter is to ask besides its own queries."""
    return {
        "pg_lock_waits": {
            "query": " ".join(WAITS.split()),
            "metrics": [
                {"datname": {"usage": "LABEL", "description": "Database"}},
                {"sessions": {"usage": "GAUGE", "description": "Sessions that wait for a lock"}},
                {"longest_seconds": {"usage": "GAUGE", "description": "How long the longest has waited"}},
            ],
        }
    }


def write_yaml(path: Path, content: Mapping[str, Any], *, comment: str = "") -> None:
    """Write `content`, readable by the user alone."""
    import yaml

    text = "".join(f"# {line}\n" for line in comment.splitlines())
    path.touch(mode=0o600)
    path.write_text(text + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True), encoding="utf-8")
