"""Asking every Prometheus and every Alertmanager at once. Who does not answer is a note; what only it knows is
unknown."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from opsconsole.alerts import explaining, recalling, wire
from opsconsole.alerts.episodes import History
from opsconsole.alerts.explaining import Explanation
from opsconsole.alerts.joining import External, external_of, joining_of
from opsconsole.alerts.keeping import mine
from opsconsole.alerts.merging import Merger
from opsconsole.alerts.model import Alert, DeliverySide, Labels, Silence, Survey
from opsconsole.alerts.recalling import Span
from opsconsole.alerts.routing import Route, Routing, routing_of
from opsconsole.alerts.rule_sides import RuleSource, external_labels_of, optional
from opsconsole.alerts.uniting import together, united
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.core.reading import SourceError
from opsconsole.sources.alertmanager import AlertmanagerSource
from opsconsole.sources.prometheus import PrometheusSource
from opsconsole.sources.registry import Sources
from opsconsole.sources.shared_reading import SERVES, SharedReading


class Alerts:
    """The alerts of an environment. It remembers what did not change from survey to survey, as screens want it."""

    def __init__(
        self,
        prometheuses: Mapping[str, PrometheusSource],
        alertmanagers: Mapping[str, AlertmanagerSource],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ruling = {name: RuleSource(source) for name, source in prometheuses.items()}
        self._alertmanagers = alertmanagers
        self._clock = clock
        self._merger = Merger()
        self._each = {name: _Alertmanager(name, source) for name, source in alertmanagers.items()}
        self._surveying = asyncio.Lock()
        self._shared = SharedReading(self.survey)
        self.keeps = ""

    async def shared_survey(self, within: float = SERVES) -> Survey:
        """A survey that was begun `within` these seconds; one for all who ask: it is the dearest question."""
        return await self._shared.read(within)

    async def acknowledged_survey(self, actor: str) -> Survey:
        """A survey where `actor` has an acknowledgement that holds, else the silences alone: they are few, and asked
        for again and again for as long as a console is open."""
        asked = await asyncio.gather(*(one.silences() for one in self._each.values()))
        if any(mine(silence, actor) for side in asked for silence in side.silences):
            return await self.shared_survey()
        failed = any(side.error for side in asked)
        return Survey(self._clock(), (), {}, (), tuple(asked), failed=failed)

    def forget(self) -> None:
        """Something was changed: the next survey is a new one."""
        self._shared.forget()

    async def survey(self) -> Survey:
        """Everything, at this moment. Never raises for a source: what it says is in the notes."""
        async with self._surveying:  # what is remembered belongs to one at a time
            ruling = self._ruling.values()
            ruled, asked, flaps = await asyncio.gather(
                asyncio.gather(*(one.side() for one in ruling)),
                asyncio.gather(*(one.side() for one in self._each.values())),
                asyncio.gather(*(one.flaps() for one in ruling)),
            )
            now = self._clock()
            rules, sides = tuple(side for side, _ in ruled), tuple(side for side, _ in asked)
            silences: dict[str, Silence] = {one.id: one for side in sides for one in side.silences}
            notes = [note for _, notes in (*ruled, *asked) for note in notes]
            if not rules:
                notes.insert(0, "no Prometheus is configured: what its rules say cannot be seen")
            if not self._alertmanagers:
                notes.append("no Alertmanager is configured: whether anybody is told cannot be seen")
            failed = any(one.error for one in rules) or any(one.error for one in sides)
            # Thousands take tenths of a second: beside the event loop.
            alerts = await asyncio.to_thread(self._merger.merged, rules, sides, now)
            return Survey(now, alerts, silences, rules, sides, tuple(notes), failed, together(flaps, rules), self.keeps)

    async def history(self, seconds: float, survey: Survey) -> History:
        """The episodes of the last `seconds` of all alerts. `survey` says how often rules are evaluated.

        Raises:
            SourceError: there is no Prometheus, or none can be asked.
        """
        if not self._ruling:
            raise SourceError("prometheus", "unknown-source", "no prometheus is configured in this environment")
        end = self._clock()
        span, merge = Span(end - seconds, end), _merge_within(survey)
        asked = await asyncio.gather(
            *(
                recalling.history(one.source, span, interval=_interval(survey, name), merge=merge)
                for name, one in self._ruling.items()
            ),
            return_exceptions=True,
        )
        found = {name: one for name, one in zip(self._ruling, asked, strict=True) if isinstance(one, History)}
        failed = [one for one in asked if isinstance(one, BaseException)]
        for error in failed:
            if not found or not isinstance(error, SourceError):
                raise error
        notes = tuple(f"{error}: its episodes are not known" for error in failed)
        return united(found, joining_of(survey.rules), notes)

    async def explain(self, alert: Alert, survey: Survey) -> Explanation:
        """Why it fires, by the Prometheus that it is of. Never raises for a source."""
        name = asked_of(alert, survey)
        if name not in self._ruling:
            return await explaining.explain(None, alert, self._clock())
        own = replace(alert, labels=joining_of(survey.rules).asked(alert.labels, name))
        found = await explaining.explain(
            self._ruling[name].source, own, self._clock(), interval=_interval(survey, name)
        )
        return replace(found, asked=name)

    async def routings(self) -> tuple[dict[str, Routing], tuple[str, ...]]:
        """The route tree of each Alertmanager by its name, and why others have none."""
        asked = await asyncio.gather(*(_routing(name, one) for name, one in self._alertmanagers.items()))
        return {name: one for name, one, _ in asked if one is not None}, tuple(note for *_, note in asked if note)

    async def external_labels(self, labels: Labels) -> External:
        """What Prometheus adds to an alert with `labels`, as far as they say of which one it is."""
        asked = await asyncio.gather(
            *(optional(one.source, "status/config") for one in self._ruling.values()), return_exceptions=True
        )
        said: list[Labels] = []
        notes: list[str] = []
        for name, config in zip(self._ruling, asked, strict=True):
            if isinstance(config, SourceError):
                notes.append(f"{config}: its external labels are not known, and not added")
            elif isinstance(config, BaseException):
                raise config
            elif (external := external_labels_of(config)) is None:
                notes.append(f"{'Prometheus' if name == 'prometheus' else name} does not say its external labels")
            else:
                said.append(external)
        return external_of(labels, said, tuple(notes))


def open_alerts(environment: Environment, sources: Sources) -> Alerts:
    """The alerts of `environment`.

    Raises:
        ValueError: nothing is configured that could know any.
    """
    names = tuple(environment.every_alertmanager)
    if not environment.every_prometheus and not names:
        raise ValueError(f"neither prometheus nor alertmanager is configured in environment {environment.name}")
    prometheuses: dict[str, PrometheusSource] = {}
    for name in environment.every_prometheus:
        prometheus = sources.get(name)
        assert isinstance(prometheus, PrometheusSource)
        prometheuses[name] = prometheus
    alertmanagers: dict[str, AlertmanagerSource] = {}
    for name in names:
        source = sources.get(name)
        assert isinstance(source, AlertmanagerSource)
        alertmanagers[name] = source
    return Alerts(prometheuses, alertmanagers)


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


def asked_of(alert: Alert, survey: Survey) -> str:
    """The name of the Prometheus that is asked about `alert`: one that fires it, else one that could."""
    states = {"firing": 0, "pending": 1, "quiet": 2, "no rule": 3}
    could = sorted((states.get(one.state, 4), place) for place, one in enumerate(alert.rulings))
    if could:
        return alert.rulings[could[0][1]].prometheus
    return next((one.name for one in survey.rules if not one.error), next((one.name for one in survey.rules), ""))


def _interval(survey: Survey, name: str) -> float:
    """Seconds between two evaluations of that Prometheus, the longest there is."""
    return next((one.interval for one in survey.rules if one.name == name), 60.0)


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
