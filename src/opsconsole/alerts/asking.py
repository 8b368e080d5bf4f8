"""Asking Prometheus and every Alertmanager at once. Who does not answer is a note; what only it knows is unknown."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from opsconsole.alerts import explaining, recalling, wire
from opsconsole.alerts.episodes import History
from opsconsole.alerts.explaining import Explanation
from opsconsole.alerts.flapping import NOTHING_FLAPS, Flapping, flapping
from opsconsole.alerts.flapping import QUERY as FLAPPING
from opsconsole.alerts.keeping import mine
from opsconsole.alerts.merging import Merger
from opsconsole.alerts.model import Alert, DeliverySide, RuleSide, Silence, Survey
from opsconsole.alerts.recalling import Span
from opsconsole.alerts.routing import Route, Routing, routing_of
from opsconsole.alerts.wire import RuleReader
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.core.reading import SourceError
from opsconsole.sources.alertmanager import AlertmanagerSource
from opsconsole.sources.prometheus import PrometheusSource
from opsconsole.sources.registry import Sources

SHARED = 2.0
"""Seconds for which a survey serves everybody on the screen: it is the dearest question."""
_FLAPPING_EVERY = 30.0
"""Seconds between two questions of which alerts flap: it looks over an hour of samples."""


class Alerts:
    """The alerts of an environment. It remembers what did not change from survey to survey, as screens want it."""

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
        self._rules_read = RuleReader()
        self._merger = Merger()
        self._each = {name: _Alertmanager(name, source) for name, source in alertmanagers.items()}
        self._flapping = NOTHING_FLAPS
        self._flapping_asked_at = -math.inf
        self._surveying = asyncio.Lock()
        self._asking: asyncio.Future[Survey] | None = None
        self.keeps = ""
        self._asked_at = -math.inf

    @property
    def prometheus(self) -> PrometheusSource | None:
        """What answers PromQL about them; None where none is configured."""
        return self._prometheus

    async def shared_survey(self, within: float = SHARED) -> Survey:
        """A survey that was begun `within` these seconds; one for all who ask."""
        now = time.monotonic()
        if self._asking is None or now - self._asked_at > within:
            self._asking, self._asked_at = asyncio.ensure_future(self.survey()), now
        return await asyncio.shield(self._asking)

    async def acknowledged_survey(self, actor: str) -> Survey:
        """A survey where `actor` has an acknowledgement that holds, else the silences alone: they are few, and asked
        for again and again for as long as a console is open."""
        asked = await asyncio.gather(*(one.silences() for one in self._each.values()))
        if any(mine(silence, actor) for side in asked for silence in side.silences):
            return await self.shared_survey()
        failed = any(side.error for side in asked)
        return Survey(self._clock(), (), {}, None, tuple(asked), failed=failed)

    def forget(self) -> None:
        """Something was changed: the next survey is a new one."""
        self._asking = None

    async def survey(self) -> Survey:
        """Everything, at this moment. Never raises for a source: what it says is in the notes."""
        async with self._surveying:  # what is remembered belongs to one at a time
            (rules, noted), asked, flapping = await asyncio.gather(
                self._rules(), asyncio.gather(*(one.side() for one in self._each.values())), self._flaps()
            )
            now = self._clock()
            sides = tuple(side for side, _ in asked)
            silences: dict[str, Silence] = {one.id: one for side in sides for one in side.silences}
            notes = [*noted, *(note for _, notes in asked for note in notes)]
            if not self._alertmanagers:
                notes.append("no Alertmanager is configured: whether anybody is told cannot be seen")
            failed = (rules is None and self._prometheus is not None) or any(side.error for side in sides)
            # Thousands take tenths of a second: beside the event loop.
            alerts = await asyncio.to_thread(self._merger.merged, rules, sides, now)
            return Survey(now, alerts, silences, rules, sides, tuple(notes), failed, flapping, self.keeps)

    async def history(self, seconds: float, survey: Survey) -> History:
        """The episodes of the last `seconds` of all alerts. `survey` says how often rules are evaluated.

        Raises:
            SourceError: there is no Prometheus, or it cannot be asked.
        """
        if self._prometheus is None:
            raise SourceError("prometheus", "unknown-source", "no prometheus is configured in this environment")
        end = self._clock()
        interval = survey.rules.interval if survey.rules is not None else 60.0
        return await recalling.history(
            self._prometheus, Span(end - seconds, end), interval=interval, merge=_merge_within(survey)
        )

    async def explain(self, alert: Alert, survey: Survey) -> Explanation:
        """Why it fires. Never raises for a source."""
        interval = survey.rules.interval if survey.rules is not None else 60.0
        return await explaining.explain(self._prometheus, alert, self._clock(), interval=interval)

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
            rules, config, flags, targets = await asyncio.gather(
                source.payload("rules", ("type", "alert")),
                _optional(source, "status/config"),
                _optional(source, "status/flags"),
                _optional(source, "alertmanagers"),
            )
        except SourceError as error:
            return None, [f"{error}: what its rules say is not known"]
        side = await asyncio.to_thread(self._rules_read.read, rules, config, flags, targets)
        notes = [f"a rule cannot be evaluated: {one}" for one in side.broken]
        if side.external_labels is None:
            notes.append("Prometheus does not say its external labels: its alerts may stand beside Alertmanager's own")
        if side.relabelled:
            notes.append("alert_relabel_configs rewrite labels on the way: alerts may stand twice, under both labels")
        return side, notes

    async def _flaps(self) -> Flapping:
        """Which alerts begin again and again; as it was last known where that cannot be asked."""
        now = time.monotonic()
        if self._prometheus is not None and now - self._flapping_asked_at >= _FLAPPING_EVERY:
            self._flapping_asked_at = now
            try:
                self._flapping = flapping((await self._prometheus.instant(FLAPPING)).value)
            except SourceError:
                self._flapping = NOTHING_FLAPS  # that Prometheus does not answer is said with its rules
        return self._flapping


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


class _Alertmanager:
    """One Alertmanager, asked again and again."""

    def __init__(self, name: str, source: AlertmanagerSource) -> None:
        self._name = name
        self._source = source
        self._read = wire.DeliveryReader()
        self._routing: tuple[str, tuple[Routing | None, str]] = ("", (None, ""))

    async def side(self) -> tuple[DeliverySide, list[str]]:
        """What it says, and what it does not."""
        name, source = self._name, self._source
        try:
            alerts, silences, status = await asyncio.gather(source.alerts(), source.silences(), source.status())
        except SourceError as error:
            return DeliverySide(name, error=str(error), place=source.place), [f"{error}: what it has is not known"]
        routing, note = self._worked_out(status)
        build = status.get("versionInfo")
        version = clean_line(build.get("version", ""), limit=80) if isinstance(build, Mapping) else ""
        delivered = await asyncio.to_thread(self._read.read, alerts)
        side = DeliverySide(
            name, delivered, wire.silences(silences), routing, version, cluster=wire.cluster(status), place=source.place
        )
        return side, [note] if note else []

    async def silences(self) -> DeliverySide:
        """The silences alone."""
        try:
            found = await self._source.silences()
        except SourceError as error:
            return DeliverySide(self._name, error=str(error), place=self._source.place)
        return DeliverySide(self._name, silences=wire.silences(found), place=self._source.place)

    def _worked_out(self, status: Mapping[str, Any]) -> tuple[Routing | None, str]:
        """As the function of that name; the same object while the configuration is the same."""
        config = status.get("config")
        original = str(config.get("original")) if isinstance(config, Mapping) else ""
        if not original or self._routing[0] != original:
            self._routing = (original, _worked_out(self._name, status))
        return self._routing[1]


def _merge_within(survey: Survey) -> float:
    """Seconds within which an end is told to nobody: the shortest group_interval of all routes."""
    found = [_seconds(route.waits[1]) for side in survey.sides if side.routing for route in side.routing.every()]
    return min(found, default=_seconds(Route("").waits[1]))


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        return 0.0


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
