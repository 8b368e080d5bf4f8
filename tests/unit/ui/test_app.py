"""The application, driven by keys."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from opsconsole.ui.app import OpsConsole
from tests.unit.ui.fake_session import fake_session


def text_of(app: OpsConsole) -> str:
    """What is on the terminal, as plain text."""
    width, height = app.size
    strips = app.console_screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width].rstrip() for strip in strips[:height])


async def settle(pilot: Pilot[int]) -> None:
    """Wait until what was asked is answered and painted."""
    app = pilot.app
    assert isinstance(app, OpsConsole)
    for _ in range(3):
        await pilot.pause()
    app.opened.watchkeeper.judge()
    await pilot.pause()


async def test_it_opens_on_the_overview_with_the_worst_first(tmp_path: Path) -> None:
    app = OpsConsole(fake_session(tmp_path))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        shown = text_of(app)
        print(shown)
        assert "PRODUCTION" in shown
        assert "alice @ bastion-1" in shown
        assert "14:02:11 UTC" in shown
        assert "1 Overview" in shown
        assert "9 Runbooks" in shown
        assert "energy-service app-2" in shown
        assert "CRIT" in shown.splitlines()[0]


async def test_two_keys_lead_from_the_red_line_to_the_first_step_of_its_runbook(tmp_path: Path) -> None:
    app = OpsConsole(fake_session(tmp_path))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("b")
        await pilot.pause()
        print(text_of(app))
        assert "SERVICE = energy-service" in text_of(app)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await settle(pilot)
        print(text_of(app))
        assert "looking at energy-service" in text_of(app)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await settle(pilot)
        print(text_of(app))
        await pilot.press(*"energy-service")
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await settle(pilot)
        print(text_of(app))
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await settle(pilot)
        print(text_of(app))
