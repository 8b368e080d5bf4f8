"""The way from the demo's Prometheus to its Alertmanager, which can be cut."""

import urllib.parse
import urllib.request
from typing import Any

from opsconsole.demo import monitoring
from opsconsole.demo.platform import Platform

_NOBODY = "127.0.0.1:9"
"""The port of the service discard, where nobody listens."""


def send_to_nobody(platform: Platform) -> None:
    """Alerts leave Prometheus and arrive nowhere. Alertmanager forgets those that it has within seconds."""
    _send(platform, _NOBODY)


def send_to_alertmanager(platform: Platform) -> None:
    """As it is meant to be."""
    _send(platform, urllib.parse.urlsplit(str(platform.facts["alertmanager"])).netloc)


def _send(platform: Platform, target: str) -> None:
    import yaml

    path = platform.folders.root / "prometheus" / "prometheus.yml"
    settings: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["alerting"] = monitoring.alerting(target)
    monitoring.write_yaml(path, settings)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is behind no proxy
    opener.open(f"{platform.prometheus}/-/reload", b"", timeout=10).close()
