"""The route tree of an Alertmanager, worked out here: who is notified of an alert, at any time, and why nobody is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsconsole.alerts.intervals import TimeInterval, intervals_of
from opsconsole.alerts.matching import Matcher, all_hold, parse_matchers
from opsconsole.core.clean import clean, clean_line

_DEEPEST = 60
"""Levels of routes. Real trees have three."""


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree, with what it has from its parents."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    """`continue`: its siblings are asked, too."""
    group_by: tuple[str, ...] = ()
    """`...` is all labels."""
    waits: tuple[str, str, str] = ("30s", "5m", "4h")
    """group_wait, group_interval, repeat_interval, as written."""
    mutes: tuple[str, ...] = ()
    actives: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    """The matchers of all routes on the way, a text for each."""
    children: tuple["Route", ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """Who a route notifies of an alert, at one time."""

    alertmanager: str
    receiver: str
    integrations: tuple[str, ...]
    """`email`, `slack`, …; empty: this receiver tells nobody."""
    route: tuple[str, ...]
    """The matchers on the way there; empty: the root."""
    group_by: tuple[str, ...]
    group_wait: str
    group_interval: str
    repeat_interval: str
    muted_by: tuple[str, ...] = ()
    """Why nobody is notified at that time: the names of mute intervals, or `outside of NAME` for active ones."""

    @property
    def reaches(self) -> bool:
        """Somebody is told."""
        return bool(self.integrations) and not self.muted_by


@dataclass(frozen=True, slots=True)
class Routing:
    """What an Alertmanager's configuration says about who is notified."""

    root: Route
    intervals: Mapping[str, tuple[TimeInterval, ...]]
    receivers: Mapping[str, tuple[str, ...]]
    """Receiver -> its integrations."""

    def notified(self, labels: Mapping[str, str], at: float, alertmanager: str = "") -> tuple[Notification, ...]:
        """Who is notified of an alert with `labels` (external ones included) at `at` (unix seconds)."""
        return self.telling(at, alertmanager)(labels)

    def telling(self, at: float, alertmanager: str = "") -> Callable[[Mapping[str, str]], tuple[Notification, ...]]:
        """The same for many alerts at one time: what a route says then is worked out once."""
        told = Telling(self, alertmanager).at(at)
        return lambda labels: tuple(told(route) for route in self.routes(labels))

    def routes(self, labels: Mapping[str, str]) -> tuple["Route", ...]:
        """The routes that take an alert with `labels`, at any time."""
        return matching_routes(self.root, labels)

    def every(self) -> Iterator[Route]:
        """All routes, each before its children."""
        waiting = [self.root]
        while waiting:
            route = waiting.pop()
            yield route
            waiting += reversed(route.children)

    def muted_by(self, route: Route, at: float) -> tuple[str, ...]:
        """Why `route` notifies nobody at `at`; empty where it does."""
        muting = [name for name in route.mutes if self._within(name, at)]
        if route.actives and not any(self._within(name, at) for name in route.actives):
            muting.append(f"outside of {', '.join(route.actives)}")
        return tuple(muting)

    def _within(self, name: str, at: float) -> bool:
        return any(one.holds(at) for one in self.intervals.get(name, ()))


class Telling:
    """What the routes of one Alertmanager say, at one time after the other. What a route says stays the same object
    while it stays the same, so that whoever compares is soon done."""

    def __init__(self, routing: Routing, alertmanager: str) -> None:
        self.routing = routing
        self._alertmanager = alertmanager
        self._said: dict[int, Notification] = {}

    def at(self, at: float) -> Callable[[Route], Notification]:
        """From a route to whom it notifies at `at` (unix seconds)."""
        now: dict[int, Notification] = {}

        def told(route: Route) -> Notification:
            # By identity: the routing keeps its routes, so that no other one has its number.
            found = now.get(id(route))
            if found is None:
                muted = self.routing.muted_by(route, at)
                found = self._said.get(id(route))
                if found is None or found.muted_by != muted:
                    found = self._said[id(route)] = self._notification(route, muted)
                now[id(route)] = found
            return found

        return told

    def _notification(self, route: Route, muted: tuple[str, ...]) -> Notification:
        integrations = self.routing.receivers.get(route.receiver, ())
        return Notification(
            self._alertmanager, route.receiver, integrations, route.path, route.group_by, *route.waits, muted_by=muted
        )


def matching_routes(route: Route, labels: Mapping[str, str]) -> tuple[Route, ...]:
    """The routes that take an alert with `labels`: of each level the first that matches, and further ones after
    `continue`; where no child matches, the route itself. Empty: it does not match."""
    if not all_hold(route.matchers, labels):
        return ()
    found: list[Route] = []
    for child in route.children:
        taken = matching_routes(child, labels)
        found += taken
        if taken and not child.goes_on:
            break
    return tuple(found) or (route,)


def routing_of(original: str) -> Routing:
    """What `config.original` of an Alertmanager's status says.

    Raises:
        ValueError: something in it that cannot be worked out here, for what follows from it would be a guess.
    """
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        read = yaml.load(original, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and mappings only
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {clean_line(error, limit=200)}") from None
    if not isinstance(read, Mapping) or not isinstance(read.get("route"), Mapping):
        raise ValueError("it has no route")
    intervals = {
        clean(one.get("name", "")): intervals_of(one.get("time_intervals") or [])
        for key in ("mute_time_intervals", "time_intervals")
        for one in _mappings(read, key)
    }
    receivers = {clean(one.get("name", "")): tuple(_integrations(one)) for one in _mappings(read, "receivers")}
    return Routing(_route(read["route"], None, 0), intervals, receivers)


def _route(entry: Mapping[str, Any], parent: Route | None, depth: int) -> Route:
    if depth > _DEEPEST:
        raise ValueError(f"routes deeper than {_DEEPEST} levels")
    matchers = () if parent is None else _matchers(entry)
    waits = parent.waits if parent else Route("").waits
    node = Route(
        receiver=clean(entry.get("receiver") or (parent.receiver if parent else "")),
        matchers=matchers,
        goes_on=str(entry.get("continue", "")).lower() == "true",
        group_by=_names(entry, "group_by") or (parent.group_by if parent else ()),
        waits=(
            clean_line(entry.get("group_wait") or waits[0], limit=40),
            clean_line(entry.get("group_interval") or waits[1], limit=40),
            clean_line(entry.get("repeat_interval") or waits[2], limit=40),
        ),
        mutes=_names(entry, "mute_time_intervals"),
        actives=_names(entry, "active_time_intervals"),
        path=() if parent is None else (*parent.path, "{" + ", ".join(map(str, matchers)) + "}"),
    )
    children = tuple(_route(one, node, depth + 1) for one in _mappings(entry, "routes"))
    return _with(node, children)


def _with(node: Route, children: tuple[Route, ...]) -> Route:
    from dataclasses import replace

    return replace(node, children=children)


def _matchers(entry: Mapping[str, Any]) -> tuple[Matcher, ...]:
    given = entry.get("matchers") or []
    lines = given if isinstance(given, list) else [given]
    found = [one for line in lines for one in parse_matchers(str(line))]
    for key, op in (("match", "="), ("match_re", "=~")):
        pairs = entry.get(key) or {}
        if not isinstance(pairs, Mapping):
            raise ValueError(f"{key}: expected a mapping")
        found += [Matcher.of(str(name), op, str(value)) for name, value in pairs.items()]
    return tuple(found)


def _integrations(receiver: Mapping[str, Any]) -> Iterator[str]:
    """`slack` for a receiver with `slack_configs`, once for each."""
    for key, value in receiver.items():
        if key.endswith("_configs") and isinstance(value, list):
            yield from [clean(key.removesuffix("_configs"))] * len(value)


def _names(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = entry.get(key) or []
    return tuple(clean(one) for one in found) if isinstance(found, list) else (clean(found),)


def _mappings(entry: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = entry.get(key) or []
    if not isinstance(found, list):
        raise ValueError(f"{key}: expected a list")
    return [one for one in found if isinstance(one, Mapping)]
