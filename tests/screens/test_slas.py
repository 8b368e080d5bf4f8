"""How SLAs look on their screen and in their pages, and where their keys lead: on readings made by hand."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.detail import DetailView
from opsconsole.ui.screens.runbook import RunbookView
from opsconsole.ui.screens.slas import SlasView
from opsconsole.ui.screens.text import TextView
from opsconsole.ui.screens.view import View
from tests.screens.driving import in_time, painted, sees, text_of
from tests.screens.sla_readings import ByHand
from tests.screens.still import StillSources, still_session
from tests.screens.test_pipelines import opened_at, read

pytestmark = pytest.mark.usefixtures("still_surroundings")

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40))


def app_of(folder: Path) -> OpsConsole:
    slas = ByHand()

    async def given() -> object:
        return slas

    session = still_session(
        folder, StillSources("live"), first_screen="sla-monitoring", families={"sla": given}
    )  # fmt: skip
    return OpsConsole(session)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("what", ["screen", "objectives", "detail"])
def test_slas(snap_compare: Compare, tmp_path: Path, what: str, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        app = await opened_at(pilot)
        if what != "screen":
            app.console_screen.open_view(SlasView())
            await pilot.pause()
            await read(app)
        if what == "detail":
            await pilot.press("home", "enter")
            async with in_time("the detail"):
                while not isinstance(app.console_screen.view, TextView):
                    await pilot.pause()
        await painted(app)

    assert snap_compare(app_of(tmp_path), run_before=before, terminal_size=size)


async def test_the_command_the_pages_and_the_runbook(tmp_path: Path) -> None:
    async with app_of(tmp_path).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        await pilot.press("colon", *"sla violations", "enter")
        await wait("RECOVERED IN")
        await wait("load_tariffs")
        await pilot.press("tab")
        await wait("BURN 1h")
        await pilot.press("s")
        await wait("sorted by left")
        await pilot.press("home", "enter")
        await wait("told above 14.4×")

        async def leads_to(key: str, view: type[View]) -> None:
            await pilot.press(key)
            async with in_time(f"{key}: {view.__name__}"):
                while not isinstance(app.console_screen.view, view):
                    await pilot.pause()

        await leads_to("b", RunbookView)
        await leads_to("escape", DetailView)
        await leads_to("escape", SlasView)
        await wait("BURN 1h")
        await leads_to("b", RunbookView)


async def test_without_promises_it_says_so(tmp_path: Path) -> None:
    session = still_session(tmp_path, StillSources("live"), first_screen="sla-monitoring")
    async with OpsConsole(session).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)
        assert "nothing is promised in this environment" in text_of(app)
