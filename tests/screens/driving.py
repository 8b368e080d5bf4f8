"""The application, driven by keys: what to press, what to wait for, and what is on the terminal then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from opsconsole.core.paths import state_dir
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.runbook import RunbookView
from tests.screens.fake_session import fake_session


def text_of(app: OpsConsole) -> str:
    """What is on the terminal, as plain text."""
    strips = app.console_screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


@asynccontextmanager
async def in_time(what: str) -> AsyncIterator[None]:
    """Say what was waited for in vain, before the whole test is stopped without saying."""
    try:
        async with asyncio.timeout(30):
            yield
    except TimeoutError:
        where = "\n".join(repr(task) for task in asyncio.all_tasks())
        raise AssertionError(f"waited 30 s for {what}; under way:\n{where}") from None


async def settle(pilot: Pilot[int]) -> OpsConsole:
    """Wait until what was asked is answered and painted."""
    app = pilot.app
    assert isinstance(app, OpsConsole)
    async with in_time("the application to be idle"):
        await pilot.pause()
    async with in_time("a view and the answers to its questions"):
        while app.console_screen.view is None or not app.console_screen.view.composed or app.opened.feed.poller.busy:
            await pilot.pause()
    await painted(app)
    steps = [worker for worker in app.workers if worker.group in ("step", "action:run-step", "action:dry-run-step")]
    if steps:
        async with in_time("the step to end"):
            await app.workers.wait_for_complete(steps)
    app.opened.watchkeeper.judge()
    view = app.console_screen.view
    if isinstance(view, RunbookView):
        view._repaint()
    await painted(app)
    async with in_time("the application to be idle again"):
        await pilot.pause()
    assert not list(state_dir().glob("logs/*")) or "drawn too thin" in text_of(app), (
        "something failed and was lived with"
    )
    return app


async def painted(app: OpsConsole) -> None:
    """Wait until two frames in a row look the same."""
    before, now = "", text_of(app)
    async with in_time("the picture to stand still"):
        while before != now:
            for _ in range(2):
                done = asyncio.Event()
                app.console_screen.call_after_refresh(done.set)
                await done.wait()
            before, now = now, text_of(app)


async def sees(pilot: Pilot[int], said: str) -> None:
    """Wait until that is on screen."""
    app = pilot.app
    assert isinstance(app, OpsConsole)
    async with in_time(said):
        while said not in text_of(app):
            await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> str:
    """Press keys, and say what is on screen then."""
    for key in keys:
        await pilot.press(key)
    return text_of(await settle(pilot))


async def ended(app: OpsConsole) -> None:
    """Wait until the application has nothing more to do."""
    while app.is_running:  # noqa: ASYNC110 - Textual has no event for it
        await asyncio.sleep(0.01)


def running(tmp_path: Path, **changes: Any) -> Any:
    """The application at 120x40."""
    size = changes.pop("size", (120, 40))
    return OpsConsole(fake_session(tmp_path, **changes)).run_test(size=size, notifications=True)
