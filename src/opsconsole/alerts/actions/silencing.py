"""Keeping alerts back for a while, by any matchers and in any Alertmanager, and ending that."""

import os
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from opsconsole.actions.action import Action, Risk
from opsconsole.actions.alert import Silencing, is_silenced, state_is
from opsconsole.actions.guard import user_name
from opsconsole.actions.runners.http import HttpRunner, Reachable
from opsconsole.actions.runners.http_request import HttpRequest, shown
from opsconsole.alerts.matching import parse_matchers
from opsconsole.config.settings import Environment
from opsconsole.core.duration import duration_text, parse_duration

_TIMEOUT = 20.0
_LONGEST = 30 * 86400.0


def silence(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Keep back what `matchers` fit for `duration`, and look whether Alertmanager has the silence."""
    name, url = alertmanager_of(environment, arguments.get("alertmanager", ""))
    matchers = parse_matchers(arguments["matchers"])
    if all(one.holds({}) for one in matchers):
        raise ValueError("matchers: these fit every alert; expected one that an alert without labels does not fulfil")
    seconds = _seconds(arguments["duration"])
    wanted = {
        "matchers": [
            {"name": one.name, "value": one.value, "isRegex": "~" in one.op, "isEqual": one.op in ("=", "=~")}
            for one in matchers
        ],
        "createdBy": user_name(os.getuid()),
        "comment": arguments["comment"],
    }
    runner = Silencing(url, Reachable.of(environment), wanted, seconds)
    text = ", ".join(map(str, matchers))
    return Action(
        id="alertmanager.silence",
        title=f"silence {text} for {duration_text(seconds)}",
        command=shown(runner.request("now", f"now + {duration_text(seconds)}")),
        target=text,
        risk=Risk.WRITE,
        runner=runner,
        timeout=_TIMEOUT,
        undo="alertmanager.expire, with the id that it says",
        verify=partial(is_silenced, runner),
        verify_timeout=_TIMEOUT,
        details=(("matchers", text), ("alertmanager", name)),
    )


def expire(arguments: Mapping[str, str], environment: Environment) -> Action:
    """End a silence now, and look whether it has ended."""
    name, url = alertmanager_of(environment, arguments.get("alertmanager", ""))
    at, reachable = f"{url}/api/v2/silence/{quote(arguments['id'], safe='')}", Reachable.of(environment)
    request = HttpRequest("DELETE", at, (), b"")
    return Action(
        id="alertmanager.expire",
        title="end a silence",
        command=shown(request),
        target=arguments["id"],
        risk=Risk.WRITE,
        runner=HttpRunner(request, reachable, ("200",), _TIMEOUT),
        timeout=_TIMEOUT,
        undo="alertmanager.silence, with its matchers",
        verify=partial(state_is, at, reachable, "expired"),
        verify_timeout=_TIMEOUT,
        details=(("alertmanager", name),),
    )


def alertmanager_of(environment: Environment, name: str) -> tuple[str, str]:
    """(name, URL) of the Alertmanager of that name; without a name of the only one.

    Raises:
        ValueError: there is none, or there are several to choose from.
    """
    known = environment.every_alertmanager
    if not known:
        raise ValueError(f"no alertmanager is configured in {environment.name}")
    if not name and len(known) > 1:
        raise ValueError(f"alertmanager: which? There are {', '.join(known)}")
    chosen = name or next(iter(known))
    if chosen not in known:
        raise ValueError(f"alertmanager: no {chosen!r}; known are {', '.join(known)}")
    return chosen, known[chosen].url


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ValueError(f"duration: {text!r}; expected for example 30m or 2h") from None
    if not 60 <= seconds <= _LONGEST:
        raise ValueError("duration: expected from 1m to 30d")
    return seconds
