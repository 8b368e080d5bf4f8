"""Would have fired: replays alerting rules over the past of Prometheus, before they ship.

Each rule of FILE (or those named), or the loaded rule RULE, is evaluated at its own interval over --since, with `for`
and `keep_firing_for` as Prometheus applies them: when it would have fired, for how long, at what peak, and how many
notifications that would have made by Alertmanager's routes. Recorded series that a rule asks for have to be there.
Code 1: a rule could not be evaluated.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsconsole.core.exit_codes import Exit

if TYPE_CHECKING:
    from opsconsole.alerts.replay import AlertRule, Episode, Replay
    from opsconsole.alerts.replay_notifying import Notified, Told
    from opsconsole.config.settings import Environment
    from opsconsole.sources.prometheus import PrometheusSource
    from opsconsole.sources.registry import Sources

EXAMPLE = """\
opsconsole alert replay monitoring/prometheus/alerts/service-alerts.yml --since 30d
  opsconsole alert replay new-rules.yml HighErrorRate --since 7d --format json
  opsconsole alert replay ServiceDown --since 7d"""

_FILES = (".yml", ".yaml", ".rules", ".json")
"""What names of rule files end with; anything else is the name of a rule."""
_COLUMNS = ("RULE", "FIRED", "ALERTS", "TIME FIRING", "SHARE", "NEARLY", "NOTIFICATIONS", "LAST", "ERROR")
_EPISODE_COLUMNS = ("RULE", "FROM", "TO", "FOR", "PEAK", "LABELS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alert replay`."""
    parser.description = __doc__
    parser.add_argument(
        "rules", metavar="FILE|RULE", help="a rule file (.yml, .yaml, .rules), or the name of a rule that is loaded"
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these rules of the file (all)")
    parser.add_argument("--since", metavar="TIME", default="30d", help="how far back (30d)")
    parser.add_argument(
        "--source", metavar="NAME", default="",
        help="prometheus or prometheus/NAME: whose past (the first; of a rule that is loaded, the first that has it)",
    )  # fmt: skip
    parser.add_argument("--interval", metavar="TIME", default="", help="evaluate so often, whatever the group says")
    parser.add_argument("--episodes", metavar="N", type=int, default=20, help="list the latest N of each rule (20)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print it")


def run(args: argparse.Namespace) -> int:
    """Replay, print, and choose the exit code."""
    import asyncio

    from opsconsole.cli.output import narrate
    from opsconsole.cli.wiring import UsageError, environment_of, open_sources
    from opsconsole.core.duration import parse_duration

    try:
        since = parse_duration(args.since)
        interval = parse_duration(args.interval) if args.interval else 0.0
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not 60 <= since <= 366 * 86_400:
        raise UsageError(f"--since: {args.since}; expected a time from 1m to 366d")
    environment = environment_of(args)
    known = environment.every_prometheus
    if not known:
        raise UsageError(f"no prometheus is configured in environment {environment.name}")
    if args.source and args.source not in known:
        raise UsageError(f"--source: no {args.source!r}; expected one of {', '.join(known)}")
    sources = open_sources(environment)

    async def asked() -> "_Outcome":
        try:
            return await _replayed(environment, sources, args, since, interval)
        finally:
            await sources.close()

    outcome = asyncio.run(asked())
    if args.format == "json":
        _print_json(outcome)
    else:
        _print_table(outcome, max(0, args.episodes))
        for note in outcome.notes:
            narrate(f"note: {note}")
    return Exit.FAILED if any(one.error for one in outcome.replays) else Exit.DONE


class _Outcome:
    """What was replayed, and what has to be known about it."""

    def __init__(self, replays: "Sequence[Replay]", notified: "Notified", notes: Sequence[str]) -> None:
        self.replays = replays
        self.notes = notes
        self._notified = notified

    def told(self, one: "Replay") -> "tuple[Told, ...]":
        """What receivers would have been told."""
        from opsconsole.alerts.replay_notifying import told

        return told(one.episodes, self._notified, one.end)


async def _replayed(
    environment: "Environment", sources: "Sources", args: argparse.Namespace, since: float, interval: float
) -> _Outcome:
    import asyncio
    import time

    from opsconsole.alerts.asking import open_alerts
    from opsconsole.alerts.replaying import oldest, replay
    from opsconsole.alerts.rule_sides import external_labels
    from opsconsole.sources.prometheus import PrometheusSource

    names = [args.source] if args.source else list(environment.every_prometheus)
    prometheuses = [one for name in names if isinstance(one := sources.get(name), PrometheusSource)]
    prometheus, rules, notes = await _chosen(prometheuses, args, interval)
    now = time.time()
    start = now - since
    alerts = open_alerts(environment, sources)
    (routings, unseen), external, begins = await asyncio.gather(
        alerts.routings(), external_labels(prometheus), oldest(prometheus, start, now)
    )
    notes += [f"{one}: notifications are by Alertmanager's defaults" for one in unseen]
    if begins is not None and begins - start > max(3600.0, since / 100):
        start = begins
        notes.append("Prometheus has nothing before that: replayed from there on")
    replays = [await replay(prometheus, rule, start, now) for rule in rules]
    return _Outcome(replays, _notified_by(routings, external), notes)


def _notified_by(routings: Mapping[str, Any], external: Mapping[str, str]) -> "Notified":
    from opsconsole.alerts.replay_notifying import DEFAULTS

    def notified(labels: Mapping[str, str], at: float) -> Iterable[Any]:
        whole = {**external, **labels}
        return [one for name, routing in routings.items() for one in routing.notified(whole, at, name)]

    return notified if routings else lambda labels, at: (DEFAULTS,)


async def _chosen(
    prometheuses: "Sequence[PrometheusSource]", args: argparse.Namespace, interval: float
) -> "tuple[PrometheusSource, list[AlertRule], list[str]]":
    """(the Prometheus whose past is asked for, the rules, what has to be known): the first that has a rule that is
    loaded. One that is away is passed over while another has it.

    Raises:
        UsageError, ContentError, SourceError: as `_rules`.
    """
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.reading import SourceError

    failed: list[UsageError | SourceError] = []
    for prometheus in prometheuses:
        try:
            rules = await _rules(prometheus, args, interval)
        except (UsageError, SourceError) as error:
            failed.append(error)
            if _is_file(args.rules):
                break
            continue
        notes = [f"{one}: it is passed over" for one in failed if isinstance(one, SourceError)]
        if len(prometheuses) > 1:
            notes.append(f"by {prometheus.name}; --source asks another of {len(prometheuses)}")
        return prometheus, rules, notes
    # One that is away may have the rule that the others lack.
    raise next((one for one in failed if isinstance(one, SourceError)), failed[-1])


async def _rules(prometheus: "PrometheusSource", args: argparse.Namespace, interval: float) -> "list[AlertRule]":
    """The rules that are meant.

    Raises:
        UsageError: there are none of those names.
        ContentError: the file is no rule file.
        SourceError: Prometheus does not answer.
    """
    from dataclasses import replace
    from pathlib import Path

    from opsconsole.alerts.replay_rules import evaluation_interval, loaded_rules, rules_of_file
    from opsconsole.cli.wiring import UsageError
    from opsconsole.core.problem import nearest
    from opsconsole.core.reading import SourceError

    if _is_file(args.rules):
        try:
            usual = evaluation_interval(await prometheus.payload("status/config"))
        except SourceError as error:
            if error.kind in ("unreachable", "timeout"):
                raise
            usual = evaluation_interval(None)
        found, wanted = rules_of_file(Path(args.rules), usual), args.names
    else:
        found, wanted = loaded_rules(await prometheus.payload("rules", ("type", "alert"))), [args.rules, *args.names]
    names = [one.name for one in found]
    for name in wanted:
        if name not in names:
            hint = nearest(name, names) or f"; there are {', '.join(dict.fromkeys(names)) or 'none'}"
            raise UsageError(f"no alerting rule {name!r}{hint}")
    chosen = [one for one in found if not wanted or one.name in wanted]
    if not chosen:
        raise UsageError(f"{args.rules}: no alerting rule in it")
    return [replace(one, interval=interval) for one in chosen] if interval else chosen


def _print_table(outcome: _Outcome, most: int) -> None:
    from opsconsole.cli.output import narrate, print_table, rfc3339

    first = outcome.replays[0]
    narrate(f"from {rfc3339(first.start)} to {rfc3339(first.end)}")
    print_table(_COLUMNS, [_row(one, outcome.told(one)) for one in outcome.replays])
    shown = [(one, episode) for one in outcome.replays for episode in (one.episodes[-most:] if most else ())]
    if shown:
        print()
        print_table(_EPISODE_COLUMNS, [_episode_row(one, episode) for one, episode in shown])


def _row(one: "Replay", told: "tuple[Told, ...]") -> tuple[object, ...]:
    from opsconsole.alerts.replay import by_labels
    from opsconsole.core.duration import duration_text

    said = ", ".join(f"{each.firing} to {each.receiver or 'anybody'}" for each in told)
    nearly = f"{one.nearly} (longest {duration_text(one.longest_nearly)})" if one.nearly else None
    last = one.episodes[-1].started_at if one.episodes else None
    return (
        one.rule.name,
        None if one.error else len(one.episodes),
        None if one.error else len(by_labels(one.episodes)),
        None if one.error else duration_text(one.firing_seconds),
        None if one.error else f"{one.firing_share:.2%}".replace("%", " %"),
        nearly,
        said or ("nobody" if one.episodes else None),
        _moment(last),
        one.error or None,
    )


def _episode_row(one: "Replay", episode: "Episode") -> tuple[object, ...]:
    from opsconsole.core.duration import duration_text

    own = {"alertname", *one.rule.labels}
    labels = " ".join(f"{name}={value}" for name, value in sorted(episode.labels.items()) if name not in own)
    return (
        one.rule.name, _moment(episode.started_at), _moment(episode.ended_at) or "still fires",
        duration_text(episode.seconds(one.end)), episode.worst, labels or None,
    )  # fmt: skip


def _moment(at: float | None) -> str | None:
    from datetime import UTC, datetime

    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _print_json(outcome: _Outcome) -> None:
    from opsconsole.cli.output import print_json, rfc3339

    first = outcome.replays[0]
    print_json(
        {
            "start": rfc3339(first.start),
            "end": rfc3339(first.end),
            "rules": [_fields(one, outcome.told(one), rfc3339) for one in outcome.replays],
            "notes": list(outcome.notes),
        }
    )


def _fields(one: "Replay", told: "tuple[Told, ...]", rfc3339: Callable[[float | None], str | None]) -> dict[str, Any]:
    rule = one.rule
    return {
        "rule": rule.name,
        "group": rule.group,
        "file": rule.file,
        "line": rule.line,
        "interval_seconds": rule.interval,
        "for_seconds": rule.hold,
        "keep_firing_for_seconds": rule.keep,
        "error": one.error or None,
        "fired": len(one.episodes),
        "firing_seconds": one.firing_seconds,
        "firing_share": one.firing_share,
        "nearly": one.nearly,
        "longest_nearly_seconds": one.longest_nearly,
        "notifications": [
            {"receiver": each.receiver or None, "firing": each.firing, "resolved": each.resolved} for each in told
        ],
        "episodes": [
            {
                "labels": dict(each.labels),
                "pending_at": rfc3339(each.pending_at),
                "started_at": rfc3339(each.started_at),
                "ended_at": rfc3339(each.ended_at),
                "seconds": each.seconds(one.end),
                "peak": each.worst,
            }
            for each in one.episodes
        ],
    }


def _is_file(rules: str) -> bool:
    """Whether a file is meant; no alert has a slash in its name."""
    return rules.endswith(_FILES) or "/" in rules
