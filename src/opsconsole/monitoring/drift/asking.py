"""Asking Prometheus and every Alertmanager what they have loaded. Who does not answer is a note."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from opsconsole.config.document import parse_document
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.monitoring.drift.configurations import alertmanager_drift, prometheus_drift
from opsconsole.monitoring.drift.difference import Drift
from opsconsole.monitoring.drift.rules import RuleText, rule_drift, text_of, texts_of, unhealthy
from opsconsole.monitoring.export import Files
from opsconsole.monitoring.lint.files import rules_of
from opsconsole.sources.alertmanager import AlertmanagerSource
from opsconsole.sources.prometheus import PrometheusSource
from opsconsole.sources.registry import Sources


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found, what was looked at, and what could not be seen."""

    drift: tuple[Drift, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    complete: bool
    """Everything was seen."""


async def standing(environment: Environment, files: Files, sources: Sources) -> Standing:
    """How the servers of `environment` stand to `files`."""
    asked: list[tuple[list[Drift], list[str], bool]] = []
    names: list[str] = []
    if environment.prometheus is not None:
        prometheus = sources.get("prometheus")
        assert isinstance(prometheus, PrometheusSource)
        names.append("prometheus")
        asked.append(await _prometheus(prometheus, files))
    alertmanager = files.get("alertmanager/alertmanager.yml")
    if alertmanager is not None:
        named = list(environment.every_alertmanager)
        names += named
        asked += await asyncio.gather(*(_alertmanager(sources.get(name), name, alertmanager) for name in named))
    drift = sorted(one for found, *_ in asked for one in found)
    notes = [note for _, found, _ in asked for note in found]
    return Standing(tuple(drift), tuple(names), tuple(notes), all(seen for *_, seen in asked))


async def _prometheus(source: PrometheusSource, files: Files) -> tuple[list[Drift], list[str], bool]:
    try:
        answer = await source.payload("rules")
    except SourceError as error:
        return [], [f"{error}: what it has loaded is not known"], False
    drift = list(rule_drift("prometheus", exported_rules(files), texts_of(answer)))
    notes = list(unhealthy(answer))
    try:
        config = await source.payload("status/config")
    except SourceError as error:
        return drift, [*notes, f"{error}: its configuration is not known"], False
    loaded = config.get("yaml") if isinstance(config, Mapping) else None
    if not isinstance(loaded, str):
        return drift, [*notes, "prometheus: it does not say its configuration"], False
    found, wrong = _tried(lambda: prometheus_drift("prometheus", files["prometheus/prometheus.yml"], loaded))
    return drift + found, [*notes, *(f"prometheus: {one}" for one in wrong)], not wrong


async def _alertmanager(source: object, name: str, here: str) -> tuple[list[Drift], list[str], bool]:
    assert isinstance(source, AlertmanagerSource)
    try:
        status = await source.status()
    except SourceError as error:
        return [], [f"{error}: what it has loaded is not known"], False
    config = status.get("config")
    loaded = config.get("original") if isinstance(config, Mapping) else None
    if not isinstance(loaded, str):
        return [], [f"{name}: it does not say its configuration"], False
    found, wrong = _tried(lambda: alertmanager_drift(name, here, loaded))
    return found, [f"{name}: {one}" for one in wrong], not wrong


def _tried(compare: Callable[[], Iterator[Drift]]) -> tuple[list[Drift], list[str]]:
    try:
        return list(compare()), []
    except ValueError as error:
        return [], [f"its configuration cannot be worked out: {clean_line(error)}"]


def exported_rules(files: Files) -> list[RuleText]:
    """The rules in exported files."""
    texts: Iterable[tuple[str, str]] = (
        (path, text) for path, text in files.items() if path.startswith(("prometheus/alerts/", "prometheus/rules/"))
    )
    return [text_of(rule) for path, text in texts for rule in rules_of(parse_document(text, path))[0]]
