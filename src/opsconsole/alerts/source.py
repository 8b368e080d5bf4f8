"""Alerts as a source that panes can ask: how many need somebody, and how many are somebody's already. Prometheus alone
cannot say: it knows of no silence.

Each query is one of `Need` and answers one number; `silent` counts the dead-man's switches that are (0 or 1).
"""

import asyncio
import time

from opsconsole.alerts.asking import Alerts, open_alerts
from opsconsole.alerts.model import Survey
from opsconsole.alerts.needing import Need, needs
from opsconsole.alerts.watchdog import watch
from opsconsole.config.settings import Environment
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.core.state import State
from opsconsole.core.values import Scalar
from opsconsole.sources.registry import Sources
from opsconsole.sources.shared_reading import SERVES

NAME = "alerts"
SILENT = "silent"
QUERIES = (*(one.value for one in Need), SILENT)
_EACH_SECOND = 100
"""Alerts for which a second has to pass between two surveys for the sake of a number in a corner: one of five thousand
takes half a second of CPU. Who looks at alerts sees them sooner."""


class AlertsSource:
    """Implements `Source` over the alerts of an environment."""

    name = NAME

    def __init__(self, environment: Environment, sources: Sources) -> None:
        self._environment, self._sources = environment, sources
        self._alerts: Alerts | None = None
        self._holds = SERVES
        self._counted: tuple[Survey, asyncio.Future[dict[str, int]]] | None = None

    @property
    def alerts(self) -> Alerts:
        """What it answers from; the same for all that ask.

        Raises:
            ValueError: nothing is configured that could know any.
        """
        if self._alerts is None:
            self._alerts = open_alerts(self._environment, self._sources)
        return self._alerts

    async def read(self, query: Query) -> Answer:
        """Answer one of `QUERIES`, now.

        Raises:
            SourceError: no such question, or nobody who knows of alerts answers.
        """
        text = query.text.strip()
        if text not in QUERIES:
            raise SourceError(NAME, "bad-query", f"{text[:40]!r} is no question; expected one of {', '.join(QUERIES)}")
        began = time.monotonic()
        try:
            survey = await self.alerts.shared_survey(self._holds)
        except ValueError as error:
            raise SourceError(NAME, "unsupported", str(error)) from None
        self._holds = max(SERVES, len(survey.alerts) / _EACH_SECOND)
        if all(one.error for one in survey.rules) and all(one.error for one in survey.sides):
            raise SourceError(NAME, "unreachable", survey.notes[0] if survey.notes else "nobody answers")
        found = float((await self._counts(survey))[text])
        return Answer(Scalar(found, survey.taken_at), survey.taken_at, time.monotonic() - began, survey.notes)

    async def _counts(self, survey: Survey) -> dict[str, int]:
        """The answers to all questions; of thousands of alerts they are counted once for a survey, and beside the
        event loop."""
        if self._counted is None or self._counted[0] is not survey:
            self._counted = survey, asyncio.ensure_future(asyncio.to_thread(_counts, survey))
        return await asyncio.shield(self._counted[1])

    async def probe(self) -> Capabilities:
        """How many there are."""
        return Capabilities("Alerts", str(len((await self.alerts.shared_survey()).alerts)))

    async def close(self) -> None:
        """Nothing of its own is open."""


def _counts(survey: Survey) -> dict[str, int]:
    counts = {one.value: count for one, count in needs(survey).items()}
    return {**counts, SILENT: int(watch(survey).state is State.CRIT)}


def open_shared(environment: Environment, sources: Sources) -> Alerts:
    """The alerts that the source `alerts` of `sources` answers from.

    Raises:
        ValueError: nothing is configured that could know any.
    """
    source = sources.get(NAME)
    assert isinstance(source, AlertsSource)
    return source.alerts
