"""How many notifications episodes would have made: grouping, waiting and repeating as Alertmanager does it.

A group is flushed `group_wait` after its first alert, then every `group_interval`. A flush notifies when an alert is
new in it, when alerts were resolved, or when `repeat_interval` has passed (alertmanager/notify,
`DedupStage.needsUpdate`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.alerts.replay import Episode
from opsconsole.alerts.routing import Notification
from opsconsole.core.duration import parse_duration

DEFAULTS = Notification("", "", ("any",), (), ("alertname",), "30s", "5m", "4h")
"""What Alertmanager does where no route says otherwise, by the name of the alert."""
Notified = Callable[[Mapping[str, str], float], Iterable[Notification]]
"""Who is notified of an alert with labels, at a time (unix seconds)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one receiver would have been told."""

    receiver: str
    """Empty: any, by Alertmanager's defaults."""
    firing: int
    """Notifications that something fires: new ones and reminders."""
    resolved: int
    """Further ones, only that something is over; not every receiver sends those."""


def told(episodes: Sequence[Episode], notified: Notified, until: float) -> tuple[Told, ...]:
    """What each receiver would have been told by `until` (unix seconds), the most first."""
    groups: dict[tuple[str, ...], list[Episode]] = {}
    waits: dict[tuple[str, ...], Notification] = {}
    for one in episodes:
        for way in notified(one.labels, one.started_at):
            if not way.reaches:
                continue
            names = sorted(one.labels) if "..." in way.group_by else way.group_by
            key = (way.receiver, "\n".join(way.route), *(f"{name}={one.labels.get(name, '')}" for name in names))
            groups.setdefault(key, []).append(one)
            waits[key] = way
    counted: dict[str, list[int]] = {}
    for key, members in groups.items():
        firing, resolved = _of_group(members, waits[key], until)
        sums = counted.setdefault(key[0], [0, 0])
        sums[0] += firing
        sums[1] += resolved
    found = [Told(receiver, *sums) for receiver, sums in counted.items()]
    return tuple(sorted(found, key=lambda one: (-one.firing, one.receiver)))


def _of_group(members: Sequence[Episode], way: Notification, until: float) -> tuple[int, int]:
    """(notifications that something fires, that something is over) of one group."""
    wait, interval, repeat = (parse_duration(one) for one in (way.group_wait, way.group_interval, way.repeat_interval))
    waiting = sorted(members, key=lambda one: one.started_at)
    firing = resolved = 0
    while waiting:
        at = waiting[0].started_at + wait
        known: set[int] = set()
        last = 0.0
        while at <= until:
            begun = [one for one in waiting if one.started_at <= at]
            now = {id(one) for one in begun if one.ended_at is None or one.ended_at > at}
            if now - known or (now and at - last >= repeat):
                firing, last = firing + 1, at
            elif known - now:
                resolved, last = resolved + 1, at
            known = now
            waiting = [one for one in waiting if id(one) in now or one.started_at > at]
            if not now:
                break
            at += max(1.0, interval)
        else:
            return firing, resolved
    return firing, resolved
