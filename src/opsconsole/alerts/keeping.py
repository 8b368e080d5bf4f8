"""Keeping acknowledgements alive: each is a short silence that is prolonged while its alert fires, and ended when that
is over.

Somebody has to do that: the console while it is open, or `opsconsole alert ack --keep`. Where nobody does, an
acknowledgement ends by itself after its few minutes, and the alert notifies again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsconsole.actions import registry
from opsconsole.actions.action import Outcome
from opsconsole.actions.confirmation import Confirmation
from opsconsole.alerts.matching import all_hold
from opsconsole.alerts.model import DeliverySide, Silence, Survey
from opsconsole.core.clean import clean_line
from opsconsole.core.duration import duration_text

if TYPE_CHECKING:
    from opsconsole.actions.door import Door
    from opsconsole.alerts.asking import Alerts
    from opsconsole.config.settings import Environment

PERIOD = 30.0
"""Seconds between two looks."""
_LEFT = 5 * 60.0
"""Seconds before its end from which one is prolonged: several looks may fail before it is too late."""
_LEAST, _MOST = 15 * 60.0, 3600.0
"""Seconds that it is prolonged to, from now: what it was for at first, within these."""
_OVER = 60.0
"""Seconds for which nothing must match before it is ended: an alert that flaps is not told anew each time."""


@dataclass(frozen=True, slots=True)
class Due:
    """What has to be done about one acknowledgement."""

    silence: Silence
    alertmanager: str
    seconds: float | None
    """How long from now it is to last; None: it is to end."""
    why: str


def mine(silence: Silence, actor: str) -> bool:
    """Whether it is an acknowledgement of `actor` that holds now."""
    return silence.acknowledges and silence.state == "active" and silence.created_by == actor


def due(survey: Survey, actor: str, idle: dict[str, float]) -> Iterator[Due]:
    """What has to be done now, about those of `actor`. Nothing is done on what cannot be seen.

    Args:
        idle: id -> unix seconds at which it was first seen to match nothing; kept from look to look.
    """
    now = survey.taken_at
    for side in survey.sides:
        for silence in side.silences:
            if not mine(silence, actor) or silence.ends_at is None or not all(one.known for one in silence.matchers):
                continue
            matched = [one for one in survey.alerts if one.seen and all_hold(silence.matchers, one.sent_labels)]
            if matched:
                idle.pop(silence.id, None)
                if silence.ends_at - now <= _LEFT:
                    yield Due(silence, side.name, _length(silence), f"{len(matched)} still fire")
            elif _complete(survey, side) and now - idle.setdefault(silence.id, now) >= _OVER:
                yield Due(silence, side.name, None, "nothing that it matches fires any more")


def _complete(survey: Survey, side: DeliverySide) -> bool:
    """Whether it can be seen that an alert is gone."""
    return not side.error and not survey.failed


def _length(silence: Silence) -> float:
    assert silence.ends_at is not None
    asked = silence.ends_at - (silence.starts_at or silence.ends_at)
    return min(_MOST, max(_LEAST, asked)) if asked <= _MOST else _LEAST


class Keeper:
    """Keeps the acknowledgements of one operator, through the one door."""

    def __init__(
        self,
        alerts: "Alerts",
        door: "Door",
        environment: "Environment",
        actor: str,
        *,
        only: frozenset[str] = frozenset(),
        told: Callable[[str, bool], object] = lambda _, failed: None,
    ) -> None:
        """A keeper.

        Args:
            actor: as the silences name who made them.
            only: ids; empty: all of the operator.
            told: hears what was done in a line, and whether it could not be.
        """
        self._alerts = alerts
        self._door = door
        self._environment = environment
        self._actor = actor
        self._only = set(only)
        self._told = told
        self._idle: dict[str, float] = {}

    async def keep(self) -> None:
        """Look again and again, until this is cancelled."""
        while True:
            await self._looked()
            await asyncio.sleep(PERIOD)

    async def keep_only(self) -> None:
        """Look again and again, until none of those that it is about holds any more."""
        while True:
            survey = await self._looked()
            if survey is None:
                await asyncio.sleep(PERIOD)
                continue
            held = {one.id for side in survey.sides for one in side.silences if mine(one, self._actor)}
            if not survey.failed and not self._only & held:
                return
            await asyncio.sleep(PERIOD)

    async def _looked(self) -> Survey | None:
        """Look once, whatever comes of it; None where nothing did."""
        try:
            return await self.look()
        except Exception as error:  # ended by it, acknowledgements would run out while everybody relies on them
            self._told(failure_text(error), True)
            return None

    async def look(self) -> Survey:
        """Look once, and do what is due. The survey is what was seen before that."""
        survey = await self._alerts.acknowledged_survey(self._actor)
        for one in due(survey, self._actor, self._idle):
            if not self._only or one.silence.id in self._only:
                await self._do(one)
        return survey

    async def _do(self, one: Due) -> None:
        given = {"id": one.silence.id, "alertmanager": one.alertmanager}
        name = "alert.unsilence"
        if one.seconds is not None:
            name, given = "alert.edit-silence", {**given, "duration": f"{round(one.seconds)}s"}
        registration = registry.find(name)
        assert registration is not None
        action = registration.build(given, self._environment)
        action = replace(action, details=(*action.details, ("kept", f"as it was acknowledged: {one.why}")))
        # The yes is that of the acknowledgement, which is to last while the alert fires.
        result = await self._door.perform(action, Confirmation.yes(), sink=lambda _: None)
        self._alerts.forget()
        matchers = ", ".join(map(str, one.silence.matchers))
        what = f"prolonged by {duration_text(one.seconds)}" if one.seconds is not None else "ended"
        if result.outcome is Outcome.OK:
            self._told(f"{time.strftime('%H:%M:%S')} {what}: {matchers} ({one.why})", False)
        else:
            self._told(f"{time.strftime('%H:%M:%S')} not {what}: {matchers}: {result.detail}", True)


def failure_text(error: Exception) -> str:
    """That acknowledgements cannot be looked after, and what happens next."""
    why = clean_line(error, limit=200) or type(error).__name__
    return f"acknowledgements are not prolonged: {type(error).__name__}: {why}; tried again in {PERIOD:.0f} s"
