"""The application, driven by keys."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from opsconsole.core.paths import state_dir
from opsconsole.core.reading import Answer, Query, SourceError
from opsconsole.core.values import Value
from opsconsole.screens.definition import Kind, Pane, Screen, Target
from opsconsole.ui.actions import KeyAction
from opsconsole.ui.app import OpsConsole
from opsconsole.ui.screens.dashboard import DashboardView
from opsconsole.ui.screens.runbook import RunbookView
from opsconsole.ui.screens.text import TextView
from tests.screens.fake_session import OVERVIEW, RUNBOOK, fake_session, standard, vector


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written goes where the test can look at it."""
    monkeypatch.setenv("OPSCONSOLE_STATE", str(tmp_path / "state"))


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


# --- errors ---------------------------------------------------------------------------------------------------


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


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE)
async def test_no_text_from_outside_is_interpreted(tmp_path: Path, text: str) -> None:
    text = f"[/oops][@click=app.quit]{text}\x1b]52;c;aGk=\x07"
    pane = Pane("up", text, Kind.STATUS, targets=(Target("up", "{{job}}"),), area=text)
    screen = Screen("hostile", text, (pane, Pane("bad", text, Kind.STAT, broken=text)))

    def answers(query: Query) -> Value:
        return vector(({"job": text, text: text}, 1.0))

    async with running(tmp_path, screens=(screen, OVERVIEW), answers=answers) as pilot:
        app = await settle(pilot)
        app.console_screen.tell(text)
        app.notify(text, title=text)
        shown = await press(pilot, "e")
        shown += await press(pilot, "escape", "2", "?", "escape")
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[/oops]" in shown
        assert app.is_running


# --- runbooks -------------------------------------------------------------------------------------------------


async def test_two_keys_lead_from_the_red_line_to_the_first_step_of_its_runbook(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b")
        assert "SERVICE = energy-service" in shown
        assert 'echo "looking at $SERVICE"' in shown
        shown = await press(pilot, "enter")
        assert "looking at energy-service" in shown
        assert "DESTRUCTIVE  confirm: type energy-service" in shown


async def test_a_destructive_step_wants_the_name_typed(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "b", "enter")
        assert "Type  energy-service  to run this step" in await press(pilot, "enter")
        shown = await press(pilot, *"wrong", "enter")
        assert "nothing was run" in shown
        assert "restarted" not in shown.partition("OUTPUT")[2]
        shown = await press(pilot, *"energy-service", "enter")
        assert "restarted energy-service" in shown
        shown = await press(pilot, "enter")  # the manual step
        assert "The run has ended: ok" in shown


async def test_a_confirmation_cannot_be_pasted(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        app = await settle(pilot)
        await press(pilot, "b", "enter", "enter")
        view = app.console_screen.view
        assert view is not None
        view.take_paste("energy-service")
        shown = await press(pilot, "enter")
        assert "restarted energy-service" not in shown


async def test_a_step_is_skipped_with_a_reason_or_not_at_all(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "b", "enter")
        assert "a reason is needed" in await press(pilot, "s", "enter")
        assert "skipped" in await press(pilot, *"known", "enter")


async def test_a_dry_run_runs_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b", "d")
        assert "nothing was run" in shown
        assert "○ 1.1" in shown


async def test_a_run_goes_on_while_one_looks_elsewhere_and_is_found_again(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "b", "enter")
        shown = await press(pilot, "1")
        assert "NEEDS ATTENTION" in shown
        assert "0 back to Service restart" in shown
        assert "looking at energy-service" in await press(pilot, "0")
        await press(pilot, "1")
        assert "looking at energy-service" in await press(pilot, "b")


async def test_parameters_that_are_missing_are_asked_for_first(tmp_path: Path) -> None:
    async with running(tmp_path) as pilot:
        await settle(pilot)
        await press(pilot, "9")
        shown = await press(pilot, "enter")
        assert "PARAMETERS" in shown
        assert "a value is required" in shown
        assert "does not match" in await press(pilot, "X", "enter")
        shown = await press(pilot, "ctrl+u", *"api", "enter")
        assert "SERVICE = api" in shown
        assert "echo" in shown


async def test_a_read_only_console_says_which_rule_refused(tmp_path: Path) -> None:
    from tests.screens import fake_session as fakes

    async with running(tmp_path, context=fakes.context(read_only=True)) as pilot:
        await settle(pilot)
        assert "read-only" in text_of(pilot.app) if isinstance(pilot.app, OpsConsole) else False


async def test_a_failed_step_holds_the_walk_and_says_what_can_be_done(tmp_path: Path) -> None:
    failing = RUNBOOK.replace('echo "looking at $SERVICE"', "echo broken; exit 3")
    async with running(tmp_path, runbook=failing) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b", "enter")
        assert "failed" in shown
        assert "broken" in shown
        assert "r runs it again" in await press(pilot, "enter")


async def test_leaving_the_program_with_a_running_step_asks_first(tmp_path: Path) -> None:
    may_end = tmp_path / "may-end"  # the step lasts until the test lets it end, however slow the machine
    slow = RUNBOOK.replace('echo "looking at $SERVICE"', f"until test -e '{may_end}'; do sleep 0.05; done")
    async with running(tmp_path, runbook=slow) as pilot:
        app = await settle(pilot)
        await pilot.press("b")
        await pilot.pause()
        await pilot.press("enter")
        while not app.going_run():
            await pilot.pause()
        await pilot.press("1")
        await pilot.pause()
        await pilot.press("q")
        await pilot.pause()
        assert "is running" in text_of(app)
        assert app.is_running
        await pilot.press("y", "enter")
        await ended(app)
    may_end.touch()
    (record,) = [path.read_text() for path in (tmp_path / "state" / "runs").glob("*/journal.jsonl")]
    assert "cancelled" not in record  # the step is the supervisor's, and goes on
    assert '"ev":"detach"' in record


CHOICE = """```text {"name":"way","title":"which way","kind":"choice","options":["retry","fail over"],"set":"WAY"}
Is the other one ready?
```
```sh {"name":"retry","risk":"read","timeout":"9s","when":"WAY=retry"}
echo "retrying $SERVICE"
```
```sh {"name":"over","risk":"read","timeout":"9s","when":"WAY=fail over"}
echo "going to the other $SERVICE"
```
"""


async def test_a_choice_is_picked_from_a_list_and_decides_what_follows(tmp_path: Path) -> None:
    head = RUNBOOK[: RUNBOOK.index("---", 4) + 4]
    async with running(tmp_path, runbook=head + CHOICE) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b", "enter")
        assert "fail over" in shown
        shown = await press(pilot, *"fail", "enter")
        assert "1.3" in shown
        assert "not-applicable" in shown
        assert "going to the other energy-service" in await press(pilot, "enter")


async def test_two_hundred_steps_stay_instant(tmp_path: Path) -> None:
    many = RUNBOOK + "\n".join(f"- [ ] Look at thing {number}" for number in range(200))
    async with running(tmp_path, runbook=many) as pilot:
        await settle(pilot)
        shown = await press(pilot, "b")
        assert len(shown.splitlines()) == 40
        app = pilot.app
        assert isinstance(app, OpsConsole)
        assert len(app.console_screen.query("*")) < 40


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
