"""Screens, commands and the life of the application, driven by keys."""

import asyncio
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from opsconsole.core.reading import Answer, Query
from opsconsole.core.values import Value
from opsconsole.ui.actions import KeyAction
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.dashboard import DashboardView
from opsconsole.ui.screens.text import TextView
from tests.screens.driving import ended, in_time, press, running, settle, text_of
from tests.screens.fake_session import fake_session, standard

pytestmark = pytest.mark.usefixtures("own_state")


# --- the overview and the screens -----------------------------------------------------------------------------


async def test_it_opens_on_the_overview_with_the_worst_first(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        shown = text_of(await settle(pilot))
        assert "PRODUCTION" in shown
        assert "alice @ bastion-1" in shown
        assert "14:02:11 UTC" in shown
        assert "1 Overview" in shown
        assert "9 Runbooks" in shown
        assert "1 CRIT" in shown.splitlines()[0]
        assert "energy-service app-2" in shown.splitlines()[4]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_screen_works_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size=size) as pilot:
        await settle(pilot)
        for key, wanted in (("1", "energy-service"), ("2", "Services"), ("3", "CPU"), ("9", "Service restart")):
            shown = await press(pilot, key)
            assert wanted in shown, key
            assert "PRODUCTION" in shown
            assert all(len(row) <= size[0] for row in shown.splitlines())


async def test_a_key_that_came_before_the_first_screen_is_followed(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        app.open_numbered("2")
        there = app.console_screen.view
        app._open()  # what begins once the frame is painted
        await settle(pilot)
        assert app.console_screen.view is there


async def test_a_command_begun_before_the_first_screen_is_typed_to_its_end(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        app.console_screen.drop_views()  # as it is until the frame is painted
        await pilot.press(":", "4")
        app._open()
        await pilot.press("2")
        assert app.console_screen.prompt.asking, "the rest would be keys of the screen: b starts a runbook"
        await pilot.press("ctrl+j")  # enter, as a terminal sends it that is not in raw mode yet
        assert "no command or screen '42'" in text_of(await settle(pilot))


async def test_a_number_without_a_screen_says_so(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        assert "there is no screen 7" in await press(pilot, "7")


async def test_enter_leads_into_and_escape_back(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "enter")
        assert "Overview › Resources" in shown  # the pane's drill-down
        assert "job energy-service" in shown
        assert "CPU" in shown
        shown = await press(pilot, "escape")
        assert "NEEDS ATTENTION" in shown


async def test_a_screen_opened_for_a_pane_begins_there(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        health = next(screen for screen in app.session.screens if any(pane.id == "p95" for pane in screen.panes))
        app.console_screen.open_view(DashboardView(health, first_pane="p95"))
        await settle(pilot)
        view = app.console_screen.view
        assert isinstance(view, DashboardView)
        assert view.pane is not None
        assert view.pane.pane.id == "p95"


async def test_zoom_gives_one_pane_the_screen_and_the_screen_back(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "2", "z")
        assert "Services" in shown
        assert "API p95" not in shown
        assert "API p95" in await press(pilot, "escape")


async def test_tab_and_arrows_walk_over_panes(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "2")
        app = pilot.app
        assert isinstance(app, OpsConsole)
        view = app.console_screen.view
        assert isinstance(view, DashboardView)

        def here() -> str:
            assert view.pane is not None
            return view.pane.pane.id

        assert here() == "up"
        await press(pilot, "tab")
        assert here() == "p95"
        await press(pilot, "shift+tab")
        assert here() == "up"
        await press(pilot, "right")
        assert here() == "p95"
        await press(pilot, "down", "down")
        assert here() == "broken"


async def test_a_filter_is_followed_while_it_is_typed_and_taken_back(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "2")
        shown = await press(pilot, "/", *"energy")
        assert "energy-service app-2" in shown
        assert "api app-1" not in shown
        assert "api app-1" in await press(pilot, "escape")
        shown = await press(pilot, "/", *"!energy", "enter")
        assert "energy-service app-2" not in shown
        assert "filter !energy" in shown


async def test_a_time_range_is_chosen_typed_and_stepped_through(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "2")
        assert "last 6h" in await press(pilot, "t", *"6h", "enter")
        assert "to 11:02" in await press(pilot, "[")
        assert "last 6h" in await press(pilot, "]")
        assert "last 3h" in await press(pilot, "+")
        backwards = ["space" if key == " " else key for key in "11:00 to 10:00"]
        assert "ends before it begins" in await press(pilot, "t", *backwards, "enter")


async def test_variables_are_chosen_from_what_there_is(tmp_path: Path) -> None:
    asked: list[str] = []

    def answers(query: Query) -> Value:
        asked.append(query.text)
        return standard(query)

    async with running(tmp_path, answers=answers) as pilot:
        await settle(pilot)
        assert "job all" in await press(pilot, "3")
        assert "energy-service" in await press(pilot, "v")
        assert "job api" in await press(pilot, *"api", "enter")
        assert 'cpu{job=~"api"}' in asked


async def test_a_pause_is_said_and_ended(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        assert "PAUSED" in await press(pilot, "p")
        assert "PAUSED" not in await press(pilot, "p")


async def test_only_what_is_looked_at_and_the_checks_are_read(tmp_path: Path) -> None:
    asked: list[str] = []

    def answers(query: Query) -> Value:
        asked.append(query.text)
        return standard(query)

    async with running(tmp_path, answers=answers) as pilot:
        await settle(pilot)
        assert "up" in asked  # a check
        assert "p95" not in asked
        await press(pilot, "2")
        assert "p95" in asked
        assert not any(text.startswith("cpu") for text in asked)


# --- commands, palette, help ----------------------------------------------------------------------------------


async def test_the_command_line_goes_places_and_says_what_it_does_not_know(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        assert "Services" in await press(pilot, ":", *"health", "enter")
        shown = await press(pilot, ":", *"nonsense", "enter")
        assert "no command or screen" in shown
        assert "CPU" in await press(pilot, "escape", ":", "r", "e", "s", "o", "u", "tab", "enter")


async def test_a_runbook_is_opened_from_the_command_line_with_its_parameters(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        line = ["space" if key == " " else key for key in "rb restart svc=api"]
        assert "SERVICE = api" in await press(pilot, ":", *line, "enter")


async def test_the_palette_does_what_keys_do(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "2")
        assert "Zoom the pane" in await press(pilot, "ctrl+p", *"zoom")
        assert "API p95" not in await press(pilot, "enter")


async def test_help_shows_the_keys_of_the_place_and_closes_again(tmp_path: Path) -> None:
    async with running(tmp_path, size=(120, 80)) as pilot:
        await settle(pilot)
        shown = await press(pilot, "?")
        assert "Zoom the pane" in shown
        assert ":rb" in shown
        assert "NEEDS ATTENTION" in await press(pilot, "?")


async def test_themes_change_everything_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        await press(pilot, ":", *"theme", "space", *"light", "enter")
        assert app.theme == "light"


async def test_no_key_of_a_multiplexer_does_anything(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)

        def without_freshness(shown: str) -> str:
            return re.sub(r" +sources \d of \d.*", "", shown)  # told every few seconds, keys or not

        before = without_freshness(await press(pilot, "2"))
        assert without_freshness(await press(pilot, "ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q")) == before
        assert app.is_running


async def test_a_users_keymap_holds_and_a_clash_is_said(tmp_path: Path) -> None:
    async with running(tmp_path, keys={"zoom": ["Z"], "pause": ["r"]}) as pilot:
        app = await settle(pilot)
        assert "r already means refresh" in text_of(app)
        assert "API p95" not in await press(pilot, "2", "Z")


# --- life -----------------------------------------------------------------------------------------------------


async def test_sources_that_hang_do_not_hold_the_end_back(tmp_path: Path) -> None:
    session = fake_session(tmp_path)

    async def hangs(query: Query) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    async def never_closes() -> None:
        await asyncio.Event().wait()

    app = OpsConsole(dataclasses.replace(session, read=hangs, close=never_closes))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("2", "q")
        async with asyncio.timeout(3):
            await ended(app)
    assert app.return_code == 0


async def test_another_environment_is_entered_and_shows_its_name(tmp_path: Path) -> None:
    from tests.screens import fake_session as fakes

    def enter(name: str) -> Any:
        return fake_session(tmp_path, context=fakes.context(environment=name), banner="green")

    async with running(tmp_path, enter=enter) as pilot:
        await settle(pilot)
        shown = await press(pilot, ":", *"env", "space", *"staging", "enter")
        assert "STAGING" in shown
        assert "energy-service app-2" in shown


async def test_a_key_typed_ahead_of_a_view_waits_for_it_and_leaves_it_its_turn(tmp_path: Path) -> None:
    class Slow(TextView):
        done = 0

        async def on_mount(self) -> None:  # type: ignore[override]
            await gate.wait()  # what every view does at this time comes after it

        def do_bottom(self) -> None:
            self.done += 1

    gate = asyncio.Event()
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        tried: list[str] = []
        console, perform = app.console_screen, app.console_screen.perform

        def counted(action: KeyAction) -> None:
            tried.append(action.id)
            perform(action)

        console.perform = counted  # type: ignore[method-assign]
        view = Slow("Slow", lambda _width: ())
        console.open_view(view)
        console.perform(app.console_screen.registry["bottom"])
        for _ in range(20):
            await asyncio.sleep(0)
        assert (tried, view.done) == (["bottom"], 0)
        gate.set()
        async with in_time("the key"):
            while not view.done:
                await pilot.pause()
        assert (tried, view.done) == (["bottom", "bottom"], 1)
