"""All files of `monitoring/`: made in memory, then written, or compared with those that are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.config.settings import Environment
from opsconsole.monitoring import objectives, recordings
from opsconsole.monitoring.content import Content
from opsconsole.monitoring.dashboards import dashboard, provider_file
from opsconsole.monitoring.keeping import KEY
from opsconsole.monitoring.notifying import alertmanager_file
from opsconsole.monitoring.rules import rule_file, rule_path, unit_test_files
from opsconsole.monitoring.scraping import prometheus_file
from opsconsole.monitoring.text import MARK, json_text, yaml_text

Files = Mapping[str, str]
"""A path below `monitoring/` -> the text of the file."""

_OURS = (
    "prometheus/alerts/*.yml",
    "prometheus/rules/*.yml",
    "prometheus/tests/*.yml",
    "grafana/provisioning/dashboards/*.json",
)
"""Where a file that nothing makes any more is a leftover, and would still be loaded."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a file that is there stands to what would be made."""

    path: str
    state: str
    """`missing`, `outdated`, or `leftover`: nothing makes it any more."""


def export(content: Content, environment: Environment) -> Files:
    """Every file, by its path."""
    files = {**_rules(content), "prometheus/prometheus.yml": _prometheus(content, environment)}
    if content.escalation is not None:
        made = alertmanager_file(content.escalation)
        files["alertmanager/alertmanager.yml"] = yaml_text(made, origin="config/escalation.yaml")
    folder = "grafana/provisioning/dashboards"
    for screen in content.screens:
        files[f"{folder}/{screen.id}.json"] = json_text(dashboard(screen))
    files[f"{folder}/opsconsole.yml"] = yaml_text(provider_file(), origin="screens/")
    return dict(sorted(files.items()))


def differences(files: Files, folder: Path) -> list[Difference]:
    """What `write` would change in `folder`."""
    found = []
    for path, text in files.items():
        try:
            same = (folder / path).read_bytes() == text.encode()
        except FileNotFoundError:
            found.append(Difference(path, "missing"))
            continue
        if not same:
            found.append(Difference(path, "outdated"))
    return found + [Difference(path, "leftover") for path in leftovers(files, folder)]


def leftovers(files: Files, folder: Path) -> list[str]:
    """Files that an earlier export made, and this one does not."""
    there = (str(path.relative_to(folder)) for pattern in _OURS for path in sorted(folder.glob(pattern)))
    return [path for path in there if path not in files]


def foreign(files: Files, folder: Path) -> list[str]:
    """Files that `write` would replace and that no export made."""
    return [path for path in files if (folder / path).exists() and not _is_ours(folder / path)]


def _is_ours(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return f'"{KEY}"' in text if path.suffix == ".json" else MARK in text[:200]


def write(files: Files, folder: Path) -> list[str]:
    """Bring `folder` to what `files` say. A file is there as a whole or not at all; one that is the same is left alone.

    Returns:
        The paths that were written, `leftover` ones excepted: those are the caller's to report.

    Raises:
        OSError: the folder cannot be written.
    """
    written = []
    for difference in differences(files, folder):
        if difference.state == "leftover":
            continue
        path = folder / difference.path
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(files[difference.path].encode())
        fresh.replace(path)
        written.append(difference.path)
    return written


def _rules(content: Content) -> dict[str, str]:
    files: dict[str, str] = {}
    alerting, books = content.alerting, content.runbook_files
    for group in alerting.groups:
        path = rule_path(alerting, group)
        made: dict[str, dict[str, Any]] = {f"prometheus/{path}": rule_file(alerting, group, books)}
        for test, tests in unit_test_files(alerting, group, books, f"../{path}").items():
            made[f"prometheus/tests/{test}"] = tests
        origin = "config/slas.yaml" if group in (objectives.GROUP, recordings.RECORDINGS) else "config/alerts.yaml"
        files |= {path: yaml_text(one, origin=origin) for path, one in made.items()}
    return files


def _prometheus(content: Content, environment: Environment) -> str:
    made = prometheus_file(
        content.services, environment.every_alertmanager.values(),
        [rule_path(content.alerting, group) for group in content.alerting.groups],
        evaluation=content.alerting.interval, labels={"environment": environment.name},
    )  # fmt: skip
    return yaml_text(made, origin="config/services.yaml and config/opsconsole.yaml")
