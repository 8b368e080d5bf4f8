"""Trying whether people are told: a test alert, sent to Alertmanager as Prometheus would, and what came of it."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.runners.http import HttpRunner, Reachable
from opsconsole.actions.runners.http_request import HttpRequest, shown
from opsconsole.alerts.actions.posting import TIMEOUT
from opsconsole.alerts.actions.silencing import alertmanager_of
from opsconsole.alerts.delivering import MARK, Counters, Told, counters, labels_to, told
from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.moments import timestamp
from opsconsole.alerts.routing import Notification, Routing, routing_of
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import duration_text, parse_duration

_JSON = (("Content-Type", "application/json"), ("Accept", "application/json"))
_WAIT = 60.0
_POLL = 0.5
"""Seconds between two looks at the counters."""
_LIFE = 600.0
"""Seconds after which the test ends by itself, should it not be ended here."""
_SAID = "A test of the way of alerts, sent by opsconsole. Nothing is wrong, and nothing has to be done."
_FAILING = 3
"""Attempts that failed, from which no more is waited for."""


def test(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Send an alert with `labels`, or one for each receiver, see who is told, and end it."""
    name, url = alertmanager_of(environment, arguments.get("alertmanager", ""))
    every = arguments.get("every", "") == "yes"
    labels = {one.name: one.value for one in parse_matchers(arguments.get("labels", "")) if one.op == "="}
    if not labels and not every:
        raise ValueError('labels is missing; expected for example alertname="ApiDown", severity="critical"')
    if labels and "alertname" not in labels:
        raise ValueError("labels: an alert has an alertname")
    wait = parse_duration(arguments["wait"]) if "wait" in arguments else _WAIT
    trial = Trial(url, Reachable.of(environment), labels, every, wait)
    words = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items())) or "every receiver"
    return Action(
        id="alert.test",
        title=f"send a test alert: {words}",
        command=shown(trial.request(labels or {"alertname": "OpsconsoleTest", "…": "as each route wants"}, "now", "…")),
        target=name,
        risk=Risk.WRITE,
        runner=trial,
        timeout=600.0,
        undo="none is needed: it is ended by itself",
        details=(("labels", words), ("alertmanager", name)),
    )


@dataclass(slots=True)
class Trial:
    """Sends test alerts one after the other, and reads Alertmanager's counters before and after each."""

    url: str
    reachable: Reachable
    labels: Mapping[str, str]
    every: bool
    """One for each receiver that `labels` do not lead to, too."""
    wait: float
    """Seconds to wait for each at most, beyond what its routes wait."""

    def request(self, labels: Mapping[str, str], start: str, end: str) -> HttpRequest:
        """The request that sends an alert with `labels`."""
        alert = {"labels": dict(labels), "annotations": {"summary": _SAID}, "startsAt": start, "endsAt": end}
        body = json.dumps([alert], ensure_ascii=False, indent=2).encode()
        return HttpRequest("POST", f"{self.url}/api/v2/alerts", _JSON, body)

    async def run(self, sink: Sink) -> Result:
        """Try all; the result says how many receivers were told."""
        routing = await self._routing()
        if isinstance(routing, Result):
            return routing
        results: list[Told] = []
        troubles: list[str] = []
        for labels in self._trials(routing, troubles):
            outcome = await self._tried(labels, routing, sink)
            if isinstance(outcome, Result):
                return outcome
            came, trouble = outcome
            results += came
            troubles += trouble
        for one in troubles:
            sink(f"{clean_line(one)}\n".encode())
        missed = [one for one in results if not one.reached]
        if missed:
            return Result(Outcome.FAILED, detail="; ".join(one.words for one in missed))
        reached = len({receiver for one in results for receiver in one.receivers})
        said = f"{reached} receiver{'' if reached == 1 else 's'} told"
        if troubles or not results:
            return Result(Outcome.WARN, detail="; ".join([said, *troubles]))
        return Result(Outcome.OK, detail=said)

    def _trials(self, routing: Routing, troubles: list[str]) -> Iterator[dict[str, str]]:
        reached: set[str] = set()
        if self.labels:
            reached = {one.receiver for one in routing.notified(self.labels, time.time())}
            yield dict(self.labels)
        if not self.every:
            return
        for receiver, integrations in routing.receivers.items():
            if receiver in reached or not integrations:
                continue
            labels = labels_to(routing, receiver)
            if labels is None:
                troubles.append(f"{receiver}: no labels could be made up that lead there; not tried")
            else:
                yield labels

    async def _tried(
        self, labels: Mapping[str, str], routing: Routing, sink: Sink
    ) -> "Result | tuple[list[Told], list[str]]":
        """(what came of it, what is to be known besides), or why it could not be tried."""
        marked, notifies = {**labels, MARK: uuid.uuid4().hex[:12]}, routing.notified(labels, time.time())
        sink(f"{clean_line(_text(labels))}\n".encode())
        before = await self._counters()
        if isinstance(before, Result):
            return before
        now = time.time()
        sent = await self._sent(self.request(marked, timestamp(now), timestamp(now + _LIFE)))
        if sent.outcome is not Outcome.OK:
            return sent
        try:
            came = await self._awaited(notifies, before)
            kept_back = await self._kept_back(marked)
        finally:
            ended = await self._sent(self.request(marked, timestamp(now), timestamp(time.time())))
        troubles = [
            f"{one.receiver}: {', '.join(one.muted_by) or 'tells nobody'}" for one in notifies if not one.reaches
        ]
        troubles += [kept_back] if kept_back else []
        if ended.outcome is not Outcome.OK:
            troubles.append(f"the test could not be ended: {ended.detail}; it ends within {duration_text(_LIFE)}")
        for one in came:
            sink(f"  {'ok' if one.reached else 'FAILED':<6} {clean_line(one.words)}\n".encode())
        return list(came), troubles

    async def _awaited(self, notifies: tuple[Notification, ...], before: Counters) -> tuple[Told, ...]:
        """What came of it, when everybody was told, or the time is over."""
        deadline = time.monotonic() + self.wait + max((_seconds(one.group_wait) for one in notifies), default=0.0)
        while True:
            after = await self._counters()
            found = told(notifies, before, after if not isinstance(after, Result) else before)
            hopeless = all(one.reached or one.counted.failed >= _FAILING for one in found)
            if hopeless or time.monotonic() >= deadline:
                return found
            await asyncio.sleep(_POLL)

    async def _kept_back(self, labels: Mapping[str, str]) -> str:
        """Why Alertmanager keeps the test back; empty where it does not."""
        quoted = f'{MARK}="{labels[MARK]}"'
        found = await self._asked(f"{self.url}/api/v2/alerts?filter={_percent(quoted)}")
        given = found[0] if isinstance(found, list) and found and isinstance(found[0], Mapping) else {}
        status = given.get("status")
        if not isinstance(status, Mapping) or status.get("state") != "suppressed":
            return ""
        by = [*(status.get("silencedBy") or []), *(status.get("inhibitedBy") or [])]
        return f"it is kept back, as its like would be now: by {clean_line(', '.join(map(str, by)))}"

    async def _routing(self) -> "Routing | Result":
        status = await self._asked(f"{self.url}/api/v2/status")
        if isinstance(status, Result):
            return status
        try:
            return routing_of(str(status["config"]["original"]))
        except (KeyError, TypeError, ValueError) as error:
            return Result(Outcome.FAILED, detail=f"its routes cannot be worked out: {clean_line(error)}")

    async def _counters(self) -> "Counters | Result":
        text = await self._got(f"{self.url}/metrics")
        return text if isinstance(text, Result) else counters(text)

    async def _asked(self, url: str) -> Any:
        text = await self._got(url)
        if isinstance(text, Result):
            return text
        try:
            return json.loads(text)
        except ValueError:
            return Result(Outcome.FAILED, detail="Alertmanager's answer is no JSON")

    async def _got(self, url: str) -> "str | Result":
        said: list[bytes] = []
        request = HttpRequest("GET", url, (), b"")
        result = await HttpRunner(request, self.reachable, ("200",), TIMEOUT).run(said.append)
        return b"".join(said).decode("utf-8", "replace") if result.outcome is Outcome.OK else result

    async def _sent(self, request: HttpRequest) -> Result:
        return await HttpRunner(request, self.reachable, ("200",), TIMEOUT).run(lambda _: None)


def _text(labels: Mapping[str, str]) -> str:
    return "test: " + ", ".join(f'{name}="{clean(value)}"' for name, value in sorted(labels.items()))


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        return 0.0


def _percent(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
