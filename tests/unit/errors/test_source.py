"""What the source `errors` says to panes, and what the journal says of a mute."""

import asyncio
import math
from typing import cast

import pytest

from opsconsole.config.settings import Environment
from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Scalar
from opsconsole.errors.asking import Errors
from opsconsole.errors.model import Heard, Kind, Mute, Survey
from opsconsole.errors.report import muting_title
from opsconsole.errors.source import EVERY, ErrorsSource
from opsconsole.sources.registry import Sources
from tests.unit.errors.made import kind


class Still:
    def __init__(self, *kinds: Kind, error: str = "") -> None:
        self.found = Survey(0.0, 60.0, kinds, (Heard("logs/api", error=error),))
        self.within = 0.0

    async def survey(self, within: float = 2.0) -> Survey:
        self.within = within
        return self.found


def asked(errors: Still, text: str) -> float:
    source = ErrorsSource(cast("Environment", None), cast("Sources", None))
    source._errors = cast("Errors", errors)
    value = asyncio.run(source.read(Query("errors", text))).value
    assert isinstance(value, Scalar)
    return value.value


MUTED = kind("m", new=False, mute=Mute("alice", 1.0))


def test_kinds_are_counted_apart_from_what_somebody_knows_of() -> None:
    errors = Still(kind("a", new=True), kind("b", new=False), kind("c", new=None), kind("d", new=True, count=0), MUTED)
    assert {text: asked(errors, text) for text in ("new", "kinds", "muted")} == {"new": 1, "kinds": 3, "muted": 1}
    assert errors.within == EVERY, "logs are not read for it every few seconds"


def test_where_nobody_looked_a_day_ago_it_is_not_known_whether_there_are_new_ones() -> None:
    assert math.isnan(asked(Still(kind("a", new=None)), "new"))
    assert asked(Still(), "new") == 0


def test_a_source_that_is_silent_is_an_error() -> None:
    with pytest.raises(SourceError, match="gone"):
        asked(Still(error="gone"), "new")
    with pytest.raises(SourceError, match="expected one of new"):
        asked(Still(), "latest")


def test_the_journal_says_what_is_muted_and_for_how_long() -> None:
    assert muting_title(kind(), Mute("a", 0.0, None, "OPS-1")) == "mute api: ValueError for good: OPS-1"
    assert muting_title(kind(), Mute("a", 0.0, 0.0)) == "mute api: ValueError until 1970-01-01 00:00:00 UTC"
    assert muting_title(kind(service="", type=""), None) == "take back the mute of logs/api: no <n>"
