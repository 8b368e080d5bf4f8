"""Errors as a source that panes can ask, so that the overview knows of new kinds of them.

`new` answers how many kinds are there that were not before yesterday and that nobody muted, `kinds` how many there are
at all, `muted` how many somebody knows of.
"""

import math
import time

from opsconsole.config.settings import Environment
from opsconsole.core.reading import Answer, Capabilities, Query, SourceError
from opsconsole.core.values import Scalar
from opsconsole.errors.asking import Errors
from opsconsole.errors.model import Survey
from opsconsole.errors.opening import open_errors
from opsconsole.sources.registry import Sources

NAME = "errors"
QUERIES = ("new", "kinds", "muted")
EVERY = 60.0
"""Seconds between two looks into logs for the sake of a number in a corner; who looks at errors sees them sooner."""


class ErrorsSource:
    """Implements `Source` over the errors of an environment."""

    name = NAME

    def __init__(self, environment: Environment, sources: Sources) -> None:
        self._environment, self._sources = environment, sources
        self._errors: Errors | None = None

    @property
    def errors(self) -> Errors:
        """What it answers from; the same for all that ask.

        Raises:
            ValueError: no source of errors is configured in the environment.
        """
        if self._errors is None:
            self._errors = open_errors(self._environment, self._sources)
        return self._errors

    async def read(self, query: Query) -> Answer:
        """Answer one of `QUERIES`, as it was within the last minute.

        Raises:
            SourceError: no such question, or no source of errors answers.
        """
        text = query.text.strip()
        if text not in QUERIES:
            raise SourceError(NAME, "bad-query", f"{text[:40]!r} is no question; expected one of {', '.join(QUERIES)}")
        began = time.monotonic()
        try:
            survey = await self.errors.survey(within=EVERY)
        except ValueError as error:
            raise SourceError(NAME, "unsupported", str(error)) from None
        if survey.heard and all(one.error for one in survey.heard):
            raise SourceError(NAME, "unreachable", survey.heard[0].error)
        return Answer(Scalar(_count(survey, text), survey.taken_at), survey.taken_at, time.monotonic() - began)

    async def probe(self) -> Capabilities:
        """How many kinds there are."""
        return Capabilities("Errors", str(len((await self.errors.survey(within=EVERY)).kinds)))

    async def close(self) -> None:
        """Let go of files that are followed."""
        if self._errors is not None:
            await self._errors.close()


def open_shared(environment: Environment, sources: Sources) -> Errors:
    """The errors that the source `errors` of `sources` answers from.

    Raises:
        ValueError: no source of errors is configured in the environment.
    """
    source = sources.get(NAME)
    assert isinstance(source, ErrorsSource)
    return source.errors


def _count(survey: Survey, text: str) -> float:
    """NaN where it is known of no kind whether it is new: unknown is not none."""
    there = [one for one in survey.kinds if one.count and one.mute is None]
    if text == "muted":
        return float(sum(one.mute is not None for one in survey.kinds))
    if text == "kinds":
        return float(len(there))
    known = [one.new for one in there if one.new is not None]
    return math.nan if there and not known else float(sum(known))
