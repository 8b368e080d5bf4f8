"""Keeping alerts back for a while, by any matchers and in any Alertmanager; changing that, and ending it."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from opsconsole.actions.action import Action, Risk
from opsconsole.actions.guard import user_name
from opsconsole.actions.runners.http import HttpRunner, Reachable
from opsconsole.actions.runners.http_request import HttpRequest, shown
from opsconsole.alerts.actions.meanwhile import read_seen
from opsconsole.alerts.actions.posting import TIMEOUT, Silencing, is_silenced, silence_url, state_is
from opsconsole.alerts.matching import Matcher, parse_matchers
from opsconsole.config.settings import Environment
from opsconsole.core.duration import duration_text, parse_duration

_LONGEST = 30 * 86400.0


def silence(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Keep back what `matchers` fit (or `alertname`, with one `label` more) for `duration`, and look whether
    Alertmanager has the silence."""
    name, url = alertmanager_of(environment, arguments.get("alertmanager", ""))
    matchers = _meant(arguments)
    seconds = _seconds(arguments["duration"])
    wanted = {"matchers": _sent(matchers), "createdBy": user_name(os.getuid()), "comment": arguments["comment"]}
    runner = Silencing(url, Reachable.of(environment), wanted, seconds)
    text = ", ".join(map(str, matchers))
    return Action(
        id="alert.silence",
        title=f"silence {text} for {duration_text(seconds)}",
        command=shown(runner.request("now", f"now + {duration_text(seconds)}")),
        target=text,
        risk=Risk.WRITE,
        runner=runner,
        timeout=TIMEOUT,
        undo="alert.unsilence, with the id that it says",
        verify=partial(is_silenced, runner),
        verify_timeout=TIMEOUT,
        details=(("matchers", text), ("alertmanager", name)),
    )


def edit(arguments: Mapping[str, str], environment: Environment) -> Action:
    """Change a silence: what it fits, how long from now, or its comment; what is not given stays. With other matchers
    Alertmanager makes a new one of it and expires the one before. With `seen`, only if it still is what it was."""
    name, url = alertmanager_of(environment, arguments.get("alertmanager", ""))
    identity = arguments["id"]
    wanted: dict[str, Any] = {}
    if "matchers" in arguments:
        wanted["matchers"] = _sent(_meant(arguments))
    if "comment" in arguments:
        wanted["comment"] = arguments["comment"]
    seconds = _seconds(arguments["duration"]) if "duration" in arguments else None
    if not wanted and seconds is None:
        raise ValueError("there is nothing to change: give matchers, duration or comment")
    seen = read_seen(arguments["seen"]) if "seen" in arguments else None
    runner = Silencing(url, Reachable.of(environment), wanted, seconds, identity, seen)
    end = f"now + {duration_text(seconds)}" if seconds is not None else "as it is"
    return Action(
        id="alert.edit-silence",
        title=f"change a silence: {', '.join([*wanted, *(['duration'] if seconds is not None else [])])}",
        command=shown(runner.request("as it is", end)),
        target=identity,
        risk=Risk.WRITE,
        runner=runner,
        timeout=2 * TIMEOUT,
        undo="alert.edit-silence, with what it was before",
        verify=partial(is_silenced, runner),
        verify_timeout=TIMEOUT,
        details=(("alertmanager", name), ("silence", identity)),
    )


def unsilence(arguments: Mapping[str, str], environment: Environment) -> Action:
    """End a silence now, and look whether it has ended."""
    name, url = alertmanager_of(environment, arguments.get("alertmanager", ""))
    at, reachable = silence_url(url, arguments["id"]), Reachable.of(environment)
    request = HttpRequest("DELETE", at, (), b"")
    return Action(
        id="alert.unsilence",
        title="end a silence",
        command=shown(request),
        target=arguments["id"],
        risk=Risk.WRITE,
        runner=HttpRunner(request, reachable, ("200",), TIMEOUT),
        timeout=TIMEOUT,
        undo="alert.silence, with its matchers",
        verify=partial(state_is, at, reachable, "expired"),
        verify_timeout=TIMEOUT,
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


def _meant(arguments: Mapping[str, str]) -> tuple[Matcher, ...]:
    """The matchers that are given, either way.

    Raises:
        ValueError: none are, or they fit every alert.
    """
    given = arguments.get("matchers", "")
    found = list(parse_matchers(given)) if given else []
    if name := arguments.get("alertname", ""):
        found.append(Matcher.of("alertname", "=", name))
    if label := arguments.get("label", ""):
        name, _, value = label.partition("=")
        found.append(Matcher.of(name, "=", value))
    if not found:
        raise ValueError('matchers is missing; expected for example alertname="ApiDown"')
    if all(one.holds({}) for one in found):
        raise ValueError("matchers: these fit every alert; expected one that an alert without labels does not fulfil")
    return tuple(found)


def _sent(matchers: Iterable[Matcher]) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "value": one.value, "isRegex": "~" in one.op, "isEqual": one.op in ("=", "=~")}
        for one in matchers
    ]


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ValueError(f"duration: {text!r}; expected for example 30m or 2h") from None
    if not 60 <= seconds <= _LONGEST:
        raise ValueError("duration: expected from 1m to 30d")
    return seconds
