"""SLAs as a source that panes can ask, so that the overview knows of them like of everything else.

`standing` answers one sample an SLA: 0 kept, 1 at risk, 2 broken or burning fast; NaN unknown, which is a state and no
number. `budget` answers the share of its budget that is left.
"""

import math
import time

from opsconsole.config.settings import Environment
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Sample, Vector
from opsconsole.screens.checks import UNANSWERED
from opsconsole.sla.asking import Slas, open_slas
from opsconsole.sla.standing import Standing
from opsconsole.sources.registry import Sources

NAME = "sla"
_LEVELS = {State.OK: 0.0, State.WARN: 1.0, State.CRIT: 2.0}
PATIENCE = 20.0
"""Seconds: what takes longer comes with the next reading."""
QUERIES = ("standing", "budget")


class SlaSource:
    """Implements `Source` over the SLAs of an environment."""

    name = NAME

    def __init__(self, environment: Environment, sources: Sources) -> None:
        self._environment, self._sources = environment, sources
        self._slas: Slas | None = None

    @property
    def slas(self) -> Slas:
        """What it answers from; the same for all that ask.

        Raises:
            ValueError: nothing is promised in the environment.
        """
        if self._slas is None:
            self._slas = open_slas(self._environment, self._sources)
        return self._slas

    async def read(self, query: Query) -> Answer:
        """Answer `standing` or `budget`, now."""
        text = query.text.strip()
        if text not in QUERIES:
            raise SourceError(NAME, "bad-query", f"{text[:40]!r} is no question; expected {' or '.join(QUERIES)}")
        began = time.monotonic()
        try:
            survey = await self.slas.survey(PATIENCE)
        except ValueError as error:
            raise SourceError(NAME, "unsupported", str(error)) from None
        found = [one for one in survey.standings if not one.waiting]
        if survey.standings and not found:
            raise SourceError(NAME, "timeout", f"nothing was read within {PATIENCE:g} s; it is still being read")
        samples = tuple(_sample(one, text, survey.taken_at) for one in found)
        return Answer(Vector(samples), survey.taken_at, time.monotonic() - began, survey.notes)

    async def probe(self) -> Capabilities:
        """How many there are."""
        return Capabilities("SLAs", str(len(self.slas.slas)))

    async def close(self) -> None:
        """Nothing of its own is open."""


def open_shared(environment: Environment, sources: Sources) -> Slas:
    """The SLAs that the source `sla` of `sources` answers from.

    Raises:
        ValueError: nothing is promised in the environment.
    """
    source = sources.get(NAME)
    assert isinstance(source, SlaSource)
    return source.slas


def _sample(one: Standing, text: str, now: float) -> Sample:
    labels = {"sla": one.sla.name, "title": one.sla.label, "owner": one.sla.owner, "runbook": one.sla.runbook}
    if one.error and one.state not in _LEVELS:
        labels[UNANSWERED] = one.error
    known = one.budget_left if one.sli is not None else None
    value = _LEVELS.get(one.state) if text == "standing" else known
    return Sample(labels, math.nan if value is None else value, now)
