"""Asking Prometheus and every Alertmanager what they have loaded. Who does not answer is a note."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsconsole.config.document import parse_document
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.monitoring.drift.configurations import alertmanager_drift, external_labels, prometheus_drift
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
    unseen: frozenset[str] = frozenset()
    """Sources that did not show all that they have."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of looking at one of them."""

    drift: tuple[Drift, ...]
    notes: tuple[str, ...] = ()
    unseen: str = ""
    """Its name, where it did not show all that it has."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one Prometheus shows: the answer about its rules (None: it gives none), and its prometheus.yml."""

    name: str
    rules: Any = None
    configuration: str = ""
    trouble: str = ""
    """Why it does not show one of them."""


async def standing(environment: Environment, files: Files, sources: Sources) -> Standing:
    """How every Prometheus and Alertmanager of `environment` stands to `files`, in that order."""
    rulers, tellers = list(environment.every_prometheus), list(environment.every_alertmanager)
    shown = await asyncio.gather(*(_shown(name, sources.get(name)) for name in rulers))
    here = files["prometheus/prometheus.yml"]
    apart = _apart(here, shown)
    asked = [_ruled(one, files, apart) for one in shown]
    alertmanager = files.get("alertmanager/alertmanager.yml")
    if alertmanager is None and tellers:
        asked.append(Seen((), (f"{', '.join(tellers)}: no escalation.yaml is configured, so nothing to compare with",)))
    elif alertmanager is not None:
        asked += await asyncio.gather(*(_alertmanager(sources.get(name), name, alertmanager) for name in tellers))
    return Standing(
        tuple(difference for one in asked for difference in sorted(one.drift)),
        (*rulers, *(tellers if alertmanager is not None else ())),
        tuple(note for one in asked for note in one.notes),
        frozenset(one.unseen for one in asked if one.unseen),
    )


async def _shown(name: str, source: object) -> Shown:
    assert isinstance(source, PrometheusSource)
    try:
        rules = await source.payload("rules")
    except SourceError as error:
        return Shown(name, trouble=f"{error}: what it has loaded is not known")
    try:
        config = await source.payload("status/config")
    except SourceError as error:
        return Shown(name, rules, trouble=f"{error}: its configuration is not known")
    loaded = config.get("yaml") if isinstance(config, Mapping) else None
    if not isinstance(loaded, str):
        return Shown(name, rules, trouble=f"{name}: it does not say its configuration")
    return Shown(name, rules, loaded)


def _apart(here: str, shown: Sequence[Shown]) -> frozenset[str]:
    """Names of the external labels that tell several Prometheus apart: no definition says them, and they are not the
    same everywhere, as far as that can be seen."""
    if len(shown) < 2:
        return frozenset()
    said = [labels for one in shown if (labels := _labels(one)) is not None]
    names = {name for labels in said for name in labels} - external_labels(here).keys()
    whole = len(said) == len(shown)
    return frozenset(name for name in names if not whole or len({labels.get(name) for labels in said}) > 1)


def _labels(one: Shown) -> Mapping[str, str] | None:
    try:
        return external_labels(one.configuration) if one.configuration else None
    except ValueError:
        return None


def _ruled(one: Shown, files: Files, apart: frozenset[str]) -> Seen:
    if one.rules is None:
        return Seen((), (one.trouble,), one.name)
    drift = list(rule_drift(one.name, exported_rules(files), texts_of(one.rules)))
    notes = [f"{one.name}: {note}" for note in unhealthy(one.rules)]
    if one.trouble:
        return Seen(tuple(drift), (*notes, one.trouble), one.name)
    here = files["prometheus/prometheus.yml"]
    found, wrong = _tried(lambda: prometheus_drift(one.name, here, one.configuration, apart))
    return Seen((*drift, *found), (*notes, *(f"{one.name}: {text}" for text in wrong)), one.name if wrong else "")


async def _alertmanager(source: object, name: str, here: str) -> Seen:
    assert isinstance(source, AlertmanagerSource)
    try:
        status = await source.status()
    except SourceError as error:
        return Seen((), (f"{error}: what it has loaded is not known",), name)
    config = status.get("config")
    loaded = config.get("original") if isinstance(config, Mapping) else None
    if not isinstance(loaded, str):
        return Seen((), (f"{name}: it does not say its configuration",), name)
    found, wrong = _tried(lambda: alertmanager_drift(name, here, loaded))
    return Seen(tuple(found), tuple(f"{name}: {one}" for one in wrong), name if wrong else "")


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
