"""What has to be sent to which Alertmanager so that a silence holds, or ends, in all of them; to whom nothing has to be
sent, and who cannot be told. Pure: from one survey.

Peers tell each other, so that one of them is told. Asked for again, what is there already is prolonged, never stacked.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opsconsole.alerts.actions.meanwhile import seen_text
from opsconsole.alerts.joining import joining_of
from opsconsole.alerts.matching import Matcher
from opsconsole.alerts.model import Alert, DeliverySide, Silence, Survey
from opsconsole.alerts.moments import timestamp
from opsconsole.alerts.reaching import shape_of
from opsconsole.core.duration import parse_duration

_SLACK = 60.0
"""Seconds by which one that is there may end sooner than one that would be made now, and do as well."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A silence that is to be there."""

    matchers: Sequence[Matcher]
    duration: str
    comment: str
    actor: str
    """Whose it is: of others' silences none is changed."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done at one Alertmanager."""

    alertmanager: str
    said: str
    """In a few words: what is done, or why nothing is."""
    action: str = ""
    """Id of the action; empty: nothing is to be sent."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    away: bool = False
    """It does not answer, so that what has to be done there cannot be seen."""


def to_tell(sides: Sequence[DeliverySide], names: Collection[str]) -> list[DeliverySide]:
    """Those of these `names` that have to be told: of peers one. Who does not answer does not say whose peer it is."""
    seen: set[frozenset[str]] = set()
    found: list[DeliverySide] = []
    for side in sides:
        if side.name not in names:
            continue
        peers = frozenset(side.cluster.peers)
        if len(peers) > 1:
            if peers in seen:
                continue
            seen.add(peers)
        found.append(side)
    return found


def having(alert: Alert) -> list[str]:
    """The Alertmanagers where a silence of `alert` belongs: who has it, or does not answer; where nobody does, who
    should have it."""
    states = {one.alertmanager: one.state for one in alert.deliveries if one.state != "elsewhere"}
    return [name for name, state in states.items() if state != "absent"] or list(states)


def silencing(wanted: Wanted, survey: Survey, names: Collection[str]) -> list[Planned]:
    """What makes `wanted` hold in the Alertmanagers of these `names`."""
    return [_silenced(wanted, survey, side) for side in to_tell(survey.sides, names)]


def testing(
    given: Mapping[str, str], labels: Mapping[str, str], survey: Survey, names: Collection[str]
) -> list[Planned]:
    """What sends a test alert with `labels` (empty: one for each receiver) to the Alertmanagers of these `names`, which
    are all tried: each is to tell people when the others are gone, peers or not.

    Args:
        given: the arguments of `alert.test`, without whom it is sent to.
    """
    shape = shape_of(survey.rules, survey.sides, joining_of(survey.rules))
    expected = shape.expected(frozenset(labels.items()), [None] * len(survey.rules)) if labels else ()
    planned = []
    for place, side in enumerate(survey.sides):
        if side.name not in names:
            continue
        if side.error:
            planned.append(_away(side))
        elif not shape.reaches(place, expected):
            planned.append(Planned(side.name, "no Prometheus that could fire this sends to it; nothing is sent"))
        else:
            planned.append(Planned(side.name, "a test is sent", "alert.test", {**given, "alertmanager": side.name}))
    return planned


def _silenced(wanted: Wanted, survey: Survey, side: DeliverySide) -> Planned:
    if side.error:
        return _away(side)
    there = _own(wanted, side)
    seconds = parse_duration(wanted.duration)
    if there is None:
        given = {
            "matchers": _text(wanted.matchers), "duration": wanted.duration, "comment": wanted.comment,
            "alertmanager": side.name,
        }  # fmt: skip
        return Planned(side.name, f"for {wanted.duration}", "alert.silence", given)
    ends = there.ends_at or survey.taken_at
    changes = {
        **({"duration": wanted.duration} if ends < survey.taken_at + seconds - _SLACK else {}),
        **({"comment": wanted.comment} if there.comment != wanted.comment else {}),
    }
    if not changes:
        return Planned(side.name, f"silence {there.id} is there, until {timestamp(ends)}; nothing is sent")
    given = {"id": there.id, "seen": seen_text(there), **changes, "alertmanager": side.name}
    what = f"prolonged to {wanted.duration} from now" if "duration" in changes else "another comment"
    return Planned(side.name, f"silence {there.id} is there: {what}", "alert.edit-silence", given)


def ending(identity: str, survey: Survey, names: Collection[str]) -> list[Planned]:
    """What ends the silence of that id, and its like (matchers, comment and whose it is) in the other Alertmanagers of
    these `names`; empty where none knows it, and all answer."""
    sides = to_tell(survey.sides, names)
    meant = next((one for side in sides for one in side.silences if one.id == identity), None)
    found = [one for side in sides for one in _ended(identity, meant, side)]
    return found if meant is not None or any(one.away for one in found) else []


def _ended(identity: str, meant: Silence | None, side: DeliverySide) -> Iterator[Planned]:
    if side.error:
        yield _away(side)
        return
    for one in side.silences:
        if one.id != identity and not (meant is not None and one.state != "expired" and _alike(one, meant)):
            continue
        if one.state == "expired":
            ended = f" at {timestamp(one.ends_at)}" if one.ends_at is not None else ""
            yield Planned(side.name, f"silence {one.id} has ended{ended}; nothing is sent")
        else:
            given = {"id": one.id, "alertmanager": side.name}
            yield Planned(side.name, f"silence {one.id} ends", "alert.unsilence", given)


def _own(wanted: Wanted, side: DeliverySide) -> Silence | None:
    """The silence that is there already, of several the one that ends last."""
    acknowledges, matchers = wanted.comment.startswith("ACK!"), set(map(str, wanted.matchers))
    found = [
        one
        for one in side.silences
        if one.state == "active"
        and one.created_by == wanted.actor
        and one.acknowledges == acknowledges
        and set(map(str, one.matchers)) == matchers
    ]
    return max(found, key=lambda one: one.ends_at or 0.0, default=None)


def _alike(one: Silence, other: Silence) -> bool:
    return (
        one.created_by == other.created_by
        and one.comment == other.comment
        and set(map(str, one.matchers)) == set(map(str, other.matchers))
    )


def _away(side: DeliverySide) -> Planned:
    return Planned(side.name, f"not told: {side.error.removeprefix(f'{side.name}: ')}", away=True)


def _text(matchers: Sequence[Matcher]) -> str:
    return ", ".join(map(str, matchers))
