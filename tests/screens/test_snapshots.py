"""How each shipped screen looks: live, stale, in error and empty, on a small and on an ordinary terminal.

`make snapshots` writes them anew; look at the report before committing.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.runbooks import RunbooksView
from tests.screens.driving import painted
from tests.screens.still import STATES, State, StillSources, still_session

pytestmark = pytest.mark.usefixtures("still_surroundings")

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40))
SCREENS = ("overview", "system-health", "resources", "database-overview")


async def quiet(pilot: Pilot[int]) -> OpsConsole:
    """Wait until everything was read, judged and painted."""
    app = pilot.app
    assert isinstance(app, OpsConsole)
    await pilot.pause()
    while app.console_screen.view is None or not app.console_screen.view.composed:
        await pilot.pause()
    await painted(app)
    while app.opened.feed.poller.busy:
        await pilot.pause()
    await app.workers.wait_for_complete([worker for worker in app.workers if worker.group == "library"])
    app.opened.watchkeeper.judge()
    app.show_freshness()
    await painted(app)
    return app


def looking(sources: StillSources, state: State) -> Callable[[Pilot[int]], Awaitable[None]]:
    """What happens before the picture is taken."""

    async def before(pilot: Pilot[int]) -> None:
        app = await quiet(pilot)
        if state == "stale":
            sources.failing = True
            app.opened.feed.poller.refresh_now()
            await quiet(pilot)

    return before


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(snap_compare: Compare, tmp_path: Path, screen: str, size: tuple[int, int], state: State) -> None:
    sources = StillSources(state)
    app = OpsConsole(still_session(tmp_path, sources, first_screen=screen))
    assert snap_compare(app, terminal_size=size, run_before=looking(sources, state))


@pytest.mark.parametrize("theme", ["light", "ansi", "high-contrast", "no-colour"])
def test_theme(snap_compare: Compare, tmp_path: Path, theme: str) -> None:
    sources = StillSources("live")
    app = OpsConsole(still_session(tmp_path, sources, theme=theme))
    assert snap_compare(app, terminal_size=(120, 40), run_before=looking(sources, "live"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "keys", [("b",), ("question_mark",), ("colon",), ("9",)], ids=["runbook", "help", "command", "list"]
)
def test_what_lies_on_top(snap_compare: Compare, tmp_path: Path, size: tuple[int, int], keys: tuple[Any, ...]) -> None:
    sources = StillSources("live")
    app = OpsConsole(still_session(tmp_path, sources))

    async def before(pilot: Pilot[int]) -> None:
        await quiet(pilot)
        await pilot.press(*keys)
        app = await quiet(pilot)
        view = app.console_screen.view
        while isinstance(view, RunbooksView) and view.table.selected_row is None:
            await pilot.pause()
        await painted(app)

    assert snap_compare(app, terminal_size=size, run_before=before)
