"""What fails: a source, a pane, the program itself; and text from outside that would like to be obeyed."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsconsole.core.reading import Query, SourceError
from opsconsole.core.values import Value
from opsconsole.screens.definition import Kind, Pane, Screen, Target
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.dashboard import DashboardView
from tests.screens.driving import press, running, settle, text_of
from tests.screens.fake_session import OVERVIEW, fake_session, standard, vector

pytestmark = pytest.mark.usefixtures("own_state")


async def test_a_source_that_fails_is_an_error_pane_with_its_reason_and_the_rest_works(tmp_path: Path) -> None:
    def answers(query: Query) -> Value:
        if query.text == "p95":
            raise SourceError("prometheus", "unreachable", "connection refused at 127.0.0.1:9090")
        return standard(query)

    async with running(tmp_path, answers=answers) as pilot:
        await settle(pilot)
        shown = await press(pilot, "2")
        assert "! ERROR" in shown
        assert "connection refused" in shown
        assert "energy-service app-2" in shown
        shown = await press(pilot, "tab", "e")
        assert "what the source said" in shown
        assert "asked of prometheus" in shown


async def test_a_pane_that_cannot_be_drawn_is_an_error_pane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opsconsole.ui.panes import stat
    from opsconsole.ui.panes.registry import RENDERERS

    def fails(*_args: object, **_more: object) -> Any:
        raise ZeroDivisionError("drawn too thin")

    monkeypatch.setitem(RENDERERS, Kind.STAT, fails)
    assert stat.render is not fails
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "2")
        assert "cannot be drawn: ZeroDivisionError: drawn too thin" in shown
        assert "energy-service app-2" in shown


async def test_a_key_that_fails_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_self: DashboardView) -> None:
        raise ZeroDivisionError("no such zoom")

    monkeypatch.setattr(DashboardView, "do_zoom", fails)
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        await pilot.press("z")
        await pilot.pause()
        assert "failed unexpectedly, ZeroDivisionError: no such zoom" in text_of(app)
        await pilot.press("2")
        await pilot.pause()
        assert app.is_running


async def test_a_crash_ends_in_a_short_message_without_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = OpsConsole(fake_session(tmp_path))

    def fails() -> None:
        password = "canary-in-a-local"
        raise RuntimeError(f"it broke after {len(password)} characters")

    with pytest.raises(RuntimeError):  # noqa: PT012 - the pilot raises it when the application has ended
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            app.call_later(fails)
            await pilot.pause()
    said = capsys.readouterr()
    assert "canary-in-a-local" not in said.out + said.err
    assert app.return_code == 1
    logs = list((tmp_path / "state" / "logs").iterdir())
    assert len(logs) == 1
    assert "it broke" in logs[0].read_text()


async def test_a_tick_that_comes_after_the_end_finds_nothing_to_do(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
    assert not app.screen_stack
    app._tick()


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("[]{}()=@/\\\x1b\x07\x9b\r\n\u202e\u200b")), min_size=1, max_size=40
)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOSTILE, min_size=4, max_size=4))
async def test_no_text_from_outside_is_interpreted(tmp_path: Path, drawn: list[str]) -> None:
    texts = [f"[/oops][@click=app.quit]{text}\x1b]52;c;aGk=\x07" for text in drawn]  # several on one screen
    panes = [Pane(f"up{n}", text, Kind.STATUS, targets=(Target(f"up{n}", "{{job}}"),), area=text)
             for n, text in enumerate(texts)]  # fmt: skip
    broken = [Pane(f"bad{n}", text, Kind.STAT, broken=text) for n, text in enumerate(texts)]
    screen = Screen("hostile", texts[0], (*panes, *broken))

    def answers(query: Query) -> Value:
        text = texts[int(query.text.removeprefix("up"))]
        return vector(({"job": text, text: text}, 1.0))

    async with running(tmp_path, screens=(screen, OVERVIEW), answers=answers) as pilot:
        app = await settle(pilot)
        for text in texts:
            app.console_screen.tell(text)
            app.notify(text, title=text)
            shown = text_of(await settle(pilot))
            assert "\x1b" not in shown
            assert "\x07" not in shown
        shown = await press(pilot, "e")
        shown += await press(pilot, "escape", "2", "?", "escape")
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[/oops]" in shown
        assert app.is_running
