"""Asking Prometheus and every Alertmanager at once. Who does not answer is a note; what only it knows is unknown."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from opsconsole.alerts import wire
from opsconsole.alerts.merging import merged
from opsconsole.alerts.model import DeliverySide, RuleSide, Silence, Survey
from opsconsole.alerts.routing import Routing, routing_of
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.reading import SourceError
from opsconsole.sources.alertmanager import AlertmanagerSource
from opsconsole.sources.prometheus import PrometheusSource
from opsconsole.sources.registry import Sources


class Alerts:
    """The alerts of an environment."""

    def __init__(
        self,
        prometheus: PrometheusSource | None,
        alertmanagers: Mapping[str, AlertmanagerSource],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._prometheus = prometheus
        self._alertmanagers = alertmanagers
        self._clock = clock

    async def survey(self) -> Survey:
        """Everything, at this moment. Never raises for a source: what it says is in the notes."""
        (rules, noted), asked = await asyncio.gather(
            self._rules(),
            asyncio.gather(*(_delivery(name, source) for name, source in self._alertmanagers.items())),
        )
        now = self._clock()
        sides = tuple(side for side, _ in asked)
        silences: dict[str, Silence] = {one.id: one for side in sides for one in side.silences}
        notes = [*noted, *(note for _, notes in asked for note in notes)]
        if not self._alertmanagers:
            notes.append("no Alertmanager is configured: whether anybody is told cannot be seen")
        failed = (rules is None and self._prometheus is not None) or any(side.error for side in sides)
        # Thousands take tenths of a second: beside the event loop.
        alerts = await asyncio.to_thread(merged, rules, sides, now)
        return Survey(now, alerts, silences, rules, sides, tuple(notes), failed)

    async def routings(self) -> tuple[dict[str, Routing], tuple[str, ...]]:
        """The route tree of each Alertmanager by its name, and why others have none."""
        asked = await asyncio.gather(*(_routing(name, one) for name, one in self._alertmanagers.items()))
        return {name: one for name, one, _ in asked if one is not None}, tuple(note for *_, note in asked if note)

    async def external_labels(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """What Prometheus adds to every alert that it sends, and why that cannot be seen."""
        if self._prometheus is None:
            return {}, ()
        try:
            config = await self._prometheus.payload("status/config")
        except SourceError as error:
            return {}, (f"{error}: its external labels are not known, and not added",)
        labels = wire.rule_side(None, config, None).external_labels
        return dict(labels or {}), () if labels is not None else ("Prometheus does not say its external labels",)

    async def _rules(self) -> tuple[RuleSide | None, list[str]]:
        source = self._prometheus
        if source is None:
            return None, ["no Prometheus is configured: what its rules say cannot be seen"]
        try:
            rules, config, flags = await asyncio.gather(
                source.payload("rules", ("type", "alert")),
                _optional(source, "status/config"),
                _optional(source, "status/flags"),
            )
        except SourceError as error:
            return None, [f"{error}: what its rules say is not known"]
        side = await asyncio.to_thread(wire.rule_side, rules, config, flags)
        notes = [f"a rule cannot be evaluated: {one}" for one in side.broken]
        if side.external_labels is None:
            notes.append("Prometheus does not say its external labels: its alerts may stand beside Alertmanager's own")
        if side.relabelled:
            notes.append("alert_relabel_configs rewrite labels on the way: alerts may stand twice, under both labels")
        return side, notes


def open_alerts(environment: Environment, sources: Sources) -> Alerts:
    """The alerts of `environment`.

    Raises:
        ValueError: nothing is configured that could know any.
    """
    names = tuple(environment.every_alertmanager)
    if environment.prometheus is None and not names:
        raise ValueError(f"neither prometheus nor alertmanager is configured in environment {environment.name}")
    prometheus = sources.get("prometheus") if environment.prometheus is not None else None
    assert prometheus is None or isinstance(prometheus, PrometheusSource)
    alertmanagers: dict[str, AlertmanagerSource] = {}
    for name in names:
        source = sources.get(name)
        assert isinstance(source, AlertmanagerSource)
        alertmanagers[name] = source
    return Alerts(prometheus, alertmanagers)


async def _optional(source: PrometheusSource, path: str) -> Any:
    """The payload, or None where the server has none or keeps it to itself."""
    try:
        return await source.payload(path)
    except SourceError as error:
        if error.kind in ("unreachable", "timeout"):
            raise
        return None


async def _delivery(name: str, source: AlertmanagerSource) -> tuple[DeliverySide, list[str]]:
    try:
        alerts, silences, status = await asyncio.gather(source.alerts(), source.silences(), source.status())
    except SourceError as error:
        return DeliverySide(name, error=str(error)), [f"{error}: what it has is not known"]
    routing, note = _worked_out(name, status)
    build = status.get("versionInfo")
    version = clean_line(build.get("version", ""), limit=80) if isinstance(build, Mapping) else ""
    delivered = await asyncio.to_thread(wire.delivered, alerts)
    side = DeliverySide(name, delivered, wire.silences(silences), routing, version)
    return side, [note] if note else []


async def _routing(name: str, source: AlertmanagerSource) -> tuple[str, Routing | None, str]:
    try:
        status = await source.status()
    except SourceError as error:
        return name, None, str(error)
    return name, *_worked_out(name, status)


def _worked_out(name: str, status: Mapping[str, Any]) -> tuple[Routing | None, str]:
    """(the route tree, why there is none)."""
    config = status.get("config")
    original = config.get("original") if isinstance(config, Mapping) else None
    if not isinstance(original, str):
        return None, f"{name}: it does not say its configuration: who is notified is not known"
    try:
        return routing_of(original), ""
    except ValueError as error:
        return None, f"{name}: its routes cannot be worked out: {clean_line(error)}"
