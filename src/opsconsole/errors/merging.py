"""What the sources said, with what is remembered, as one list; and the same by service."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from opsconsole.errors.memory import Recalled
from opsconsole.errors.model import DAY, Heard, Kind, Mute, ServiceErrors
from opsconsole.errors.tallying import TREND

COUNTING = "metrics"
"""The sources that count everything and say little; logs say more, of what is logged."""


def merged(heard: Iterable[Heard], recalled: Recalled, now: float) -> tuple[Kind, ...]:
    """Every kind with when it was seen first, whether it is new, and who muted it: what is new first, then by rate."""
    kinds = [_known(kind, one, recalled, now) for one in heard for kind in one.kinds]
    return tuple(sorted(kinds, key=_urgency))


def told_once(heard: Iterable[Heard]) -> tuple[Heard, ...]:
    """What several sources hear alike, as said by the first of them alone: in their order, so that it is the same one
    from look to look, and keeps its fingerprint."""
    said: set[str] = set()
    found = []
    for one in heard:
        kinds = one.kinds if one.shared in said else (*one.kinds, *one.shared_kinds)
        if one.shared:
            said.add(one.shared)
        found.append(replace(one, kinds=kinds, shared_kinds=()))
    return tuple(found)


def is_new(first_at: float | None, watched_from: float | None, now: float) -> bool | None:
    """Whether it was not there before yesterday at this time; None where nobody looked then."""
    if first_at is None:
        return None
    yesterday = now - DAY
    if first_at <= yesterday:
        return False
    return None if watched_from is None or watched_from > yesterday else True


def shown(kinds: Iterable[Kind], *, service: str = "", only_new: bool = False, muted: bool = True) -> tuple[Kind, ...]:
    """What occurred within the window, and is of that service (`*` stands for anything)."""
    from fnmatch import fnmatchcase

    return tuple(
        one
        for one in kinds
        if one.count
        and (not service or fnmatchcase(one.service, service))
        and (not only_new or one.new)
        and (muted or one.mute is None)
    )


def by_service(kinds: Iterable[Kind]) -> tuple[ServiceErrors, ...]:
    """What each service does wrong, the highest rate first.

    Where metrics count a service's errors, they say how many; else the sum of what was logged does. Both together
    would count most of them twice.
    """
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        groups.setdefault(kind.service, []).append(kind)
    services = (_of_service(name, members) for name, members in groups.items())
    return tuple(sorted(services, key=lambda one: (-one.rate, -one.count, one.service)))


def _of_service(service: str, kinds: Sequence[Kind]) -> ServiceErrors:
    metered = [one for one in kinds if one.source.partition("/")[0] == COUNTING]
    counted = metered or kinds
    before = [one.before for one in counted]
    return ServiceErrors(
        service=service,
        kinds=sum(one.count > 0 for one in kinds),
        new=sum(one.new is True for one in kinds),
        count=sum(one.count for one in counted),
        before=None if None in before else sum(one or 0 for one in before),
        rate=sum(one.rate for one in counted),
        last_at=max((one.last_at for one in kinds if one.last_at is not None), default=None),
        trend=tuple(sum(one.trend[part] for one in counted) for part in range(TREND)),
        metered=bool(metered),
    )


def _known(kind: Kind, heard: Heard, recalled: Recalled, now: float) -> Kind:
    times = [at for at in (kind.first_at, recalled.first_at.get(kind.fingerprint)) if at is not None]
    looked = [at for at in (heard.covers_from_at, recalled.watched_from.get(heard.source)) if at is not None]
    first = min(times, default=None)
    mute = _in_force(recalled.mutes.get(kind.fingerprint), now)
    new = False if mute is not None else is_new(first, min(looked, default=None), now)
    return replace(kind, first_at=first, new=new, mute=mute)


def _in_force(mute: Mute | None, now: float) -> Mute | None:
    return mute if mute is not None and (mute.until is None or mute.until > now) else None


def _urgency(kind: Kind) -> tuple[bool, bool, float, int, float]:
    return kind.mute is not None, kind.new is not True, -kind.rate, -kind.count, -(kind.last_at or 0.0)
