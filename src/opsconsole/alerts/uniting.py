"""What several Prometheus remember, as one: the episodes and the flapping of a pair once, those of clusters apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsconsole.alerts.episodes import Episode, History, newest_first
from opsconsole.alerts.flapping import Flapping
from opsconsole.alerts.joining import Joining, Key, joining_of
from opsconsole.alerts.model import RuleSide


def united(found: Mapping[str, History], joining: Joining, notes: tuple[str, ...] = ()) -> History:
    """The histories of every Prometheus, by its name, as one; one alone as it is. There is one at least."""
    first, *others = found.values()
    if not others and not joining.added:
        return replace(first, notes=notes)
    step = max(one.step for one in found.values())
    told: dict[Key, dict[str, list[Episode]]] = {}
    for name, history in found.items():
        for one in history.episodes:
            key = joining.of_rule(one.labels, name)
            told.setdefault(key, {}).setdefault(name, []).append(replace(one, labels=dict(sorted(key))))
    episodes = [one for same in told.values() for one in _once(list(same.values()), step)]
    start, end = min(one.start for one in found.values()), max(one.end for one in found.values())
    return History(start, end, step, newest_first(episodes), notes)


def together(found: Sequence[Flapping], rules: Sequence[RuleSide]) -> Flapping:
    """What flaps by any of `rules`, each with what it found, in their order; of a pair, as often as by either."""
    joining, times = joining_of(rules), dict[Key, int]()
    for side, flapping in zip(rules, found, strict=True):
        for key, often in flapping.times.items():
            joined = joining.of_rule(dict(key), side.name)
            times[joined] = max(often, times.get(joined, 0))
    return Flapping(times)


def _once(found: Sequence[Sequence[Episode]], step: float) -> list[Episode]:
    """The episodes of one alert by each that fired it, those that both of a pair saw once. One of them that was away
    saw an end that was none: as long as the other goes on, it fires."""
    if len(found) == 1:
        return list(found[0])
    kept: list[Episode] = []
    for one in sorted((one for episodes in found for one in episodes), key=lambda one: one.fired_at):
        before = kept[-1] if kept else None
        if before is None or not _same(before, one, step):
            kept.append(one)
            continue
        ends = (before.ended_at, one.ended_at)
        kept[-1] = replace(
            before,
            active_at=min(before.active_at, one.active_at),
            ended_at=None if None in ends else max(end for end in ends if end is not None),
            times=max(before.times, one.times),
        )
    return kept


def _same(before: Episode, one: Episode, step: float) -> bool:
    """Whether they overlap by more than ends are exact to, or begin together."""
    return before.ended_at is None or one.fired_at <= before.ended_at - step or one.fired_at - before.fired_at <= step
