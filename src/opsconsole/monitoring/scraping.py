"""`prometheus.yml`: what Prometheus reads, which rules it evaluates, and whom it tells."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from opsconsole.config.services import Metrics, Service
from opsconsole.config.settings import AlertmanagerSettings
from opsconsole.monitoring.text import prometheus_duration

SCRAPE_INTERVAL = 15.0
"""Seconds. The windows of the shipped rules (5 m and more) and Grafana's own default fit it."""
_JOB = re.compile(r'\bjob\s*=\s*"([^"\\]+)"')


def prometheus_file(
    services: Iterable[Service],
    alertmanagers: Iterable[AlertmanagerSettings],
    rule_files: Iterable[str],
    *,
    evaluation: float,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """The configuration. `labels` are added to what leaves it; `evaluation` is seconds between two of rules."""
    return {
        "global": {
            "scrape_interval": prometheus_duration(SCRAPE_INTERVAL),
            "evaluation_interval": prometheus_duration(evaluation),
            "external_labels": dict(labels),
        },
        "rule_files": list(rule_files),
        "alerting": {"alertmanagers": [_alertmanager(one.url) for one in alertmanagers]},
        "scrape_configs": [_job(one, one.metrics) for one in services if one.metrics is not None],
    }


def job_of(service: Service) -> str:
    """The value of the label `job`: the one by which its check asks for it, else its name."""
    asked = _JOB.search(service.check)
    return asked[1] if asked else service.name


def _job(service: Service, metrics: Metrics) -> dict[str, Any]:
    return {
        "job_name": job_of(service),
        **({"scrape_interval": prometheus_duration(metrics.interval)} if metrics.interval is not None else {}),
        **({"metrics_path": metrics.path} if metrics.path != "/metrics" else {}),
        **({"scheme": metrics.scheme} if metrics.scheme != "http" else {}),
        "static_configs": [{"targets": list(metrics.targets)}],
    }


def _alertmanager(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    port = "" if parts.port else ":443" if parts.scheme == "https" else ":80"
    return {
        **({"scheme": parts.scheme} if parts.scheme != "http" else {}),
        **({"path_prefix": parts.path} if parts.path.strip("/") else {}),
        "static_configs": [{"targets": [parts.netloc + port]}],
    }
