"""What the watch makes of what was never answered yet."""

import asyncio
from collections.abc import Sequence

import pytest

from opsconsole.core.reading import Answer, Query
from opsconsole.screens.overview import Overview
from opsconsole.ui.feed import Feed
from opsconsole.ui.watchkeeping import Watchkeeper
from tests.unit.screens.test_overview import HEALTH, OVERVIEW, screen

SCREENS = [screen(OVERVIEW), screen(HEALTH)]


async def _never(query: Query) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError(query)


@pytest.mark.parametrize(("sources", "awaited"), [(["prometheus", "postgres/app"], True), (["redis"], False)])
async def test_an_area_is_awaited_while_a_source_that_is_configured_was_never_heard(
    sources: Sequence[str], awaited: bool
) -> None:
    told: list[Overview] = []
    keeper = Watchkeeper(Feed(_never, lambda: 0.0), SCREENS, sources, told.append)
    keeper.start()
    keeper.stop()
    areas = {one.id: one.awaited for one in told[-1].areas}
    assert areas["services"] is awaited
    assert told[-1].checks == ()
