"""How errors look, and where their keys lead: on a survey made by hand."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot

from opsconsole.errors.model import Mute, Survey
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.errors import ErrorsView
from opsconsole.ui.screens.runbook import RunbookView
from tests.screens.driving import in_time, sees
from tests.screens.still import StillSources, still_session
from tests.screens.test_pipelines import opened_at
from tests.unit.ui.errors.test_pages import READING

pytestmark = pytest.mark.usefixtures("still_surroundings")

Compare = Callable[..., bool]
SIZES = ((80, 24), (120, 40))


class ByHand:
    """Answers as `errors.asking.Errors` does."""

    def __init__(self) -> None:
        self.muted: dict[str, Mute] = {}

    async def survey(self) -> Survey:
        return READING.survey

    def runbook_of(self, source: str) -> str:
        return "service-restart-procedures"

    async def mute(self, fingerprint: str, mute: Mute) -> None:
        self.muted[fingerprint] = mute

    async def unmute(self, fingerprint: str) -> None:
        del self.muted[fingerprint]


def app_of(folder: Path, source: ByHand) -> OpsConsole:
    async def given() -> object:
        return source

    session = still_session(
        folder, StillSources("live"), first_screen="error-tracking", families={"errors": given}
    )  # fmt: skip
    return OpsConsole(session)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screen(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[int]) -> None:
        await opened_at(pilot)

    assert snap_compare(app_of(tmp_path, ByHand()), run_before=before, terminal_size=size)


async def test_every_key_of_errors_does_something(tmp_path: Path) -> None:
    source = ByHand()
    async with app_of(tmp_path, source).run_test(size=(120, 40)) as pilot:
        app = await opened_at(pilot)

        wait = partial(sees, pilot)
        app.commander.open_family("errors")
        async with in_time("the view"):
            while not isinstance(app.console_screen.view, ErrorsView):
                await pilot.pause()
        await wait("3 kinds of errors, 1 new")
        for key, said in (
            ("s", "sorted by rate"), ("v", "new only"), ("v", "muted only"), ("v", "one by one"),
            ("tab", "CHANGE"), ("shift+tab", "FIRST"), ("home", "NEW"), ("o", "KeyError: 1"), ("escape", "FIRST"),
            ("x", "nothing that the console does would change that"), ("m", "how long, such as 8h"),
        ):  # fmt: skip
            await pilot.press(key)
            await wait(said)
        await pilot.press(*"OPS-7", "enter")
        await wait("m takes it back")
        (muted,) = source.muted.values()
        assert (muted.note, muted.until is None) == ("OPS-7", False)
        await pilot.press("home", "b")
        async with in_time("the runbook"):
            while not isinstance(app.console_screen.view, RunbookView):
                await pilot.pause()
