"""Sending a silence to an Alertmanager, and looking whether it has it.

Measured: a silence that is sent with the id it has, and the same matchers, keeps the id; with other matchers it gets a
new one, and the one before is expired. One that has expired cannot be changed.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from opsconsole.actions.action import Outcome, Result, Sink
from opsconsole.actions.runners.http import HttpRunner, Reachable
from opsconsole.actions.runners.http_request import HttpRequest
from opsconsole.alerts import wire
from opsconsole.alerts.actions.meanwhile import changed
from opsconsole.alerts.moments import timestamp
from opsconsole.core.clean import clean_line

TIMEOUT = 20.0
_JSON = (("Content-Type", "application/json"), ("Accept", "application/json"))


@dataclass(slots=True)
class Silencing:
    """Makes a silence that begins now, or changes the one of an id. A second attempt renews the same silence."""

    url: str
    """Of the Alertmanager."""
    reachable: Reachable
    wanted: dict[str, Any]
    """`matchers`, `createdBy`, `comment`. What is missing stays as the silence of that id has it."""
    seconds: float | None
    """How long from now; None: until when the silence of that id is for anyhow."""
    id: str = ""
    """The silence to change; empty: a new one. Afterwards that which was made."""
    seen: Mapping[str, str] | None = None
    """The parts of the silence as it was looked at; where it is another one by now, nothing is sent. None: whatever it
    is."""
    until: str = field(default="", init=False)

    @property
    def changes(self) -> bool:
        """It is about a silence that is there already."""
        return bool(self.id)

    def request(self, start: str, end: str) -> HttpRequest:
        """The request for a silence from `start` to `end`."""
        return self._posted({**self.wanted, "startsAt": start, "endsAt": end, **({"id": self.id} if self.id else {})})

    async def run(self, sink: Sink) -> Result:
        """Send it, and keep the id."""
        wanted = dict(self.wanted)
        now = time.time()
        begin = timestamp(now)
        if self.id:
            looked, found = await silence_at(silence_url(self.url, self.id), self.reachable)
            if found is None:
                return looked
            if self.seen is not None and (meanwhile := changed(self.seen, wire.silence(found))):
                return Result(Outcome.FAILED, detail=f"{meanwhile}; nothing was sent")
            if state_of(found) == "expired":
                return Result(Outcome.FAILED, detail="the silence has expired: make a new one; nothing was sent")
            wanted = {**{name: found.get(name) for name in ("matchers", "createdBy", "comment")}, **wanted}
            # One that is active keeps its beginning; one that waits for it may, too.
            begin = str(found.get("startsAt") or begin)
            self.until = str(found.get("endsAt") or "")
        if self.seconds is not None:
            self.until = timestamp(now + self.seconds)
        posted = {**wanted, "startsAt": begin, "endsAt": self.until, **({"id": self.id} if self.id else {})}
        said: list[bytes] = []
        result = await HttpRunner(self._posted(posted), self.reachable, ("200",), TIMEOUT).run(said.append)
        sink(b"".join(said))
        if result.outcome is not Outcome.OK:
            return result
        try:
            self.id = str(json.loads(b"".join(said))["silenceID"])
        except (ValueError, KeyError, TypeError):
            return Result(Outcome.UNKNOWN, detail="Alertmanager did not say which silence it made")
        return Result(Outcome.OK, detail=f"silence {clean_line(self.id, limit=80)} until {self.until}")

    def _posted(self, fields: dict[str, Any]) -> HttpRequest:
        return HttpRequest("POST", f"{self.url}/api/v2/silences", _JSON, _body(fields).encode())


def _body(fields: Mapping[str, Any]) -> str:
    """JSON for people to read before it is sent: until when and why first, then the matchers, one a line."""
    matchers = fields.get("matchers", ())
    lines = [f"  {_text(name)}: {_text(value)}" for name, value in fields.items() if name != "matchers"]
    if matchers:
        listed = ",\n".join(f"    {_text(one)}" for one in matchers)
        lines.append(f'  "matchers": [\n{listed}\n  ]')
    return "{\n" + ",\n".join(lines) + "\n}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


async def is_silenced(made: Silencing) -> Result:
    """Whether Alertmanager has the silence that `made` made, as it was wanted."""
    looked, found = await silence_at(silence_url(made.url, made.id), made.reachable)
    if found is None:
        return looked
    state = state_of(found)
    if state not in (("active", "pending") if made.changes else ("active",)):
        return Result(Outcome.FAILED, detail=f"the silence is {clean_line(state, limit=40)}, expected active")
    ends = _moment(found.get("endsAt"))
    wanted = _moment(made.until)
    if ends is not None and wanted is not None and abs(ends - wanted) > 1.0:
        return Result(Outcome.FAILED, detail=f"it ends at {clean_line(found.get('endsAt'), limit=40)}")
    return Result(Outcome.OK, detail=f"the silence is {state}")


async def state_is(url: str, reachable: Reachable, expected: str) -> Result:
    """Whether Alertmanager says that the silence at `url` is `expected`."""
    looked, found = await silence_at(url, reachable)
    if found is None:
        return looked
    state = clean_line(state_of(found), limit=40)
    if state != expected:
        return Result(Outcome.FAILED, detail=f"the silence is {state}, expected {expected}")
    return Result(Outcome.OK, detail=f"the silence is {state}")


async def silence_at(url: str, reachable: Reachable) -> tuple[Result, dict[str, Any] | None]:
    """(how asking went, the silence at `url` as Alertmanager has it; None where there is none)."""
    said: list[bytes] = []
    result = await HttpRunner(HttpRequest("GET", url, (), b""), reachable, ("200",), TIMEOUT).run(said.append)
    if result.outcome is not Outcome.OK:
        return result, None
    try:
        found = json.loads(b"".join(said))
        state_of(found)
    except (ValueError, KeyError, TypeError):
        return Result(Outcome.FAILED, detail="Alertmanager's answer is no silence"), None
    return result, found


def silence_url(url: str, identity: str) -> str:
    """Where an Alertmanager has the silence of that id."""
    return f"{url}/api/v2/silence/{quote(identity, safe='')}"


def state_of(found: dict[str, Any]) -> str:
    """`active`, `pending` or `expired`."""
    return str(found["status"]["state"])


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
