"""Silencing alerts in Alertmanager, and ending a silence: the `alert.*` actions."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from opsconsole.actions.action import Action, Outcome, Result, Risk, Sink
from opsconsole.actions.guard import user_name
from opsconsole.actions.runners.http import HttpRunner, Reachable
from opsconsole.actions.runners.http_request import HttpRequest, shown
from opsconsole.config.settings import Environment
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text, parse_duration

_TIMEOUT = 20.0
_LONGEST = 30 * 86400.0
_JSON = (("Content-Type", "application/json"), ("Accept", "application/json"))


def silence(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Silence an alert for a while, and look whether Alertmanager has it."""
    import os

    url = _url(environment)
    try:
        seconds = parse_duration(arguments["duration"])
    except ValueError:
        raise ValueError(f"duration: {arguments['duration']!r}; expected for example 30m or 2h") from None
    if not 60 <= seconds <= _LONGEST:
        raise ValueError("duration: expected from 1m to 30d")
    matchers = [_matcher("alertname", arguments["alertname"])]
    if label := arguments.get("label", ""):
        name, _, value = label.partition("=")
        matchers.append(_matcher(name, value))
    wanted = {"matchers": matchers, "createdBy": user_name(os.getuid()), "comment": arguments["comment"]}
    runner = Silencing(url, Reachable.of(environment), wanted, seconds)
    labels = ", ".join(f"{one['name']}={json.dumps(one['value'], ensure_ascii=False)}" for one in matchers)
    return Action(
        id="alert.silence",
        title=f"silence {arguments['alertname']}",
        command=f"{shown(runner.request('now', f'now + {duration_text(seconds)}'))}",
        target=arguments["alertname"],
        risk=Risk.WRITE,
        runner=runner,
        timeout=_TIMEOUT,
        undo="alert.unsilence, with the id that it says",
        verify=partial(is_silenced, runner),
        verify_timeout=_TIMEOUT,
        details=(("matchers", labels),),
    )


def unsilence(arguments: Mapping[str, str], environment: Environment) -> Action:
    """End a silence, and look whether it has ended."""
    url, reachable = _url(environment), Reachable.of(environment)
    at = f"{url}/api/v2/silence/{quote(arguments['id'], safe='')}"
    request = HttpRequest("DELETE", at, (), b"")
    return Action(
        id="alert.unsilence",
        title="end a silence",
        command=shown(request),
        target=arguments["id"],
        risk=Risk.WRITE,
        runner=HttpRunner(request, reachable, ("200",), _TIMEOUT),
        timeout=_TIMEOUT,
        undo="silence it again",
        verify=partial(state_is, at, reachable, "expired"),
        verify_timeout=_TIMEOUT,
    )


@dataclass(slots=True)
class Silencing:
    """Creates a silence that begins now, and keeps its id. A second attempt renews the same silence."""

    url: str
    reachable: Reachable
    wanted: dict[str, Any]
    seconds: float
    id: str = ""

    def request(self, start: str, end: str) -> HttpRequest:
        """The request for a silence from `start` to `end`."""
        fields = {**self.wanted, "startsAt": start, "endsAt": end, **({"id": self.id} if self.id else {})}
        body = json.dumps(fields, ensure_ascii=False, indent=2).encode()
        return HttpRequest("POST", f"{self.url}/api/v2/silences", _JSON, body)

    async def run(self, sink: Sink) -> Result:
        """Send it, and keep the id."""
        now = time.time()
        request = self.request(_timestamp(now), _timestamp(now + self.seconds))
        said: list[bytes] = []
        result = await HttpRunner(request, self.reachable, ("200",), _TIMEOUT).run(said.append)
        sink(b"".join(said))
        if result.outcome is not Outcome.OK:
            return result
        try:
            self.id = str(json.loads(b"".join(said))["silenceID"])
        except (ValueError, KeyError, TypeError):
            return Result(Outcome.UNKNOWN, detail="Alertmanager did not say which silence it made")
        return Result(
            Outcome.OK, detail=f"silence {clean_line(self.id, limit=80)} until {_timestamp(now + self.seconds)}"
        )


async def is_silenced(made: Silencing) -> Result:
    """Whether Alertmanager has the silence that `made` made, and it is active."""
    at = f"{made.url}/api/v2/silence/{quote(made.id, safe='')}"
    return await state_is(at, made.reachable, "active")


async def state_is(url: str, reachable: Reachable, expected: str) -> Result:
    """Whether Alertmanager says that this silence is `expected`."""
    said: list[bytes] = []
    result = await HttpRunner(HttpRequest("GET", url, (), b""), reachable, ("200",), _TIMEOUT).run(said.append)
    if result.outcome is not Outcome.OK:
        return result
    try:
        state = str(json.loads(b"".join(said))["status"]["state"])
    except (ValueError, KeyError, TypeError):
        return Result(Outcome.FAILED, detail="Alertmanager's answer is no silence")
    if state != expected:
        return Result(Outcome.FAILED, detail=f"the silence is {clean_line(state, limit=40)}, expected {expected}")
    return Result(Outcome.OK, detail=f"the silence is {state}")


def _url(environment: Environment) -> str:
    if environment.alertmanager is None:
        raise ValueError(f"no alertmanager is configured in {environment.name}")
    return environment.alertmanager.url


def _matcher(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True}


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
