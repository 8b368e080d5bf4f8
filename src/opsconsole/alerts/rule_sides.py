"""Asking one Prometheus for its rules and what flaps, again and again. It keeps how it sends for when it is away."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opsconsole.alerts.flapping import NOTHING_FLAPS, Flapping, flapping
from opsconsole.alerts.flapping import QUERY as FLAPPING
from opsconsole.alerts.model import RuleAlert, RuleSide, RuleState
from opsconsole.alerts.wire import RuleReader
from opsconsole.core.reading import SourceError
from opsconsole.sources.prometheus import PrometheusSource

_FLAPPING_EVERY = 30.0
"""Seconds between two questions of which alerts flap: it looks over an hour of samples."""


class RuleSource:
    """One Prometheus, asked again and again."""

    def __init__(self, source: PrometheusSource) -> None:
        self.source = source
        self._read = RuleReader(source.name)
        self._last = RuleSide((), frozenset(), name=source.name)
        self._away: RuleSide | None = None
        self._flapping = NOTHING_FLAPS
        self._flapping_asked_at = -math.inf

    async def side(self) -> tuple[RuleSide, list[str]]:
        """What it says, and what it does not."""
        source = self.source
        try:
            told: list[Any] = [
                *await asyncio.gather(
                    source.payload("rules", ("type", "alert")),
                    optional(source, "status/config"),
                    optional(source, "status/flags"),
                    optional(source, "alertmanagers"),
                )
            ]
        except SourceError as error:
            return self._without(error), [f"{error}: what its rules say is not known"]
        self._away = None
        side = self._last = await asyncio.to_thread(self._read_out, told)
        return side, _notes(side)

    def _read_out(self, told: list[Any]) -> RuleSide:
        """What the payloads in `told` say. It is emptied: to let go of thousands of rules takes a while, too, and who
        holds them last has to."""
        rules, config, flags, targets = told
        told.clear()
        return self._read.read(rules, config, flags, targets)

    async def flaps(self) -> Flapping:
        """Which of its alerts begin again and again; none where that cannot be asked."""
        now = time.monotonic()
        if now - self._flapping_asked_at >= _FLAPPING_EVERY:
            self._flapping_asked_at = now
            try:
                self._flapping = flapping((await self.source.instant(FLAPPING)).value)
            except SourceError:
                self._flapping = NOTHING_FLAPS  # that it does not answer is said with its rules
        return self._flapping

    def _without(self, error: SourceError) -> RuleSide:
        """What is left while it is away: where and with which labels it sends, and what fired when it last answered.
        Alertmanager takes that for resolved after minutes without hearing of it; here it is unknown."""
        if self._away is not None and self._away.error == str(error):
            return self._away
        fired = self._away.alerts if self._away is not None else tuple(map(_unknown, filter(_fires, self._last.alerts)))
        self._away = replace(self._last, alerts=fired, names=frozenset(), broken=(), labels=(), error=str(error))
        return self._away


def _fires(alert: RuleAlert) -> bool:
    return alert.state is RuleState.FIRING


def _unknown(alert: RuleAlert) -> RuleAlert:
    return replace(alert, state=RuleState.UNKNOWN, value=None)


def external_labels_of(config: Any) -> Mapping[str, str] | None:
    """What a Prometheus with this configuration (`/api/v1/status/config`) adds to what it sends; None: not known."""
    side = RuleReader().read(None, config, None)
    return None if side.external_labels is None else side.sent_labels


async def external_labels(source: PrometheusSource) -> Mapping[str, str]:
    """What it adds to what it sends; nothing where it does not say."""
    try:
        return external_labels_of(await source.payload("status/config")) or {}
    except SourceError:
        return {}


async def optional(source: PrometheusSource, path: str) -> Any:
    """The payload, or None where the server has none or keeps it to itself."""
    try:
        return await source.payload(path)
    except SourceError as error:
        if error.kind in ("unreachable", "timeout"):
            raise
        return None


def _notes(side: RuleSide) -> list[str]:
    name = "" if side.name == "prometheus" else f"{side.name}: "
    notes = [f"{name}a rule cannot be evaluated: {one}" for one in side.broken]
    if side.external_labels is None:
        who = "Prometheus" if side.name == "prometheus" else side.name
        notes.append(f"{who} does not say its external labels: its alerts may stand beside Alertmanager's own")
    if side.relabelled:
        notes.append(
            f"{name}alert_relabel_configs rewrite labels on the way: alerts may stand twice, under both labels"
        )
    return notes
