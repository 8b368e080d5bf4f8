"""Configurations of Prometheus and Alertmanager: the exported text against the one a server shows.

A server fills in what was left out and hides secrets; so what is compared is what decides: jobs and their targets,
routes as the route tree works out, receivers with where they send to, inhibitions, quiet hours.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from opsconsole.alerts.matching import parse_matchers
from opsconsole.alerts.routing import Route, Routing, routing_of
from opsconsole.core.clean import clean, clean_line
from opsconsole.core.duration import parse_duration
from opsconsole.monitoring.drift.difference import Change, Drift, Things, compared
from opsconsole.monitoring.text import prometheus_duration

_WHERE = ("to", "channel", "api_url_file", "routing_key_file", "service_key_file", "url_file")
"""Keys of a receiver that say where it sends to, and are no secrets."""


def parsed(text: str) -> Mapping[str, Any]:
    """YAML as texts, lists and mappings.

    Raises:
        ValueError: it is none, or no mapping.
    """
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        read = yaml.load(text, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and mappings only
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {clean_line(error, limit=200)}") from None
    if not isinstance(read, Mapping):
        raise ValueError("it is no mapping")
    return read


def external_labels(text: str) -> Mapping[str, str]:
    """Those of a prometheus.yml.

    Raises:
        ValueError: it cannot be read.
    """
    given = _section(parsed(text), "global").get("external_labels")
    return {name: clean(value) for name, value in given.items()} if isinstance(given, Mapping) else {}


def prometheus_drift(source: str, here: str, loaded: str, apart: Collection[str] = frozenset()) -> Iterator[Drift]:
    """Of two prometheus.yml. External labels that are `apart` tell several Prometheus apart, and differ on purpose.

    Raises:
        ValueError: one of them cannot be read.
    """
    ours, theirs = parsed(here), parsed(loaded)
    added = external_labels(here), {k: v for k, v in external_labels(loaded).items() if k not in apart}
    yield from compared(source, "global", *map(_globals, (ours, theirs), added))
    yield from compared(source, "scrape job", _jobs(ours), _jobs(theirs))


def alertmanager_drift(source: str, here: str, loaded: str) -> Iterator[Drift]:
    """Of two alertmanager.yml.

    Raises:
        ValueError: one of them cannot be read, or holds what cannot be worked out here.
    """
    ours, theirs = routing_of(here), routing_of(loaded)
    yield from compared(source, "route", _routes(ours), _routes(theirs))
    if _order(ours.root) != _order(theirs.root) and sorted(_order(ours.root)) == sorted(_order(theirs.root)):
        # The first one that matches is taken.
        order = Change("order", ", ".join(_order(ours.root)), ", ".join(_order(theirs.root)))
        yield Drift(source, "route", "all", "changed", (order,))
    yield from compared(source, "receiver", _receivers(parsed(here)), _receivers(parsed(loaded)))
    yield from compared(source, "inhibition", _inhibitions(parsed(here)), _inhibitions(parsed(loaded)))
    yield from compared(source, "quiet hours", _intervals(ours), _intervals(theirs))


def _globals(config: Mapping[str, Any], labels: Mapping[str, str]) -> Things:
    said = _section(config, "global")
    times = {key: _duration(said.get(key, "1m")) for key in ("scrape_interval", "evaluation_interval")}
    return {"global": {**times, **{f"external label {name}": value for name, value in labels.items()}}}


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    given = config.get(name)
    return given if isinstance(given, Mapping) else {}


def _jobs(config: Mapping[str, Any]) -> Things:
    usual = _section(config, "global").get("scrape_interval", "1m")
    return {
        clean_line(job.get("job_name", "")): {
            "path": clean_line(job.get("metrics_path", "/metrics")),
            "scheme": clean_line(job.get("scheme", "http")),
            "interval": _interval(job.get("scrape_interval", usual), usual),
            "targets": ", ".join(sorted(_targets(job))),
        }
        for job in _mappings(config.get("scrape_configs"))
    }


def _interval(text: Any, usual: Any) -> str:
    """How often, where that is not as often as all are: a difference in that is said once."""
    own = _duration(text)
    return "" if own == _duration(usual) else own


def _targets(job: Mapping[str, Any]) -> Iterator[str]:
    for group in _mappings(job.get("static_configs")):
        targets = group.get("targets")
        yield from (clean_line(one) for one in (targets if isinstance(targets, list) else []))


def _routes(routing: Routing) -> Things:
    found: dict[str, dict[str, str]] = {}
    for route in _all(routing.root):
        name = " > ".join(route.path) or "the root route"
        while name in found:  # a second one with the same matchers, after one that goes on
            name += " again"
        wait, interval, repeat = map(_duration, route.waits)
        found[name] = {
            "receiver": route.receiver,
            "grouped by": ", ".join(sorted(route.group_by)),
            "wait": wait,
            "interval": interval,
            "repeat": repeat,
            "quiet": ", ".join(route.mutes),
            "active": ", ".join(route.actives),
            "continue": "yes" if route.goes_on else "",
        }
    return found


def _all(route: Route) -> Iterator[Route]:
    yield route
    for child in route.children:
        yield from _all(child)


def _order(route: Route) -> list[str]:
    return [" > ".join(one.path) for one in _all(route)]


def _receivers(config: Mapping[str, Any]) -> Things:
    found: dict[str, dict[str, str]] = {}
    for receiver in _mappings(config.get("receivers")):
        parts: dict[str, str] = {}
        for key, ways in receiver.items():
            for number, way in enumerate(_mappings(ways), start=1):
                kind = f"{key.removesuffix('_configs')} {number}"
                parts[kind] = "there"
                parts |= {f"{kind} {name}": clean_line(way[name]) for name in _WHERE if way.get(name)}
        found[clean_line(receiver.get("name", ""))] = parts
    return found


def _inhibitions(config: Mapping[str, Any]) -> Things:
    found: dict[str, dict[str, str]] = {}
    for one in _mappings(config.get("inhibit_rules")):
        source, target = (_matchers(one, side) for side in ("source", "target"))
        equal = one.get("equal")
        labels = ", ".join(sorted(map(clean_line, equal))) if isinstance(equal, list) else ""
        found[f"{source} mutes {target}"] = {"same": labels}
    return found


def _matchers(entry: Mapping[str, Any], side: str) -> str:
    """Those of one side in one spelling, the old form included."""
    given = entry.get(f"{side}_matchers")
    found = [str(one) for line in (given if isinstance(given, list) else []) for one in parse_matchers(str(line))]
    for key, op in ((f"{side}_match", "="), (f"{side}_match_re", "=~")):
        pairs = entry.get(key)
        found += [f'{name}{op}"{value}"' for name, value in pairs.items()] if isinstance(pairs, dict) else []
    return clean_line("{" + ", ".join(sorted(found)) + "}")


def _intervals(routing: Routing) -> Things:
    return {name: {"times": ", ".join(map(str, spans))} for name, spans in routing.intervals.items()}


def _duration(text: Any) -> str:
    try:
        return prometheus_duration(parse_duration(str(text)))
    except ValueError:
        return clean_line(text, limit=40)


def _mappings(given: Any) -> list[Mapping[str, Any]]:
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
