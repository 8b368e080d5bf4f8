"""The exact command that installs a program on this platform."""

import platform
from collections.abc import Mapping
from pathlib import Path

_COMMANDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "debian": (
        "sudo apt-get update && sudo apt-get install --no-install-recommends",
        {
            "postgres": "postgresql",
            "prometheus": "prometheus",
            "alertmanager": "prometheus-alertmanager",
            "node_exporter": "prometheus-node-exporter",
            "postgres_exporter": "prometheus-postgres-exporter",
            "redis-server": "redis-server",
            "victoria-metrics": "victoria-metrics",
            "sshd": "openssh-server",
            "pgbouncer": "pgbouncer",
        },
    ),
    "fedora": (
        "sudo dnf install",
        {
            "postgres": "postgresql-server postgresql-contrib",
            "prometheus": "golang-github-prometheus",
            "alertmanager": "golang-github-prometheus-alertmanager",
            "node_exporter": "golang-github-prometheus-node-exporter",
            "redis-server": "redis",
        },
    ),
    "arch": (
        "sudo pacman -S",
        {
            "postgres": "postgresql",
            "prometheus": "prometheus",
            "alertmanager": "alertmanager",
            "node_exporter": "prometheus-node-exporter",
            "redis-server": "valkey",
        },
    ),
    "alpine": (
        "sudo apk add",
        {
            "postgres": "postgresql postgresql-contrib",
            "prometheus": "prometheus",
            "alertmanager": "alertmanager",
            "node_exporter": "prometheus-node-exporter",
            "redis-server": "redis",
        },
    ),
    "darwin": (
        "brew install",
        {
            "postgres": "postgresql@17",
            "prometheus": "prometheus",
            "alertmanager": "alertmanager",
            "node_exporter": "node_exporter",
            "redis-server": "redis",
        },
    ),
}
_HOMES = {
    "postgres": "https://www.postgresql.org/download/",
    "prometheus": "https://prometheus.io/download/",
    "alertmanager": "https://prometheus.io/download/#alertmanager",
}


def install_command(program: str, family: str | None = None) -> str:
    """How to get `program` (`postgres`, `prometheus`, …) on this platform, as one line to paste.

    `family` is for tests; left out, it is read from the system. Where there is no known package, the line
    names the project's download page and asks for the program on PATH.
    """
    manager, packages = _COMMANDS.get(family or _family(), ("", {}))
    if program in packages:
        return f"{manager} {packages[program]}"
    return f"unpack {_HOMES.get(program, program)} and put {program} on PATH"


def _family() -> str:
    if platform.system() == "Darwin":
        return "darwin"
    return _family_of(_os_release())


def _family_of(release: Mapping[str, str]) -> str:
    """`debian`, `fedora`, … of the fields of /etc/os-release."""
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    aliases = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora"}
    for name in names:
        if (known := aliases.get(name, name)) in _COMMANDS:
            return known
    return ""


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value.strip("\"'") for key, _, value in pairs}
